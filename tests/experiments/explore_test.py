"""The explorer as a process: its flags, its API, its end."""

import io
import json
import os
import pathlib
import re
import signal
import subprocess

import httpx
import numpy as np
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from PIL import Image

from experiments.explorer import Query
from tests.experiments.explore_process import PROGRAM, explore, free_port

pytestmark = pytest.mark.slow

DRAWN = {
    "labels": [3, 7],
    "num_images": 4,
    "seed": 0,
    "truncation": 1.0,
    "other_seed": 1,
    "position": 0.0,
}
LOOKED = {"attention": "attention_8", "image": 2, "row": 5, "column": 6}


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
        visitor = client(address)
        visitor.predict(**DRAWN, api_name="/draw")
        visitor.predict(**LOOKED, api_name="/look")
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
    image = visitor.predict(**DRAWN, api_name="/draw")
    assert image["maximum"] == 3
    grid, where, close_up, figures = visitor.predict(**LOOKED, api_name="/look")
    assert where == "<p>Image 2 of class 3, row 5, column 6</p>"
    (view,) = explorer.look(explorer.draw(**DRAWN), Query(2, 5, 6), "attention_8")
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
    ],
)
def test_bounds_of_drawing(url, wrong, message):
    with pytest.raises(AppError, match=re.escape(message)) as error:
        client(url).predict(**{**DRAWN, **wrong}, api_name="/draw")
    assert "\n" not in str(error.value) and "upstream" not in str(error.value)


def test_bounds_of_looking(url):
    visitor = client(url)
    with pytest.raises(AppError, match="There are no images any more"):
        visitor.predict(**LOOKED, api_name="/look")
    visitor.predict(**DRAWN, api_name="/draw")
    for wrong, message in (
        ({"row": 16}, "Value 16 is greater than maximum value 15"),
        ({"image": 4}, "Value 4 is greater than maximum value 3"),
        ({"image": 10**9}, "Value 1000000000 is greater than maximum value 3"),
        ({"column": -1}, "Value -1 is less than minimum value 0"),
        ({"column": 0.5}, "column must be a whole number from 0 to 15. Received: 0.5"),
        ({"column": "x"}, "wrong type"),
        ({"attention": "attention_99"}, "attention_99"),
    ):
        with pytest.raises(AppError, match=re.escape(message)) as error:
            visitor.predict(**{**LOOKED, **wrong}, api_name="/look")
        assert "\n" not in str(error.value) and "upstream" not in str(error.value)


def test_nan_is_out_of_bounds(url):
    # Which Python's JSON writes, and reads.
    body = json.dumps({"data": [*{**DRAWN, "truncation": float("nan")}.values()]})
    assert "NaN" in body
    headers = {"content-type": "application/json"}
    event = httpx.post(f"{url}gradio_api/call/draw", content=body, headers=headers).json()
    answer = httpx.get(f"{url}gradio_api/call/draw/{event['event_id']}").text
    assert "truncation must be in (0, 1]. Received: nan" in answer
