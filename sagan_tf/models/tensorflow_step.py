"""A step of training and of evaluation on TensorFlow: the checks of a batch, then the rule."""

import functools
import re

import tensorflow as tf

from sagan_tf.models import update
from sagan_tf.models.batch import check_batch


# Nothing here needs AutoGraph, whose conversion takes a sixth of the tracing.
@tf.autograph.experimental.do_not_convert
def train_step(sagan, data):
    """Runs `update` on the data of this replica, as `check_batch` takes them."""
    step = sagan.generator_optimizer.iterations.value
    images, labels, checks = check_batch(sagan, data, step)
    # Nothing may change before all is known to be right.
    with tf.control_dependencies(_require(checks)):
        rule = update.update
        if sagan.compiles_step:
            # XLA drops the checks, which therefore stay outside.
            rule = tf.function(rule, jit_compile=True, autograph=False)
        return sagan.report(rule(sagan, images, labels))


@tf.autograph.experimental.do_not_convert
def test_step(sagan, data):
    """Runs `measure` on the images of a batch."""
    images, labels, checks = check_batch(sagan, data)
    with tf.control_dependencies(_require(checks)):
        values = update.measure(sagan, images, labels, sagan.images_seen())
        return sagan.report(values, images.shape[0] or tf.shape(images)[0])


def checked(function, sagan):
    """Wraps a compiled function, so that a failed check of a batch is a short ValueError."""

    @functools.wraps(function)
    def call(*args):
        try:
            return function(*args)
        except tf.errors.InvalidArgumentError as error:
            found = re.search(r"failed: \[(.*)\] \[([^]]*)\]", error.message)
            if not found:
                raise
            raise ValueError(f"{found[1]} {', '.join(found[2].split())}") from None

    return call


def _require(checks):
    return [
        tf.debugging.Assert(check.condition, [check.text, check.received], summarize=5)
        for check in checks
    ]
