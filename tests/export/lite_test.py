"""`.tflite` files, run by LiteRT's interpreter."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from sagan_tf import SAGAN, Discriminator, Generator, data
from sagan_tf.evaluation import Classifier, frechet_distance
from sagan_tf.export import export_lite
from sagan_tf.export.lite import PRECISIONS
from sagan_tf.images import to_uint8
from sagan_tf.models import fold_spectral_norm
from sagan_tf.models.sampling import draw_inputs, run_generator

SOAK = pytest.mark.soak


def run(path, latents, labels):
    """Images of the interpreter, which may hold any batch; labels are given if it takes them."""
    runner = Interpreter(model_path=str(path)).get_signature_runner("serving_default")
    inputs = {"latents": latents, "labels": labels}
    return runner(**{name: inputs[name] for name in runner.get_input_details()})["images"]


@pytest.fixture(scope="module")
def digits():
    return SAGAN.from_preset("sagan_digits_16")


@pytest.fixture(scope="module")
def paths(digits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lite")
    return {name: export_lite(digits, folder / name, name) for name in PRECISIONS}


@pytest.mark.parametrize(
    ("precision", "bound", "size"),
    [("float32", 1e-4, 1.0), ("float16", 1e-2, 0.55), ("int8", None, 0.35)],
)
def test_images_are_those_of_the_model(digits, paths, precision, bound, size):
    path = paths[precision]
    latents, labels = draw_inputs(digits.generator, 16, seed=0)
    expected = run_generator(digits.ema_generator, latents, labels)
    images = run(path, latents, labels)
    if bound:
        np.testing.assert_allclose(images, expected, atol=bound)
        np.testing.assert_allclose(run(path, latents[:1], labels[:1]), expected[:1], atol=bound)
    else:
        assert 0 < np.abs(images - expected).mean() < 0.03  # of a range of 2
    assert path.stat().st_size <= size * paths["float32"].stat().st_size
    names = {detail["op_name"] for detail in Interpreter(str(path))._get_ops_details()}
    assert "TRANSPOSE_CONV" in names
    assert not any(name.startswith(("Flex", "CUSTOM")) for name in names)
    assert len(list(path.parent.iterdir())) == 3  # Nothing is left of writing aside.


LATENTS = np.zeros((4, 128), "float32")


@pytest.mark.parametrize(
    ("latents", "labels"),
    [
        (LATENTS, [0, 1, 2, -1]),
        (LATENTS, [0, 1, 2, -10]),
        (LATENTS, [0, 1, 2, 10]),
        (LATENTS, [0]),
        (LATENTS[:1], [0, 1, 2, 3]),
        (LATENTS, [[0], [1], [2], [3]]),
        (LATENTS[:, :64], [0, 1]),
        (LATENTS[:, :64], [0, 1, 2, 3]),
        (LATENTS[:, :1], [0, 1, 2, 3]),
        (LATENTS[0], [0]),
    ],
)
def test_other_inputs_are_errors(paths, latents, labels):
    with pytest.raises((RuntimeError, ValueError)):
        run(paths["float32"], latents, np.array(labels, "int32"))


@pytest.mark.parametrize(
    ("image_size", "num_classes", "attention_resolutions"),
    [(16, None, None), (32, 5, ()), (64, 5, (16, 32)), pytest.param(128, 5, None, marks=SOAK)],
)
def test_other_networks(tmp_path, image_size, num_classes, attention_resolutions):
    shape = (image_size, 3 if num_classes else 1, num_classes, 8)
    generator = Generator(*shape, latent_dim=8, attention_resolutions=attention_resolutions)
    sagan = SAGAN(generator, Discriminator(*shape))
    for gate in sagan.ema_generator.gates.values():
        gate.assign(0.5)
    latents, labels = draw_inputs(sagan.generator, 3, seed=0)
    path = export_lite(sagan, tmp_path / "x.tflite")
    (signature,) = Interpreter(str(path)).get_signature_list().values()
    assert sorted(signature["inputs"]) == (["labels", "latents"] if num_classes else ["latents"])
    expected = run_generator(sagan.ema_generator, latents, labels)
    np.testing.assert_allclose(run(path, latents, labels), expected, atol=1e-4)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_a_model_of_mixed_precision_is_exported_in_float32(tmp_path, policy):
    sagan = SAGAN(Generator(16, 1, 3, 4, 8, dtype=policy), Discriminator(16, 1, 3, 4, dtype=policy))
    latents, labels = draw_inputs(sagan.generator, 3, seed=0)
    path = export_lite(sagan, tmp_path / "x.tflite")
    expected = run_generator(fold_spectral_norm(sagan.ema_generator, "float32"), latents, labels)
    np.testing.assert_allclose(run(path, latents, labels), expected, atol=1e-4)


def test_a_folder_and_an_unknown_precision_are_refused_and_nothing_is_written(digits, tmp_path):
    with pytest.raises(ValueError, match=f"Received a folder: {tmp_path}"):
        export_lite(digits, tmp_path)
    with pytest.raises(ValueError, match=r"`precision` must be one of .*int4"):
        export_lite(digits, tmp_path / "x.tflite", "int4")
    assert not list(tmp_path.iterdir())


@SOAK
def test_int8_images_are_scored_as_the_models(digits, paths):
    """By FID, they are nearer to the model's images than other latents of the model are."""
    classifier = Classifier.trained_on(data.find_dataset("digits"), image_size=16, channels=1)

    def features_of(images):
        return classifier(to_uint8(images))[0]

    drawn = [draw_inputs(digits.generator, 500, seed) for seed in (0, 1)]
    model, others = (features_of(run_generator(digits.ema_generator, *inputs)) for inputs in drawn)
    int8 = features_of(run(paths["int8"], *drawn[0]))
    assert frechet_distance(model, int8) < 0.5 * frechet_distance(model, others)
