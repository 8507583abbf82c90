"""How the explorer's page looks, on screens of all sizes, and what its address restores."""

import re

import numpy as np
import pytest

from tests.experiments.explorer.visits import (
    ARTIFACTS,
    choose,
    grid_point,
    overflow,
    shown,
    visit,
    wait_for,
    wait_for_source,
)

pytestmark = pytest.mark.slow

PHONE = {"width": 375, "height": 812}


def test_the_address_restores_the_view(browser, url):
    with visit(browser, url) as page:
        page.get_by_role("checkbox", name="0", exact=True).uncheck()
        wait_for(page, "of class 1")
        source = page.get_attribute("#grid-0 img", "src")
        page.get_by_role("button", name="New seed").click()
        wait_for_source(page, "#grid-0", source)
        text = "Image 4 of class 5, row 3, column 7"
        choose(page, "#grid-0", grid_point(4, 3, 7, columns=9), text)
        page.wait_for_function("location.search.includes('column=7')")
        address, grid = page.url, shown(page, "#grid-0")
    with visit(browser, url, address.removeprefix(url)) as page:
        wait_for(page, text)
        np.testing.assert_array_equal(shown(page, "#grid-0"), grid)
        page.set_viewport_size({"width": 800, "height": 900})
        assert overflow(page) <= 0
        page.screenshot(path=ARTIFACTS / "explorer_800.png", full_page=True)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone(browser, url, theme):
    options = {"viewport": PHONE, "device_scale_factor": 2, "has_touch": True}
    with visit(browser, url, f"?__theme={theme}", **options) as page:
        assert overflow(page) <= 0
        choose(page, "#close-up-0", (6 + 8.5 * 18, 6 + 3.5 * 18), "row 3, column 8")
        assert overflow(page) <= 0
        # Nothing is cut off, either.
        right = page.evaluate(
            "Math.max(...[...document.querySelectorAll('main *:not([id^=close-up] *)')].map("
            "each => each.getBoundingClientRect().right))"
        )
        assert right <= PHONE["width"]
        page.screenshot(path=ARTIFACTS / f"explorer_phone_{theme}.png", full_page=True)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_is_legible(browser, url, theme):
    """At least the 4.5 to 1 that WCAG 2.1 asks for."""
    with visit(browser, url, f"?__theme={theme}") as page:
        colors = page.evaluate(
            """() => [...document.querySelectorAll(`#title *, h2, h2 small, .where p, dt,
                dd b, dd span, .note, #draw, #query label span`)]
                .filter(e => e.innerText).map(e => {
                let under = e;
                const clear = 'rgba(0, 0, 0, 0)';
                while (under && getComputedStyle(under).backgroundColor === clear)
                    under = under.parentElement;
                const back = under ? getComputedStyle(under).backgroundColor
                    : getComputedStyle(document.body).backgroundColor;
                return [e.innerText, getComputedStyle(e).color, back];
            })"""
        )
        assert len(colors) > 15
        for text, ink, paper in colors:
            light, dark = sorted((luminance(ink), luminance(paper)), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ink, paper)
        page.screenshot(path=ARTIFACTS / f"explorer_{theme}.png")


def luminance(color):
    """Relative luminance of a CSS color, by WCAG 2.1."""
    channels = np.array([float(part) for part in re.findall(r"[\d.]+", color)[:3]]) / 255
    linear = np.where(channels <= 0.03928, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ (0.2126, 0.7152, 0.0722)
