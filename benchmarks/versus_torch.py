r"""Training and sampling beside PyTorch: the same networks, the same update, in turn.

  python -m benchmarks.versus_torch --output=versus_torch.json

The numbers to quote are the ratios: each is the median over rounds of what one process took by
what the other took right after it. PyTorch runs eagerly or under `torch.compile`, in the faster
memory layout of the two (--nochannels_last for the other).
"""

from absl import app, flags

from benchmarks import report
from benchmarks.contestants import CASES, QUICK_CASES
from benchmarks.interleave import Contestant, interleave, ratio

FLAGS = flags.FLAGS
flags.DEFINE_string("output", None, "JSON file to write.")
flags.DEFINE_integer("rounds", 3, "How often each is measured.", lower_bound=2)
flags.DEFINE_multi_enum("case", QUICK_CASES, list(CASES), "What to measure. May be repeated.")
flags.DEFINE_bool("channels_last", True, "Memory layout of PyTorch's images and kernels.")
flags.DEFINE_bool("compiled", True, "Whether torch.compile takes part; it needs a C++ compiler.")

PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


def main(_):
    columns = {
        "images/s": "images_per_second",
        "+-": "spread",
        "ours is faster by": "ratio",
        "MiB": "peak_mib",
        "first step, s": "ready_seconds",
    }
    rows = {}
    for name in FLAGS.case:
        for precision in PRECISIONS:
            found = compared(name, precision)
            report.show(found, columns)
            rows |= found
    report.write(FLAGS.output, rows)


def compared(name, precision):
    """Dict from contestants to their figures, for one case in one precision."""
    case = CASES[name]
    theirs = {
        **case,
        "num_classes": 10,
        "bfloat16": precision == "bfloat16",
        "channels_last": FLAGS.channels_last,
    }
    torch_step = "benchmarks.torch_sagan:train_step"
    contestants = {
        "sagan_tf": Contestant(
            "benchmarks.contestants:train_step", {**case, "precision": PRECISIONS[precision]}
        ),
        "PyTorch": Contestant(torch_step, theirs),
    }
    if FLAGS.compiled:
        contestants["torch.compile"] = Contestant(torch_step, {**theirs, "compiled": True})
    results = interleave(contestants, FLAGS.rounds)
    ours = results["sagan_tf"]
    rows = {}
    for title, result in results.items():
        if result.facts["parameters"] != ours.facts["parameters"]:
            raise ValueError(
                f"Networks differ: {title} has {result.facts['parameters']} parameters, sagan_tf "
                f"{ours.facts['parameters']}"
            )
        row = result.as_dict(case["batch_size"])
        if result is not ours:
            row["ratio"] = ratio(ours, result)
        rows[f"{name}, {precision}, {title}"] = row
    return rows


if __name__ == "__main__":
    app.run(main)
