r"""How fast a training step is, and how near to what the machine can do.

  python -m benchmarks.train_step --output=train_step.json

Achieved operations per second are those of the convolutions and matrix products of the step, as
`flops.count_flops` counts them, over its whole time. The peak is that of a loop of nothing but 3x3
convolutions of the network's largest size, forward and backward, by the same TensorFlow, measured
between the rounds of the step.
"""

from absl import app, flags

from benchmarks import report
from benchmarks.contestants import CASES, QUICK_CASES
from benchmarks.interleave import Contestant, interleave, ratio

FLAGS = flags.FLAGS
flags.DEFINE_string("output", None, "JSON file to write.")
flags.DEFINE_integer("rounds", 3, "How often each is measured.", lower_bound=2)
flags.DEFINE_multi_enum("case", QUICK_CASES, list(CASES), "What to measure. May be repeated.")

PRECISIONS = ("float32", "mixed_bfloat16")


def main(_):
    columns = {
        "images/s": "images_per_second",
        "+-": "spread",
        "GFLOP/image": "gflop_per_image",
        "GFLOP/s": "gflops",
        "convolutions": "convolutions_gflops",
        "matmul": "matrix_product_gflops",
        "used": "utilization",
        "MiB": "peak_mib",
        "first step, s": "ready_seconds",
    }
    rows = {}
    for name in FLAGS.case:
        found = {
            f"{name}, {precision}": measured(CASES[name], precision) for precision in PRECISIONS
        }
        report.show(found, columns)
        rows |= found
    report.write(FLAGS.output, rows)


def measured(case, precision):
    """A dict of figures of one case."""
    peaks = "convolutions", "matrix_product"
    contestants = {
        "step": Contestant("benchmarks.contestants:train_step", {**case, "precision": precision})
    }
    for name in peaks:
        contestants[name] = Contestant(f"benchmarks.contestants:{name}", {"precision": precision})
    results = interleave(contestants, FLAGS.rounds)
    step, *loops = (results[name] for name in ("step", *peaks))
    # Of one round, like all ratios: rounds of a shared machine differ.
    flops = step.facts["flops_per_image"] * case["batch_size"]
    return {
        **step.as_dict(case["batch_size"]),
        "gflop_per_image": step.facts["flops_per_image"] / 1e9,
        "gflops": flops / step.median / 1e9,
        **{
            f"{name}_gflops": loop.facts["flops"] / loop.median / 1e9
            for name, loop in zip(peaks, loops, strict=True)
        },
        "utilization": ratio(step, loops[0]) * flops / loops[0].facts["flops"],
    }


if __name__ == "__main__":
    app.run(main)
