import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from sagan_tf.export import export_saved_model
from sagan_tf.models import draw_latents
from sagan_tf.models.sampling import run_generator


@pytest.mark.parametrize(
    ("loader", "hidden"),
    [
        ("tf.saved_model.load", ("sagan_tf", "keras")),
        # tensorflow_hub imports Keras for itself.
        pytest.param("hub.load", ("sagan_tf",), marks=pytest.mark.soak),
    ],
)
def test_serves_the_same_images_where_the_package_cannot_be_imported(
    loader, hidden, sagan, path, tmp_path
):
    latents, labels = draw_latents(3, 8, seed=0), np.array([0, 1, 2], "int32")
    np.savez(tmp_path / "in.npz", latents=latents, labels=labels)
    program = f"""
import sys
sys.modules.update(dict.fromkeys({hidden}))
import numpy as np
import tensorflow as tf
{"import tensorflow_hub as hub" if loader == "hub.load" else ""}
inputs = np.load("in.npz")
model = {loader}({str(path)!r})
serve = model.signatures["serving_default"]
images = serve(latents=tf.constant(inputs["latents"]), labels=tf.constant(inputs["labels"]))
np.save("out.npy", images["images"])
"""
    options = {"cwd": tmp_path, "env": {**os.environ, "PYTHONPATH": ""}, "timeout": 300}
    options.update(check=True, capture_output=True, text=True)
    said = subprocess.run([sys.executable, "-c", program], **options).stderr
    assert "WARNING:tensorflow" not in said and "WARNING:absl" not in said
    expected = run_generator(sagan.ema_generator, latents, labels)
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), expected, atol=1e-5)


def test_is_a_layer_of_keras(sagan, path):
    latents, labels = draw_latents(2, 8, seed=0), np.array([2, 0], "int32")
    layer = keras.layers.TFSMLayer(str(path), call_endpoint="__call__")
    expected = run_generator(sagan.ema_generator, latents, labels)
    np.testing.assert_allclose(layer((latents, labels)), expected, atol=1e-5)


def test_versions_count_up_and_raw_weights_can_be_exported(sagan, tmp_path, monkeypatch):
    for name in ("7", "notes"):
        (tmp_path / name).mkdir()
    (tmp_path / "7" / "model").touch()
    # Another process has taken version 7 since this one has looked.
    listings = iter([[tmp_path / "6"]])
    listed = pathlib.Path.iterdir
    monkeypatch.setattr(pathlib.Path, "iterdir", lambda path: next(listings, None) or listed(path))
    path = export_saved_model(sagan, tmp_path, use_ema=False)
    assert path == tmp_path / "8"
    assert sorted(os.listdir(tmp_path)) == ["7", "8", "notes"]
    latents = draw_latents(1, 8, seed=0)
    images = tf.saved_model.load(str(path))((tf.constant(latents), tf.constant([0])))
    np.testing.assert_allclose(images, run_generator(sagan.generator, latents, [0]), atol=1e-5)


def test_names_of_classes_are_an_asset_that_travels(sagan, path, tmp_path, monkeypatch):
    assert not list(path.glob("assets/*"))
    names = [f"class, {number}" for number in range(sagan.generator.num_classes)]
    monkeypatch.setattr(sagan, "class_names", tuple(names))
    path = export_saved_model(sagan, tmp_path / "named")
    assert (path / "assets" / "labels.txt").read_text().splitlines() == names
    loaded = tf.saved_model.load(str(path))
    again = tmp_path / "again"
    tf.saved_model.save(loaded, str(again))
    assert (again / "assets" / "labels.txt").read_text().splitlines() == names
    asset = loaded.labels.asset_path.numpy().decode()
    assert asset == str(path / "assets" / "labels.txt")


def test_an_export_that_fails_leaves_nothing(sagan, tmp_path, monkeypatch):
    def stopped(*args):
        assert os.listdir(tmp_path)  # It was written aside, where no server looks.
        assert not any(name.isdecimal() for name in os.listdir(tmp_path))
        raise SystemExit(143)

    monkeypatch.setattr("sagan_tf.export.saved_model.write_warmup_requests", stopped)
    with pytest.raises(SystemExit):
        export_saved_model(sagan, tmp_path)
    assert os.listdir(tmp_path) == []


@pytest.mark.soak
def test_two_programs_that_export_at_once_write_a_version_each(tmp_path):
    program = f"""
import sys
from sagan_tf import SAGAN
from sagan_tf.export import export_saved_model
sagan = SAGAN.from_preset("sagan_digits_16")
print("ready", flush=True)
sys.stdin.readline()
print(export_saved_model(sagan, {str(tmp_path)!r}))
"""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    programs = [subprocess.Popen([sys.executable, "-c", program], **pipes) for _ in range(2)]
    try:
        for each in programs:
            assert each.stdout.readline() == "ready\n"
        written = {each.communicate("\n", timeout=300)[0] for each in programs}
    finally:
        for each in programs:
            each.kill()
    assert written == {f"{tmp_path / version}\n" for version in ("1", "2")}
    assert {entry.name for entry in tmp_path.iterdir()} == {"1", "2"}
