"""The notebook of one's own images, which runs as it is."""

import pathlib

import nbclient
import nbformat
import pytest

NOTEBOOK = pathlib.Path(__file__).parents[1] / "docs" / "your_own_images.ipynb"


@pytest.mark.slow
def test_the_notebook_runs(tmp_path):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    (length,) = (cell for cell in notebook.cells if "MINUTES = 2" in cell.source)
    length.source = length.source.replace("MINUTES = 2", "MINUTES = 0.05")
    length.source = length.source.replace("digits_as_images", "my own images")
    nbclient.NotebookClient(
        notebook, timeout=600, resources={"metadata": {"path": tmp_path}}
    ).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    # A program that fails does not end a notebook.
    said = "".join(output.get("text", "") for output in outputs)
    assert "error:" not in said and "Traceback" not in said, said
    assert sum("image/png" in output.get("data", ()) for output in outputs) == 4
    assert (tmp_path / "served" / "mine" / "1" / "saved_model.pb").exists()
