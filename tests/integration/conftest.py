import pytest

from tests.integration.runs import STEPS, checkpoints, command, finished, records


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """The folder of a run that nothing interrupted."""
    directory = tmp_path_factory.mktemp("runs") / "undisturbed"
    finished(command(directory))
    assert [path.name for path in checkpoints(directory)] == [
        "step_0000026",
        "step_0000028",
        "step_0000030",
    ]
    assert [record["step"] for record in records(directory)] == list(range(1, STEPS + 1))
    return directory
