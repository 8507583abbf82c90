"""The interface that servers and hubs find; what it computes is tested by way of files."""

import numpy as np
import pytest
import tensorflow as tf

from sagan_tf.export.servable import make_servable
from sagan_tf.models import draw_latents, fold_spectral_norm


@pytest.fixture
def generator(sagan):
    generator = fold_spectral_norm(sagan.ema_generator)
    generator.trainable = True  # the average is not, where it comes from
    return generator


def test_every_input_of_a_signature_has_the_batch_first(generator):
    _, signatures = make_servable(generator)
    assert set(signatures) == {"serving_default", "generate", "generate_png", "attention"}
    for function in signatures.values():
        names = [spec.name for spec in function.input_signature]
        assert "labels" in names and len(names) == len(set(names))
        assert all(spec.shape.rank and spec.shape[0] is None for spec in function.input_signature)


def test_without_classes_or_attention_there_are_no_inputs_and_no_functions_for_them(make_sagan):
    sagan = make_sagan(num_classes=None, attention_resolutions=())
    root, signatures = make_servable(fold_spectral_norm(sagan.ema_generator))
    assert set(signatures) == {"serving_default", "generate", "generate_png"}
    assert not hasattr(root, "attention")
    for function in signatures.values():
        assert "labels" not in {spec.name for spec in function.input_signature}


def test_the_root_is_a_reusable_model(generator):
    root, _ = make_servable(generator)
    assert len(root.variables) == len(generator.weights)
    trainable = {id(variable) for variable in root.trainable_variables}
    assert set() < trainable < {id(variable) for variable in root.variables}
    assert root.regularization_losses == []


def test_functions_follow_the_variables(generator):
    """They are not copied into the graph: a fine-tuned model serves what it has learnt."""
    root, signatures = make_servable(generator)
    inputs = {"latents": tf.constant(draw_latents(2, 8, seed=0)), "labels": tf.constant([0, 2])}
    before = signatures["serving_default"](**inputs)["images"].numpy()
    for variable in root.trainable_variables:
        variable.assign(0.5 * variable)
    after = signatures["serving_default"](**inputs)["images"].numpy()
    assert np.abs(after - before).max() > 1e-3
    np.testing.assert_allclose(root.__call__(tuple(inputs.values())), after, atol=1e-6)


@pytest.mark.parametrize("structure", [tuple, list])
def test_inputs_may_be_a_tuple_or_a_list(generator, structure):
    root, _ = make_servable(generator)
    latents, labels = tf.constant(draw_latents(2, 8, seed=0)), tf.constant([0, 2])
    images = root.__call__(structure((latents, labels)), training=False)
    expected = generator((latents, labels), training=False)
    np.testing.assert_allclose(images, expected, atol=1e-5)
