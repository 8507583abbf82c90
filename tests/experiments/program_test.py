"""Errors as the user sees them."""

import numpy as np
import pytest
import tensorflow as tf

from experiments.program import _one_line


def test_an_error_of_the_data_is_found_in_what_tensorflow_makes_of_it():
    def read(index):
        raise ValueError("cat/3.jpg is broken: use --skip_corrupt")

    numbers = tf.data.Dataset.range(3)
    dataset = numbers.map(lambda index: tf.numpy_function(read, [index], np.int64))

    @tf.function
    def loop(iterator):
        return next(iterator)

    with pytest.raises(tf.errors.OpError, match="^Graph execution error:") as info:
        loop(iter(dataset))
    assert _one_line(info.value) == "cat/3.jpg is broken: use --skip_corrupt"


def test_an_error_of_the_step_is_found_in_what_autograph_makes_of_it():
    @tf.function
    def step():
        raise ValueError("batch_size must be even")

    with pytest.raises(ValueError, match="^in user code:") as info:
        step()
    assert _one_line(info.value) == "batch_size must be even"


def test_the_first_line_of_others():
    assert _one_line(OSError("one\ntwo")) == "one"
    assert _one_line(KeyError()) == "KeyError"
