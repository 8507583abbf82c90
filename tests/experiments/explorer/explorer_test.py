"""What the explorer answers, without its page."""

import math

import numpy as np
import pytest

from experiments.explorer.answers import Answers
from experiments.explorer.drawing import Drawing, Query
from experiments.explorer.explorer import CHOSEN, MAX_IMAGES, MAX_SEED, Explorer
from sagan_tf import SAGAN, Discriminator, Generator
from sagan_tf.evaluation import attention_distance, attention_entropy
from tests.models.small import small

RIGHT = {
    "labels": [0, 2],
    "num_images": 6,
    "seed": 0,
    "truncation": 1.0,
    "other_seed": 1,
    "position": 0.0,
}
NAN = float("nan")


def make(image_size=16, num_classes=3, latent_dim=8, attention_layer="self_attention", **kwargs):
    shared = {"image_size": image_size, "channels": 1, "num_classes": num_classes}
    shared["attention_layer"] = attention_layer
    return SAGAN(
        Generator(**shared, base_channels=8, latent_dim=latent_dim, **kwargs),
        Discriminator(**shared, base_channels=8),
    )


@pytest.fixture(scope="module")
def sagan():
    return small()


@pytest.fixture(scope="module")
def explorer(sagan):
    return Explorer({"small": sagan})


@pytest.fixture(scope="module")
def drawing(explorer):
    return explorer.draw(**RIGHT)


def test_a_class_that_is_named_twice_is_drawn_once(explorer):
    drawing = explorer.draw(**{**RIGHT, "labels": [2, 2, 0]})
    assert drawing.labels == [2, 0, 2, 0, 2, 0]


def test_classes_have_names_where_all_models_agree_on_them():
    cats, dogs, others = make(), make(), make()
    cats.class_names = dogs.class_names = ("cat", "dog", "red fox")
    drawing = Explorer({"a": cats, "b": dogs}).draw(**RIGHT)
    assert drawing.column_labels[:2] == ["cat", "red fox"]
    assert "of class red fox," in drawing.describe(Query(1, 2, 3))
    others.class_names = ("dog", "cat", "red fox")
    explorer = Explorer({"a": cats, "b": others})
    assert explorer.class_names is None
    assert explorer.draw(**RIGHT).column_labels[:2] == ["0", "2"]


def test_a_name_of_a_class_is_no_html():
    sagan = make()
    sagan.class_names = ("<b>cat</b>", "dog & co", "fox")
    answers = Answers(Explorer({"a": sagan}))
    visit, _ = answers.draw(None, *RIGHT.values())
    shown = answers.show_drawn(visit, "attention_8")
    assert any("of class &lt;b&gt;cat&lt;/b&gt;," in str(each) for each in shown)


def test_the_walk_starts_and_ends_at_the_images_of_its_seeds(sagan, explorer):
    for position, seed in ((0.0, 5), (1.0, 9)):
        drawn = explorer.draw(
            **{**RIGHT, "seed": 5, "other_seed": 9, "position": position, "truncation": 0.5}
        )
        images, maps = sagan.generate([0, 2], 6, 0.5, seed=seed, return_attention=True)
        np.testing.assert_allclose(drawn.drawn[0][0], images, atol=1e-5)
        np.testing.assert_allclose(drawn.drawn[0][1]["attention_8"], maps["attention_8"], atol=1e-5)
        assert drawn.labels == [0, 2, 0, 2, 0, 2]
    middle = explorer.draw(**{**RIGHT, "position": 0.5}).drawn[0][0]
    assert not np.allclose(middle, explorer.draw(**RIGHT).drawn[0][0], atol=1e-3)


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"labels": [-1]}, "class must be a whole number from 0 to 2. Received: -1"),
        ({"labels": [3]}, "class must be a whole number from 0 to 2. Received: 3"),
        ({"labels": [0, "1"]}, "class must be a whole number from 0 to 2. Received: '1'"),
        ({"labels": []}, "Choose at least one class"),
        ({"labels": None}, "Choose at least one class"),
        (
            {"num_images": 10**9},
            f"images must be a whole number from 1 to {MAX_IMAGES}. Received: 1",
        ),
        ({"num_images": 0}, "images must be"),
        ({"num_images": 2.5}, "images must be"),
        ({"num_images": True}, "images must be"),
        ({"truncation": NAN}, r"truncation must be in \(0, 1\]. Received: nan"),
        ({"truncation": 0}, "truncation must be"),
        ({"truncation": "x" * 1000}, "truncation must be in .*xxx…$"),
        ({"seed": -1}, "^seed must be"),
        ({"seed": MAX_SEED + 1}, "^seed must be"),
        ({"seed": 10**400}, "^seed must be"),
        ({"other_seed": math.inf}, "^other seed must be"),
        ({"position": -0.1}, "walk must be"),
        ({"position": NAN}, "walk must be"),
        ({"position": [0.5]}, "walk must be"),
    ],
)
def test_inputs_out_of_bounds(explorer, wrong, message):
    with pytest.raises(ValueError, match=message) as error:
        explorer.draw(**{**RIGHT, **wrong})
    assert "\n" not in str(error.value) and len(str(error.value)) < 120


@pytest.mark.parametrize("wrong", [(6, 0, 0), (0, 16, 0), (0, 0, -1), (0, NAN, 0), (0, "1", 0)])
def test_queries_out_of_bounds(explorer, drawing, wrong):
    with pytest.raises(ValueError, match="(image|row|column) must be a whole .* from 0 to (5|15)"):
        explorer.check_query(drawing, *wrong)


def test_an_unknown_attention(explorer, drawing):
    with pytest.raises(ValueError, match="must be one of attention_8. Received: 'attention_99'"):
        explorer.views(drawing, Query(0, 0, 0), "attention_99")


def test_every_point_of_the_pictures_leads_to_its_pixel(explorer, drawing):
    """A click on the mark of a query is that query, or another pixel of its cell."""
    for query in (Query(0, 0, 0), Query(4, 15, 3), Query(5, 6, 15)):
        (view,) = explorer.views(drawing, query, "attention_8")
        marked = np.argwhere((np.asarray(view.grid) == CHOSEN).all(axis=-1))
        # The frame is around the image, the dot in the middle of the pixel's cell.
        top, left = marked.min(axis=0) + 3
        scale = (marked.max(axis=0) - 3 - marked.min(axis=0) - 3 + 1) / 16
        y, x = (top, left) + (np.array([query.row, query.column]) + 0.5) * scale
        assert explorer.query_in_grid(drawing, 0, (x, y)) == query
        for panel in (0, 1, 2):
            side = (view.close_up.width - 4 * 6) / 3
            x, y = (
                6 + (position + 0.5) * side / 16 + shift
                for position, shift in ((query.column, panel * (side + 6)), (query.row, 0))
            )
            assert explorer.query_in_close_up(drawing, 0, (x, y), query.image) == query


@pytest.mark.parametrize("point", [(0, 0), (-5, 30), (1e9, 30), (NAN, 3), ("a", 3), None, (1,)])
def test_points_beside_the_images(explorer, drawing, point):
    assert explorer.query_in_grid(drawing, 0, point) is None
    assert explorer.query_in_close_up(drawing, 0, point, 0) is None


def test_statistics_are_those_of_the_query(sagan, explorer, drawing):
    maps = drawing.drawn[0][1]["attention_8"]
    (view,) = explorer.views(drawing, Query(2, 15, 1), "attention_8")
    row, column = 7, 0  # of 8 x 8 cells
    index = 8 * row + column
    shares = maps[2, index].astype("float64")
    statistics = view.statistics
    assert statistics["entropy"] == pytest.approx(attention_entropy(maps)[2, index])
    assert statistics["entropy"] == pytest.approx(-(shares * np.log2(shares)).sum(), abs=1e-6)
    assert statistics["distance"] == pytest.approx(attention_distance(maps)[2, index])
    assert statistics["peak"] == pytest.approx(shares.max())
    assert statistics["gate"] == pytest.approx(float(sagan.ema_generator.gates["attention_8"]))
    assert (statistics["queries"], statistics["keys"]) == (8, 4)
    assert statistics["even_entropy"] == pytest.approx(4.0)
    assert statistics["even_peak"] == 1 / 16
    # From the centre of the corner cell to those of all 4 x 4 keys.
    steps = np.arange(0.125, 1, 0.25)
    distances = np.hypot((steps - 7.5 / 8)[:, None], steps - 0.5 / 8)
    assert statistics["even_distance"] == pytest.approx(distances.mean())
    assert drawing.describe(Query(2, 15, 1)) == "Image 2 of class 0, row 15, column 1"


def test_the_picture_changes_with_the_cell_alone(explorer, drawing):
    first, same, other = (
        explorer.views(drawing, Query(1, *pixel), "attention_8")[0].close_up.tobytes()
        for pixel in ((4, 4), (5, 5), (6, 4))
    )
    assert first == same and first != other


@pytest.mark.parametrize("count, columns", [(1, 10), (2, 10), (3, 9), (7, 7), (10, 10), (11, 10)])
def test_each_class_keeps_its_columns(count, columns):
    labels = np.resize(range(count), 30).tolist()
    drawing = Drawing(labels, ((np.zeros((30, 16, 16, 1)), {}),))
    assert drawing.columns == columns
    alone = [str(label) for label in labels[:columns]]
    assert drawing.column_labels == (alone if count <= 10 else None)
    assert Drawing(labels[:6], ((np.zeros((6, 16, 16, 1)), {}),)).columns == min(6, columns)


def test_models_side_by_side(sagan):
    plain = make(attention_resolutions=())
    large = make(32, attention_resolutions=(8, 16))
    explorer = Explorer({"small": sagan, "plain": plain, "large": large})
    assert explorer.attentions == ["attention_8", "attention_16"]
    drawing = explorer.draw(**RIGHT)
    query = Query(1, 5, 11)
    for attention, queries in (("attention_8", (8, 8)), ("attention_16", (8, 16))):
        views = explorer.views(drawing, query, attention)
        assert views[1].statistics is None
        assert (views[0].statistics["queries"], views[2].statistics["queries"]) == queries
        # All are on one scale of colors.
        peaks = [views[model].statistics["peak"] for model in (0, 2)]
        assert [views[model].statistics["largest"] for model in (0, 2)] == [max(peaks)] * 2
    # A click on the larger image is the pixel of the first at the same place.
    point = (6 + 9 * (11 * 2 + 1.5), 6 + 9 * (5 * 2 + 0.5))
    assert explorer.query_in_close_up(drawing, 2, point, 1) == query
    assert explorer.first_query(drawing).image == 0


def test_where_the_gate_is_closed_the_glow_is_dim():
    models = {"open": make(), "idle": make()}
    for sagan, opening in zip(models.values(), (0.5, 0.005), strict=True):
        sagan.ema_generator.set_weights(models["open"].generator.get_weights())
        sagan.ema_generator.gates["attention_8"].assign(opening)
    explorer = Explorer(models)
    views = explorer.views(explorer.draw(**RIGHT), Query(1, 5, 11), "attention_8")
    assert [view.statistics["is_idle"] for view in views] == [False, True]
    plain, glow, cells = (
        np.asarray(views[1].close_up)[6:-6, 6 + 294 * panel :][:, :288].astype(float)
        for panel in range(3)
    )
    bright = np.asarray(views[0].close_up)[6:-6, 300:588].astype(float)
    assert np.abs(plain - glow).mean() < 0.7 * np.abs(plain - bright).mean()
    assert (glow != cells).any()
    assert [view.close_up.info["name"] for view in views] == [
        f"{name}_seed{RIGHT['seed']}_image1_row5_column11.png" for name in ("open", "idle")
    ]


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (("first/run", "second/run/"), ("run_1", "run_2")),
        (("runs/cats", "runs/dogs/"), ("cats", "dogs")),
    ],
)
def test_each_model_has_files_of_its_own(sagan, paths, names):
    explorer = Explorer(dict.fromkeys(paths, sagan))
    views = explorer.views(explorer.draw(**RIGHT), Query(1, 5, 11), "attention_8")
    assert [view.grid.info["name"] for view in views] == [f"{name}_seed0.png" for name in names]


def test_models_that_do_not_fit(sagan):
    with pytest.raises(ValueError, match="differ in num_classes: 3 and 4"):
        Explorer({"a": sagan, "b": make(num_classes=4)})
    with pytest.raises(ValueError, match="differ in latent_dim: 8 and 5"):
        Explorer({"a": sagan, "b": make(latent_dim=5)})
    with pytest.raises(ValueError, match="^plain: no attention to explore"):
        Explorer({"plain": make(attention_resolutions=())})
    with pytest.raises(ValueError, match="^plain: .* or attention_layer is residual"):
        Explorer({"plain": make(attention_layer="residual")})


def test_an_unconditional_model():
    explorer = Explorer({"model": make(num_classes=None)})
    drawing = explorer.draw(**{**RIGHT, "labels": None})
    assert drawing.labels is None
    assert drawing.describe(Query(1, 2, 3)) == "Image 1, row 2, column 3"
    (view,) = explorer.views(drawing, Query(1, 2, 3), "attention_8")
    assert view.statistics["keys"] == 4


def test_large_maps_allow_fewer_images():
    explorer = Explorer({"model": make(64, attention_resolutions=(64,))})
    assert explorer.max_images == 64 * 2**20 // (4 * 64**2 * 32**2)
