import pytest

from tests.experiments.explorer.explore_process import explore, free_port


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
