r"""Exports a trained model: for TensorFlow Serving and TensorFlow Hub, or for LiteRT.

A folder that a server can watch, with served/digits/1, then 2, and so on:

  python experiments/export.py --model=sagan_digits_16 --output=served/digits

A file for phones:

  python experiments/export.py --model=sagan_digits_16 --format=tflite --precision=int8 \
      --output=digits.tflite
"""

import pathlib
import signal

from absl import flags

from experiments import program

FLAGS = flags.FLAGS
flags.DEFINE_string("model", None, "Preset's name or folder, or that of a run.", required=True)
flags.DEFINE_string(
    "output", None, "Folder that gets a folder per version, or the .tflite file.", required=True
)
flags.DEFINE_enum("format", "saved_model", ["saved_model", "tflite"], "What to write.")
flags.DEFINE_enum(
    "precision", None, ["float32", "float16", "int8"], "Of a .tflite file's weights (float32)."
)
flags.DEFINE_bool("ema", True, "Use the averaged weights.")


def main():
    if FLAGS.precision and FLAGS.format != "tflite":
        raise ValueError("--precision is for --format=tflite")
    if not FLAGS.output:
        raise ValueError("--output is empty")
    output = pathlib.Path(FLAGS.output).expanduser()
    # SIGTERM ends it like ^C: nothing half written is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    from sagan_tf import export, training

    sagan = training.load_model(FLAGS.model)
    if FLAGS.format == "tflite":
        precision = FLAGS.precision or "float32"
        print(export.export_lite(sagan, output, precision, use_ema=FLAGS.ema))
    else:
        print(export.export_saved_model(sagan, output, use_ema=FLAGS.ema))


if __name__ == "__main__":
    program.run(main)
