"""Scores while training, with the callbacks that record and keep what they are of."""

import json

import pytest

from sagan_tf.evaluation import Evaluation, Evaluator, Protocol
from sagan_tf.training import Checkpoints, CheckpointWriter, MetricsLogger, Trainer
from tests.evaluation.pixels import Pixels, ThreeDigits
from tests.training.small import images, make
from tests.two_replicas import two_replicas

PROTOCOL = Protocol(metrics=("fid", "prdc"), num_images=80, seed=5)


def evaluation():
    return Evaluation(ThreeDigits(), Pixels(), PROTOCOL, 16, 1, num_classes=3)


def test_figures_are_recorded_and_the_best_checkpoint_is_kept(tmp_path):
    sagan = make()
    scorer = evaluation()
    evaluator = Evaluator(scorer, every=3, steps=8)
    checkpoints = Checkpoints(tmp_path / "checkpoints", sagan, 1, "fid", "max")
    figures = ["fid", "precision", "recall", "density", "coverage", "recognised"]
    assert evaluator.names == figures
    Trainer(sagan).fit(
        images(),
        8,
        [
            evaluator,
            MetricsLogger(tmp_path, (5, 3), 8, 8),
            CheckpointWriter(checkpoints, (7, 3), 8, evaluator.names),
        ],
    )
    records = [json.loads(line) for line in (tmp_path / "metrics.jsonl").open()]
    assert [record["step"] for record in records] == [3, 5, 6, 8]
    scored = {record["step"]: record["fid"] for record in records if "fid" in record}
    assert list(scored) == [3, 6, 8]
    for record in records:
        present = {"generator_attention_8_distance", "generator_attention_8_entropy", *figures}
        assert (present <= set(record)) == (record["step"] in scored)
    best = max(scored, key=scored.__getitem__)
    assert checkpoints.best.name == f"step_{best:07d}"
    assert {path.name for path in checkpoints.paths} == {f"step_{best:07d}", "step_0000008"}
    assert scored[8] == pytest.approx(scorer.score(sagan).figures["fid"], rel=1e-6)


def test_settings_are_ready_for_json():
    settings = json.loads(json.dumps(evaluation().settings))
    assert (settings["features"], settings["fingerprint"]) == ("pixels", "0123")
    # Those of the protocol are filled in.
    assert (settings["num_images"], settings["num_real_images"], settings["seed"]) == (80, 80, 5)


def test_what_cannot_be_scored_costs_no_training(caplog):
    sagan = make()
    scorer = evaluation()
    scorer.image_size = 32
    logs = Trainer(sagan).fit(images(), 3, [Evaluator(scorer, every=2, steps=3)]).history
    assert sagan.step == 3
    assert "fid" not in logs
    assert "Step 2 is not scored, and training goes on: The generator does not fit" in caplog.text


def scored_on_two(strategy):
    with strategy.scope():
        sagan = make()
    scorer = evaluation()
    evaluator = Evaluator(scorer, every=2, steps=2)
    Trainer(sagan, strategy).fit(images(), 2, [evaluator, spy := Spy()])
    return spy.logs, scorer.score(sagan).figures


class Spy(MetricsLogger):
    """Keeps the last metrics."""

    def __init__(self):
        super().__init__(".", 2, 8, 2)

    def on_train_begin(self, logs=None):
        self._seen = 0

    def act(self, step, logs):
        self.logs = dict(logs)

    def on_train_end(self, logs=None):
        pass


@pytest.mark.slow
def test_two_replicas_are_scored_as_one():
    with two_replicas() as run:
        logs, figures = run(scored_on_two)
    sagan = make()
    scorer = evaluation()
    Trainer(sagan).fit(images(), 2)
    expected = scorer.score(sagan).figures
    for name, value in expected.items():
        assert logs[name] == pytest.approx(value, rel=1e-3), name
        assert figures[name] == logs[name]
