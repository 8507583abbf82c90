"""The explorer's page, in a browser."""

import numpy as np
import pytest
from PIL import Image

from experiments.explorer.drawing import Query
from sagan_tf import SAGAN, Discriminator, Generator
from tests.experiments.explorer.explore_process import explore, free_port
from tests.experiments.explorer.visits import (
    ARTIFACTS,
    choose,
    click,
    grid_point,
    overflow,
    shown,
    visit,
    wait_for,
    wait_for_source,
)

pytestmark = pytest.mark.slow

CLASSES = list(range(10))


def test_a_click_shows_where_the_pixel_attended_to(browser, url, explorer):
    with visit(browser, url) as page:
        before = shown(page, "#grid-0")
        choose(page, "#grid-0", grid_point(13, 7, 4), "Image 13 of class 3, row 7, column 4")
        drawing = explorer.draw(CLASSES, 20, 0, 1.0, 1, 0.0)
        (view,) = explorer.views(drawing, Query(13, 7, 4), "attention_8")
        for picture, expected in (("#grid-0", view.grid), ("#close-up-0", view.close_up)):
            assert np.abs(shown(page, picture) - np.asarray(expected).astype(int)).max() <= 2
        # Over that image, and over the one that was chosen before, alone.
        changed = (shown(page, "#grid-0") != before).any(axis=-1)
        left, top = (int(x) for x in grid_point(13, 0, 0))
        assert changed[top : top + 90, left : left + 90].mean() > 0.5
        assert not changed[top : top + 90, left + 110 :].any()
        figures = page.inner_text("#statistics-0")
        assert f"{view.statistics['entropy']:.2f} bits" in figures and "even: 4.00" in figures
        assert f"{view.statistics['peak']:.1%}" in figures
        assert "row 7, column 4" in page.get_attribute("#close-up-0 img", "alt")
        page.screenshot(path=ARTIFACTS / "explorer_light.png")

        # A pixel of the close-up; between its panels there is none.
        text = "Image 13 of class 3, row 14, column 2"
        choose(page, "#close-up-0", (6 + 288 + 6 + 2.5 * 18, 6 + 14.5 * 18), text)
        click(page, "#close-up-0", (6 + 288 + 3, 100))
        page.wait_for_timeout(500)
        wait_for(page, text)


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
        (view,) = explorer.views(drawing, Query(0, row, column), "attention_8")
        assert np.abs(shown(page, "#grid-0") - np.asarray(view.grid).astype(int)).max() <= 2


def test_the_keyboard_is_enough(browser, url):
    with visit(browser, url) as page:
        for name, key in (("image", "Home"), ("row", "Home"), ("column", "End")):
            page.locator(f"#{name} input[type=range]").focus()
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
            text = f"Image {image} of class {image}, row 3, column 3"
            choose(page, "#grid-0", grid_point(image, 3, 3), text)
        grids = [shown(page, "#grid-0") for page in (first, second)]
        # The last image has not been chosen by either.
        assert (grids[0][:, -100:] != grids[1][:, -100:]).any()
        wait_for(second, "Image 8 of class 8, row 3, column 3")


@pytest.mark.soak
def test_two_models_answer_together(browser, tmp_path):
    """Here one without attention, which says so."""
    folder = tmp_path / "plain"
    shared = {"image_size": 16, "channels": 1, "num_classes": 10, "attention_resolutions": ()}
    sagan = SAGAN(Generator(**shared, latent_dim=128), Discriminator(**shared))
    sagan.save_preset(folder)
    flags = ("--model=sagan_digits_16", f"--second_model={folder}", f"--port={free_port()}")
    with explore(*flags) as address, visit(browser, address) as page:
        assert "This model has no attention" in page.inner_text("#statistics-1")
        for picture, image in (("#grid-0", 12), ("#grid-1", 5)):
            text = f"Image {image} of class {image % 10}, row 6, column 9"
            choose(page, picture, grid_point(image, 6, 9), text)
        assert "Entropy" in page.inner_text("#statistics-0")
        assert overflow(page) <= 0
        page.screenshot(path=ARTIFACTS / "explorer_two_models.png", full_page=True)


def test_what_is_wrong_is_said_on_the_page(browser, url):
    with visit(browser, url) as page:
        page.get_by_label("Images (≤ 40)").fill("1000000000")
        page.get_by_role("button", name="Draw").click()
        toast = page.get_by_text("images must be a whole number from 1 to 40")
        toast.first.wait_for(timeout=10_000)
        row = page.locator("#row input[type=number]")
        row.fill("99")
        row.press("Enter")
        toast = page.get_by_text("Value 99 is greater than maximum value 15")
        toast.first.wait_for(timeout=10_000)
        choose(page, "#grid-0", grid_point(2, 4, 4), "Image 2 of class 2, row 4, column 4")


def draw_fewer_and_meanwhile(page, act):
    """Has three images drawn in place of twenty, and acts before they are there."""
    page.get_by_label("Images (≤ 40)").fill("3")
    page.get_by_role("button", name="Draw").click()
    act()
    page.wait_for_function(
        "document.querySelector('#image input[type=range]').max === '2' &&"
        " document.querySelector('#grid-0 img').naturalWidth === 312",
        timeout=10_000,
    )


def wait_until_consistent(page):
    """Waits, after all answers, until the text is of what the sliders say."""
    page.wait_for_timeout(1000)
    page.wait_for_function(
        "() => { const [image, row, column] = ['image', 'row', 'column'].map("
        "name => document.querySelector(`#${name} input[type=number]`).value);"
        " return document.querySelector('#where-0').innerText ==="
        " `Image ${image} of class ${image % 10}, row ${row}, column ${column}`; }",
        timeout=10_000,
    )


@pytest.mark.soak
def test_a_click_on_an_image_that_is_about_to_go(browser, url):
    with visit(browser, url) as page:
        grid, (x, y) = page.locator("#grid-0 img"), grid_point(15, 4, 4)
        scale = grid.evaluate("image => image.getBoundingClientRect().width / image.naturalWidth")

        def click_at_once():
            # A locator waits until the image is stable, and then it may be another one.
            box = grid.bounding_box()
            page.mouse.click(box["x"] + x * scale, box["y"] + y * scale)

        draw_fewer_and_meanwhile(page, click_at_once)
        wait_until_consistent(page)
        text = "Image 2 of class 2, row 3, column 9"
        choose(page, "#grid-0", grid_point(2, 3, 9, columns=3), text)


@pytest.mark.soak
def test_a_slider_moved_while_images_are_drawn(browser, url):
    with visit(browser, url) as page:

        def move():
            page.locator("#row input[type=range]").focus()
            for key in ("Home", "ArrowRight", "ArrowRight", "ArrowRight"):
                page.keyboard.press(key)

        draw_fewer_and_meanwhile(page, move)
        wait_for(page, ", row 3,")
        wait_until_consistent(page)


def test_pictures_are_downloaded_as_png(browser, url):
    with visit(browser, url) as page:
        for picture in ("#grid-0", "#close-up-0"):
            with page.expect_download() as download:
                page.locator(picture).get_by_label("Download").click()
            saved = Image.open(download.value.path())
            name = "sagan_digits_16_seed0" + ("_image" if picture == "#close-up-0" else ".png")
            assert saved.format == "PNG" and download.value.suggested_filename.startswith(name)
            pixels = np.asarray(saved.convert("RGB")).astype(int)
            np.testing.assert_array_equal(pixels, shown(page, picture))


@pytest.mark.soak
def test_each_model_has_a_page(browser, tmp_path):
    shared = {"image_size": 32, "channels": 3, "num_classes": 3, "attention_resolutions": (16,)}
    networks = (network(**shared, base_channels=4) for network in (Generator, Discriminator))
    SAGAN(*networks).save_preset(tmp_path / "flowers")
    flags = ("--model=sagan_digits_16", f"--model={tmp_path / 'flowers'}", f"--port={free_port()}")
    with explore(*flags) as address, visit(browser, address) as page:
        assert "sagan_digits_16" in page.inner_text("h2")
        page.get_by_role("link", name="flowers").click()
        page.wait_for_function("document.querySelector('h2')?.innerText.includes('32 x 32')")
        page.wait_for_selector("#close-up-0 img")
        assert page.get_by_label("Row").last.get_attribute("max") == "31"
        page.screenshot(path=ARTIFACTS / "explorer_pages.png", full_page=True)
        page.get_by_role("link", name="sagan_digits_16").click()
        page.wait_for_function("document.querySelector('h2')?.innerText.includes('16 x 16')")
        page.wait_for_selector("#close-up-0 img")
        choose(page, "#grid-0", grid_point(3, 6, 9), "Image 3 of class 3, row 6, column 9")
