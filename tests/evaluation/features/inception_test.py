"""The frozen graph of Inception, on graphs with its names that are made here."""

import io
import tarfile

import numpy as np
import pytest
import tensorflow as tf
from scipy.ndimage import map_coordinates
from scipy.special import softmax

from sagan_tf.evaluation.features import inception
from sagan_tf.evaluation.features.inception import GRAPH_FILE, Inception
from tests.evaluation.errors import message

RNG = np.random.default_rng(5)
STEP = 37  # The test graph's features are every 37th pixel of its input, in both directions.
WEIGHTS = RNG.standard_normal((9 * 9 * 3, 4)).astype("float32") / 10.0


def frozen_graph(shape=(None, 299, 299, 3), rename=None, edit=None):
    """Bytes of a graph whose `pool_3` is some pixels of `Mul`, and `logits` a product of these."""
    names = {name: name for name in ("Mul", "pool_3", "logits")} | (rename or {})
    graph = tf.Graph()
    with graph.as_default():
        images = tf.compat.v1.placeholder(tf.float32, shape, name=names["Mul"])
        pixels = tf.reshape(images[:, ::STEP, ::STEP], (-1, 1, 1, len(WEIGHTS)))
        pool = tf.identity(pixels, name=names["pool_3"])
        flat = tf.reshape(pool, (-1, len(WEIGHTS)))
        tf.matmul(flat, tf.constant(WEIGHTS), name=names["logits"])
    definition = graph.as_graph_def()
    if edit:
        edit(definition)
    return definition.SerializeToString(deterministic=True)


def archived(files):
    """Bytes of a `.tar.gz` of files, a dict from names to contents."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def expected_features(images):
    """Every 37th pixel after the resizing of TensorFlow 1 and the scaling, by SciPy."""
    images = np.broadcast_to(images, (*images.shape[:3], 3)).astype(np.float64)
    rows = np.arange(0, 299, STEP) * images.shape[1] / 299
    columns = np.arange(0, 299, STEP) * images.shape[2] / 299
    points = np.meshgrid(rows, columns, indexing="ij")
    found = [
        [map_coordinates(image[..., c], points, order=1, mode="nearest") for c in range(3)]
        for image in images
    ]
    found = np.moveaxis(np.array(found), 1, -1)
    return ((found - 128.0) / 128.0).reshape(len(images), -1)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    path = tmp_path_factory.mktemp("graph") / "graph.pb"
    path.write_bytes(frozen_graph())
    return Inception(path)


@pytest.mark.parametrize("shape", [(16, 16, 1), (128, 128, 3), (299, 299, 3), (40, 400, 1)])
def test_images_are_resized_and_scaled_as_in_tensorflow_1(network, shape):
    images = RNG.integers(0, 256, (3, *shape), np.uint8)
    features, probabilities = network(images)
    expected = expected_features(images)
    # The op finds its places in float32: 1e-5 of a pixel.
    np.testing.assert_allclose(features, expected, atol=1e-4)
    np.testing.assert_allclose(
        probabilities, softmax(expected @ WEIGHTS.astype(np.float64), axis=1), atol=1e-4
    )


def test_scale_is_exact(network):
    images = np.full((3, 16, 16, 1), np.reshape([0, 128, 255], (3, 1, 1, 1)), np.uint8)
    expected = np.broadcast_to([[-1.0], [0.0], [127 / 128]], (3, len(WEIGHTS)))
    np.testing.assert_array_equal(network(images)[0], expected)


def test_description(network):
    description = dict(network.description)
    assert len(description.pop("fingerprint")) == 16
    assert description == {
        "name": "inception",
        "dimension": 243,
        "num_classes": 4,
        "input_size": 299,
        "resizer": "bilinear, as in TensorFlow 1",
        "file": "graph.pb",
    }
    assert network.predicts_labels is False


@pytest.mark.parametrize(
    ("name", "content", "argument"),
    [
        ("x.tar.gz", archived({"x/readme": b"?", "./in/graph.pb": frozen_graph()}), "x.tar.gz"),
        ("x.tgz", archived({"graph.pb": frozen_graph()}), "."),
        ("graph.pb", frozen_graph(), "."),
    ],
)
def test_archives_and_folders_hold_the_same_graph(network, tmp_path, name, content, argument):
    (tmp_path / name).write_bytes(content)
    (tmp_path / "notes.txt").touch()
    other = Inception(tmp_path / argument)
    assert other.description == network.description


def test_the_published_name_is_taken_among_several(tmp_path):
    (tmp_path / "other.pb").write_bytes(b"?")
    (tmp_path / GRAPH_FILE).write_bytes(frozen_graph())
    assert Inception(tmp_path).description["file"] == GRAPH_FILE


def _without_input(definition):
    """As TF-GAN's graph for TPUs: `Mul:0` is used, but there is no such node."""
    (node,) = [node for node in definition.node if node.name == "Mul"]
    definition.node.remove(node)


@pytest.mark.parametrize(
    "options", [{"shape": None}, {"shape": (None, None, None, None)}, {"edit": _without_input}]
)
def test_shapes_may_be_unknown_and_the_input_no_node(network, tmp_path, options):
    (tmp_path / "x.pb").write_bytes(frozen_graph(**options))
    images = RNG.integers(0, 256, (3, 16, 16, 1), np.uint8)
    other = Inception(tmp_path / "x.pb")
    assert other.fingerprint != network.fingerprint
    for mine, theirs in zip(network(images), other(images), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def _one_at_a_time(definition):
    """As the graph of 2015 itself: whatever comes in, one row comes out."""
    for node in definition.node:
        if node.op == "Const" and node.attr["value"].tensor.dtype == tf.int32.as_datatype_enum:
            values = tf.make_ndarray(node.attr["value"].tensor)
            if values.tolist() == [-1, 1, 1, 243]:
                replaced = tf.make_tensor_proto(np.array([1, 1, 1, -1], np.int32))
                node.attr["value"].tensor.CopyFrom(replaced)


def test_a_graph_of_one_image_at_a_time_is_an_error(tmp_path):
    (tmp_path / "x.pb").write_bytes(frozen_graph(None, edit=_one_at_a_time))
    network = Inception(tmp_path / "x.pb")
    with pytest.raises(ValueError, match="the graph must take batches of any size|cannot be run"):
        network(np.zeros((2, 16, 16, 1), np.uint8))


def _unknown_operation(definition):
    definition.node[-1].op = "NoSuchOperation"


def _write_a_file(definition):
    graph = tf.Graph()
    with graph.as_default():
        tf.raw_ops.WriteFile(filename="written", contents="x")
        tf.raw_ops.ReadFile(filename="/etc/hostname")
    definition.node.extend(graph.as_graph_def().node)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("x.pb", frozen_graph(edit=_write_a_file), "than arithmetic (ReadFile, WriteFile)"),
        ("x.pb", b"", "lacks Mul, logits, pool_3"),
        ("x.pb", b"no graph at all", "is not a frozen graph: "),
        ("x.pb", frozen_graph(rename={"logits": "softmax"}), "lacks logits (expected: input Mul"),
        ("x.pb", frozen_graph(rename={"Mul": "images"}), "it lacks Mul "),
        ("x.pb", frozen_graph(edit=_unknown_operation), "NoSuchOperation"),
        ("x.tgz", b"no archive", "x.tgz is not a whole archive: "),
        ("x.tgz", archived({"graph.pb": frozen_graph()})[:-300], "is not a whole archive: "),
    ],
)
def test_what_is_no_such_graph_is_an_error(tmp_path, name, content, expected):
    (tmp_path / name).write_bytes(content)
    found = message(Inception, tmp_path / name)
    assert expected in found and str(tmp_path) in found


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], "must hold one frozen graph, such as inceptionv1_for_inception_score.pb. Found: none"),
        (["a.pb", "b.pb"], "Found: a.pb, b.pb"),
        (["a.tgz", "b.tar.gz"], "Found: a.tgz, b.tar.gz"),
        (None, "does not exist: expected Inception's frozen graph"),
    ],
)
def test_missing_files_and_folders_of_several_are_an_error(tmp_path, names, expected):
    for name in names or ():
        (tmp_path / name).touch()
    path = tmp_path / "none.pb" if names is None else tmp_path
    assert expected in message(Inception, path, error=FileNotFoundError)


@pytest.fixture
def published(tmp_path, monkeypatch):
    """The file that is fetched, in place of the public one."""
    file = tmp_path / "public" / "inception.tar.gz"
    file.parent.mkdir()
    file.write_bytes(archived({GRAPH_FILE: frozen_graph()}))
    monkeypatch.setattr(inception, "URL", file.as_uri())
    return file


def test_download_fetches_the_archive_once_by_default_to_the_cache(
    published, network, tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    archive = Inception.download()
    assert archive == tmp_path / "sagan_tf" / "inception.tar.gz"
    assert archive.read_bytes() == published.read_bytes()
    assert list(archive.parent.iterdir()) == [archive]
    published.unlink()
    assert Inception.download(archive.parent) == archive
    assert Inception(archive).dimension == network.dimension


@pytest.mark.parametrize("size", [None, 0.5])
def test_download_keeps_nothing_that_is_broken(published, tmp_path, size):
    whole = published.read_bytes()
    published.unlink()
    if size is not None:
        published.write_bytes(whole[: int(size * len(whole))])
    found = message(Inception.download, tmp_path / "new", error=OSError)
    assert "Cannot fetch " in found and "Fetch it by other means and pass" in found
    assert not list((tmp_path / "new").iterdir())
