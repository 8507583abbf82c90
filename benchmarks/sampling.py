r"""Sampling from the exported SavedModel beside PyTorch's generator, in turn.

  python -m benchmarks.sampling --output=sampling.json

Both run with spectral norms folded into the kernels. At batch 1 the median is the latency (p50) of
a request, without a server around it.
"""

from absl import app, flags

from benchmarks import report
from benchmarks.contestants import CASES, QUICK_CASES
from benchmarks.interleave import Contestant, interleave, ratio

FLAGS = flags.FLAGS
flags.DEFINE_string("output", None, "JSON file to write.")
flags.DEFINE_integer("rounds", 5, "How often each is measured.", lower_bound=2)
flags.DEFINE_multi_enum("case", QUICK_CASES, list(CASES), "What to measure. May be repeated.")
flags.DEFINE_multi_integer("batch_size", [64, 1], "Images in one call. May be repeated.")


def main(_):
    columns = {
        "ms": "milliseconds",
        "images/s": "images_per_second",
        "+-": "spread",
        "ours is faster by": "ratio",
        "MiB": "peak_mib",
        "first, s": "ready_seconds",
    }
    rows = {}
    for name in FLAGS.case:
        for batch_size in FLAGS.batch_size:
            network = {key: CASES[name][key] for key in ("image_size", "channels", "base_channels")}
            options = {**network, "num_classes": 10, "batch_size": batch_size}
            results = interleave(
                {
                    "SavedModel": Contestant("benchmarks.contestants:sample", options),
                    "PyTorch": Contestant("benchmarks.torch_sagan:sample", options),
                },
                FLAGS.rounds,
            )
            ours, theirs = results.values()
            found = {}
            for title, result in results.items():
                row = found[f"{name}, batch {batch_size}, {title}"] = result.as_dict(batch_size)
                row["milliseconds"] = 1e3 * result.median
            row["ratio"] = ratio(ours, theirs)
            report.show(found, columns)
            rows |= found
    report.write(FLAGS.output, rows)


if __name__ == "__main__":
    app.run(main)
