import shutil

import pytest

from tests.experiments.explorer.explore_process import explore, free_port
from tests.experiments.explorer.visits import ARTIFACTS

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)


@pytest.fixture(scope="module")
def url():
    """Address of an explorer of the digits."""
    with explore("--model=sagan_digits_16", f"--port={free_port()}") as address:
        yield address


@pytest.fixture(scope="module")
def explorer():
    """What that explorer answers, without a process."""
    from experiments.explorer.explorer import Explorer
    from sagan_tf import SAGAN

    return Explorer({"sagan_digits_16": SAGAN.from_preset("sagan_digits_16")})


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
