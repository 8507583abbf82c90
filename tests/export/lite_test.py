"""`.tflite` files, run by LiteRT's interpreter."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from sagan_tf import SAGAN, Discriminator, Generator, data
from sagan_tf.evaluation import Classifier, frechet_distance
from sagan_tf.export import export_lite
from sagan_tf.models import fold_spectral_norm
from sagan_tf.models.sampling import draw_inputs, run_generator
from sagan_tf.visualization import to_uint8


def run(path, latents, labels=None):
    """Images of the interpreter, which may hold any batch."""
    interpreter = Interpreter(model_path=str(path))
    inputs = {"latents": latents} if labels is None else {"latents": latents, "labels": labels}
    runner = interpreter.get_signature_runner("serving_default")
    assert set(runner.get_input_details()) == set(inputs)
    return runner(**inputs)["images"]


@pytest.fixture(scope="module")
def digits():
    return SAGAN.from_preset("sagan_digits_16")


@pytest.fixture(scope="module")
def drawn(digits):
    latents, labels = draw_inputs(digits.generator, 16, seed=0)
    return latents, labels, run_generator(digits.ema_generator, latents, labels)


@pytest.mark.parametrize(("precision", "bound"), [("float32", 1e-4), ("float16", 1e-2)])
@pytest.mark.parametrize("count", [1, 16])
def test_the_interpreters_images_are_those_of_the_model(
    digits, drawn, tmp_path, precision, bound, count
):
    latents, labels, expected = (array[:count] for array in drawn)
    path = export_lite(digits, tmp_path / "digits.tflite", precision)
    np.testing.assert_allclose(run(path, latents, labels), expected, atol=bound)


def test_int8_images_are_near(digits, drawn, tmp_path):
    latents, labels, expected = drawn
    images = run(export_lite(digits, tmp_path / "digits.tflite", "int8"), latents, labels)
    difference = np.abs(images - expected)
    assert 0 < difference.mean() < 0.03  # of a range of 2


def test_files_shrink_with_the_precision(digits, tmp_path):
    sizes = [
        export_lite(digits, tmp_path / precision, precision).stat().st_size
        for precision in ("float32", "float16", "int8")
    ]
    assert sizes[1] < 0.55 * sizes[0]
    assert sizes[2] < 0.35 * sizes[0]


@pytest.mark.parametrize("precision", ["float32", "float16", "int8"])
def test_only_built_in_operations_are_needed(digits, tmp_path, precision):
    path = export_lite(digits, tmp_path / "digits.tflite", precision)
    names = {detail["op_name"] for detail in Interpreter(str(path))._get_ops_details()}
    assert "TRANSPOSE_CONV" in names
    assert not any(name.startswith(("Flex", "CUSTOM")) for name in names)


@pytest.mark.parametrize(
    "options",
    [
        {"image_size": 16, "channels": 1, "num_classes": None},
        {"image_size": 32, "channels": 3, "num_classes": 5, "attention_resolutions": ()},
        {"image_size": 64, "channels": 3, "num_classes": 5, "attention_resolutions": (16, 32)},
        {"image_size": 128, "channels": 3, "num_classes": 5},
    ],
)
def test_other_networks(tmp_path, options):
    options = {**options, "base_channels": 8}
    sagan = SAGAN(Generator(latent_dim=8, **options), Discriminator(**options))
    for gate in sagan.ema_generator.gates.values():
        gate.assign(0.5)
    latents, labels = draw_inputs(sagan.generator, 3, seed=0)
    path = export_lite(sagan, tmp_path / "x.tflite")
    expected = run_generator(sagan.ema_generator, latents, labels)
    np.testing.assert_allclose(run(path, latents, labels), expected, atol=1e-4)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_a_model_of_mixed_precision_is_exported_in_float32(tmp_path, policy):
    options = {"image_size": 16, "channels": 1, "num_classes": 3, "base_channels": 4}
    sagan = SAGAN(
        Generator(latent_dim=8, **options, dtype=policy), Discriminator(**options, dtype=policy)
    )
    latents, labels = draw_inputs(sagan.generator, 3, seed=0)
    path = export_lite(sagan, tmp_path / "x.tflite")
    expected = run_generator(fold_spectral_norm(sagan.ema_generator, "float32"), latents, labels)
    np.testing.assert_allclose(run(path, latents, labels), expected, atol=1e-4)


def test_a_folder_is_refused(digits, tmp_path):
    with pytest.raises(ValueError, match=f"Received a folder: {tmp_path}"):
        export_lite(digits, tmp_path)


def test_an_unknown_precision_is_refused_and_nothing_is_written(digits, tmp_path):
    with pytest.raises(ValueError, match=r"`precision` must be one of .*int4"):
        export_lite(digits, tmp_path / "x.tflite", "int4")
    assert not list(tmp_path.iterdir())


def test_int8_images_are_scored_as_the_models(digits, tmp_path):
    """By FID, they are nearer to the model's images than other latents of the model are."""
    classifier = Classifier.trained_on(data.open_source("digits"), image_size=16, channels=1)

    def features_of(images):
        return classifier.features(to_uint8(images))

    drawn = [draw_inputs(digits.generator, 500, seed) for seed in (0, 1)]
    model, others = (features_of(run_generator(digits.ema_generator, *inputs)) for inputs in drawn)
    path = export_lite(digits, tmp_path / "digits.tflite", "int8")
    int8 = features_of(run(path, *drawn[0]))
    assert frechet_distance(model, int8) < 0.5 * frechet_distance(model, others)
