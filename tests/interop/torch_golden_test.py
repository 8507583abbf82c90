"""Our networks against values of StudioGAN and mmgeneration: see tests/golden/README.md."""

import pathlib

import numpy as np
import pytest

from sagan_tf.interop import load_mmgeneration, load_studiogan

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"
CASES = {
    "studiogan_32": (load_studiogan, "", {}),
    "studiogan_64": (load_studiogan, "", {}),
    "mmgeneration_32": (load_mmgeneration, "iter_1234.npz", {}),
    "mmgeneration_64": (load_mmgeneration, "iter_7.npz", {"batch_norm_epsilon": 1e-5}),
}
# What the variables say, beside the defaults.
SETTINGS = {
    "studiogan_32": {"base_channels": 8, "discriminator_base_channels": 2},
    "studiogan_64": {"generator_widths": (64, 32, 16, 8, 4), "attention_resolutions": (32,)},
    "mmgeneration_32": {"base_channels": 8, "discriminator_base_channels": 4},
    "mmgeneration_64": {"discriminator_downsampling": 5, "attention_resolutions": (16, 32)},
}


def load(name, **arguments):
    loader, file, own = CASES[name]
    return loader(GOLDEN / name / file, **{**own, **arguments})


def reference(name):
    values = np.load(GOLDEN / name / "reference.npz")
    return {key: values[key].astype("int32") if "labels" in key else values[key] for key in values}


def assert_agrees(sagan, expected):
    images = sagan.ema_generator((expected["latents"], expected["labels"]))
    np.testing.assert_allclose(images, expected["images"], rtol=0, atol=1e-5)
    for images, labels, logits in (
        ("real", "real_labels", "real_logits"),
        ("images", "labels", "fake_logits"),
    ):
        theirs = expected[logits].reshape(-1, 1)
        ours = sagan.discriminator((expected[images], expected[labels]))
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4 * np.abs(theirs).max())


@pytest.mark.parametrize("name", CASES)
def test_images_and_logits_and_what_the_variables_say(name):
    sagan = load(name)
    expected = reference(name)
    assert_agrees(sagan, expected)
    for setting, value in SETTINGS[name].items():
        assert getattr(sagan.config.model, setting) == value
    # All kernels kept their spectral normalization, with a power iteration that goes on.
    assert sagan.generator.spectral_norm and sagan.discriminator.spectral_norm
    if name == "studiogan_32":
        return
    # The generator is not its average.
    images = sagan.generator((expected["latents"], expected["labels"]))
    assert np.abs(images - expected["images"]).max() > 0.01


def test_the_model_folder_and_training_from_it(tmp_path):
    """An imported model goes through a folder bit by bit, and trains."""
    from sagan_tf import SAGAN

    load("studiogan_64").save_preset(tmp_path)
    sagan = SAGAN.from_preset(tmp_path)
    expected = reference("studiogan_64")
    assert_agrees(sagan, expected)
    before = [np.array(weight) for weight in sagan.discriminator.trainable_weights]
    sagan.compile()
    data = expected["real"], expected["real_labels"]
    first = sagan.train_on_batch(*data, return_dict=True)
    for _ in range(4):
        last = sagan.train_on_batch(*data, return_dict=True)
    # The first update starts from their function: hinge losses of their logits are near it.
    assert first["discriminator_loss"] == pytest.approx(
        np.maximum(0, 1 - expected["real_logits"]).mean() + 1.0, abs=3.0
    )
    assert all(np.isfinite(value) for value in last.values())
    moved = [
        np.abs(old - new).max()
        for old, new in zip(before, sagan.discriminator.trainable_weights, strict=True)
    ]
    assert max(moved) > 0


def test_colors_swap_and_shortcuts_are_what_is_asked_for():
    expected = reference("mmgeneration_32")
    swapped = {
        key: value[..., ::-1] if key in ("images", "real") else value
        for key, value in expected.items()
    }
    sagan = load("mmgeneration_32", bgr=True)
    assert_agrees(sagan, swapped)
    # Images are those that were made with shortcuts that are not rectified.
    other = load("mmgeneration_32", relu_in_place=True)
    assert other.config.model.rectified_shortcut
    with pytest.raises(AssertionError):
        assert_agrees(other, expected)
    with pytest.raises(AssertionError):
        assert_agrees(load("mmgeneration_32", gain_offset=0.0), expected)


def _rewritten(name, folder, suffix, write):
    """The path to load of a golden whose state dicts are written in another form."""
    for file in (GOLDEN / name).glob("*.npz"):
        if file.stem != "reference":
            write(dict(np.load(file)), folder / f"{file.stem}{suffix}")
    return folder / CASES[name][1].replace(".npz", suffix)


@pytest.mark.parametrize("name", ["studiogan_32", "mmgeneration_32"])
def test_files_of_torch(name, tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch reads its own files: make bench")

    def write(arrays, path):
        state = {key: torch.from_numpy(value) for key, value in arrays.items()}
        # Beside the weights there may be scalars of NumPy.
        torch.save({"state_dict": state, "best_fid": np.float64(9.5), "step": np.int64(3)}, path)

    path = _rewritten(name, tmp_path, ".pth", write)
    assert_agrees(CASES[name][0](path), reference(name))


@pytest.mark.parametrize("name", ["studiogan_32", "mmgeneration_32"])
def test_files_of_safetensors(name, tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy", reason="it is an extra")
    path = _rewritten(name, tmp_path, ".safetensors", safetensors.save_file)
    assert_agrees(CASES[name][0](path), reference(name))
