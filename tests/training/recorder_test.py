"""What is scored, recorded, drawn and saved while a model trains, and when."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from sagan_tf.training import Checkpoints, Recorder, Trainer
from tests.tiny import BATCH, batches, compiled, fit, replay
from tests.training.recording import Evaluation, every, records_in, statistics


class Noting(Checkpoints):
    """Notes what is saved, and saves it."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.saved = []

    def save(self, metrics=None, seconds=0.0):
        super().save(metrics, seconds)
        self.saved.append((self.sagan.step, metrics))


def test_metrics_are_means_between_records(sagan, tmp_path):
    seen = []

    class Spy(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            (metric,) = (each for each in sagan.metrics if each.name == "real_logits")
            seen.append((float(metric.total), float(metric.count)))

    fit(sagan, 5, Spy(), Recorder(tmp_path, 4, every(log=2)))
    records = records_in(tmp_path)
    assert [record["step"] for record in records] == [2, 4, 5]
    # Keras gives means since the beginning; the recorder starts them anew after each record.
    assert [count for _, count in seen] == [1, 2, 1, 2, 1]
    expected = [seen[1][0] / 2, seen[3][0] / 2, seen[4][0]]
    assert [record["real_logits"] for record in records] == pytest.approx(expected)
    names = {metric.name for metric in sagan.metrics}
    assert set(records[0]) == {"step", "seconds", "images_per_second", *names}


def test_pictures_and_what_tensorboard_gets(sagan, tmp_path):
    fit(sagan, 3, Recorder(tmp_path, 4, every(log=1, sample=2)))
    names = ["step_0000002.png", "step_0000003.png"]
    assert sorted(path.name for path in (tmp_path / "samples").iterdir()) == names
    with Image.open(tmp_path / "samples" / names[-1]) as picture:
        assert picture.height > picture.width  # three columns, six rows
    tags = {}
    for path in (tmp_path / "tensorboard").iterdir():
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                tags.setdefault(value.tag, []).append(event.step)
    assert tags["discriminator_loss"] == [1, 2, 3]
    assert tags["samples"] == [2, 3]


def test_what_is_scored_is_recorded_and_saved_with_statistics_that_fit(tmp_path):
    sagan, evaluation = compiled(), Evaluation()
    checkpoints = Checkpoints(tmp_path / "checkpoints", sagan, monitor="fid")
    options = every(checkpoint=1000, evaluate=1)
    Trainer(sagan).fit(batches(), 4, [Recorder(tmp_path, BATCH, options, checkpoints, evaluation)])
    records = records_in(tmp_path)
    assert [(record["step"], record.get("fid")) for record in records] == [
        (1, 99.0),
        (2, None),  # Training goes on without a score.
        (3, 97.0),
        (4, 96.0),
    ]
    assert checkpoints.best == checkpoints.last == tmp_path / "checkpoints" / "step_0000004"
    # They were scored and saved as `recalibrate` leaves them, not as they were copied in training.
    final = statistics(sagan)
    for path, value in evaluation.seen[4].items():
        np.testing.assert_array_equal(value, final[path], err_msg=path)
    sagan.recalibrate()
    for path, value in statistics(sagan).items():
        np.testing.assert_array_equal(value, final[path], err_msg=path)
    for ours, theirs in zip(sagan.ema_generator.weights, sagan.generator.weights, strict=True):
        if "moving" in ours.path:
            assert np.abs(keras.ops.convert_to_numpy(ours - theirs)).max() > 1e-3, ours.path


def test_only_the_end_is_recalibrated_where_nothing_is_scored(sagan, tmp_path):
    calls = []
    recalibrate = sagan.recalibrate
    sagan.recalibrate = lambda: calls.append(sagan.step) or recalibrate()
    try:
        replay(Recorder(tmp_path, 4, every(), evaluation=Evaluation()), sagan, 0, range(1, 11))
        replay(Recorder(tmp_path, 4, every()), sagan, 3, range(4, 9))
    finally:
        del sagan.recalibrate
    assert calls == [10]


@pytest.mark.parametrize(
    ("start", "seen", "saved"),
    [
        (0, range(1, 8), [3, 6, 7]),
        (0, range(1, 6), [3, 5]),  # Stopped at 5.
        (0, range(1, 7), [3, 6]),  # Stopped at 6: not twice.
        (0, [2, 4, 6, 7], [4, 6, 7]),  # Two steps per loop.
        (3, [], []),  # Nothing has changed since it was restored.
        (5, [6, 7], [6, 7]),
    ],
)
def test_when_it_saves(sagan, tmp_path, start, seen, saved):
    checkpoints = Noting(tmp_path / "checkpoints", sagan, keep=9)
    metrics = {step: {metric.name: 1.0 for metric in sagan.metrics} for step in range(8)}
    for step in metrics:
        metrics[step]["fake_logits"] = float(step)
    callback = Recorder(tmp_path, 4, every(checkpoint=3), checkpoints)
    replay(callback, sagan, start, seen, 7, metrics.get)
    assert checkpoints.saved == [(step, metrics[step]) for step in saved]
    assert [path.name for path in checkpoints.paths] == [f"step_{step:07d}" for step in saved]


def test_the_metric_to_monitor_must_be_one(sagan, tmp_path):
    def begin(monitor, evaluation=None):
        checkpoints = Checkpoints(tmp_path, sagan, monitor=monitor)
        replay(Recorder(tmp_path, 4, every(), checkpoints, evaluation), sagan, 0, [])

    with pytest.raises(ValueError, match=".") as info:
        begin("fake_variances")
    message = str(info.value)
    assert message.startswith("Unknown metric: fake_variances. Did you mean fake_variance or ")
    for metric in sagan.metrics:
        assert metric.name in message
        begin(metric.name)
    with pytest.raises(ValueError, match="Unknown metric: fid"):
        begin("fid")
    begin("fid", Evaluation())
    with pytest.raises(ValueError, match=r"Unknown metric: kid. Did you mean fid\?.*fid, "):
        begin("kid", Evaluation())


def log(sagan, clock, directory, start, ends):
    """What is recorded when steps that end at these times, in seconds, have followed `start`."""

    def logs(step):
        clock.now = ends[step - start - 1]
        return {metric.name: 1.0 for metric in sagan.metrics} | {"real_logits": step / 2}

    steps = range(start + 1, start + 1 + len(ends))
    replay(Recorder(directory, 4, every(log=2)), sagan, start, steps, 9, logs)
    names = ("step", "seconds", "images_per_second", "real_logits")
    return [tuple(record[name] for name in names) for record in records_in(directory)]


@pytest.mark.parametrize(
    "unfinished", ["", '{"step": 8, "seconds": 9', '{"step": 8, "seconds": 9.0}', "\0\0\0"]
)
def test_a_resumed_run_goes_on_with_its_records(sagan, clock, tmp_path, unfinished):
    *kept, removed = log(sagan, clock, tmp_path, 0, [1.0, 3.0, 4.0, 5.0, 9.0, 10.0])
    assert kept == [(2, 3.0, 2.7, 1.0), (4, 5.0, 4.0, 2.0)]
    assert removed[0] == 6
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write(unfinished)
    clock.now = 100.0  # Another process has another clock.
    # One step to the next record, in half a second; its time follows that of the last one kept.
    resumed = log(sagan, clock, tmp_path, 5, [100.5, 102.5, 104.5])
    assert resumed == [*kept, (6, 5.5, 8.0, 3.0), (8, 9.5, 2.0, 4.0)]
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["metrics.jsonl"]
    # The record of the checkpoint's step stays; a run from the beginning begins them anew.
    assert [record[0] for record in log(sagan, clock, tmp_path, 6, [])] == [2, 4, 6]
    assert log(sagan, clock, tmp_path, 0, [151.0, 152.0])[0][0] == 2


def test_a_run_is_traced_once(tmp_path):
    sagan = compiled()
    trainer = Trainer(sagan, steps_per_loop=2)
    checkpoints = Checkpoints(tmp_path / "checkpoints", sagan)
    options = every(log=1, sample=3, checkpoint=4, evaluate=3)
    trainer.fit(batches(), 9, [Recorder(tmp_path, BATCH, options, checkpoints, Evaluation())])
    assert sagan.step == 9
    # At the multiples of several.
    assert [path.name[-1] for path in checkpoints.paths] == ["6", "8", "9"]
    assert trainer._engine._train.__wrapped__.experimental_get_tracing_count() == 1


def test_broken_images_stop_training_before_anything_is_kept(tmp_path):
    sagan = compiled()
    images = np.full((BATCH, 16, 16, 1), np.nan, "float32")
    dataset = tf.data.Dataset.from_tensors((images, np.zeros(BATCH, "int32"))).repeat()
    checkpoints = Checkpoints(tmp_path / "checkpoints", sagan)
    callback = Recorder(tmp_path, BATCH, every(1, 1, 1, 1), checkpoints, Evaluation())
    with pytest.raises(ValueError, match="`images` must be finite"):
        Trainer(sagan).fit(dataset, 9, [callback])
    assert sagan.step == 0
    assert (tmp_path / "metrics.jsonl").read_text() == ""
    assert checkpoints.paths == []
    assert not (tmp_path / "samples").exists()
