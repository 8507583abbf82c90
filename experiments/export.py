r"""Exports a trained model: for TensorFlow Serving and TensorFlow Hub, or for LiteRT.

A folder that a server can watch, with served/digits/1, then 2, and so on:

  python experiments/export.py --model=sagan_digits_16 --output=served/digits

A file for phones:

  python experiments/export.py --model=sagan_digits_16 --format=tflite --weight_precision=int8 \
      --output=digits.tflite
"""

import signal

from absl import flags

from experiments import program, settings_flags
from sagan_tf.evaluation.protocol import Protocol

FLAGS = flags.FLAGS
flags.DEFINE_string("model", None, "Preset, or folder of a model or a run.", required=True)
flags.DEFINE_string(
    "output", None, "Folder that gets a folder per version, or the .tflite file.", required=True
)
settings_flags.define_choice("format", "saved_model", ["saved_model", "tflite"], "What to write.")
settings_flags.define_choice(
    "weight_precision",
    None,
    ["float32", "float16", "int8"],
    "Precision of the weights in a .tflite file, float32 by default.",
)
settings_flags.define(Protocol, "ema", "standing_statistics")


def main():
    lite = FLAGS.format == "tflite"
    if FLAGS.weight_precision and not lite:
        raise ValueError("--weight_precision is for --format=tflite")
    if FLAGS.output.endswith(".tflite") != lite:
        what = "a file such as x.tflite" if lite else "a folder"
        raise ValueError(
            f"--format={FLAGS.format} writes {what}. Received: --output={FLAGS.output}"
        )
    output = program.output_path("output", folder=not lite)
    (sagan,) = program.load_models(
        FLAGS.model,
        ema=FLAGS.ema,
        standing_statistics=FLAGS.standing_statistics,
        needs_tensorflow=True,
    )

    from sagan_tf import export

    # Until here it ends at once. From here on it ends like ^C: nothing half written is left behind.
    signal.signal(signal.SIGTERM, _end)
    try:
        if lite:
            precision = FLAGS.weight_precision or "float32"
            print(export.export_lite(sagan, output, precision, use_ema=FLAGS.ema))
        else:
            print(export.export_saved_model(sagan, output, use_ema=FLAGS.ema))
    finally:
        if hasattr(signal, "setitimer"):  # Windows has none.
            signal.setitimer(signal.ITIMER_REAL, 0)


def _end(number, frame):
    # What is raised in a callback from C, or while an object is deleted, is lost: it comes again.
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, _end)
        signal.setitimer(signal.ITIMER_REAL, 0.5)
    raise KeyboardInterrupt


if __name__ == "__main__":
    program.run(main)
