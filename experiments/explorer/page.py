"""The page on which one explores attention, in Gradio."""

import html
import json
import pathlib

import gradio as gr
from gradio.exceptions import ComponentProcessingError

from experiments.explorer.answers import ADDRESS, Answers, new_seed
from experiments.explorer.drawing import COLUMNS
from experiments.explorer.explorer import WALK_STEPS

CSS = pathlib.Path(__file__).with_suffix(".css").read_text(encoding="utf-8")
# The fonts are those of the visitor's system: none is fetched.
THEME = gr.themes.Base(
    primary_hue="sky",
    neutral_hue="slate",
    radius_size="lg",
    font=["system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
).set(
    # The theme's own gray is too light to read.
    body_text_color_subdued="*neutral_600",
    block_info_text_color="*neutral_600",
    block_label_text_color="*neutral_700",
    block_title_text_color="*neutral_700",
    button_primary_background_fill="*primary_700",
    button_primary_background_fill_dark="*primary_700",
    button_primary_background_fill_hover="*primary_800",
    button_primary_background_fill_hover_dark="*primary_800",
)
_DEFAULT_IMAGES = 20
# More classes are chosen from a list that one can search.
_BOXES = 20
_KEEP_SECONDS = 6 * 3600
_TITLE = """<h1>Where does it look?</h1>
<p>Click a pixel, in the grid or below it: the glow is what the generator attended to there.</p>"""


# The address holds what was asked for, so that it can be kept or passed on.
_KEEP_ADDRESS = f"""(...values) => {{
    const address = new URL(window.location);
    {json.dumps(ADDRESS)}.forEach((name, i) => address.searchParams.set(name, values[i] ?? ""));
    window.history.replaceState(null, "", address);
}}"""


def make_page(explorers):
    """Lays out a page for each `Explorer`, with links between them, and connects it.

    What a visitor has drawn is in a state of that visitor's own.

    Args:
        explorers: List of `Explorer`s.

    Returns:
        A `gradio.Blocks`, to be launched with `THEME` and `CSS`.
    """
    page = _Page(title="SAGAN: where does it look?", delete_cache=(600, _KEEP_SECONDS))
    names = [next(iter(explorer.models)) for explorer in explorers]
    for index, (name, explorer) in enumerate(zip(names, explorers, strict=True)):
        with page.route(name) if index else page:
            gr.Navbar(visible=len(explorers) > 1, main_page_name=names[0])
            _lay_out(page, explorer)
    return page


def _lay_out(page, explorer):
    answers = Answers(explorer)
    visit = gr.State(time_to_live=_KEEP_SECONDS)
    gr.HTML(_TITLE, elem_id="title")
    with gr.Row(equal_height=False, elem_id="all"):
        with gr.Column(scale=3, min_width=320):
            with gr.Row(equal_height=False):
                views = [_model_parts(*item) for item in enumerate(explorer.models.items())]
            query = _query_inputs(explorer)
            with gr.Row(equal_height=False):
                for index, view in enumerate(views):
                    with gr.Column(min_width=320):
                        view.append(gr.HTML(elem_id=f"statistics-{index}"))
        with gr.Column(scale=1, min_width=260):
            inputs, attention, button, dice = _drawing_inputs(explorer)
    shown = [part for view in views for part in view]
    labels, num_images, seed, truncation, other_seed, position = inputs

    # Models run one at a time, and beside them answers to what was asked, in its order.
    newest = {"trigger_mode": "always_last", "show_progress": "hidden"}
    private = {"api_visibility": "private"}
    answer = {**newest, "concurrency_id": "answers"}
    draw = {
        **newest,
        "concurrency_id": "models",
        "fn": answers.draw,
        "inputs": [visit, *inputs],
        "outputs": [visit, query[0]],
    }
    redrawing = [num_images.submit, seed.submit, other_seed.submit, position.input]
    redrawing += [truncation.release, *([labels.input] if explorer.num_classes else [])]
    state = [*inputs, attention, *query]
    address = {"fn": None, "inputs": state, "js": _KEEP_ADDRESS}
    restored = page.load(answers.restore, None, [visit, *state], **private)
    rolled = dice.click(new_seed, None, seed, **newest, **private)
    for drawn in (
        button.click(**draw, api_name="draw"),
        restored.success(**draw, **private),
        rolled.success(**draw, **private),
        gr.on(redrawing, **draw, **private),
    ):
        outputs = [*query, *shown]
        drawn = drawn.success(answers.show_drawn, [visit, attention], outputs, **answer, **private)
        drawn.success(**address)
    moved = [attention.input, *(slider.input for slider in query)]
    look_inputs = [visit, attention, *query]
    looked = gr.on(moved, answers.look, look_inputs, shown, **answer, api_name="look")
    looked.success(**address)
    for index, (grid, _, close_up, _) in enumerate(views):
        for picture in (grid, close_up):
            click = answers.click(index, on_close_up=picture is close_up)
            outputs = [*query, *shown]
            clicked = picture.select(click, [visit, attention], outputs, **answer, **private)
            clicked.success(**address)


def _model_parts(index, named_model):
    """Lays out what one model shows: its grid, a heading and a close-up."""
    name, sagan = named_model
    size = sagan.generator.image_size
    with gr.Column(min_width=320, elem_classes="model"):
        title = html.escape(name)
        gr.HTML(f'<h2 title="{title}">{title} <small>{size} x {size}</small></h2>')
        grid = _picture(f"grid-{index}", f"Images of {name}")
        where = gr.HTML(elem_id=f"where-{index}", elem_classes="where")
        close_up = _picture(f"close-up-{index}", f"The chosen image of {name}")
    return [grid, where, close_up]


def _picture(elem_id, alt_text):
    return gr.Image(
        format="png",
        label=alt_text,
        show_label=False,
        container=False,
        interactive=False,
        buttons=["download"],
        elem_id=elem_id,
        elem_classes="picture",
        alt_text=alt_text,
    )


def _query_inputs(explorer):
    last = explorer.image_size - 1
    maxima = {"Image": max(1, explorer.max_images - 1), "Row": last, "Column": last}
    options = {"step": 1, "min_width": 100, "buttons": []}
    with gr.Row(elem_id="query"):
        return [
            gr.Slider(0, maximum, 0, label=label, elem_id=label.lower(), **options)
            for label, maximum in maxima.items()
        ]


def _drawing_inputs(explorer):
    """Lays out the inputs of `Explorer.draw`, the choice of an attention and the button."""
    count = explorer.num_classes
    chosen = list(range(min(count or 0, COLUMNS)))
    names = explorer.class_names or map(str, range(count or 0))
    options = {"choices": [(name, i) for i, name in enumerate(names)], "value": chosen}
    if count is None:
        labels = gr.State(None)
    elif count <= _BOXES:
        labels = gr.CheckboxGroup(**options, label="Classes", elem_id="classes")
    else:
        labels = gr.Dropdown(**options, label="Classes", multiselect=True, elem_id="classes")
    most = explorer.max_images
    with gr.Row():
        num_images = gr.Number(
            min(_DEFAULT_IMAGES, most), label=f"Images (≤ {most})", min_width=110, elem_id="images"
        )
        seed = gr.Number(0, label="Seed", min_width=110, elem_id="seed")
    truncation = gr.Slider(
        0.05,
        1.0,
        1.0,
        step=0.05,
        label="Truncation",
        info="Factor of the latents: a smaller one draws more typical, less varied images.",
        elem_id="truncation",
        buttons=[],
    )
    with gr.Row():
        button = gr.Button("Draw", variant="primary", elem_id="draw", min_width=110)
        dice = gr.Button("New seed", elem_id="new-seed", min_width=110)
    with gr.Group():
        position = gr.Slider(
            0.0,
            1.0,
            0.0,
            step=1 / (WALK_STEPS - 1),
            label="Walk to another seed",
            info="0 is the seed above, 1 the other.",
            elem_id="walk",
            buttons=[],
        )
        other_seed = gr.Number(1, label="Other seed", elem_id="other-seed")
    attention = gr.Radio(
        [(name.replace("_", " at "), name) for name in explorer.attentions],
        value=explorer.attentions[-1],
        label="Layer",
        visible=len(explorer.attentions) > 1,
        elem_id="attention",
    )
    return [labels, num_images, seed, truncation, other_seed, position], attention, button, dice


class _Page(gr.Blocks):
    """A page that also refuses inputs of a wrong type in one line, before a function sees them."""

    async def preprocess_data(self, *args, **kwargs):
        try:
            return await super().preprocess_data(*args, **kwargs)
        except gr.Error as error:
            raise gr.Error(f"{error.message:.200}", print_exception=False) from None
        except ComponentProcessingError:
            raise gr.Error("An input is of a wrong type", print_exception=False) from None
