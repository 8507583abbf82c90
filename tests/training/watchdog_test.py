import math

import pytest
from keras import ops

from sagan_tf.losses import AdversarialLoss
from sagan_tf.training import Checkpoints, Watchdog
from tests.tiny import compiled

HEALTHY = {
    "discriminator_loss": 1.2,
    "generator_loss": 0.3,
    "real_logits": 0.4,
    "fake_logits": -0.4,
    "real_variance": 0.5,
    "fake_variance": 0.4,
    "generator_gate_8": 0.2,
    "discriminator_gate_8": -0.2,
}
COLLAPSED = {"fake_variance": 0.004}


def start(sagan, every=1, step=0, checkpoints=None):
    watchdog = Watchdog(every, checkpoints)
    watchdog.set_model(sagan)
    watchdog.set_params({"epochs": 1, "steps": 20_000})
    sagan.generator_optimizer.iterations.assign(step)
    watchdog.on_train_begin()
    return watchdog


def show(watchdog, step, **logs):
    watchdog.model.generator_optimizer.iterations.assign(step)
    watchdog.on_train_batch_end(step - 1, HEALTHY | logs)


def warnings(caplog):
    texts = [record.getMessage() for record in caplog.records]
    caplog.clear()
    return texts


@pytest.mark.parametrize(
    ("value", "before", "step", "message"),
    [
        (math.nan, 0, 1, "fake_logits, generator_gate_8 became nan at step 1: training stopped."),
        (math.nan, 6, 7, "fake_logits, generator_gate_8 became nan at step 7: training stopped."),
        (math.inf, 0, 1, "fake_logits, generator_gate_8 became inf at step 1: training stopped."),
        (-math.inf, 4, 8, "fake_logits, generator_gate_8 became -inf between steps 5 and 8: "),
    ],
)
def test_what_is_not_finite_stops_training(sagan, value, before, step, message):
    # Also when it is not yet time for a look at the signs.
    watchdog = start(sagan, every=100)
    if before:
        show(watchdog, before)
    with pytest.raises(FloatingPointError) as info:
        show(watchdog, step, fake_logits=value, generator_gate_8=value)
    assert str(info.value).startswith(message)
    assert str(info.value).endswith(
        "training stopped. Lower the learning rates, set global_clipnorm or keep spectral_norm on"
    )
    assert len(str(info.value).splitlines()) == 1


def test_the_last_good_checkpoint_is_named(sagan, tmp_path):
    checkpoints = Checkpoints(tmp_path, sagan)
    watchdog = start(sagan, checkpoints=checkpoints)
    with pytest.raises(FloatingPointError, match=r"stopped\. There is no checkpoint\. Lower"):
        show(watchdog, 1, real_logits=math.nan)
    show(watchdog, 1)
    checkpoints.save()
    message = rf"stopped\. The last good checkpoint is {tmp_path}/step_0000001\. Lower"
    with pytest.raises(FloatingPointError, match=message):
        show(watchdog, 2, real_logits=math.nan)


def test_a_healthy_run_warns_of_nothing(sagan, caplog):
    watchdog = start(sagan)
    for step in (1, 2, 999, 1000, 1001, 10_000):
        show(watchdog, step)
    assert warnings(caplog) == []


@pytest.mark.parametrize(
    ("harmless", "sign", "message"),
    [
        (
            {"fake_variance": 0.00501},
            {"fake_variance": 0.00499},
            "generated images hardly differ (variance 0.005, that of real images 0.5): the "
            "generator may have collapsed",
        ),
        (
            {"discriminator_loss": 0.101},
            {"discriminator_loss": 0.099},
            "the discriminator tells real from fake without error (loss 0.099): the generator has "
            "hardly a gradient left",
        ),
        ({"real_logits": 99.9}, {"real_logits": 100.1}, "real_logits run away: 100"),
        ({"fake_logits": -99.9}, {"fake_logits": -123.4}, "fake_logits run away: -123"),
        (
            {"generator_gate_8": 0.00101},
            {"generator_gate_8": 0.00099},
            "generator_gate_8 is still 0.00099: its attention does nothing",
        ),
        (
            {"discriminator_gate_8": -0.00101},
            {"discriminator_gate_8": -0.00052},
            "discriminator_gate_8 is still -0.00052: its attention does nothing",
        ),
    ],
)
def test_a_sign_is_warned_of_when_it_appears(sagan, caplog, harmless, sign, message):
    watchdog = start(sagan, step=1000)
    show(watchdog, 1001, **harmless)
    assert warnings(caplog) == []
    show(watchdog, 1002, **sign)
    assert warnings(caplog) == [f"Step 1002: {message}"]
    show(watchdog, 1003, **sign)
    assert warnings(caplog) == []
    # It went, and comes back beside another one.
    show(watchdog, 1004)
    show(watchdog, 1005, **COLLAPSED, **{k: v for k, v in sign.items() if k not in COLLAPSED})
    came_back = warnings(caplog)
    assert len(came_back) == len(sign | COLLAPSED)
    assert any(text.startswith("Step 1005: generated images hardly differ") for text in came_back)


@pytest.mark.parametrize("name", ["generator_gate_8", "discriminator_gate_8"])
def test_gates_have_a_thousand_steps(sagan, caplog, name):
    watchdog = start(sagan)
    show(watchdog, 999, **{name: 0.0})
    assert warnings(caplog) == []
    show(watchdog, 1000, **{name: 0.0})
    assert warnings(caplog) == [f"Step 1000: {name} is still 0: its attention does nothing"]


# A discriminator that cannot tell: hinge 1 + 1, cross-entropy 2 log 2, squares (1 + 0) / 2.
@pytest.mark.parametrize(
    ("loss", "undecided"),
    [
        ("hinge", 2.0),
        ("non_saturating", 2 * math.log(2)),
        ("least_squares", 0.5),
        # A loss of one's own has no name; it takes tensors `(batch, 1)`.
        (AdversarialLoss(lambda real, fake: ops.mean((real - 3.0) ** 2, axis=(0, 1)), None), 9.0),
    ],
)
def test_the_loss_of_a_perfect_discriminator(caplog, loss, undecided):
    watchdog = start(compiled(loss=loss))
    show(watchdog, 1, discriminator_loss=0.0501 * undecided)
    assert warnings(caplog) == []
    show(watchdog, 2, discriminator_loss=0.0499 * undecided)
    (warning,) = warnings(caplog)
    assert warning.startswith("Step 2: the discriminator tells real from fake without error")


def test_wasserstein_has_no_perfect_discriminator(caplog):
    watchdog = start(compiled(loss="wasserstein"))
    for step, value in enumerate([1.0, 0.0, -1.0, -50.0], start=1):
        show(watchdog, step, discriminator_loss=value)
    assert warnings(caplog) == []


def test_signs_are_looked_for_now_and_then(sagan, caplog):
    watchdog = start(sagan, every=5)
    for step in (2, 4):
        show(watchdog, step, **COLLAPSED)
    assert warnings(caplog) == []
    show(watchdog, 6, **COLLAPSED)
    assert len(warnings(caplog)) == 1
