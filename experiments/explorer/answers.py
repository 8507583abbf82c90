"""The page's events: what a visitor asks for, and what the page shows in answer."""

import contextlib
import dataclasses
import functools
import html
import os
import secrets
import tempfile

import gradio as gr

from experiments.explorer.drawing import Drawing, Query
from sagan_tf import visualization

_STATISTICS = """<dl class="statistics">
<div><dt>Entropy</dt><dd><b>{entropy:.2f} <small>bits</small></b>
<span>even: {even_entropy:.2f}</span></dd></div>
<div><dt>Mean distance</dt><dd><b>{distance:.2f} <small>of the side</small></b>
<span>even: {even_distance:.2f}</span></dd></div>
<div><dt>Largest share</dt><dd><b>{peak:.1%}</b><span>even: {even_peak:.2%}</span></dd></div>
<div><dt>Gate</dt><dd><b>{gate}</b><span>attention off: 0</span></dd></div>
</dl>
<p class="scale">0 <i style="background: linear-gradient(90deg, {colors})"></i> {largest:.1%}</p>
<p class="note">{idle}These are shares of what one of {queries} x {queries} queries attended to,
over {keys} x {keys} keys. Even attention is the same for all keys.</p>
<details class="note"><summary>What do these numbers mean?</summary>
<p><b>Entropy</b> says how widely the pixel looks: 0 bits are one key, each further bit doubles
their number.</p>
<p><b>Mean distance</b> is how far away it looks, as a share of the side of the image.</p>
<p><b>Gate</b> is the factor with which attention is added to the features. It begins at 0, where
attention does nothing, and is learned.</p></details>"""
_IDLE = "The gate is almost closed: this attention, shown dimmed, hardly reaches the image. "


_FRACTIONS, _QUERY = ("truncation", "walk"), ("image", "row", "column")
_NUMBERS = ("images", "seed", "truncation", "other_seed", "walk")
ADDRESS = ("classes", *_NUMBERS, "layer", *_QUERY)
"""What the page's address holds, in the order of the page's inputs."""


@dataclasses.dataclass
class Visit:
    """A visitor's images, and the query that was asked last."""

    drawing: Drawing | None
    query: Query | None = None
    # Where the files lie whose names say what they show, until the next ones are there.
    files: tempfile.TemporaryDirectory | None = None


def _in_one_line(function):
    """Tells the visitor what was wrong with an input, without a traceback in the program's log."""

    @functools.wraps(function)
    def answer(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return answer


def new_seed():
    """A seed that nobody has chosen."""
    return secrets.randbelow(10_000)


class Answers:
    """Answers the page's events by an `Explorer`; what differs between visitors is in a `Visit`."""

    def __init__(self, explorer):
        self._explorer = explorer

    def restore(self, request: gr.Request):
        """The visit and the inputs that the page's address asks for; what it lacks stays.

        What is wrong in it is told when it is drawn, as if it had been typed.
        """
        asked = request.query_params
        values = {"layer": asked.get("layer")}
        with contextlib.suppress(KeyError, ValueError):
            values["classes"] = [int(label) for label in asked["classes"].split(",")]
        for name in (*_NUMBERS, *_QUERY):
            with contextlib.suppress(KeyError, ValueError):
                values[name] = float(asked[name]) if name in _FRACTIONS else int(asked[name])
        if values["layer"] not in self._explorer.attentions:
            del values["layer"]
        visit, query = None, [values.get(name, -1) for name in _QUERY]
        if min(query) >= 0 and max(query[1:]) < self._explorer.image_size:
            visit = Visit(None, Query(*query))
        return [visit, *(values.get(name, gr.skip()) for name in ADDRESS)]

    @_in_one_line
    def draw(self, visit, labels, num_images, seed, truncation, other_seed, position):
        """Draws images, and bounds the slider that chooses one of them."""
        drawing = self._explorer.draw(labels, num_images, seed, truncation, other_seed, position)
        if visit is None:
            visit = Visit(drawing)
        visit.drawing = drawing
        last = drawing.num_images - 1
        # A slider needs two ends.
        return [visit, gr.update(maximum=max(1, last), interactive=last > 0)]

    @_in_one_line
    def show_drawn(self, visit, attention):
        """Shows new images, with the query of before if they have such a pixel."""
        before = _present(visit).query
        if before is None:
            visit.query = self._explorer.first_query(visit.drawing)
        elif before.image >= visit.drawing.num_images:
            visit.query = dataclasses.replace(before, image=0)
        # Sliders that the visitor may be moving are left alone.
        unmoved = [gr.skip()] * 3
        sliders = unmoved if visit.query is before else dataclasses.astuple(visit.query)
        return [*sliders, *self._shown(visit, attention)]

    @_in_one_line
    def look(self, visit, attention, image, row, column):
        """Shows the pixel that the sliders say."""
        drawing = _present(visit).drawing
        visit.query = self._explorer.check_query(drawing, image, row, column)
        return self._shown(visit, attention)

    def click(self, model, on_close_up):
        """The function that answers a click on the grid or the close-up of a model, by index."""

        @_in_one_line
        def click(visit, attention, event: gr.SelectData):
            image = min(_present(visit).query.image, visit.drawing.num_images - 1)
            now = dataclasses.replace(visit.query, image=image)
            if on_close_up:
                found = self._explorer.query_in_close_up(visit.drawing, model, event.index, image)
            else:
                found = self._explorer.query_in_grid(visit.drawing, model, event.index)
            visit.query = found or now
            return [*dataclasses.astuple(visit.query), *self._shown(visit, attention)]

        return click

    def _shown(self, visit, attention):
        """The new contents of every model's grid, heading, close-up and statistics."""
        updates = []
        where = visit.drawing.describe(visit.query)
        # Gradio copies what lies outside of its own folder, and has copied those of before.
        visit.files = tempfile.TemporaryDirectory(prefix="explore-")
        for view in self._explorer.views(visit.drawing, visit.query, attention):
            grid, close_up = (
                self._saved(each, visit.files.name) for each in (view.grid, view.close_up)
            )
            close_up = gr.Image(close_up, alt_text=f"{where}, and what that attended to")
            text = f"<p>{html.escape(where)}</p>"
            updates += [grid, text, close_up, _statistics_html(view.statistics)]
        return updates

    @staticmethod
    def _saved(picture, folder):
        path = os.path.join(folder, picture.info["name"])
        picture.save(path)
        return path


def _present(visit):
    if visit is None or visit.drawing is None:
        raise ValueError("There are no images any more: draw them again")
    return visit


def _statistics_html(statistics):
    if statistics is None:
        return '<p class="none">This model has no attention: there is nothing to see here.</p>'
    colors = ", ".join(f"rgb({r} {g} {b})" for r, g, b in visualization.heat_scale(12))
    gate = f"{statistics['gate']:.3f}".replace("-", "\N{MINUS SIGN}")
    idle = _IDLE if statistics["is_idle"] else ""
    return _STATISTICS.format(**{**statistics, "gate": gate, "colors": colors, "idle": idle})
