"""Progress bar, metrics and sample grids, on a model that really trains."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from sagan_tf import SAGAN, Discriminator, Generator
from sagan_tf.training import MetricsLogger, ProgressBar, SampleWriter


def make():
    keras.utils.set_random_seed(0)
    sagan = SAGAN(
        Generator(16, 1, 3, base_channels=4, latent_dim=8),
        Discriminator(16, 1, 3, base_channels=4),
    )
    sagan.compile()
    return sagan


@pytest.fixture(scope="module")
def sagan():
    return make()


def fit(sagan, steps, *callbacks, images=None):
    sagan.generator_optimizer.iterations.assign(0)
    if images is None:
        images = np.random.default_rng(0).uniform(-1, 1, (4, 16, 16, 1)).astype("float32")
    dataset = tf.data.Dataset.from_tensors((images, np.array([0, 1, 2, 0], "int32"))).repeat()
    sagan.fit(dataset, steps_per_epoch=steps, verbose=0, shuffle=False, callbacks=list(callbacks))


def test_metrics_are_means_between_records(sagan, tmp_path):
    seen = []

    class Spy(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(float(logs["real_logits"]))

    fit(sagan, 5, Spy(), MetricsLogger(tmp_path, every=2, images_per_step=4, steps=5))
    records = [json.loads(line) for line in (tmp_path / "metrics.jsonl").open()]
    assert [record["step"] for record in records] == [2, 4, 5]
    # Keras gives running means; the logger starts them anew after each record.
    expected = [seen[1], seen[3], seen[4]]
    assert [record["real_logits"] for record in records] == pytest.approx(expected)
    assert set(records[0]) == {
        "step",
        "seconds",
        "images_per_second",
        *(metric.name for metric in sagan.metrics),
    }


def test_metrics_and_samples_go_to_tensorboard(sagan, tmp_path):
    fit(
        sagan,
        2,
        MetricsLogger(tmp_path, every=1, images_per_step=4, steps=2),
        SampleWriter(tmp_path, every=1, steps=2),
    )
    tags = {}
    for path in (tmp_path / "tensorboard").iterdir():
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                tags.setdefault(value.tag, []).append(event.step)
    assert tags["discriminator_loss"] == [1, 2]
    assert tags["samples"] == [1, 2]


def test_nan_stops_training_and_names_metric_and_steps(tmp_path):
    broken = np.full((4, 16, 16, 1), np.nan, "float32")
    logger = MetricsLogger(tmp_path, every=2, images_per_step=4, steps=9)
    with pytest.raises(FloatingPointError, match="became nan between steps 0 and 2") as info:
        fit(make(), 9, logger, images=broken)
    assert "\n" not in str(info.value)


def test_sample_grids_show_the_classes_in_columns(sagan, tmp_path):
    fit(sagan, 3, SampleWriter(tmp_path, every=2, steps=3))
    assert sorted(path.name for path in (tmp_path / "samples").iterdir()) == [
        "step_0000002.png",
        "step_0000003.png",
    ]
    with Image.open(tmp_path / "samples" / "step_0000003.png") as picture:
        assert picture.height > picture.width  # three columns, six rows


def test_progress_bar_shows_rate_losses_and_gates(sagan, capsys):
    fit(sagan, 3, ProgressBar(steps=3, images_per_step=4))
    shown = capsys.readouterr().err
    for text in ("3/3", "img/s=", "D loss=", "G loss=", "G gate 8=", "D gate 8="):
        assert text in shown
