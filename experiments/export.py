r"""Exports a trained model for TensorFlow Serving and TensorFlow Hub.

  python experiments/export.py --model=sagan_digits_16 --output=served/digits

writes served/digits/1, then 2, and so on: a folder that a server can watch.
"""

from absl import flags

from experiments import program

FLAGS = flags.FLAGS
flags.DEFINE_string("model", None, "Preset's name or folder, or that of a run.", required=True)
flags.DEFINE_string("output", None, "Folder that gets a folder per version.", required=True)
flags.DEFINE_bool("ema", True, "Use the averaged weights.")


def main():
    from sagan_tf import export, training

    sagan = training.load_model(FLAGS.model)
    print(export.export_saved_model(sagan, FLAGS.output, use_ema=FLAGS.ema))


if __name__ == "__main__":
    program.run(main)
