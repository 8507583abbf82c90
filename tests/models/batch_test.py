"""What the step does with batches that are not as the networks want them."""

import keras
import numpy as np
import pytest

from tests.tiny import BATCH, assert_same, compiled, variables

if keras.backend.backend() != "tensorflow":
    pytest.skip("training needs the TensorFlow backend", allow_module_level=True)

import tensorflow as tf

from sagan_tf.training import Trainer
from tests.models.update_test import compiled as compiled_for

RANDOM = np.random.default_rng(0)
PIXELS = RANDOM.integers(256, size=(BATCH, 16, 16, 1)).astype("uint8")
IMAGES = (PIXELS / 127.5 - 1).astype("float32")
LABELS = RANDOM.integers(3, size=BATCH)


def fit(sagan, *batch):
    sagan.fit(*batch, batch_size=BATCH, shuffle=False, verbose=0)


def evaluate_dataset(sagan, *batch):
    sagan.evaluate(tf.data.Dataset.from_tensors(batch), verbose=0)


def fit_trainer(sagan, *batch):
    Trainer(sagan).fit(tf.data.Dataset.from_tensors(batch), 1)


def train_on_batch(sagan, *batch):
    sagan.train_on_batch(*batch)


def evaluate(sagan, *batch):
    sagan.evaluate(*batch, verbose=0)


WAYS = (fit, fit_trainer, train_on_batch, evaluate)
WRONG = {
    "pixels in 0..255": (
        (PIXELS.astype("float32"), LABELS),
        r"`images` must be in \[-1, 1\], or uint8. Smallest and largest: 0, 255",
    ),
    "pixels in 0..1": (((IMAGES + 1) / 2, LABELS), r"or uint8, but seem to be in \[0, 1\]. Smal"),
    "integers": ((PIXELS.astype("int32"), LABELS), "floats in .* or uint8. Received: dtype=int32"),
    "NaN": ((np.where(IMAGES > 0.9, np.nan, IMAGES), LABELS), "`images` must be finite"),
    "infinite": ((np.where(IMAGES > 0.9, np.inf, IMAGES), LABELS), "`images` must be finite"),
    "another size": (
        (np.zeros((BATCH, 28, 28, 1), "float32"), LABELS),
        r"must have shape \(batch, 16, 16, 1\).* Received: \(?8, 28, 28, 1",
    ),
    "three channels": ((IMAGES.repeat(3, axis=-1), LABELS), r"Received: \(?8, 16, 16, 3"),
    "no channels": ((IMAGES[..., 0], LABELS), r"Received: \(?8, 16, 16\b"),
    "label -1": (
        (IMAGES, LABELS - 1),
        r"`labels` must be in \[0, 3\). Smallest and largest: -1, 1",
    ),
    "label N": ((IMAGES, 0 * LABELS + 3), r"`labels` must be in \[0, 3\). .* largest: 3, 3"),
    "float labels": ((IMAGES, LABELS.astype("float32")), "one int per image. Received: shape"),
    "one-hot labels": ((IMAGES, np.eye(3, dtype="int32")[LABELS]), "seem to be one-hot: pass"),
    "no labels": ((IMAGES,), r"num_classes=3 needs \(images, labels\)"),
    "weights": ((IMAGES, LABELS, np.ones(BATCH, "float32")), "Sample weights .* pass none"),
}


@pytest.fixture(scope="module")
def sagan():
    return compiled()


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_and_changes_nothing(sagan, case):
    batch, message = WRONG[case]
    before = variables(sagan)
    with pytest.raises(ValueError, match=message):
        evaluate_dataset(sagan, *batch)
    assert_same(variables(sagan), before)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.slow
def test_all_ways_lead_through_the_check(sagan, way):
    before = variables(sagan)
    for case in ("pixels in 0..255", "one-hot labels"):
        batch, message = WRONG[case]
        with pytest.raises(ValueError, match=message):
            way(sagan, *batch)
    assert_same(variables(sagan), before)


@pytest.mark.soak
def test_a_wrong_batch_is_found_under_xla_and_between_good_ones():
    sagan = compiled(jit_compile=True)
    labels = np.stack([LABELS, LABELS, LABELS + 1])
    dataset = tf.data.Dataset.from_tensor_slices((np.stack([IMAGES] * 3), labels))
    with pytest.raises(ValueError, match=r"`labels` must be in \[0, 3\). .* largest: 1, 3"):
        Trainer(sagan, steps_per_loop=3).fit(dataset, 3)
    assert sagan.step == 2


@pytest.mark.parametrize(
    "batch",
    [(PIXELS, LABELS[:, None]), (IMAGES.astype("float64"), LABELS.astype("uint8"))],
    ids=["uint8 pixels, labels in a column", "other dtypes"],
)
def test_what_has_one_meaning_is_taken(sagan, batch):
    expected, found = (sagan.evaluate(*each, verbose=0) for each in ((IMAGES, LABELS), batch))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_an_unconditional_model_takes_images_with_labels_and_without():
    sagan = compiled_for(num_classes=None)
    batches = [(IMAGES,), (IMAGES, LABELS), (IMAGES, LABELS + 7)]
    first, *others = [sagan.evaluate(*batch, verbose=0) for batch in batches]
    assert others == [first] * 2
    Trainer(sagan).fit(tf.data.Dataset.from_tensors(IMAGES).repeat(), 1)


def test_bright_images_may_come_later():
    """Only the first step asks whether images were meant to be in [0, 1]."""
    sagan = compiled()
    fit(sagan, IMAGES, LABELS)
    fit(sagan, (IMAGES + 1) / 2, LABELS)
