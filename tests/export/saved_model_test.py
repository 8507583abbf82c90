import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from sagan_tf.export import export_saved_model
from sagan_tf.models import draw_latents
from sagan_tf.models.sampling import run_generator


@pytest.fixture(scope="module")
def generate(path):
    model = tf.saved_model.load(str(path))
    function = model.signatures["generate"]

    def call(labels, seeds, truncation):
        outputs = function(
            labels=tf.constant(labels, tf.int32),
            seeds=tf.constant(seeds, tf.int32),
            truncation=tf.constant(truncation, tf.float32),
        )
        return {name: value.numpy() for name, value in outputs.items()}

    call.model = model  # keeps the variables alive
    return call


@pytest.mark.parametrize(
    ("loader", "hidden"),
    [
        ("tf.saved_model.load", ("sagan_tf", "keras")),
        ("hub.load", ("sagan_tf",)),  # tensorflow_hub imports Keras for itself
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
    environment = {**os.environ, "PYTHONPATH": ""}
    said = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    ).stderr
    assert "WARNING:tensorflow" not in said and "WARNING:absl" not in said
    expected = run_generator(sagan.ema_generator, latents, labels)
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), expected, atol=1e-5)


def test_rows_are_independent_of_their_batch(generate):
    labels, seeds = np.arange(9) % 3, np.arange(9) - 4
    together = generate(labels, seeds, np.linspace(0.2, 1.0, 9))
    assert set(together) == {"images", "attention_8"}
    assert together["attention_8"].shape == (9, 64, 16)
    assert len(np.unique(together["images"], axis=0)) == 9
    for row in (0, 4, 8):
        alone = generate(labels[[row]], seeds[[row]], np.linspace(0.2, 1.0, 9)[[row]])
        for name, value in alone.items():
            np.testing.assert_allclose(together[name][[row]], value, atol=1e-5)


def test_generate_scales_standard_normal_latents(sagan, generate):
    latents = np.stack(
        [tf.random.stateless_normal((8,), seed=(seed, 0), alg="philox") for seed in (5, 6)]
    )
    expected = run_generator(sagan.ema_generator, latents * [[1.0], [0.5]], [1, 2])
    images = generate([1, 2], [5, 6], [1.0, 0.5])["images"]
    np.testing.assert_allclose(images, expected, atol=1e-5)


def test_an_empty_batch_gives_empty_outputs(generate):
    outputs = generate([], [], [])
    assert outputs["images"].shape == (0, 16, 16, 1)
    assert outputs["attention_8"].shape == (0, 64, 16)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (([3], [0], [1.0]), r"labels must be in \[0, 3\)"),
        (([-1], [0], [1.0]), r"labels must be in \[0, 3\)"),
        (([0], [0], [0.0]), r"truncation must be in \(0, 1\]"),
        (([0], [0], [1.1]), r"truncation must be in \(0, 1\]"),
        (([0], [0], [float("nan")]), r"truncation must be in \(0, 1\]"),
        (([0, 1], [0], [1.0]), "labels and seeds must have the same number of rows"),
    ],
)
def test_wrong_inputs_are_errors_that_name_the_input(generate, inputs, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        generate(*inputs)
    assert np.isfinite(generate([0], [0], [1.0])["images"]).all()


def test_serving_default_checks_labels_too(path):
    model = tf.saved_model.load(str(path))
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"labels must be in \[0, 3\)"):
        model.signatures["serving_default"](
            latents=tf.zeros((1, 8)), labels=tf.constant([3], tf.int32)
        )


def test_an_unconditional_model_has_no_labels(make_sagan, tmp_path):
    sagan = make_sagan(num_classes=None)
    model = tf.saved_model.load(str(export_saved_model(sagan, tmp_path)))
    latents = draw_latents(2, 8, seed=0)
    images = model.signatures["serving_default"](latents=tf.constant(latents))["images"]
    np.testing.assert_allclose(images, run_generator(sagan.ema_generator, latents), atol=1e-5)
    outputs = model.signatures["generate"](
        seeds=tf.constant([1, 2]), truncation=tf.constant([1.0, 1.0])
    )
    assert outputs["images"].shape == (2, 16, 16, 1)


def test_versions_count_up_and_raw_weights_can_be_exported(sagan, tmp_path):
    (tmp_path / "7").mkdir()
    (tmp_path / "notes").mkdir()
    path = export_saved_model(sagan, tmp_path, use_ema=False)
    assert path == tmp_path / "8"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["7", "8", "notes"]
    latents = draw_latents(1, 8, seed=0)
    images = tf.saved_model.load(str(path)).signatures["serving_default"](
        latents=tf.constant(latents), labels=tf.constant([0], tf.int32)
    )["images"]
    np.testing.assert_allclose(images, run_generator(sagan.generator, latents, [0]), atol=1e-5)


@pytest.mark.slow
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
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    try:
        for each in programs:
            assert each.stdout.readline() == "ready\n"
        written = {each.communicate("\n", timeout=300)[0] for each in programs}
    finally:
        for each in programs:
            each.kill()
    assert written == {f"{tmp_path / version}\n" for version in ("1", "2")}
    assert {entry.name for entry in tmp_path.iterdir()} == {"1", "2"}
