"""The page on which one explores attention, in Gradio."""

import dataclasses
import functools
import html
import pathlib

import gradio as gr
from gradio.exceptions import ComponentProcessingError

from experiments import explorer
from sagan_tf import visualization

CSS = pathlib.Path(__file__).with_suffix(".css").read_text(encoding="utf-8")
# Fonts of the visitor's system: none is fetched.
THEME = gr.themes.Base(
    primary_hue="sky",
    neutral_hue="slate",
    radius_size="lg",
    font=["system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
).set(
    # The theme's own grey is too light to read.
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


def make_page(explored):
    """Lays out the page and connects it to an `Explorer`.

    What a visitor has drawn is in a state of that visitor's. Needs `THEME` and `CSS` at its launch.

    Args:
        explored: An `Explorer`.

    Returns:
        A `gradio.Blocks`.
    """
    answers = _Answers(explored)
    with _Page(title="SAGAN: where does it look?", delete_cache=(600, _KEEP_SECONDS)) as page:
        visit = gr.State(time_to_live=_KEEP_SECONDS)
        gr.HTML(_TITLE, elem_id="title")
        with gr.Row(equal_height=False):
            with gr.Column(scale=3, min_width=320):
                with gr.Row(equal_height=False):
                    views = [_model(*item) for item in enumerate(explored.models.items())]
                query = _query_inputs(explored)
            with gr.Column(scale=1, min_width=260):
                inputs, attention, button = _drawing_inputs(explored)
        shown = [part for view in views for part in view]
        labels, num_images, seed, truncation, other_seed, position = inputs

        # Models run one at a time, and beside them answers to what was asked, in its order.
        draw = {
            "fn": answers.draw,
            "inputs": [visit, *inputs],
            "outputs": [visit, query[0]],
            "concurrency_id": "models",
            "trigger_mode": "always_last",
            "show_progress": "hidden",
        }
        answer = {
            "concurrency_id": "answers",
            "trigger_mode": "always_last",
            "show_progress": "hidden",
        }
        redrawing = [num_images.submit, seed.submit, other_seed.submit, position.input]
        redrawing += [truncation.release, *([labels.input] if explored.num_classes else [])]
        for drawn in (
            button.click(**draw, api_name="draw"),
            page.load(**draw, api_visibility="private"),
            gr.on(redrawing, **draw, api_visibility="private"),
        ):
            drawn.success(
                answers.show_drawn,
                [visit, attention],
                [*query, *shown],
                **answer,
                api_visibility="private",
            )
        gr.on(
            [attention.input, *(each.input for each in query)],
            answers.look,
            [visit, attention, *query],
            shown,
            **answer,
            api_name="look",
        )
        for index, (grid, _, close_up, _) in enumerate(views):
            for picture, locate in ((grid, explored.at_grid), (close_up, explored.at_close_up)):
                picture.select(
                    answers.click(functools.partial(locate, model=index)),
                    [visit, attention],
                    [*query, *shown],
                    **answer,
                    api_visibility="private",
                )
    return page


def _model(index, named_model):
    """What one model shows: grid, close-up and figures."""
    name, sagan = named_model
    size = sagan.generator.image_size
    with gr.Column(min_width=320, elem_classes="model"):
        title = html.escape(name)
        gr.HTML(f'<h2 title="{title}">{title} <small>{size} x {size}</small></h2>')
        grid = _picture(f"grid-{index}", f"Images of {name}")
        where = gr.HTML(elem_id=f"where-{index}", elem_classes="where")
        with gr.Row(equal_height=False):
            with gr.Column(scale=5, min_width=280):
                close_up = _picture(f"close-up-{index}", f"The chosen image of {name}")
            with gr.Column(scale=3, min_width=240):
                figures = gr.HTML(elem_id=f"figures-{index}")
    return grid, where, close_up, figures


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


def _query_inputs(explored):
    last = explored.image_size - 1
    with gr.Row(elem_id="query"):
        return [
            gr.Slider(
                0, maximum, 0, step=1, label=label, min_width=100, elem_id=label.lower(), buttons=[]
            )
            for label, maximum in (
                ("Image", max(1, explored.max_images - 1)),
                ("Row", last),
                ("Column", last),
            )
        ]


def _drawing_inputs(explored):
    """Inputs of `Explorer.draw`, the attention to look at, and the button that draws."""
    count = explored.num_classes
    chosen = list(range(min(count or 0, explorer.COLUMNS)))
    options = {"choices": [(str(i), i) for i in range(count or 0)], "value": chosen}
    if count is None:
        labels = gr.State(None)
    elif count <= _BOXES:
        labels = gr.CheckboxGroup(**options, label="Classes", elem_id="classes")
    else:
        labels = gr.Dropdown(**options, label="Classes", multiselect=True, elem_id="classes")
    most = explored.max_images
    with gr.Row():
        num_images = gr.Number(
            min(_DEFAULT_IMAGES, most),
            label=f"Images (≤ {most})",
            min_width=110,
            elem_id="images",
        )
        seed = gr.Number(0, label="Seed", min_width=110, elem_id="seed")
    truncation = gr.Slider(
        0.05,
        1.0,
        1.0,
        step=0.05,
        label="Truncation",
        info="Less: more typical, less varied.",
        elem_id="truncation",
        buttons=[],
    )
    button = gr.Button("Draw", variant="primary", elem_id="draw")
    with gr.Group():
        position = gr.Slider(
            0.0,
            1.0,
            0.0,
            step=1 / (explorer.WALK_STEPS - 1),
            label="Walk to another seed",
            info="0 is the seed above, 1 the other.",
            elem_id="walk",
            buttons=[],
        )
        other_seed = gr.Number(1, label="Other seed", elem_id="other-seed")
    attention = gr.Radio(
        [(name.replace("_", " at "), name) for name in explored.attentions],
        value=explored.attentions[-1],
        label="Layer",
        visible=len(explored.attentions) > 1,
        elem_id="attention",
    )
    return [labels, num_images, seed, truncation, other_seed, position], attention, button


def _in_one_line(function):
    """Tells the visitor what was wrong with an input, and nobody else."""

    @functools.wraps(function)
    def answer(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return answer


class _Page(gr.Blocks):
    """A page that refuses inputs in one line, too, before any function has seen them."""

    async def preprocess_data(self, *args, **kwargs):
        try:
            return await super().preprocess_data(*args, **kwargs)
        except gr.Error as error:
            raise gr.Error(f"{error.message:.200}", print_exception=False) from None
        except ComponentProcessingError:
            raise gr.Error("An input is of a wrong type", print_exception=False) from None


@dataclasses.dataclass
class _Visit:
    """What a visitor has drawn, and asked about last."""

    drawing: explorer.Drawing
    query: explorer.Query | None = None


class _Answers:
    """What the page's events do."""

    def __init__(self, explored):
        self.explored = explored

    @_in_one_line
    def draw(self, visit, labels, num_images, seed, truncation, other_seed, position):
        drawing = self.explored.draw(labels, num_images, seed, truncation, other_seed, position)
        if visit is None:
            visit = _Visit(drawing)
        visit.drawing = drawing
        last = drawing.num_images - 1
        # A slider needs two ends.
        return [visit, gr.update(maximum=max(1, last), interactive=last > 0)]

    @_in_one_line
    def show_drawn(self, visit, attention):
        before = _present(visit).query
        if before is None:
            visit.query = self.explored.first_query(visit.drawing)
        elif before.image >= visit.drawing.num_images:
            visit.query = dataclasses.replace(before, image=0)
        # Sliders that the visitor may be moving are left alone.
        unmoved = [gr.skip()] * 3
        sliders = unmoved if visit.query is before else dataclasses.astuple(visit.query)
        return [*sliders, *self._show(visit, attention)]

    @_in_one_line
    def look(self, visit, attention, image, row, column):
        query = self.explored.check_query(_present(visit).drawing, image, row, column)
        visit.query = query
        return self._show(visit, attention)

    def click(self, locate):
        """What a click on a picture does; `locate` finds the query."""

        @_in_one_line
        def click(visit, attention, event: gr.SelectData):
            image = min(_present(visit).query.image, visit.drawing.num_images - 1)
            now = dataclasses.replace(visit.query, image=image)
            visit.query = locate(visit.drawing, image=image, point=event.index) or now
            return [*dataclasses.astuple(visit.query), *self._show(visit, attention)]

        return click

    def _show(self, visit, attention):
        updates = []
        where = explorer.describe(visit.drawing, visit.query)
        for view in self.explored.look(visit.drawing, visit.query, attention):
            close_up = gr.Image(view.close_up, alt_text=f"{where}, and what that attended to")
            updates += [view.grid, f"<p>{where}</p>", close_up, _figures_html(view.figures)]
        return updates


def _present(visit):
    if visit is None:
        raise ValueError("There are no images any more: draw them again")
    return visit


def _figures_html(figures):
    if figures is None:
        return '<p class="none">This model has no attention: nothing to see here.</p>'
    tiles = "".join(
        f"<div><dt>{name}</dt><dd><b>{value}</b><span>{beside}</span></dd></div>"
        for name, value, beside in (
            (
                "Entropy",
                f"{figures['entropy']:.2f} <small>bits</small>",
                f"even: {figures['even_entropy']:.2f}",
            ),
            (
                "Mean distance",
                f"{figures['distance']:.2f} <small>of the side</small>",
                f"even: {figures['even_distance']:.2f}",
            ),
            ("Largest share", f"{figures['peak']:.1%}", f"even: {figures['even_peak']:.2%}"),
            ("Gate", f"{figures['gate']:.3f}".replace("-", "\N{MINUS SIGN}"), "attention off: 0"),
        )
    )
    colors = ", ".join(f"rgb({r} {g} {b})" for r, g, b in visualization.heat_scale(12))
    queries, keys = figures["queries"], figures["keys"]
    return (
        f'<dl class="figures">{tiles}</dl><p class="scale">0 '
        f'<i style="background: linear-gradient(90deg, {colors})"></i> {figures["peak"]:.1%}</p>'
        f'<p class="note">of what one of {queries} x {queries} queries attended to, over '
        f"{keys} x {keys} keys. Even: the same for all keys.</p>"
    )
