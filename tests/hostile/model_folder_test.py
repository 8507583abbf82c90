"""Model folders and runs whose files somebody has edited, or a kill has left half done."""

import copy
import json
import shutil
import threading
import time

import numpy as np
import pytest

from sagan_tf import SAGAN
from sagan_tf.config import Recipe
from sagan_tf.files import ASIDE
from sagan_tf.models.model_folder import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    DamagedError,
    find_config,
    find_model,
    read_config,
    write_config,
)
from sagan_tf.models.run_folder import check_run
from sagan_tf.training import Checkpoints
from tests.tiny import assert_same, compiled, tiny, variables

WRONG = (None, -1, 2**70, float("nan"), "x", ["x"], {"x": "y"})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run with checkpoints of the steps 1 and 2, and the model of each."""
    directory = tmp_path_factory.mktemp("run")
    sagan, found = compiled(), {}
    sagan.recipe = Recipe()
    checkpoints = Checkpoints(directory / "checkpoints", sagan)
    for step in (1, 2):
        sagan.generator_optimizer.iterations.assign(step)
        checkpoints.save({"fid": 1.0})
        found[step] = variables(sagan)
    return directory, found


def manifests(content, values=WRONG):
    """What an edit can make of a manifest: a key less, and other values in each place."""
    for key in content:
        edited = copy.deepcopy(content)
        del edited[key]
        yield f"no {key}", edited
        for value in values:
            yield f"{key}: {value}", {**content, key: value}
        if isinstance(content[key], dict):
            for name, edited in manifests(content[key], WRONG[3:5]):
                yield f"{key}, {name}", {**content, key: edited}


def test_an_edited_manifest_costs_one_checkpoint_at_most(run, tmp_path):
    directory = tmp_path / "run"
    shutil.copytree(run[0], directory)
    path = directory / "checkpoints" / "step_0000002" / CONFIG_FILE
    content = json.loads(path.read_text())
    sagan = compiled()
    checkpoints = Checkpoints(directory / "checkpoints", sagan)
    edits, refused = list(manifests(content)), []
    for name, edited in edits:
        path.write_text(json.dumps(edited))
        # At a `ValueError` `restore()` takes the checkpoint before, as it does below.
        try:
            checkpoints.restore(path.parent)
        except ValueError:
            refused.append(name)
        else:
            assert sagan.step == 2, name
        _ = checkpoints.best
    assert len(edits) > 165
    # An edit of a score, or of the number of images, is not refused.
    assert 0.5 * len(edits) < len(refused) < len(edits)
    for text in ("", "{", "[]", "null", 100_000 * "[", "\xff"):
        path.write_text(text, encoding="latin-1")
        assert checkpoints.restore().name == "step_0000001"
        assert find_model(directory).name == "step_0000001"
    assert_same(variables(sagan), run[1][1])


def test_a_step_is_what_the_manifest_says(run, tmp_path):
    directory = tmp_path / "checkpoints"
    shutil.copytree(run[0] / "checkpoints" / "step_0000002", directory / "step_0000001")
    shutil.copytree(run[0] / "checkpoints" / "step_0000001", directory / "step_0000002")
    sagan = compiled()
    checkpoints = Checkpoints(directory, sagan)
    assert checkpoints.restore().name == "step_0000001"
    assert sagan.step == 2
    path = directory / "step_0000002" / CONFIG_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), "step": 7}))
    # The weights know better.
    assert checkpoints.restore().name == "step_0000001"


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_a_torn_configuration_does_not_end_a_run(run, tmp_path, text):
    directory = tmp_path / "run"
    shutil.copytree(run[0], directory)
    (directory / CONFIG_FILE).write_text(text)
    config, _ = read_config(directory / "checkpoints" / "step_0000002")
    check_run(directory, config)
    with pytest.raises(ValueError, match="seed=0 there, 1 here"):
        check_run(directory, config.override(seed=1))
    write_config(directory, config, 0, novelty=1)
    with pytest.raises(ValueError, match=r"another version, whose config\.json has novelty"):
        check_run(directory, config)
    (directory / CONFIG_FILE).write_text(text)
    shutil.rmtree(directory / "checkpoints")
    with pytest.raises(DamagedError, match=CONFIG_FILE):
        check_run(directory, config)


def test_a_preset_is_replaced_as_one(tmp_path, monkeypatch):
    old, new = tiny(), tiny()
    new.ema_generator.set_weights([2 * weight for weight in new.ema_generator.get_weights()])
    old.save_preset(tmp_path)
    replace, left = type(tmp_path).replace, []

    def killed(self, target):
        # A kill leaves the folder that is aside.
        if not left:
            shutil.copytree(self.parent, tmp_path / f"{ASIDE}copy", dirs_exist_ok=True)
            raise KeyboardInterrupt
        left.pop()
        return replace(self, target)

    # The first rename is that of a new configuration, which is aside as well.
    for renames, expected in ((0, old), (1, old), (2, new)):
        left[:] = renames * [None]
        with monkeypatch.context() as patch:
            patch.setattr(type(tmp_path), "replace", killed)
            with pytest.raises(KeyboardInterrupt):
                new.save_preset(tmp_path)
        found = SAGAN.from_preset(tmp_path)
        np.testing.assert_array_equal(found.generate(seed=0), expected.generate(seed=0))
    new.save_preset(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {CONFIG_FILE, WEIGHTS_FILE}


def test_a_configuration_asks_for_no_more_memory_than_there_are_weights(tmp_path, monkeypatch):
    tiny().save_preset(tmp_path)
    path = tmp_path / CONFIG_FILE
    content = json.loads(path.read_text())
    monkeypatch.setattr(SAGAN, "from_settings", lambda *args: pytest.fail("networks"))
    for changes in (
        {"base_channels": 20_000},
        {"discriminator_base_channels": 20_000},
        {"latent_dim": 10**9},
        {"num_classes": 10**9},
        {"generator_widths": [8, 10**9, 8]},
    ):
        path.write_text(json.dumps({**content, "model": {**content["model"], **changes}}))
        with pytest.raises(DamagedError, match=r"is too small for the model of config\.json$"):
            SAGAN.from_preset(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"class_names": "abc"}, "`class_names` must be a list of strings"),
        ({"class_names": [1, 2, 3]}, "`class_names` must be a list of strings"),
        ({"reference": 5}, "`reference` must be a string"),
        ({"seed": "0"}, "seed='0'"),
        ({"step": -1}, "step=-1"),
    ],
)
def test_types_of_a_preset_are_checked(tmp_path, changes, message):
    tiny().save_preset(tmp_path)
    path = tmp_path / CONFIG_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    with pytest.raises(ValueError, match=message):
        SAGAN.from_preset(tmp_path)


def test_reading_a_run_that_is_being_written_never_fails(tmp_path):
    sagan = compiled()
    checkpoints = Checkpoints(tmp_path / "checkpoints", sagan, keep=1)
    checkpoints.save()
    ended = threading.Event()

    def write():
        for step in range(1, 1_000):
            if ended.is_set():
                break
            sagan.generator_optimizer.iterations.assign(step)
            checkpoints.save()
            time.sleep(0.3)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(10):
            find_config(tmp_path)
        assert SAGAN.from_preset(tmp_path).step < 1_000
    finally:
        ended.set()
        thread.join()
