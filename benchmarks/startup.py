r"""From the start of `experiments/train.py` to its first step, and what it spends that on.

  python -m benchmarks.startup --output=startup.json

The whole is measured from outside: the time until the program's progress bar shows a step. The
parts are measured in a process of their own.
"""

import pathlib
import subprocess
import sys
import tempfile
import time

from absl import app, flags

from benchmarks import report

FLAGS = flags.FLAGS
flags.DEFINE_string("output", None, "JSON file to write.")
flags.DEFINE_integer("rounds", 3, "How often the program is started.", lower_bound=1)
flags.DEFINE_string("preset", "sagan_digits_16", "Preset to train, on the digits.")

_TRAIN = pathlib.Path(__file__).parents[1] / "experiments" / "train.py"
_PARTS = """
import time
began = time.perf_counter()
def part(name):
    global began
    print(name, time.perf_counter() - began, sep="\\t", flush=True)
    began = time.perf_counter()

import tensorflow as tf
part("import TensorFlow")
import sagan_tf
from sagan_tf import data, models, training
part("import Keras and sagan_tf")
config = models.preset(PRESET)
sagan = sagan_tf.SAGAN.from_settings(config)
sagan.compile(*models.make_optimizers(config))
part("build networks and optimizers")
count = config.recipe.batch_size * config.model.discriminator_steps
dataset = data.load(
    "digits", config.model.image_size, count, channels=config.model.channels, num_classes=10
)
images, labels = next(iter(dataset))
part("decode the data")
step = tf.function(sagan.train_step).get_concrete_function((images, labels))
part("trace the step")
step(images, labels)
part("optimize the graph, first step")
step(images, labels)
part("second step")
"""


def main(_):
    rows = {
        "train.py to its first step": {"seconds": min(map(until_first_step, range(FLAGS.rounds)))}
    }
    rows |= parts()
    report.show(rows, {"seconds": "seconds"})
    report.write(FLAGS.output, rows)


def until_first_step(_):
    """Seconds from the start of the program to the first of its records."""
    with tempfile.TemporaryDirectory() as directory:
        command = [
            sys.executable,
            str(_TRAIN),
            f"--preset={FLAGS.preset}",
            "--dataset=digits",
            f"--model_dir={directory}/run",
            "--log_every=1",
            "--steps=1000000",
        ]
        records = pathlib.Path(directory, "run", "metrics.jsonl")
        began = time.perf_counter()
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as process:
            while not (records.exists() and records.stat().st_size):
                if process.poll() is not None:
                    raise RuntimeError(process.stderr.read().decode())
                time.sleep(0.02)
            seconds = time.perf_counter() - began
            process.kill()
    return seconds


def parts():
    """Dict from what a process does to its seconds."""
    script = f"PRESET = {FLAGS.preset!r}\n{_PARTS}"
    command = [sys.executable, "-c", script]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = [line.split("\t") for line in output.splitlines() if "\t" in line]
    return {f"  {name}": {"seconds": float(seconds)} for name, seconds in lines}


if __name__ == "__main__":
    app.run(main)
