r"""The layers beside what they replace, forward and backward, in turn.

  python -m benchmarks.layers --output=layers.json

Memory is what a pass adds to that of its process.
"""

from absl import app, flags

from benchmarks import report
from benchmarks.interleave import Contestant, interleave, ratio

FLAGS = flags.FLAGS
flags.DEFINE_string("output", None, "JSON file to write.")
flags.DEFINE_integer("rounds", 5, "How often each is measured.", lower_bound=2)

_CASES = {
    "UpsampleConv2D, 16x16": {"name": "upsample", "batch_size": 64, "size": 16, "channels": 128},
    "DownsampleConv2D, 32x32": {
        "name": "downsample",
        "batch_size": 64,
        "size": 32,
        "channels": 128,
    },
    "SelfAttention, 16x16": {"name": "attention", "batch_size": 64, "size": 16, "channels": 128},
    "SelfAttention, 64x64": {"name": "attention", "batch_size": 16, "size": 64, "channels": 64},
}


def main(_):
    columns = {
        "ms": "milliseconds",
        "+-": "spread",
        "ours is faster by": "ratio",
        "MiB": "added_mib",
    }
    rows = {}
    for title, case in _CASES.items():
        results = interleave(
            {
                name: Contestant("benchmarks.contestants:layer", {**case, "fused": fused})
                for name, fused in (("ours", True), ("plain", False))
            },
            FLAGS.rounds,
        )
        found = {
            f"{title}, {name}": {
                **result.as_dict(case["batch_size"]),
                "milliseconds": 1e3 * result.median,
            }
            for name, result in results.items()
        }
        found[f"{title}, plain"]["ratio"] = ratio(results["ours"], results["plain"])
        report.show(found, columns)
        rows |= found
    report.write(FLAGS.output, rows)


if __name__ == "__main__":
    app.run(main)
