r"""How fast a training step is, and how near to what the machine can do.

  python -m benchmarks.train_step --output=train_step.json

Achieved operations per second are those of the convolutions and matrix products of the step, as
`flops.count_flops` counts them, over its whole time. The peak is that of a loop of nothing but 3x3
convolutions of the network's largest size, forward and backward, by the same TensorFlow, measured
between the rounds of the step.
"""

from absl import app, flags

from benchmarks import report
from benchmarks.contestants import CASES
from benchmarks.interleave import Contestant, interleave, ratio

FLAGS = flags.FLAGS
flags.DEFINE_string("output", None, "JSON file to write.")
flags.DEFINE_integer("rounds", 5, "How often each is measured.", lower_bound=2)
flags.DEFINE_multi_string("case", None, f"Some of {', '.join(CASES)}; all. May be repeated.")

PRECISIONS = ("float32", "mixed_bfloat16")


def main(_):
    names = FLAGS.case or list(CASES)
    rows = {}
    for name in names:
        for precision in PRECISIONS:
            rows[f"{name}, {precision}"] = measured(CASES[name], precision)
    columns = {
        "images/s": "images_per_second",
        "+-": "spread",
        "GFLOP/image": "gflop_per_image",
        "GFLOP/s": "gflops",
        "peak": "peak_gflops",
        "used": "utilization",
        "MiB": "peak_mib",
        "first step, s": "ready_seconds",
    }
    report.show(rows, columns)
    report.write(FLAGS.output, rows)


def measured(case, precision):
    """A dict of figures of one case."""
    channels = max(64, 4 * case["base_channels"]) if case["image_size"] < 64 else 64
    peak = {
        "size": case["image_size"],
        "channels": channels,
        "batch_size": case["batch_size"],
        "precision": precision,
    }
    results = interleave(
        {
            "step": Contestant(
                "benchmarks.contestants:train_step", {**case, "precision": precision}
            ),
            "peak": Contestant("benchmarks.contestants:convolutions", peak),
        },
        FLAGS.rounds,
    )
    step, convolution = results["step"], results["peak"]
    # Of one round, like all ratios: rounds of a shared machine differ.
    flops = step.facts["flops_per_image"] * case["batch_size"]
    return {
        **step.as_dict(case["batch_size"]),
        "gflop_per_image": step.facts["flops_per_image"] / 1e9,
        "gflops": flops / step.median / 1e9,
        "peak_gflops": convolution.facts["flops"] / convolution.median / 1e9,
        "utilization": ratio(step, convolution) * flops / convolution.facts["flops"],
    }


if __name__ == "__main__":
    app.run(main)
