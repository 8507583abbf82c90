"""Progress bar, metrics and sample grids, on a model that really trains."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from sagan_tf.training import MetricsLogger, ProgressBar, SampleWriter, metrics_logger
from tests.training.small import make


@pytest.fixture(scope="module")
def sagan():
    return make()


def fit(sagan, steps, *callbacks):
    sagan.generator_optimizer.iterations.assign(0)
    images = np.random.default_rng(0).uniform(-1, 1, (4, 16, 16, 1)).astype("float32")
    dataset = tf.data.Dataset.from_tensors((images, np.array([0, 1, 2, 0], "int32"))).repeat()
    sagan.fit(dataset, steps_per_epoch=steps, verbose=0, shuffle=False, callbacks=list(callbacks))


def test_metrics_are_means_between_records(sagan, tmp_path):
    seen = []

    class Spy(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            (metric,) = (each for each in sagan.metrics if each.name == "real_logits")
            seen.append((float(metric.total), float(metric.count)))

    fit(sagan, 5, Spy(), MetricsLogger(tmp_path, every=2, images_per_step=4, steps=5))
    records = [json.loads(line) for line in (tmp_path / "metrics.jsonl").open()]
    assert [record["step"] for record in records] == [2, 4, 5]
    # Keras gives means since the beginning; the logger starts them anew after each record.
    assert [count for _, count in seen] == [1, 2, 1, 2, 1]
    expected = [seen[1][0] / 2, seen[3][0] / 2, seen[4][0]]
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


class Clock:
    """In place of the module `time`."""

    now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    monkeypatch.setattr(metrics_logger, "time", clock := Clock())
    return clock


def log(sagan, clock, directory, start, ends):
    """What is in the file when steps that end at these times, in seconds, have followed `start`."""
    sagan.generator_optimizer.iterations.assign(start)
    logger = MetricsLogger(directory, every=2, images_per_step=4, steps=9)
    logger.set_model(sagan)
    logger.on_train_begin()
    for step, clock.now in enumerate(ends, start=start + 1):
        sagan.generator_optimizer.iterations.assign(step)
        logger.on_train_batch_end(step - 1, {"real_logits": step / 2})
    logger.on_train_end()
    return records_in(directory)


def records_in(directory):
    """Tuples of step, seconds, images per second and the metric."""
    lines = (directory / "metrics.jsonl").read_text().split("\n")
    assert lines.pop() == ""
    return [tuple(json.loads(line).values()) for line in lines]


def test_rate_and_time_of_the_records(sagan, clock, tmp_path):
    assert log(sagan, clock, tmp_path, 0, [1.0, 3.0, 4.0, 5.0, 9.0]) == [
        (2, 3.0, 2.7, 1.0),
        (4, 5.0, 4.0, 2.0),
    ]


@pytest.mark.parametrize(
    "unfinished", ["", '{"step": 8, "seconds": 9', '{"step": 8, "seconds": 9.0}', "\0\0\0"]
)
def test_a_resumed_run_goes_on_with_its_records(sagan, clock, tmp_path, unfinished):
    *kept, removed = log(sagan, clock, tmp_path, 0, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    assert kept == [(2, 2.0, 4.0, 1.0), (4, 4.0, 4.0, 2.0)]
    assert removed[0] == 6
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write(unfinished)
    clock.now = 100.0  # Another process has another clock.
    # One step to the next record, in half a second; its time follows that of the last one kept.
    resumed = log(sagan, clock, tmp_path, 5, [100.5, 102.5, 104.5])
    assert resumed == [*kept, (6, 4.5, 8.0, 3.0), (8, 8.5, 2.0, 4.0)]
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["metrics.jsonl"]


def test_the_record_of_the_checkpoint_s_step_stays(sagan, clock, tmp_path):
    log(sagan, clock, tmp_path, 0, [1.0, 2.0, 3.0, 4.0])
    assert [record[0] for record in log(sagan, clock, tmp_path, 4, [])] == [2, 4]


def test_a_run_from_the_beginning_begins_its_records_anew(sagan, clock, tmp_path):
    log(sagan, clock, tmp_path, 0, [1.0, 2.0])
    clock.now = 50.0
    assert log(sagan, clock, tmp_path, 0, []) == []
    assert log(sagan, clock, tmp_path, 0, [51.0, 52.0]) == [(2, 2.0, 4.0, 1.0)]


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
