import subprocess
import sys

import pytest

from sagan_tf.evaluation import Protocol
from tests.evaluation.errors import message


@pytest.mark.parametrize(
    ("fields", "num_available", "expected"),
    [
        ({}, 1797, (1797, 1797)),
        ({}, 50_000, (10_000, 10_000)),
        ({"num_images": 500}, 1797, (500, 500)),
        ({"num_real_images": 500}, 1797, (500, 500)),
        ({"num_images": 10_000, "num_real_images": 1797}, 1797, (10_000, 1797)),
    ],
)
def test_numbers_of_images(fields, num_available, expected):
    protocol = Protocol(**fields).for_data("digits", num_available, 10)
    assert (protocol.num_images, protocol.num_real_images) == expected


def test_what_does_not_fit_the_data():
    assert message(Protocol(num_images=10_000).for_data, "digits", 1797, 10) == (
        "digits has 1797 images, fewer than the 10000 to compare with: pass "
        "`num_real_images`=1797, or less, or fewer `num_images`"
    )
    for metric in ("intra_fid", "recognized"):
        assert message(Protocol(metrics=(metric,)).for_data, "digits", 1797, None) == (
            f"{metric} needs classes: the generator is unconditional"
        )


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"metrics": ("fid", "kidd")}, "Unknown metric: kidd. Did you mean kid"),
        ({"metrics": ()}, "`metrics` must name some of fid, intra_fid"),
        ({"labels_from": "real"}, "Unknown labels_from: real. Valid: data, uniform"),
        ({"truncation": 0.0}, "`truncation` must be in (0, 1]. Received: 0.0"),
        ({"truncation": 1.1}, "`truncation` must be in (0, 1]"),
        ({"num_images": 1}, "`num_images` must be at least 2"),
        ({"num_real_images": 0}, "`num_real_images` must be at least 2"),
        ({"standing_statistics": -1}, "`standing_statistics` must be at least 0"),
        ({"seed": -1}, "`seed` must be at least 0"),
        ({"splits": 0}, "`splits` must be at least 1"),
        ({"num_subsets": 0}, "`num_subsets` must be at least 1"),
        ({"subset_size": 1}, "`subset_size` must be at least 2"),
        ({"neighbors": 0}, "`neighbors` must be at least 1"),
        ({"max_compared": 1}, "`max_compared` must be at least 2"),
    ],
)
def test_values_out_of_range(fields, expected):
    assert expected in message(Protocol, **fields)


def test_names_and_ranges_are_checked_without_what_is_slow_to_import():
    program = (
        "import sys; sys.modules |= dict.fromkeys(['tensorflow', 'keras', 'sklearn', 'scipy']);"
        "from sagan_tf.evaluation import METRICS, Protocol; Protocol(metrics=list(METRICS))"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
