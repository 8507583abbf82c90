"""The page's events: what a visitor asks for, and what the page shows in answer."""

import dataclasses
import functools

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
<p class="scale">0 <i style="background: linear-gradient(90deg, {colors})"></i> {peak:.1%}</p>
<p class="note">These are shares of what one of {queries} x {queries} queries attended to, over
{keys} x {keys} keys. Even attention is the same for all keys.</p>"""


@dataclasses.dataclass
class Visit:
    """A visitor's images, and the query that was asked last."""

    drawing: Drawing
    query: Query | None = None


def _in_one_line(function):
    """Tells the visitor what was wrong with an input, without a traceback in the program's log."""

    @functools.wraps(function)
    def answer(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except ValueError as error:
            raise gr.Error(str(error), print_exception=False) from None

    return answer


class Answers:
    """Answers the page's events by an `Explorer`; what differs between visitors is in a `Visit`."""

    def __init__(self, explorer):
        self._explorer = explorer

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
        for view in self._explorer.views(visit.drawing, visit.query, attention):
            close_up = gr.Image(view.close_up, alt_text=f"{where}, and what that attended to")
            updates += [view.grid, f"<p>{where}</p>", close_up, _statistics_html(view.statistics)]
        return updates


def _present(visit):
    if visit is None:
        raise ValueError("There are no images any more: draw them again")
    return visit


def _statistics_html(statistics):
    if statistics is None:
        return '<p class="none">This model has no attention: there is nothing to see here.</p>'
    colors = ", ".join(f"rgb({r} {g} {b})" for r, g, b in visualization.heat_scale(12))
    gate = f"{statistics['gate']:.3f}".replace("-", "\N{MINUS SIGN}")
    return _STATISTICS.format(**{**statistics, "gate": gate, "colors": colors})
