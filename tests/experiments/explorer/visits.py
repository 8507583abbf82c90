"""Visits of the explorer's page in a browser."""

import contextlib
import io

import numpy as np
from PIL import Image

from tests.experiments.explorer.explore_process import ROOT

ARTIFACTS = ROOT / "runs" / "test_artifacts"


@contextlib.contextmanager
def visit(browser, url, query="", **options):
    """A visitor's page with its first images; whatever it complained of or fetched fails."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
    page = context.new_page()
    complaints, fetched = [], []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(url + query)
    page.wait_for_selector("#statistics-0 dl", timeout=60_000)
    page.wait_for_selector("#close-up-0 img")
    yield page
    context.close()
    assert complaints == []
    assert [each for each in fetched if not each.startswith((url, "data:", "blob:"))] == []


def shown(page, picture):
    """A picture of the page, as pixels."""
    source = page.get_attribute(f"{picture} img", "src")
    answer = page.request.get(source)
    return np.asarray(Image.open(io.BytesIO(answer.body())).convert("RGB")).astype(int)


def click(page, picture, point):
    """Clicks on a point, in pixels of the picture's file."""
    # Zero, and asked for again, while the picture loads.
    scale = page.wait_for_function(
        "(selector) => { const image = document.querySelector(selector);"
        " return image.naturalWidth && image.getBoundingClientRect().width / image.naturalWidth; }",
        arg=f"{picture} img",
        timeout=10_000,
    ).json_value()
    page.locator(f"{picture} img").click(position={"x": point[0] * scale, "y": point[1] * scale})


def choose(page, picture, point, text):
    """Clicks on a point and waits until all models show what `text` says."""
    images = page.locator(".picture img")
    sources = images.evaluate_all("images => images.map(image => image.src)")
    click(page, picture, point)
    wait_for(page, text)
    page.wait_for_function(
        "(sources) => [...document.querySelectorAll('.picture img')].every("
        "(image, i) => image.src !== sources[i] && image.complete)",
        arg=sources,
        timeout=10_000,
    )


def grid_point(image, row, column, columns=10):
    """Where a pixel of the digits is in the grid."""
    down, right = divmod(image, columns)
    return 6 + right * 102 + (column + 0.5) * 6, 20 + down * 102 + (row + 0.5) * 6


def wait_for(page, text):
    """Waits until all models say it above the chosen image."""
    page.wait_for_function(
        "text => [...document.querySelectorAll('.where')].every("
        "where => where.innerText.includes(text))",
        arg=text,
        timeout=10_000,
    )


def wait_for_source(page, picture, other_than):
    page.wait_for_function(
        "([selector, source]) => { const image = document.querySelector(selector);"
        " return image && image.src !== source && image.complete; }",
        arg=[f"{picture} img", other_than],
        timeout=10_000,
    )


def overflow(page):
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
