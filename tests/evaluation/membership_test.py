import numpy as np
import pytest

from sagan_tf.evaluation import membership
from sagan_tf.images import from_uint8
from tests.tiny import tiny


def images(count, seed, darker=0):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256 - darker, (count, 16, 16, 1)).astype("uint8")
    return pixels, rng.integers(3, size=count)


def test_the_area_is_the_share_of_pairs_in_the_right_order():
    discriminator = tiny().discriminator
    members, others = images(70, seed=0), images(20, seed=1, darker=100)
    found = membership(discriminator, members, others)
    logits = [
        np.ravel(discriminator((from_uint8(pixels), labels.astype("int32"))))
        for pixels, labels in (members, others)
    ]
    pairs = np.sign(logits[0][:, None] - logits[1])
    assert found["auc"] == pytest.approx(np.mean((pairs + 1) / 2), abs=1e-6)
    assert (found["num_members"], found["num_others"]) == (70, 20)
    # Where nothing is known, the error is that of the rank-sum statistic.
    same = membership(discriminator, members, members)
    assert same["auc"] == 0.5
    assert same["standard_error"] == pytest.approx(np.sqrt(141 / (12 * 70 * 70)), rel=0.01)


def test_there_must_be_images_of_both_kinds():
    with pytest.raises(ValueError, match=r"images of both kinds. Received: \[5, 0\]"):
        membership(tiny().discriminator, images(5, 0), images(0, 0))
