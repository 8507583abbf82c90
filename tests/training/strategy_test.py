import contextlib
import json
import socket
import subprocess
import sys
from unittest import mock

import pytest
import tensorflow as tf

from experiments.launch_local import tf_configs
from sagan_tf.cluster import check_strategy, replica_batch_size
from sagan_tf.training import describe_strategy, is_chief, make_strategy
from tests.two_replicas import two_replicas

TWO_WORKERS = {
    "cluster": {"worker": ["host0:2222", "[::1]:2222"]},
    "task": {"type": "worker", "index": 1},
}
TASK = {"type": "worker", "index": 0}
SCRIPT = """
import sys
from sagan_tf.training import is_chief, make_strategy
try:
    strategy = make_strategy(*sys.argv[1:])
    outside = is_chief()
    with strategy.scope():
        print(type(strategy).__name__, strategy.num_replicas_in_sync, is_chief(), outside)
except ValueError as error:
    print(error)
"""


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    # Joining a cluster is then an error, not an endless wait.
    tf.constant(0)


def set_tf_config(monkeypatch, value):
    text = value if isinstance(value, str) else json.dumps(value)
    monkeypatch.setenv("TF_CONFIG", text)


def error_of(*args):
    with pytest.raises(ValueError, match=".") as info:
        make_strategy(*args)
    assert len(str(info.value).splitlines()) == 1
    return str(info.value)


@contextlib.contextmanager
def started(monkeypatch, *args):
    """`make_strategy(*args)` in a process of its own, which prints what came of it."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *args], stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        # TensorFlow ignores SIGTERM while it waits for other workers.
        process.kill()
        process.wait()


def printed_by(process):
    output, _ = process.communicate(timeout=200)
    (line,) = output.splitlines()
    return line


def test_unknown_strategies():
    assert error_of("miror").startswith("Unknown strategy: miror. Did you mean mirrored? Valid: ")
    assert "auto, mirrored, multiworker, none, tpu" in error_of("")


@pytest.mark.parametrize("name", ["auto", "none"])
@pytest.mark.parametrize(
    "tf_config",
    [
        "",
        {},
        {"cluster": {}, "task": TASK},
        {"cluster": {"worker": ["host0:2222"]}, "task": TASK},
        {"cluster": {"chief": ["host0:2222"]}, "task": {"type": "chief", "index": 0}},
    ],
)
def test_one_device_is_the_default_strategy(monkeypatch, name, tf_config):
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: ["the only one"])
    set_tf_config(monkeypatch, tf_config)
    assert make_strategy(name) is tf.distribute.get_strategy()
    assert is_chief() is True


def test_none_takes_no_other_devices(monkeypatch):
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: ["one", "two"])
    set_tf_config(monkeypatch, TWO_WORKERS)
    assert make_strategy("none") is tf.distribute.get_strategy()


def test_nothing_to_mirror_over(monkeypatch):
    monkeypatch.setattr(
        tf.config, "list_logical_devices", lambda kind: ["CPU:0"] if kind == "CPU" else []
    )
    assert error_of("mirrored").startswith("`strategy`=mirrored needs GPUs. Received: one CPU.")


def with_two_cpus(strategy):
    del strategy
    alone = make_strategy("auto")
    mirrored = make_strategy("mirrored")
    with mock.patch.object(tf.config, "get_visible_devices", return_value=["GPU:0", "GPU:1"]):
        auto = make_strategy("auto")
    with mirrored.scope():
        chief = is_chief()
    assert describe_strategy(mirrored) == "Training on 2 replicas"
    try:
        make_strategy(tpu="local")
    except ValueError as error:
        made = [(type(each), each.num_replicas_in_sync) for each in (alone, mirrored, auto)]
        return made, chief, str(error)


def test_mirrored():
    with two_replicas() as run:
        made, chief, error = run(with_two_cpus)
    mirrored = (tf.distribute.MirroredStrategy, 2)
    assert made == [(type(tf.distribute.get_strategy()), 1), mirrored, mirrored]
    assert chief is True
    # Not about replicas, but a process of its own serves here too.
    assert error.startswith("Cannot use the TPU 'local' ")
    assert "TPUs not found in the cluster." in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize("name", ["auto", "multiworker", "mirrored"])
@pytest.mark.parametrize(
    ("tf_config", "message"),
    [
        ("{'cluster'", "is not valid JSON: Expecting"),
        ("[]", "must be an object. Received: []"),
        ({"cluster": {"workers": ["host0:2222"]}}, "must name hosts as worker and chief only."),
        ({"cluster": {"worker": ["a:1"], "ps": ["b:1"]}}, "must name hosts as worker and chief "),
        ({"cluster": {"worker": []}}, "must list worker as host:port. Received: []"),
        ({"cluster": {"worker": "host0:2222"}}, "must list worker as host:port. Received: 'host0"),
        ({"cluster": {"worker": ["a:1", "host1"]}}, "must list worker as host:port."),
        ({"cluster": {"worker": ["a:1", "host1:http"]}}, "must list worker as host:port."),
        ({"cluster": {"worker": ["a:1", "host1:65536"]}}, "must list worker as host:port."),
        ({"cluster": {"worker": ["a:1", "grpc://host1:2"]}}, "must list worker as host:port."),
        ({"cluster": {"worker": ["a:1", 2222]}}, "must list worker as host:port."),
        ({"cluster": {"chief": ["a:1", "b:1"]}}, "must have one chief at most. Received: ['a:1',"),
        ({"task": None}, "must say by type and index which task of its cluster this is. Received:"),
        ({"task": {"index": 0}}, "must say by type and index"),
        ({"task": {"type": "worker"}}, "must say by type and index"),
        ({"task": {"type": "chief", "index": 0}}, "must say by type and index"),
        ({"task": {"type": "worker", "index": 2}}, "must say by type and index"),
        ({"task": {"type": "worker", "index": -1}}, "must say by type and index"),
        ({"task": {"type": "worker", "index": False}}, "must say by type and index"),
    ],
)
def test_malformed_clusters(monkeypatch, name, tf_config, message):
    if isinstance(tf_config, dict):
        tf_config = TWO_WORKERS | tf_config
    set_tf_config(monkeypatch, tf_config)
    error = error_of(name)
    assert error.startswith(f"TF_CONFIG {message}")
    example = error.partition(" Every worker needs its own, such as ")[2]
    assert json.loads(example).keys() == TWO_WORKERS.keys()


@pytest.mark.parametrize("tf_config", ["", {}, {"cluster": {}, "task": TASK}])
def test_multiworker_needs_a_cluster(monkeypatch, tf_config):
    set_tf_config(monkeypatch, tf_config)
    assert error_of("multiworker").startswith("TF_CONFIG names no cluster. Every worker needs")


def test_multiworker_comes_first(monkeypatch):
    set_tf_config(monkeypatch, TWO_WORKERS)
    for name in ("auto", "multiworker"):
        error = error_of(name)
        assert error.startswith("`strategy`=multiworker comes too late, TensorFlow runs already")
        assert "Collective ops must be configured at program startup" in error


@pytest.mark.slow
def test_two_workers_of_whom_one_is_chief(monkeypatch):
    first, second = json.loads(tf_configs(2)[0])["cluster"]["worker"]
    cluster = {"chief": [first], "worker": [second]}
    set_tf_config(monkeypatch, {"cluster": cluster, "task": {"type": "chief", "index": 0}})
    with started(monkeypatch, "auto") as chief:
        set_tf_config(monkeypatch, {"cluster": cluster, "task": TASK})
        with started(monkeypatch, "multiworker") as worker:
            # Out of its scope no strategy says who is chief.
            assert printed_by(worker) == "CollectiveAllReduceStrategy 2 False True"
            assert printed_by(chief) == "CollectiveAllReduceStrategy 2 True True"


def test_the_port_is_taken(monkeypatch):
    with socket.create_server(("", 0)) as server:
        address = f"localhost:{server.getsockname()[1]}"
        set_tf_config(monkeypatch, {"cluster": {"worker": [address]}, "task": TASK})
        with started(monkeypatch, "multiworker") as process:
            assert printed_by(process) == (
                "Cannot join the cluster of TF_CONFIG: Could not start gRPC server. "
                "Is this worker's port free, and were all workers started?"
            )


def test_tpu_and_strategy_go_together():
    assert error_of("tpu").startswith("`strategy`=tpu needs `tpu`=NAME, or `tpu`=local ")
    for name in ("none", "mirrored", "multiworker"):
        error = error_of(name, "my-tpu")
        assert error.startswith(f"`tpu`=my-tpu does not go with `strategy`={name}")


@pytest.mark.parametrize("name", ["auto", "tpu"])
def test_tpus_that_do_not_answer(monkeypatch, name):
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = f"127.0.0.1:{server.getsockname()[1]}"
    error = error_of(name, f"grpc://{closed}")
    assert error.startswith(f"Cannot use the TPU 'grpc://{closed}' (a Cloud TPU's name, grpc://")
    assert error.endswith("Connection refused")

    # Names are looked up by Google Cloud.
    monkeypatch.setenv("GCE_METADATA_IP", closed)
    monkeypatch.setenv("no_proxy", "*")
    error = error_of(name, "no-such-tpu")
    assert error.startswith("Cannot use the TPU 'no-such-tpu' (a Cloud TPU's name, grpc://")
    assert "Connection refused" in error


@pytest.mark.parametrize(("gpus", "device"), [([], "CPU"), (["GPU:0"], "GPU")])
def test_the_user_is_told_what_trains(monkeypatch, gpus, device):
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: gpus)
    assert describe_strategy(make_strategy("none")) == f"Training on one {device}"


def test_replicas_share_the_batch():
    assert replica_batch_size(64, 4) == 16
    assert replica_batch_size(64, 4, accumulation_steps=8) == 16
    with pytest.raises(ValueError, match="batch_size must be a multiple of 12$"):
        replica_batch_size(64, 4, accumulation_steps=3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("tpu", "local"), "JAX finds the TPU"), (("multiworker",), "needs KERAS_DISTRIBUTION")],
)
def test_what_jax_cannot_do_is_said_before_it_starts(monkeypatch, arguments, message):
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with pytest.raises(ValueError, match=message):
        check_strategy(*arguments)
