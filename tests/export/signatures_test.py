"""Every signature, with input that users send by mistake, and from many threads at once."""

import concurrent.futures
import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorflow.core.protobuf import config_pb2
from tensorflow_serving.apis import prediction_log_pb2

from sagan_tf import SAGAN
from sagan_tf.export import export_saved_model
from sagan_tf.images import to_uint8

DRAWN = {"labels": [1, 2], "seeds": [5, 6], "truncation": [1.0, 0.5]}
LATENTS = np.random.default_rng(0).standard_normal((2, 8))
GIVEN = {"labels": [1, 2], "latents": LATENTS}
INPUTS = {
    "serving_default": GIVEN,
    "attention": GIVEN,
    "generate": DRAWN,
    "generate_attention": DRAWN,
    "generate_png": DRAWN,
}
DTYPES = {"labels": "int32", "seeds": "int32", "truncation": "float32", "latents": "float32"}


@pytest.fixture(scope="module")
def call(model):
    def call(name, inputs):
        arrays = {key: tf.constant(value, DTYPES[key]) for key, value in inputs.items()}
        return {key: value.numpy() for key, value in model.signatures[name](**arrays).items()}

    return call


@pytest.fixture(scope="module", params=["classes", "plain"])
def ask_session(request):
    """Runs a signature as a server does: nothing compares shapes with the signature."""
    path = request.getfixturevalue("path" if request.param == "classes" else "plain_path")
    session = tf.compat.v1.Session(graph=tf.Graph())
    with session.graph.as_default():
        loaded = tf.compat.v1.saved_model.load(session, ["serve"], str(path))

    def ask(name, inputs):
        signature = loaded.signature_def[name]
        names = sorted(inputs)
        options = config_pb2.CallableOptions(
            feed=[signature.inputs[key].name for key in names],
            fetch=[info.name for info in signature.outputs.values()],
        )
        run = session._make_callable_from_options(options)
        return run(*(np.asarray(inputs[key], DTYPES[key]) for key in names))

    ask.signatures = {name: set(s.inputs) for name, s in loaded.signature_def.items()}
    yield ask
    session.close()


def test_the_signatures_agree_with_each_other(call):
    drawn = call("generate", DRAWN)
    assert set(drawn) == {"images"}
    draws = [tf.random.stateless_normal((8,), (s, 0), alg="philox") for s in DRAWN["seeds"]]
    latents = np.array(draws) * np.array(DRAWN["truncation"], "float32")[:, None]
    given = {"labels": DRAWN["labels"], "latents": latents}
    images, maps = call("serving_default", given), call("attention", given)
    np.testing.assert_allclose(images["images"], drawn["images"], atol=1e-5)
    drawn_maps = call("generate_attention", DRAWN)
    np.testing.assert_allclose(maps["attention_8"], drawn_maps["attention_8"], atol=1e-5)
    files = call("generate_png", DRAWN)["image_bytes"]
    for file, image in zip(files, drawn["images"], strict=True):
        picture = Image.open(io.BytesIO(file))
        assert (picture.format, picture.size, picture.mode) == ("PNG", (16, 16), "L")
        difference = np.asarray(picture, int) - to_uint8(image[None])[0, :, :, 0]
        assert np.abs(difference).max() <= 1


@pytest.mark.parametrize("name", INPUTS)
def test_inputs_have_the_batch_first_and_an_empty_batch_gives_an_empty_result(model, call, name):
    _, inputs = model.signatures[name].structured_input_signature
    assert set(inputs) == set(INPUTS[name])
    assert all(spec.shape.rank >= 1 and spec.shape[0] is None for spec in inputs.values())
    empty = {key: np.zeros((0, *np.shape(value)[1:])) for key, value in INPUTS[name].items()}
    full = call(name, INPUTS[name])
    for key, value in call(name, empty).items():
        assert value.shape == (0, *full[key].shape[1:])


BAD = [
    ({"labels": [0, -1]}, r"labels must be in \[0, 3\)"),
    ({"labels": [0, 3]}, r"labels must be in \[0, 3\)"),
    ({"labels": [0]}, "labels and (seeds|latents) must have the same number of rows"),
    ({"labels": [[0], [1]]}, "labels"),
    ({"seeds": [[5], [6]]}, "seeds"),
    ({"truncation": [1.0, 0.0]}, r"truncation must be in \(0, 1\]"),
    ({"truncation": [1.0, 1.1]}, r"truncation must be in \(0, 1\]"),
    ({"truncation": [1.0, float("nan")]}, r"truncation must be in \(0, 1\]"),
    ({"truncation": [[1.0], [0.5]]}, "truncation"),
    ({"latents": LATENTS[:, :7]}, "latents"),
    ({"latents": LATENTS * [[1.0], [np.nan]]}, "latents must be finite"),
    ({"latents": LATENTS * [[1.0], [np.inf]]}, "latents must be finite"),
    ({"latents": LATENTS * [[1.0], [-1e30]]}, "latents must be finite, 1e6 at most"),
    ({"latents": LATENTS[None]}, "latents"),
    ({"latents": LATENTS[0]}, "latents"),
]


@pytest.mark.parametrize("name", INPUTS)
def test_a_server_is_told_what_is_wrong(ask_session, name):
    """An unconditional model takes no labels and says the same of its other inputs."""
    if name not in ask_session.signatures:
        assert name.endswith("attention")
        return
    inputs = {key: INPUTS[name][key] for key in ask_session.signatures[name]}
    assert set(INPUTS[name]) - set(inputs) <= {"labels"}
    for wrong, message in BAD:
        if wrong.keys() <= inputs.keys():
            with pytest.raises(tf.errors.InvalidArgumentError, match=message):
                ask_session(name, {**inputs, **wrong})
            ask_session(name, inputs)


def test_many_users_at_once_each_get_their_own_rows(call):
    """200 requests of 1 to 9 rows from 16 threads: every row is the row computed alone."""
    random = np.random.default_rng(0)
    requests = []
    for size in random.integers(1, 10, size=200):
        labels, seeds = random.integers(3, size=size), random.integers(-4, 4, size=size)
        truncation = random.choice([0.5, 1.0], size=size)
        requests.append({"labels": labels, "seeds": seeds, "truncation": truncation})
    alone = {}
    for row in {row for request in requests for row in zip(*request.values(), strict=True)}:
        alone[row] = call("generate", {key: [value] for key, value in zip(DRAWN, row, strict=True)})
    images = np.concatenate([answer["images"] for answer in alone.values()])
    assert len(np.unique(images, axis=0)) == len(alone)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda request: call("generate", request), requests))
    for request, answer in zip(requests, answers, strict=True):
        for index, row in enumerate(zip(*request.values(), strict=True)):
            for key, value in alone[row].items():
                np.testing.assert_allclose(answer[key][[index]], value, atol=1e-5)


def test_every_signature_is_warmed_up_with_one_row_that_it_answers(path, call, model):
    file = path / "assets.extra" / "tf_serving_warmup_requests"
    asked = set()
    for record in tf.data.TFRecordDataset(str(file)):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        name = log.predict_log.request.model_spec.signature_name
        tensors = log.predict_log.request.inputs
        inputs = {key: tf.make_ndarray(value) for key, value in tensors.items()}
        for key, row in inputs.items():
            assert row.dtype == DTYPES[key]
            assert np.all(row == (key == "truncation"))
        assert all(len(value) == 1 for value in call(name, inputs).values())
        asked.add(name)
    assert asked == set(model.signatures) == set(INPUTS)


def test_a_model_with_residual_blocks_is_served_without_attention(tmp_path):
    small = {"base_channels": 4, "latent_dim": 8, "attention_layer": "residual"}
    sagan = SAGAN.from_preset("sagan_digits_16", load_weights=False, **small)
    for stage in sagan.ema_generator.stages:
        if stage.name == "residual_8":
            stage.gate.assign(0.5)
    served = tf.saved_model.load(str(export_saved_model(sagan, tmp_path)))
    assert set(served.signatures) == {name for name in INPUTS if "attention" not in name}
    given = {key: tf.constant(value, DTYPES[key]) for key, value in GIVEN.items()}
    expected = sagan.generate(**GIVEN)
    np.testing.assert_allclose(
        served.signatures["serving_default"](**given)["images"], expected, atol=1e-5
    )
