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

from experiments.explorer.drawing import Query
from tests.experiments.explorer.explore_process import PROGRAM, explore, free_port

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


def error_of(*flags):
    """The one line of a program that ends at once."""
    result = subprocess.run([*PROGRAM, *flags], capture_output=True, text=True, timeout=120)
    assert result.returncode == 1
    assert result.stderr.startswith("explore.py: error: ") and result.stderr.count("\n") == 1
    return result.stderr


def test_wrong_flags_are_one_line():
    assert "Unknown model: nowhere" in error_of("--model=sagan_digits_16", "--second_model=nowhere")
    message = "--model must not name a model twice. Received: a, a\n"
    assert error_of("--model=a", "--model=a").endswith(message)
    message = "--second_model must be another model. Received: a\n"
    assert error_of("--model=a", "--second_model=a").endswith(message)


def test_a_port_in_use_is_one_line(url):
    port = url.rstrip("/").rpartition(":")[2]
    assert port in error_of("--model=sagan_digits_16", f"--port={port}")


@pytest.mark.skipif(not os.path.exists("/proc/net/tcp"), reason="asks Linux who listens where")
def test_only_this_machine_is_served(url):
    port = int(url.rstrip("/").rpartition(":")[2])
    listening = "0A"
    for table, local in (("tcp", "0100007F"), ("tcp6", None)):
        rows = map(str.split, pathlib.Path(f"/proc/net/{table}").read_text().splitlines()[1:])
        addresses = [row[1].split(":") for row in rows if row[3] == listening]
        assert all(address == local for address, each in addresses if int(each, 16) == port)


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(signal.SIGINT, marks=pytest.mark.soak),
        pytest.param(signal.SIGHUP, marks=pytest.mark.soak),
        signal.SIGTERM,
    ],
)
def test_nothing_is_left_behind(tmp_path, monkeypatch, end):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with explore("--model=sagan_digits_16", f"--port={free_port()}", end=end) as address:
        visitor = client(address)
        visitor.predict(**DRAWN, api_name="/draw")
        visitor.predict(**LOOKED, api_name="/look")
        assert list(tmp_path.glob("explore-*/**/*.png"))
    assert not list(tmp_path.glob("explore-*"))


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
    (view,) = explorer.views(explorer.draw(**DRAWN), Query(2, 5, 6), "attention_8")
    for file, expected in ((grid, view.grid), (close_up["value"], view.close_up)):
        assert np.abs(fetch(url, file) - np.asarray(expected).astype(int)).max() <= 2
    for name, unit in (("entropy", " <small>bits"), ("distance", " <small>of the side")):
        assert f"<b>{view.statistics[name]:.2f}{unit}" in figures
    assert f"<b>{view.statistics['peak']:.1%}</b>" in figures


def test_bounds(url):
    """They are the `Explorer`'s, or Gradio's where it checks first: all are told in one line."""
    visitor = client(url)
    with pytest.raises(AppError, match="There are no images any more"):
        visitor.predict(**LOOKED, api_name="/look")
    visitor.predict(**DRAWN, api_name="/draw")
    for api_name, right, wrong, message in (
        ("/draw", DRAWN, {"labels": [-1]}, "-1"),
        ("/draw", DRAWN, {"labels": []}, "Choose at least one class"),
        ("/draw", DRAWN, {"labels": None}, "wrong type"),
        ("/draw", DRAWN, {"num_images": "many"}, "images must be a whole number from 1 to 40"),
        ("/draw", DRAWN, {"truncation": 0}, "0"),
        ("/draw", DRAWN, {"truncation": "x"}, "wrong type"),
        ("/draw", DRAWN, {"position": 2}, "2"),
        ("/look", LOOKED, {"row": 16}, "Value 16 is greater than maximum value 15"),
        ("/look", LOOKED, {"image": 4}, "Value 4 is greater than maximum value 3"),
        ("/look", LOOKED, {"column": -1}, "Value -1 is less than minimum value 0"),
        ("/look", LOOKED, {"column": 0.5}, "column must be a whole number from 0 to 15"),
        ("/look", LOOKED, {"column": "x"}, "wrong type"),
        ("/look", LOOKED, {"attention": "attention_99"}, "attention_99"),
    ):
        with pytest.raises(AppError, match=re.escape(message)) as error:
            visitor.predict(**{**right, **wrong}, api_name=api_name)
        assert "\n" not in str(error.value) and "upstream" not in str(error.value)


def test_nan_is_out_of_bounds(url):
    # Python's JSON writes NaN, and reads it.
    body = json.dumps({"data": [*{**DRAWN, "truncation": float("nan")}.values()]})
    assert "NaN" in body
    headers = {"content-type": "application/json"}
    event = httpx.post(f"{url}gradio_api/call/draw", content=body, headers=headers).json()
    answer = httpx.get(f"{url}gradio_api/call/draw/{event['event_id']}").text
    assert "truncation must be in (0, 1]. Received: nan" in answer


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, 200),
        ({"Host": "localhost:{port}"}, 200),
        ({"Host": "rebound.example:{port}"}, 403),
        ({"Host": "127.0.0.1.rebound.example"}, 403),
        ({"Host": "[127.0.0.1"}, 403),
        ({"Origin": "http://127.0.0.1:{port}"}, 200),
        ({"Origin": "http://elsewhere.example"}, 403),
        ({"Origin": "http://localhost:{port}"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_other_pages_are_refused(url, headers, code):
    port = url.rstrip("/").rpartition(":")[2]
    headers = {name: value.format(port=port) for name, value in headers.items()}
    assert httpx.get(f"{url}config", headers=headers).status_code == code


def test_no_file_is_taken(url):
    for size in (2_000, 10_000_000):
        answer = httpx.post(f"{url}gradio_api/upload", files={"files": ("x.bin", size * b"x")})
        assert answer.status_code >= 400
    assert list(pathlib.Path("/tmp").glob("explore-*/**/x.bin")) == []


def test_twenty_visitors_keep_their_images(url):
    visitors = [client(url) for _ in range(20)]
    for number, visitor in enumerate(visitors):
        visitor.predict(**{**DRAWN, "seed": number}, api_name="/draw")
    for visitor in visitors:
        visitor.predict(**LOOKED, api_name="/look")
