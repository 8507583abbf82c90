"""What happens by the clock while a model trains, and what ends a run before its last step."""

import pytest

from sagan_tf import training
from sagan_tf.training import Checkpoints, Recorder
from tests.tiny import replay
from tests.training.recording import Evaluation, every, records_in


@pytest.fixture
def slow(sagan, clock, tmp_path):
    """Runs a recorder over steps of a minute each; what it leaves is in `tmp_path`."""

    def run(start, seen, options, max_minutes=None, evaluation=None, monitor=None, end=20):
        def logs(step):
            clock.now += 60.0
            return {metric.name: 1.0 for metric in sagan.metrics}

        # Another process has another clock, and the time between is not counted.
        clock.now += 1000.0
        checkpoints = Checkpoints(tmp_path / "checkpoints", sagan, keep=99, monitor=monitor)
        if start:
            checkpoints.restore()
        limit = training.Clock(max_minutes)
        callback = Recorder(tmp_path, 4, options, checkpoints, evaluation, limit)
        replay(callback, sagan, start, seen, end, logs)
        return callback

    return run


def steps_in(folder, pattern):
    return sorted(int(path.stem.rpartition("_")[2]) for path in folder.glob(pattern))


def test_slow_steps_are_drawn_and_saved_by_the_clock(slow, sagan, tmp_path):
    options = every(log=4).replace(sample_minutes=2.0, checkpoint_minutes=5.0)
    slow(0, range(1, 4), options)
    assert steps_in(tmp_path / "samples", "*.png") == [2]
    assert steps_in(tmp_path / "checkpoints", "step_*") == [3]
    # A picture comes when it would have come; the next checkpoint is counted from this one on.
    slow(3, range(4, 10), options)
    assert steps_in(tmp_path / "samples", "*.png") == [2, 4, 6, 8]
    assert steps_in(tmp_path / "checkpoints", "step_*") == [3, 8, 9]
    # The time that was trained is counted from checkpoints, the records are by steps as ever.
    assert [(each["step"], each["seconds"]) for each in records_in(tmp_path)] == [
        (4, 240),
        (8, 480),
    ]


def test_by_steps_only(slow, tmp_path):
    options = every(checkpoint=6).replace(sample_minutes=None, checkpoint_minutes=None)
    slow(0, range(1, 10), options)
    assert not (tmp_path / "samples").exists()
    assert steps_in(tmp_path / "checkpoints", "step_*") == [6, 9]


def test_a_time_limit_ends_training_as_its_last_step_does(slow, sagan, tmp_path):
    evaluation = Evaluation()
    ended = slow(0, range(1, 4), every(evaluate=1000), 5.0, evaluation)
    assert (ended.end, ended.ended_by, sagan.stop_training) == (20, None, False)
    ended = slow(3, range(4, 6), every(evaluate=1000), 5.0, evaluation)
    assert (ended.end, ended.ended_by) == (5, "5 minutes are over")
    assert sagan.stop_training
    (record,) = records_in(tmp_path)
    assert (record["step"], record["fid"]) == (5, 95.0)
    assert steps_in(tmp_path / "samples", "*.png")[-1] == 5
    assert steps_in(tmp_path / "checkpoints", "step_*")[-1] == 5
    # Whoever goes on with it finds it at its end.
    sagan.stop_training = False
    assert slow(5, [], every(), 5.0).end == 5
    assert sagan.stop_training
    sagan.stop_training = False


class Course:
    """Scores as a table says."""

    score_names = ("kid",)

    def __init__(self, *values):
        self.values = values

    def flat_scores(self, sagan):
        return {"kid": self.values[sagan.step - 1]}


def test_patience_ends_training_and_outlives_a_stop(slow, sagan):
    options = every(evaluate=1).replace(monitor="kid", patience=3)
    course = Course(5.0, 3.0, 3.0, 6.0, 2.0, 4.0, 4.0, 2.0, 1.0)
    assert slow(0, range(1, 7), options, None, course, "kid").ended_by is None
    ended = slow(6, [7, 8], options, None, course, "kid")
    assert (ended.end, ended.ended_by) == (8, "kid has not become better for 3 evaluations")
    assert sagan.stop_training
    assert slow(8, [], options, None, course, "kid").end == 8
    sagan.stop_training = False
    with pytest.raises(ValueError, match=r"Unknown score: real_logits. .*Valid: kid$"):
        slow(0, [], options, None, course, "real_logits")


@pytest.mark.parametrize(
    ("values", "mode", "expected"),
    [
        ([], "min", 0),
        ([1.0], "min", 0),
        ([1.0, 1.0], "min", 1),
        ([3.0, 1.0, 2.0], "min", 1),
        ([3.0, 1.0, 2.0], "max", 2),
    ],
)
def test_evaluations_since_the_best(values, mode, expected):
    assert training.recorder.evaluations_since_best(values, mode) == expected
