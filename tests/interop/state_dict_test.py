"""Files that are not what they should be, or are meant to do harm: one line, and nothing else."""

import io
import os
import pickle
import resource
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from sagan_tf.interop import load_mmgeneration, load_studiogan
from sagan_tf.interop.state_dict import read_state_dict
from tests.interop.torch_golden_test import GOLDEN

CHECKPOINT = GOLDEN / "mmgeneration_64" / "iter_7.npz"


class _Harm:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


def _npz(path, arrays):
    np.savez(path, **arrays)
    return path


def _changed(path, **changes):
    arrays = dict(np.load(CHECKPOINT))
    for name, change in changes.items():
        key = name.replace("__", ".")
        arrays[key] = change(arrays[key])
        if arrays[key] is None:
            del arrays[key]
    return _npz(path, arrays)


def _one_line(error):
    text = str(error.value)
    assert "\n" not in text and len(text) < 500
    return text


def test_names_and_numbers_are_as_written(tmp_path):
    arrays = {"module.a": np.arange(3, dtype="float16"), "b.module.": np.ones((2, 1))}
    found = read_state_dict(_npz(tmp_path / "a.npz", {**arrays, "count": np.array(3)}))
    assert {name: value.dtype for name, value in found.items()} == {
        "a": np.float32,
        "b.module.": np.float32,
    }
    np.testing.assert_array_equal(found["a"], [0, 1, 2])


def _header(shape):
    file = io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + bytes(16)


def _archive(path, content, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("a.npy", content)
    return path


def test_damaged_archives(tmp_path):
    path = tmp_path / "x.npz"
    whole = CHECKPOINT.read_bytes()
    objects = io.BytesIO()
    np.save(objects, np.array([_Harm(tmp_path / "harm")], dtype=object), allow_pickle=True)
    for content, message in (
        (b"", "not whole"),
        (b"nothing of that kind", "not whole"),
        (whole[: len(whole) // 2], "not whole"),
        (whole[:1000] + bytes(1000) + whole[2000:], "cannot be read"),
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message) as error:
            read_state_dict(path)
        assert str(path) in _one_line(error)
    for content, message in (
        (_header((10**12,)), "a.npy is not of shape"),
        (objects.getvalue(), "."),
        (b"\x93NUMPY\x09\x00", "cannot be read"),
    ):
        with pytest.raises(ValueError, match=message) as error:
            read_state_dict(_archive(path, content))
        _one_line(error)
    assert not (tmp_path / "harm").exists()
    with pytest.raises(ValueError, match="holds no weights"):
        read_state_dict(_npz(path, {"step": np.array(7)}))
    with pytest.raises(FileNotFoundError, match="There is no file"):
        read_state_dict(tmp_path / "nowhere.npz")


def test_a_zip_bomb_takes_no_memory(tmp_path):
    path = _archive(tmp_path / "bomb.npz", bytes(2**29), zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 2**20
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match="its content would take 512 MiB"):
        read_state_dict(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024


def test_a_pickle_is_not_executed(tmp_path):
    path = tmp_path / "x.pth"
    path.write_bytes(pickle.dumps(_Harm(tmp_path / "harm"), protocol=2))
    for name in ("plain", "archive"):
        if name == "archive":
            with zipfile.ZipFile(tmp_path / "y.pth", "w") as archive:
                archive.writestr("y/data.pkl", path.read_bytes())
                archive.writestr("y/version", "3\n")
            path = tmp_path / "y.pth"
        # Without torch it is not read at all.
        with pytest.raises((ValueError, ImportError), match=r"more than weights|needs torch"):
            read_state_dict(path)
        assert not (tmp_path / "harm").exists()


def test_torch_is_asked_for_in_one_line(tmp_path):
    """In a process without torch, as most are."""
    path = tmp_path / "model.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"")
    code = (
        "import sys\n"
        "from sagan_tf.interop.state_dict import read_state_dict\n"
        "sys.modules['torch'] = None\n"
        f"try: read_state_dict({str(path)!r})\n"
        "except ImportError as error: print(error)"
    )
    command = [sys.executable, "-c", code]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "needs torch: pip install torch, or save its arrays as .npz" in out
    assert out.count("\n") == 1


def test_larger_tensors_than_are_stored(tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch reads its own files: make bench")
    path = tmp_path / "x.pth"
    torch.save({"state_dict": {"a": torch.zeros(1).expand(10**9)}}, path)
    with pytest.raises(ValueError, match="'a' is larger than what is stored of it"):
        read_state_dict(path)
    torch.save([1, 2], path)
    with pytest.raises(ValueError, match="holds no weights"):
        read_state_dict(path)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(ValueError, match=str(path)) as error:
        read_state_dict(path)
    _one_line(error)


def _nan(array):
    array = array.copy()
    array.flat[3] = np.nan
    return array


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("generator.noise2feat.bias", _nan, "not finite in 'generator.noise2feat.bias'"),
        ("generator_ema.to_rgb.bn.weight", lambda a: None, "lacks 'to_rgb.bn.weight'"),
        ("generator.conv_blocks.0.conv_1.conv.weight_u", lambda a: None, "lacks 'conv_blocks.0"),
        ("generator.conv_blocks.1.conv_1.conv.weight_orig", lambda a: a[:, :5], "5 channels in"),
        ("generator.conv_blocks.1.conv_2.conv.weight_orig", lambda a: a[:, :5], "vectors of other"),
        ("generator.conv_blocks.0.conv_1.conv.bias", lambda a: a[:5], "has 'conv_blocks.0.conv_1"),
        ("generator.conv_blocks.0.conv_1.conv.bias", lambda a: a[0], "has .* of shape"),
        ("generator.noise2feat.weight_orig", lambda a: a[:-16], "numbers for a 4x4 map"),
        ("generator.conv_blocks.2.gamma", lambda a: np.ones(3, "float32"), "expected one number"),
        ("discriminator.proj_y.weight_orig", lambda a: a[:4], "5 classes in its generator, 4"),
        ("discriminator.conv_blocks.3.theta.conv.u0", lambda a: a[:, :1], "of another size"),
        ("discriminator.decision.weight_orig", lambda a: 0 * a, "of norm 0"),
    ],
)
def test_variables_that_are_wrong_are_named(name, change, message, tmp_path):
    path = _changed(tmp_path / "x.npz", **{name.replace(".", "__"): change})
    with pytest.raises(ValueError, match=message) as error:
        load_mmgeneration(path)
    assert str(path) in _one_line(error)


def test_other_models_are_named(tmp_path):
    arrays = dict(np.load(CHECKPOINT))
    biggan = {**arrays, "generator.shared_embedding.weight": np.ones((5, 8), "float32")}
    with pytest.raises(ValueError, match=r"has more than a SAGAN: 'shared_embedding.weight'"):
        load_mmgeneration(_npz(tmp_path / "a.npz", biggan))
    with pytest.raises(ValueError, match=r"has 'linear.weight': it is not of mmgeneration"):
        load_mmgeneration(_npz(tmp_path / "b.npz", {"linear.weight": np.ones((2, 2))}))
    with pytest.raises(ValueError, match=r"has no 'generator\.': it is not of mmgeneration"):
        load_mmgeneration(_npz(tmp_path / "c.npz", {"discriminator.x": np.ones(2)}))
    path = _npz(tmp_path / "model=G-best-weights-step=1.npz", arrays)
    with pytest.raises(ValueError, match=r"has no 'blocks.0.0': it is not of a SAGAN"):
        load_studiogan(path)


def test_files_of_studiogan_are_found(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no model=G-best-weights-step=<step>"):
        load_studiogan(tmp_path)
    with pytest.raises(FileNotFoundError, match="There is no file"):
        load_studiogan(tmp_path / "nowhere" / "model=G-best-weights-step=7.npz")
    source = GOLDEN / "studiogan_64"
    (tmp_path / "generator.npz").write_bytes(b"")
    with pytest.raises(ValueError, match="is not named as StudioGAN names a generator"):
        load_studiogan(tmp_path / "generator.npz")
    for kind, step in (("current", 9), ("best", 7), ("best", 5)):
        for name in ("G", "D", "G_ema") if step == 7 else ("G",):
            content = (source / f"model={name}-best-weights-step=7.npz").read_bytes()
            file = tmp_path / f"model={name}-{kind}-weights-step={step}.npz"
            file.write_bytes(content if step == 7 else b"damaged")
    found = load_studiogan(tmp_path)
    # Those of `best` count, and the last step.
    assert found.discriminator.num_classes == 5
    with pytest.raises(ValueError, match="step=9.npz' cannot be read"):
        load_studiogan(tmp_path / "model=G-current-weights-step=9.npz")


def test_without_average_and_discriminator(tmp_path, caplog):
    arrays = dict(np.load(CHECKPOINT))
    alone = {key: value for key, value in arrays.items() if key.startswith("generator.")}
    sagan = load_mmgeneration(_npz(tmp_path / "x.npz", alone))
    for ours, average in zip(sagan.generator.weights, sagan.ema_generator.weights, strict=True):
        np.testing.assert_array_equal(ours, average)
    assert "has no discriminator: it gets random weights" in caplog.text
