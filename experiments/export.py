r"""Exports a trained model: for TensorFlow Serving and TensorFlow Hub, or for LiteRT.

A folder that a server can watch, with served/digits/1, then 2, and so on:

  python experiments/export.py --model=sagan_digits_16 --output=served/digits

A file for phones:

  python experiments/export.py --model=sagan_digits_16 --format=tflite --weight_precision=int8 \
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
    "weight_precision",
    None,
    ["float32", "float16", "int8"],
    "Precision of the weights in a .tflite file. Default: float32.",
)
flags.DEFINE_bool("ema", True, "Whether to use the averaged weights.")
flags.DEFINE_integer(
    "standing_statistics",
    0,
    "Batches of 64 from which to recompute batch-norm statistics; 0 for those that are saved.",
    lower_bound=0,
)


def main():
    if FLAGS.weight_precision and FLAGS.format != "tflite":
        raise ValueError("--weight_precision is for --format=tflite")
    if not FLAGS.output:
        raise ValueError("--output is empty")
    output = pathlib.Path(FLAGS.output).expanduser()
    # SIGTERM ends it like ^C: nothing half written is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    (sagan,) = program.load_models(FLAGS.model, standing_statistics=FLAGS.standing_statistics)

    from sagan_tf import export

    if FLAGS.format == "tflite":
        precision = FLAGS.weight_precision or "float32"
        print(export.export_lite(sagan, output, precision, use_ema=FLAGS.ema))
    else:
        print(export.export_saved_model(sagan, output, use_ema=FLAGS.ema))


if __name__ == "__main__":
    program.run(main)
