"""What tests of the recorder share: options, an evaluation, and what is read of a run."""

import json

import keras

from sagan_tf.config import RunOptions


def every(log=1000, sample=1000, checkpoint=1000, evaluate=0):
    return RunOptions(
        log_every=log, sample_every=sample, checkpoint_every=checkpoint, evaluate_every=evaluate
    )


def records_in(directory):
    lines = (directory / "metrics.jsonl").read_text().split("\n")
    assert lines.pop() == ""
    return [json.loads(line) for line in lines]


def statistics(sagan):
    """The batch-norm statistics of the averaged generator."""
    return {
        weight.path: keras.ops.convert_to_numpy(weight)
        for weight in sagan.ema_generator.weights
        if "moving" in weight.path
    }


class Evaluation:
    """Scores by the step, and notes of which statistics."""

    score_names = ("fid",)

    def __init__(self):
        self.seen = {}

    def flat_scores(self, sagan):
        if sagan.step == 2:
            raise ValueError("too much alike")
        self.seen[sagan.step] = statistics(sagan)
        return {"fid": 100.0 - sagan.step}
