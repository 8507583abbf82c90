"""Weights of other code, from a command to a model folder."""

import shutil

import numpy as np
import pytest

from sagan_tf import SAGAN
from sagan_tf.files import sha256
from tests.experiments.programs import error_line, run
from tests.interop.torch_golden_test import GOLDEN, assert_agrees, reference

STUDIOGAN = GOLDEN / "studiogan_64"
MANY = [f"class {number}" for number in range(1000)]
MMGENERATION = GOLDEN / "mmgeneration_64" / "iter_7.npz"


def test_a_model_folder_with_names_and_a_card(tmp_path, capsys):
    names = tmp_path / "names.txt"
    names.write_text("tench\ngreat white shark\n\ncat, wild\nhen\ncock\n")
    output = tmp_path / "models" / "birds"
    run(
        "import_weights",
        "--from=mmgeneration",
        f"--input={MMGENERATION}",
        "--batch_norm_epsilon=1e-5",
        f"--class_names={names}",
        f"--output={output}",
    )
    state = {"weight_u", "weight_v", "u0", "sv0", "running_mean", "running_var"}
    counts = {}
    for key, value in np.load(MMGENERATION).items():
        if value.dtype.kind == "f" and key.rpartition(".")[2] not in state:
            network = key.partition(".")[0]
            counts[network] = counts.get(network, 0) + value.size
    summary = capsys.readouterr().out.splitlines()[0]
    assert summary == (
        f"64x64 pixels, 5 classes, {counts['generator']:,} parameters in the generator, "
        f"{counts['discriminator']:,} parameters in the discriminator"
    )
    sagan = SAGAN.from_preset(output)
    assert_agrees(sagan, reference("mmgeneration_64"))
    assert sagan.class_names == ("tench", "great white shark", "cat, wild", "hen", "cock")
    assert "mmgeneration" in sagan.reference and "iter_7.npz" in sagan.reference
    card = (output / "README.md").read_text()
    assert f"| `iter_7.npz` | `{sha256(MMGENERATION)}` |" in card
    assert "--bgr=False --relu_in_place=False --batch_norm_epsilon=1e-05" in " ".join(card.split())
    assert "No scores of a SAGAN of this size are known here." in card
    # A second one does not replace it.
    for what in ("holds a model", "has a README.md"):
        line = error_line("import_weights", "--from=official", "--input=x", f"--output={output}")
        assert line == f"--output={output} {what} already: choose another folder"
        (output / "config.json").unlink(missing_ok=True)


@pytest.mark.parametrize(
    ("code", "folder", "name", "read"),
    [
        ("studiogan", "studiogan_64", "", "model=*"),
        ("official", "official_128_feat32", "model.ckpt", "model.ckpt.*"),
        ("official", "official_128_feat32", "", "model.ckpt.*"),
    ],
)
def test_other_sources(code, folder, name, read, tmp_path):
    # A name that a pattern would not find, and files beside them that are not read.
    # TensorFlow itself finds no checkpoint in a folder that is called so.
    parent = tmp_path / ("[1]" if code == "studiogan" else "1")
    folder = shutil.copytree(GOLDEN / folder, parent / folder)
    files = list(folder.glob(read))
    others = ["model.ckpt-2.index", "model.ckpt2.data-00000-of-00001"]
    if code == "studiogan":
        others = ["model=G-current-weights-step=1.npz", "model=G-best-weights-step=1.npz"]
    elif not name:
        (folder / "checkpoint").write_text('model_checkpoint_path: "model.ckpt"')
    for other in others:
        (folder / other).write_bytes(b"")
    source = folder / name
    run("import_weights", f"--from={code}", f"--input={source}", f"--output={tmp_path / 'x'}")
    sagan = SAGAN.from_preset(tmp_path / "x")
    assert sagan.class_names is None
    card = (tmp_path / "x" / "README.md").read_text()
    assert len(files) > 1
    assert all(f"`{path.name}` | `{sha256(path)}`" in card for path in files)
    assert not any(other in card for other in others)
    assert "--bgr" not in card
    assert max(map(len, card.splitlines())) <= 140
    images = sagan.generate(num_images=2, seed=0)
    assert np.isfinite(images).all()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ((), "--from is missing: official, studiogan, mmgeneration"),
        (("--from=studio",), "Did you mean studiogan?"),
        (("--from=studiogan", "--bgr"), "--bgr is for --from=mmgeneration"),
        (("--from=studiogan", f"--input={MMGENERATION}"), "is not named as StudioGAN names"),
        (("--from=mmgeneration", "--input=nowhere.pth"), "There is no file 'nowhere.pth'"),
        (("--from=mmgeneration", f"--input={STUDIOGAN}"), "Is a directory"),
        (("--from=studiogan", "--class_names=cat,dog,cat"), "Received: cat twice"),
        (("--from=studiogan", "--class_names=cat,dog"), "has 2 names, the model 5 classes"),
        (("--from=studiogan", f"--class_names={','.join(MANY)}"), "has 1000 names, the model 5"),
        (("--from=studiogan", "--class_names=,"), "--class_names holds no names. Received: ','"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(flags, message, tmp_path):
    given = (f"--input={STUDIOGAN}", f"--output={tmp_path / 'x'}", *flags)
    assert message in error_line("import_weights", *given)
    assert not (tmp_path / "x").exists()
