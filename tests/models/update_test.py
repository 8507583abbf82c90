"""The update rule. Replicas are compared in replicas_test.py."""

import keras
import numpy as np
import pytest

from sagan_tf.losses import LOSSES, PENALTIES
from sagan_tf.losses.augmentation import AUGMENTATIONS, IMAGES_FROM_0_TO_1, augment
from sagan_tf.models.adversarial_model import STEP_METRICS
from tests.tiny import tiny

if keras.backend.backend() != "tensorflow":
    pytest.skip("training needs the TensorFlow backend", allow_module_level=True)

import tensorflow as tf

from sagan_tf.models import update

SGD = keras.optimizers.SGD
AUGMENTED = {"augmentation": tuple(AUGMENTATIONS)}
ADAPTIVE = {**AUGMENTED, "adaptive_augmentation": True}
METRICS = {*STEP_METRICS, "generator_gate_8", "discriminator_gate_8"}


def compiled(num_classes=3, rates=(1e-3, 4e-3), compile_options=None, **kwargs):
    sagan = tiny(num_classes, **kwargs)
    sagan.compile(SGD(rates[0]), SGD(rates[1]), **(compile_options or {}))
    return sagan


def batch(size=4, seed=0):
    rng = np.random.default_rng(seed)
    images = rng.uniform(-1, 1, (size, 16, 16, 1)).astype("float32")
    return tf.constant(images), tf.constant(rng.integers(3, size=size).astype("int32"))


def weights(network):
    return [weight.numpy().copy() for weight in network.weights]


def step(sagan, data):
    return {name: float(value) for name, value in sagan.train_step(data).items()}


@pytest.mark.parametrize(
    ("loss", "penalty"),
    [*((loss, None) for loss in LOSSES), *(("hinge", penalty) for penalty in PENALTIES)],
)
def test_every_loss_and_penalty_trains(loss, penalty):
    sagan = compiled(compile_options={"loss": loss, "penalty": penalty})
    for gate in sagan.gates.values():
        gate.assign(1.0)
    before = weights(sagan.generator) + weights(sagan.discriminator)
    logs = step(sagan, batch())
    assert set(logs) == METRICS
    assert np.isfinite(list(logs.values())).all()
    after = sagan.generator.weights + sagan.discriminator.weights
    for old, weight in zip(before, after, strict=True):
        # A Wasserstein loss is blind to the logits' offset.
        blind = loss == "wasserstein" and weight.path.endswith("linear/linear/bias")
        if weight.trainable and not (blind and weight.shape == (1,)):
            assert not np.array_equal(old, weight.numpy()), weight.path


def test_a_penalty_is_added_with_its_weight():
    plain = step(compiled(), batch())["discriminator_loss"]
    expected = []
    for weight in (1.0, 2.0):
        sagan = compiled(compile_options={"penalty": "r1", "penalty_weight": weight})
        # It is taken of the discriminator before its power iterations advance, as the logits are.
        expected.append(float(update._penalty(sagan, *batch(), fake_images=None, mix=None)))
        found = step(sagan, batch())["discriminator_loss"] - plain
        assert found == pytest.approx(expected[-1], rel=1e-4)
    assert expected[1] == pytest.approx(2 * expected[0], rel=1e-6) and expected[0] > 0


@pytest.mark.parametrize("num_classes", [3, None])
def test_fit(num_classes):
    sagan = compiled(num_classes)
    dataset = tf.data.Dataset.from_tensors(batch()).repeat()
    history = sagan.fit(dataset, steps_per_epoch=3, epochs=2, verbose=0)
    assert set(history.history) == METRICS
    assert sagan.step == 6
    assert np.isfinite(history.history["generator_loss"]).all()


def test_fit_in_mixed_bfloat16_keeps_float32_variables():
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        sagan = compiled()
        logs = step(sagan, batch())
    finally:
        keras.config.set_dtype_policy(policy)
    reference = step(compiled(), batch())
    assert {weight.dtype for weight in sagan.weights} == {"float32"}
    assert logs["discriminator_loss"] == pytest.approx(reference["discriminator_loss"], rel=0.05)


def test_the_average_covers_trainable_weights_and_copies_the_rest():
    sagan = compiled(ema_decay=0.9)
    sagan.generator_optimizer.iterations.assign(1000)
    before = weights(sagan.ema_generator)
    step(sagan, batch())
    average = weights(sagan.ema_generator)
    for weight, old, mean in zip(sagan.generator.weights, before, average, strict=True):
        expected = 0.9 * old + 0.1 * weight.numpy() if weight.trainable else weight
        np.testing.assert_allclose(mean, expected, rtol=1e-5, atol=1e-6)


def test_the_average_forgets_the_weights_of_the_start():
    """Its decay is min(0.99, (1 + t) / (10 + t)) at step t, also in a run that goes on."""
    sagan = compiled(ema_decay=0.99)
    kernel, average = (each.to_image.kernel for each in (sagan.generator, sagan.ema_generator))
    for start, decay in ((0, 0.1), (1, 2 / 11), (90, 0.91), (889, 890 / 899), (10_000, 0.99)):
        sagan.generator_optimizer.iterations.assign(start)
        before = average.numpy()
        step(sagan, batch())
        expected = decay * before + (1 - decay) * kernel.numpy()
        np.testing.assert_allclose(average, expected, rtol=1e-4, atol=1e-6)
    # What is left of the initial weights, at the decay of the large presets.
    decays = update.average_decay(0.9999, np.arange(20_000, dtype="float32"))
    assert np.cumprod(decays)[[199, 1_999, 19_999]].max() < 1e-9


def test_power_iterations_of_the_discriminator_advance_once_per_update():
    hand = compiled().discriminator.blocks[0].conv_1
    for updates in (1, 2):
        hand.u.assign(hand.normalized_kernel()[1])
        sagan = compiled(rates=(1e-3, 0.0), discriminator_steps=updates)
        step(sagan, batch(4 * updates))
        np.testing.assert_allclose(sagan.discriminator.blocks[0].conv_1.u, hand.u, rtol=1e-5)


def test_each_discriminator_update_sees_its_own_images():
    images, labels = batch(8)
    kernels = []
    for last in (images[4:], -images[4:]):
        sagan = compiled(discriminator_steps=2)
        step(sagan, (tf.concat([images[:4], last], axis=0), labels))
        kernels.append(sagan.discriminator.linear.kernel.numpy())
    assert not np.array_equal(*kernels)
    assert (sagan.step, int(sagan.discriminator_optimizer.iterations)) == (1, 2)


def test_a_batch_that_does_not_divide_is_an_error():
    with pytest.raises(ValueError, match="discriminator_steps=2 times .* Received: 5 images"):
        compiled(discriminator_steps=2).train_step(batch(5))
    # Their number is known only when they come.
    dataset = tf.data.Dataset.from_tensor_slices(batch(10)).batch(6)
    with pytest.raises(ValueError, match="discriminator_steps=3 times .* Received: 4"):
        compiled(discriminator_steps=3).fit(dataset.skip(1), verbose=0)


def test_training_goes_on_from_a_keras_file_as_if_nothing_had_happened(tmp_path):
    options = {"accumulation_steps": 2, "global_clipnorm": 0.5, **ADAPTIVE}
    sagan = tiny()
    sagan.discriminator.blocks[0].trainable = False
    sagan.compile(**options)
    sagan.augmentation_probability.value.assign(0.5)
    step(sagan, batch())
    sagan.save(tmp_path / "sagan.keras")
    loaded = keras.models.load_model(tmp_path / "sagan.keras")
    assert [block.trainable for block in loaded.discriminator.blocks] == [False, True, True]
    assert (loaded.accumulation_steps, loaded.global_clipnorm) == (2, 0.5)
    for model in (sagan, loaded):
        step(model, batch(seed=1))
    for ours, theirs in zip(weights(sagan), weights(loaded), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert float(loaded.augmentation_probability.value) == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize(("probability", "weight"), [(None, 0.0), (0.5, 0.0), (None, 10.0)])
def test_the_discriminator_sees_augmented_images(probability, weight):
    """The losses and the penalty are those of images that are augmented by hand."""
    options = AUGMENTED if probability is None else ADAPTIVE
    options = {**options, "penalty": "r1", "penalty_weight": 1.0, "consistency_weight": weight}
    sagan, model = (compiled(rates=(0.0, 0.0), compile_options=options) for _ in range(2))
    for each in (sagan, model) if probability else ():
        each.augmentation_probability.value.assign(probability)
    logs = step(sagan, batch())

    randomness = update.StepRandomness(model, 4)
    (latents,), (labels,) = randomness.latents(), randomness.labels()
    images, real_labels = batch()
    fake_images = model.generator((latents, labels), training=True)
    (numbers,) = randomness.augmentation(of=2)
    real, fake = (
        augment(each, numbers[:, index], AUGMENTED["augmentation"], probability)
        for index, each in enumerate((images, fake_images))
    )
    assert not np.array_equal(real, images)
    penalty = update._penalty(model, real, real_labels, fake_images=None, mix=None)
    as_they_are = [
        model.discriminator(each, training=False)
        for each in ((images, real_labels), (fake_images, labels))
    ]
    logits = model.discriminator(
        (tf.concat([real, fake], 0), tf.concat([real_labels, labels], 0)), training=True
    )
    augmented = tf.split(logits, 2)
    loss = model.adversarial_loss.discriminator(*augmented) + penalty
    differences = np.square(np.array(augmented) - np.array(as_they_are))
    assert differences.mean() > 1e-8
    loss += weight * (differences[0].mean() + differences[1].mean())
    assert logs["discriminator_loss"] == pytest.approx(float(loss), rel=1e-5)
    assert logs["real_variance"] == pytest.approx(np.mean(np.var(images, axis=0)), rel=1e-5)

    randomness.uniform((1, 1, 1))
    (latents,), (labels,) = randomness.latents(), randomness.labels()
    images = model.generator((latents, labels), training=True)
    (numbers,) = randomness.augmentation(of=1)
    seen = augment(images, numbers[:, 0], AUGMENTED["augmentation"], probability)
    logits = model.discriminator((seen, labels), training=False)
    assert logs["generator_loss"] == pytest.approx(-np.mean(logits), rel=1e-5)


def test_the_probability_of_augmentation_follows_the_signs_of_real_logits():
    sagan = compiled(rates=(0.0, 0.0), discriminator_steps=2, compile_options=ADAPTIVE)
    bias = sagan.discriminator.linear.layer.bias
    change, expected = 8 / IMAGES_FROM_0_TO_1, 0.0
    for offset, sign in ((100.0, 1), (100.0, 1), (-100.0, -1), (-100.0, -1), (-100.0, 0)):
        bias.assign([offset])
        logs = step(sagan, batch(8))
        # What is reported is the mean since the metrics were reset.
        assert set(logs) == {*METRICS, "augmentation_probability"}
        sagan.reset_metrics()
        assert logs["augmentation_probability"] == pytest.approx(expected, abs=1e-9)
        expected += sign * change
        found = float(sagan.augmentation_probability.value)
        assert found == pytest.approx(expected, abs=1e-9)
    sagan.augmentation_probability.value.assign(0.5)
    number = len(sagan.weights)
    sagan.compile(**ADAPTIVE)
    assert len(sagan.weights) == number and float(sagan.augmentation_probability.value) == 0.0
    sagan.compile()
    assert set(step(sagan, batch(8))) == METRICS


@pytest.mark.parametrize("penalty", [None, *PENALTIES])
def test_slices_of_a_discriminator_update_give_the_gradient_of_the_whole(penalty):
    trained = []
    for slices in (1, 4):
        options = {"accumulation_steps": slices, "penalty": penalty, "penalty_weight": 1.0}
        sagan = compiled(rates=(0.0, 4e-3), compile_options=options)
        # Only the generator's batch norm knows of slices, so its images must not depend on it.
        sagan.generator.to_image.kernel.assign(tf.zeros_like(sagan.generator.to_image.kernel))
        sagan.generator.to_image.layer.bias.assign([0.5])
        step(sagan, batch(8))
        trained.append(sagan.discriminator)
    for one, other in zip(trained[0].weights, trained[1].weights, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), atol=1e-7, err_msg=one.path)


def test_slices_of_a_generator_update_are_averaged_and_applied_once():
    options = {"accumulation_steps": 2}
    sagan, model = (compiled(rates=(1e-2, 0.0), compile_options=options) for _ in range(2))
    step(sagan, batch(8))

    # This computes the same by hand, from the same random numbers.
    randomness = update.StepRandomness(model, 4)
    update._update_discriminator(model, *batch(8), randomness)
    generator = model.generator
    total = [np.zeros(weight.shape) for weight in generator.trainable_weights]
    for latents, labels in zip(randomness.latents(), randomness.labels(), strict=True):
        assert latents.shape == (4, 8)
        with tf.GradientTape() as tape:
            images = generator((latents, labels), training=True)
            loss = -tf.reduce_mean(model.discriminator((images, labels), training=False))
        gradients = tape.gradient(loss, generator.trainable_weights)
        total = [a + tf.convert_to_tensor(b) for a, b in zip(total, gradients, strict=True)]
    assert sagan.step == 1
    for weight, start, gradient in zip(
        sagan.generator.trainable_weights, generator.trainable_weights, total, strict=True
    ):
        np.testing.assert_allclose(weight, start - 1e-2 * gradient / 2, atol=1e-6)


@pytest.mark.parametrize("slices", [1, 2])
def test_global_clipnorm_bounds_the_whole_gradient(slices):
    def flat(sagan):
        networks = (sagan.generator, sagan.discriminator)
        return [np.concatenate([w.numpy().ravel() for w in n.trainable_weights]) for n in networks]

    def distance(global_clipnorm):
        options = {"global_clipnorm": global_clipnorm, "accumulation_steps": slices}
        sagan = compiled(rates=(1.0, 1.0), compile_options=options)
        before = flat(sagan)
        step(sagan, batch(4))
        return [np.linalg.norm(new - old) for new, old in zip(flat(sagan), before, strict=True)]

    np.testing.assert_allclose(distance(1e-3), 1e-3, rtol=1e-3)
    np.testing.assert_allclose(distance(1e6), distance(None), rtol=1e-6)
    assert min(distance(None)) > 1e-3


def test_wrong_compile_options():
    with pytest.raises(ValueError, match="`accumulation_steps` must be at least 1"):
        compiled(compile_options={"accumulation_steps": 0})
    with pytest.raises(ValueError, match="Optimizers must be without clipnorm"):
        tiny().compile(discriminator_optimizer=SGD(clipnorm=1.0))
