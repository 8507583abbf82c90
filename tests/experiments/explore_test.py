"""The explorer as its visitors meet it: a process, its API, and the page in a browser."""

import contextlib
import io
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading

import httpx
import numpy as np
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from PIL import Image

from experiments.explorer import Explorer, Query
from sagan_tf import SAGAN, Discriminator, Generator, training

pytestmark = pytest.mark.slow

ROOT = pathlib.Path(__file__).parents[2]
PROGRAM = [sys.executable, str(ROOT / "experiments" / "explore.py")]
ARTIFACTS = ROOT / "runs" / "test_artifacts"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
CLASSES = list(range(10))
RIGHT = {
    "labels": [3, 7],
    "num_images": 4,
    "seed": 0,
    "truncation": 1.0,
    "other_seed": 1,
    "position": 0.0,
    "attention": "attention_8",
    "image": 0,
    "row": 0,
    "column": 0,
}
PHONE = {"width": 375, "height": 812}


def free_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


@contextlib.contextmanager
def explore(*flags, end=signal.SIGINT):
    """The program, and the address that it prints when it is ready."""
    process = subprocess.Popen(
        [*PROGRAM, *flags],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    timer = threading.Timer(120, process.kill)
    timer.start()
    try:
        line = process.stdout.readline()
        timer.cancel()
        assert line, process.stderr.read()
        yield re.fullmatch(r"Open (http://127\.0\.0\.1:\d+/) .*\n", line)[1]
    finally:
        timer.cancel()
        process.send_signal(end)
        try:
            _, errors = process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    # Nothing that a visitor did ended in a traceback.
    assert "Traceback" not in errors, errors


@pytest.fixture(scope="module")
def url():
    with explore("--model=sagan_digits_16", f"--port={free_port()}") as address:
        yield address


@pytest.fixture(scope="module")
def explorer():
    return Explorer({"sagan_digits_16": training.load_model("sagan_digits_16")})


# The program.


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--model=nowhere"], "No preset at nowhere"),
        (["--model=sagan_digits_16", "--second_model=nowhere"], "No preset at nowhere"),
        (["--model=a", "--second_model=a"], "--second_model must be another one. Received: a"),
    ],
)
def test_wrong_flags_are_one_line(flags, message):
    result = subprocess.run(
        [*PROGRAM, *flags], capture_output=True, text=True, env={**os.environ}, timeout=120
    )
    assert result.returncode == 1
    assert result.stderr.startswith(f"explore.py: error: {message}")
    assert result.stderr.count("\n") == 1


def test_a_port_in_use_is_one_line(url):
    port = url.rstrip("/").rpartition(":")[2]
    flags = ["--model=sagan_digits_16", f"--port={port}"]
    result = subprocess.run([*PROGRAM, *flags], capture_output=True, text=True, timeout=120)
    assert result.returncode == 1
    assert result.stderr.startswith("explore.py: error: ") and port in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.skipif(not os.path.exists("/proc/net/tcp"), reason="asks Linux who listens where")
def test_only_this_machine_is_served(url):
    port = int(url.rstrip("/").rpartition(":")[2])
    listening = "0A"
    for table, local in (("tcp", "0100007F"), ("tcp6", None)):
        rows = map(str.split, pathlib.Path(f"/proc/net/{table}").read_text().splitlines()[1:])
        addresses = [row[1].split(":") for row in rows if row[3] == listening]
        assert all(address == local for address, each in addresses if int(each, 16) == port)


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_behind(tmp_path, monkeypatch, end):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with explore("--model=sagan_digits_16", f"--port={free_port()}", end=end) as address:
        client(address).predict(**RIGHT, api_name="/draw")
        assert list(tmp_path.glob("explore-*/**/*.png"))
    assert not list(tmp_path.glob("explore-*"))


# Its API.


def client(url):
    return Client(url, verbose=False, download_files=False, analytics_enabled=False)


def fetch(url, file):
    answer = httpx.get(file["url"] if file.get("url") else f"{url}gradio_api/file={file['path']}")
    assert answer.status_code == 200
    return np.asarray(Image.open(io.BytesIO(answer.content)).convert("RGB")).astype(int)


def test_the_api_draws_and_looks(url, explorer):
    visitor = client(url)
    image, *_ = visitor.predict(**RIGHT, api_name="/draw")
    assert image["maximum"] == 3
    grid, where, close_up, figures = visitor.predict(
        attention="attention_8", image=2, row=5, column=6, api_name="/look"
    )
    assert where == "<p>Image 2 of class 3, row 5, column 6</p>"
    settings = [RIGHT[name] for name in list(RIGHT)[:6]]
    (view,) = explorer.look(explorer.draw(*settings), Query(2, 5, 6), "attention_8")
    for file, expected in ((grid, view.grid), (close_up["value"], view.close_up)):
        assert np.abs(fetch(url, file) - np.asarray(expected).astype(int)).max() <= 2
    for name, unit in (("entropy", " <small>bits"), ("distance", " <small>of the side")):
        assert f"<b>{view.figures[name]:.2f}{unit}" in figures
    assert f"<b>{view.figures['peak']:.1%}</b>" in figures


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"labels": [-1]}, "-1"),
        ({"labels": []}, "Choose at least one class"),
        ({"labels": None}, "wrong type"),
        ({"num_images": 10**9}, "images must be a whole number from 1 to 40"),
        ({"num_images": "many"}, "images must be a whole number from 1 to 40"),
        ({"seed": -1}, "seed must be a whole number"),
        ({"truncation": 0}, "0"),
        ({"truncation": "x"}, "wrong type"),
        ({"position": 2}, "2"),
        ({"attention": "attention_99"}, "attention_99"),
        ({"row": 16}, "16"),
        ({"column": 0.5}, "column must be a whole number from 0 to 15"),
    ],
)
def test_bounds_of_drawing(url, wrong, message):
    with pytest.raises(AppError, match=re.escape(message)) as error:
        client(url).predict(**{**RIGHT, **wrong}, api_name="/draw")
    assert "\n" not in str(error.value) and "upstream" not in str(error.value)


def test_bounds_of_looking(url):
    visitor = client(url)
    right = {name: RIGHT[name] for name in ("attention", "image", "row", "column")}
    with pytest.raises(AppError, match="There are no images any more"):
        visitor.predict(**right, api_name="/look")
    visitor.predict(**RIGHT, api_name="/draw")
    for wrong in ({"row": 16}, {"image": 4}, {"image": 10**9}, {"column": -1}, {"column": "x"}):
        with pytest.raises(AppError, match=r"^[^\n]{5,120}$") as error:
            visitor.predict(**{**right, **wrong}, api_name="/look")
        assert "upstream" not in str(error.value)


def test_nan_is_out_of_bounds(url):
    # Which Python's JSON writes, and reads.
    body = json.dumps({"data": [*{**RIGHT, "truncation": float("nan")}.values()]})
    assert "NaN" in body
    headers = {"content-type": "application/json"}
    event = httpx.post(f"{url}gradio_api/call/draw", content=body, headers=headers).json()
    answer = httpx.get(f"{url}gradio_api/call/draw/{event['event_id']}").text
    assert "truncation must be in (0, 1]. Received: nan" in answer


# The page.


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no chromium here: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


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
    page.wait_for_selector("#figures-0 dl", timeout=60_000)
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
    image = page.locator(f"{picture} img")
    width = image.evaluate("image => image.naturalWidth")
    scale = image.bounding_box()["width"] / width
    image.click(position={"x": point[0] * scale, "y": point[1] * scale})


def grid_point(image, row, column, columns=10):
    """Where a pixel of the digits is in the grid."""
    down, right = divmod(image, columns)
    return 6 + right * 102 + (column + 0.5) * 6, 20 + down * 102 + (row + 0.5) * 6


def wait_for(page, text, model=0):
    page.wait_for_function(
        "([selector, text]) => document.querySelector(selector).innerText.includes(text)",
        arg=[f"#where-{model}", text],
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


def test_a_click_shows_where_the_pixel_attended_to(browser, url, explorer):
    with visit(browser, url) as page:
        before = shown(page, "#grid-0")
        source = page.get_attribute("#close-up-0 img", "src")
        click(page, "#grid-0", grid_point(13, 7, 4))
        wait_for(page, "Image 13 of class 3, row 7, column 4")
        wait_for_source(page, "#close-up-0", source)
        drawing = explorer.draw(CLASSES, 20, 0, 1.0, 1, 0.0)
        (view,) = explorer.look(drawing, Query(13, 7, 4), "attention_8")
        for picture, expected in (("#grid-0", view.grid), ("#close-up-0", view.close_up)):
            assert np.abs(shown(page, picture) - np.asarray(expected).astype(int)).max() <= 2
        # Over that image, and over the one that was chosen before, alone.
        changed = (shown(page, "#grid-0") != before).any(axis=-1)
        left, top = (int(x) for x in grid_point(13, 0, 0))
        assert changed[top : top + 90, left : left + 90].mean() > 0.5
        assert not changed[top : top + 90, left + 110 :].any()
        figures = page.inner_text("#figures-0")
        assert f"{view.figures['entropy']:.2f} bits" in figures and "even: 4.00" in figures
        assert f"{view.figures['peak']:.1%}" in figures
        assert "row 7, column 4" in page.get_attribute("#close-up-0 img", "alt")
        page.screenshot(path=ARTIFACTS / "explorer_light.png")

        # A pixel of the close-up; between its panels there is none.
        source = page.get_attribute("#close-up-0 img", "src")
        click(page, "#close-up-0", (6 + 288 + 6 + 2.5 * 18, 6 + 14.5 * 18))
        wait_for(page, "Image 13 of class 3, row 14, column 2")
        wait_for_source(page, "#close-up-0", source)
        click(page, "#close-up-0", (6 + 288 + 3, 100))
        page.wait_for_timeout(500)
        wait_for(page, "Image 13 of class 3, row 14, column 2")


def test_classes_seeds_and_the_walk(browser, url, explorer):
    with visit(browser, url) as page:
        for label in (0, 1, 2, 3, 4, 5, 6, 8, 9):
            page.get_by_role("checkbox", name=str(label), exact=True).uncheck()
        wait_for(page, "of class 7")
        page.get_by_label("Images (≤ 40)").fill("3")
        page.get_by_label("Images (≤ 40)").press("Enter")
        page.wait_for_function("document.querySelector('#grid-0 img').naturalWidth === 312")
        drawing = explorer.draw([7], 3, 0, 1.0, 1, 0.0)
        assert len(drawing.drawn[0][0]) == 3
        source = page.get_attribute("#grid-0 img", "src")
        page.locator("#walk input[type=range]").focus()
        page.keyboard.press("End")
        wait_for_source(page, "#grid-0", source)
        page.wait_for_timeout(500)
        drawing = explorer.draw([7], 3, 0, 1.0, 1, 1.0)
        row, column = (
            int(page.locator(f"#{i} input[type=number]").input_value()) for i in ("row", "column")
        )
        (view,) = explorer.look(drawing, Query(0, row, column), "attention_8")
        assert np.abs(shown(page, "#grid-0") - np.asarray(view.grid).astype(int)).max() <= 2


def test_the_keyboard_is_enough(browser, url):
    with visit(browser, url) as page:
        for name, keys in (("image", ["Home"]), ("row", ["Home"]), ("column", ["End"])):
            page.locator(f"#{name} input[type=range]").focus()
            for key in keys:
                page.keyboard.press(key)
        wait_for(page, "Image 0 of class 0, row 0, column 15")
        page.keyboard.press("ArrowLeft")
        wait_for(page, "Image 0 of class 0, row 0, column 14")
        source = page.get_attribute("#grid-0 img", "src")
        seed = page.get_by_label("Seed", exact=True)
        seed.focus()
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.type("5")
        page.keyboard.press("Enter")
        wait_for_source(page, "#grid-0", source)
        # By tab, from the page's top, one comes to every input and to nothing without a name.
        page.evaluate("document.activeElement.blur()")
        reached = set()
        for _ in range(60):
            page.keyboard.press("Tab")
            reached.add(
                page.evaluate(
                    "(() => { const e = document.activeElement;"
                    " return e.closest('[id]')?.id && e.closest('#image, #row, #column, #classes,"
                    " #images, #seed, #truncation, #draw, #walk, #other-seed')?.id })()"
                )
            )
        assert {"image", "row", "column", "classes", "images", "seed"} <= reached
        assert {"truncation", "draw", "walk", "other-seed"} <= reached


def test_two_visitors_do_not_mix(browser, url):
    with visit(browser, url) as first, visit(browser, url) as second:
        second.get_by_label("Seed", exact=True).fill("7")
        source = second.get_attribute("#grid-0 img", "src")
        second.get_by_role("button", name="Draw").click()
        wait_for_source(second, "#grid-0", source)
        for page, image in ((first, 4), (second, 8), (first, 5)):
            click(page, "#grid-0", grid_point(image, 3, 3))
            wait_for(page, f"Image {image} of class {image}, row 3, column 3")
        first.wait_for_timeout(300)
        grids = [shown(page, "#grid-0") for page in (first, second)]
        # The last image has not been chosen by either.
        assert (grids[0][:, -100:] != grids[1][:, -100:]).any()
        wait_for(second, "Image 8 of class 8, row 3, column 3")


def test_two_models_answer_together(browser, tmp_path):
    """Here one without attention, which says so."""
    folder = tmp_path / "plain"
    shared = {"image_size": 16, "channels": 1, "num_classes": 10, "attention_resolutions": ()}
    sagan = SAGAN(Generator(**shared, latent_dim=128), Discriminator(**shared))
    sagan.save_preset(folder)
    flags = ("--model=sagan_digits_16", f"--second_model={folder}", f"--port={free_port()}")
    with explore(*flags) as address, visit(browser, address) as page:
        assert "This model has no attention" in page.inner_text("#figures-1")
        for picture, image in (("#grid-0", 12), ("#grid-1", 5)):
            click(page, picture, grid_point(image, 6, 9))
            for model in (0, 1):
                wait_for(page, f"Image {image} of class {image % 10}, row 6, column 9", model)
        assert "Entropy" in page.inner_text("#figures-0")
        assert overflow(page) <= 0
        page.screenshot(path=ARTIFACTS / "explorer_two_models.png", full_page=True)


def test_a_wrong_input_is_said_on_the_page(browser, url):
    with visit(browser, url) as page:
        page.get_by_label("Images (≤ 40)").fill("1000000000")
        page.get_by_role("button", name="Draw").click()
        toast = page.get_by_text("images must be a whole number from 1 to 40")
        toast.first.wait_for(timeout=10_000)
        click(page, "#grid-0", grid_point(1, 5, 5))
        wait_for(page, "Image 1 of class 1, row 5, column 5")


def test_pictures_are_downloaded_as_png(browser, url):
    with visit(browser, url) as page:
        for picture in ("#grid-0", "#close-up-0"):
            with page.expect_download() as download:
                page.locator(picture).get_by_label("Download").click()
            saved = Image.open(download.value.path())
            assert saved.format == "PNG" and download.value.suggested_filename.endswith(".png")
            pixels = np.asarray(saved.convert("RGB")).astype(int)
            np.testing.assert_array_equal(pixels, shown(page, picture))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone(browser, url, theme):
    options = {"viewport": PHONE, "device_scale_factor": 2, "has_touch": True}
    with visit(browser, url, f"?__theme={theme}", **options) as page:
        assert overflow(page) <= 0
        source = page.get_attribute("#close-up-0 img", "src")
        click(page, "#close-up-0", (6 + 8.5 * 18, 6 + 3.5 * 18))
        wait_for(page, "row 3, column 8")
        wait_for_source(page, "#close-up-0", source)
        assert overflow(page) <= 0
        # Nothing is cut off, either.
        right = page.evaluate(
            "Math.max(...[...document.querySelectorAll('main *')].map("
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
    """Relative luminance of a CSS colour, by WCAG 2.1."""
    channels = np.array([float(part) for part in re.findall(r"[\d.]+", color)[:3]]) / 255
    linear = np.where(channels <= 0.03928, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return linear @ (0.2126, 0.7152, 0.0722)
