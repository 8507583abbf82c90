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
    for precision in PRECISIONS:
        found = measured(precision)
        report.show(found, columns)
        rows |= found
    report.write(FLAGS.output, rows)


def measured(precision):
    """Dict from cases to their figures, all in turn with the loops that tell the peaks."""
    names = "convolutions", "matrix_product"
    contestants = {
        name: Contestant(
            "benchmarks.contestants:train_step", {**CASES[name], "precision": precision}
        )
        for name in FLAGS.case
    }
    for name in names:
        contestants[name] = Contestant(f"benchmarks.contestants:{name}", {"precision": precision})
    results = interleave(contestants, FLAGS.rounds)
    loops = {name: results.pop(name) for name in names}
    peaks = {
        f"{name}_gflops": loop.facts["flops"] / loop.median / 1e9 for name, loop in loops.items()
    }
    rows = {}
    for name, step in results.items():
        batch_size = CASES[name]["batch_size"]
        flops = step.facts["flops_per_image"] * batch_size
        loop = loops["convolutions"]
        rows[f"{name}, {precision}"] = {
            **step.as_dict(batch_size),
            "gflop_per_image": step.facts["flops_per_image"] / 1e9,
            "gflops": flops / step.median / 1e9,
            **peaks,
            # Of one round, like all ratios: rounds of a shared machine differ.
            "utilization": ratio(step, loop) * flops / loop.facts["flops"],
        }
    return rows


if __name__ == "__main__":
    app.run(main)
