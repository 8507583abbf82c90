"""Records of the metrics: their means, their times, and what a resumed run does with them."""

import json

import keras
import pytest
import tensorflow as tf

from sagan_tf.training import MetricsLogger, SampleWriter, metrics_logger
from tests.training.small import fit


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
