import os

import pytest

from tests.two_workers import two_workers

pytestmark = pytest.mark.slow


def sum_over_workers(strategy, factor):
    import tensorflow as tf

    @tf.function
    def add():
        context = tf.distribute.get_replica_context()
        mine = factor * (context.replica_id_in_sync_group + 1)
        return context.all_reduce(tf.distribute.ReduceOp.SUM, mine)

    return strategy.cluster_resolver.task_id, int(strategy.run(add))


def wait_for_a_worker_that(strategy, fails):
    if strategy.cluster_resolver.task_id == 1:
        fails()
    return sum_over_workers(strategy, 1)


def raise_an_error():
    raise ArithmeticError("no good")


def die():
    os._exit(7)


def test_two_workers_add_up():
    assert two_workers(sum_over_workers, 10) == [(0, 30), (1, 30)]


@pytest.mark.parametrize(("fails", "message"), [(raise_an_error, "no good"), (die, "exit code 7")])
def test_a_failure_of_one_ends_both(fails, message):
    with pytest.raises(RuntimeError, match=rf"Worker 1 failed:(.|\n)*{message}"):
        two_workers(wait_for_a_worker_that, fails)
