"""The client against a real SavedModel, over real sockets, in both protocols."""

import os
import pathlib
import socket
import subprocess
import sys
import threading

import numpy as np
import pytest
from PIL import Image

from sagan_tf import SAGAN, Discriminator, Generator
from sagan_tf.export import export_saved_model
from tests.deploy.model_server import serving

pytestmark = pytest.mark.slow

# What goes to this machine must not go through a proxy.
NO_PROXY_THERE = "http://127.0.0.1:9"
PROGRAM = pathlib.Path(__file__).parents[2] / "deploy" / "request.py"


@pytest.fixture(scope="module")
def ports(tmp_path_factory):
    sagan = SAGAN(
        Generator(16, 1, 3, base_channels=4, latent_dim=8), Discriminator(16, 1, 3, base_channels=4)
    )
    path = export_saved_model(sagan, tmp_path_factory.mktemp("served"))
    with serving(path) as (rest, grpc):
        yield {"--nogrpc": rest, "--grpc": grpc}


def request(protocol, port, *flags):
    return subprocess.run(
        [sys.executable, str(PROGRAM), protocol, f"--port={port}", *flags],
        env={**os.environ, "PYTHONPATH": str(PROGRAM.parents[1]), "http_proxy": NO_PROXY_THERE},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_both_protocols_draw_the_same_grid(ports, tmp_path):
    pictures = []
    for protocol, port in ports.items():
        output = tmp_path / f"{protocol}.png"
        result = request(
            protocol, port, "--labels=2,0", "--num_images=6", "--seed=3", f"--output={output}"
        )
        assert result.returncode == 0, result.stderr
        pictures.append(np.asarray(Image.open(output)))
    # A column per label, three rows below their headings; 2 white pixels around images of 64.
    assert pictures[0].shape == (20 + 3 * 66, 2 * 66 + 2, 3)
    assert len(np.unique(pictures[0])) > 10
    np.testing.assert_array_equal(*pictures)


def test_labels_by_name(ports, tmp_path):
    names, output = tmp_path / "labels.txt", tmp_path / "x.png"
    names.write_text("cat\nred fox\ndog\n")
    pictures = []
    for labels in ("2,1", "dog,red fox"):
        flags = [f"--labels={labels}", f"--labels_file={names}", f"--output={output}"]
        result = request("--nogrpc", ports["--nogrpc"], *flags)
        assert result.returncode == 0, result.stderr
        pictures.append(np.asarray(Image.open(output)))
    # The headings differ, and nothing else does.
    np.testing.assert_array_equal(pictures[0][20:], pictures[1][20:])
    assert (pictures[0][:20] != pictures[1][:20]).any()
    result = request("--nogrpc", 1, "--labels=dgo", f"--labels_file={names}", f"--output={output}")
    assert result.returncode == 1
    assert "Unknown class: dgo. Did you mean dog? Valid: cat, dog, red fox" in result.stderr


SERVER_REFUSES = [
    (["--labels=3"], "labels must be in [0, 3)"),
    (["--labels=0", "--truncation=2"], "truncation must be in (0, 1]"),
    (["--labels=0", "--model_name=an other"], "not found"),
]
PROGRAM_REFUSES = [
    (["--labels=--3"], "--labels must be ints"),
    (["--labels=4294967297"], "--labels must be ints"),  # 1, in 32 bits
    (["--labels="], "--labels must be ints"),
    (["--seed=2147483647"], "--seed must be from -2147483648 to 2147483632 for 16 images"),
    (["--timeout=0"], "--timeout must be more than 0"),
    (["--output=x.tflite"], "--output must be a .png file"),
]


@pytest.mark.parametrize(
    ("protocol", "flags", "message"),
    [(protocol, *case) for protocol in ("--nogrpc", "--grpc") for case in SERVER_REFUSES]
    + [("--nogrpc", *case) for case in PROGRAM_REFUSES],
)
def test_what_is_refused_is_told_in_one_line(ports, tmp_path, protocol, flags, message):
    output = tmp_path / "x.png"
    result = request(protocol, ports[protocol], f"--output={output}", *flags)
    assert result.returncode == 1
    (line,) = result.stderr.strip().splitlines()
    assert message in line
    assert not output.exists()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"not HTTP at all", "No answer from"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", "No answer from"),
        (b"HTTP/1.1 200 OK\r\n\r\n<html>", "other things than PNG files"),
        (b'HTTP/1.1 200 OK\r\n\r\n{"outputs": 1}', "other things than PNG files"),
        (b'HTTP/1.1 200 OK\r\n\r\n{"predictions": [[0.5]]}', "other things than PNG files"),
        (b'HTTP/1.1 200 OK\r\n\r\n{"predictions": [{"b64": "eHh4"}]}', "than PNG files"),
        (b'HTTP/1.1 200 OK\r\n\r\n{"predictions": []}', "0 images. Asked for: 1"),
        (b"HTTP/1.1 500 Oops\r\n\r\nrubbish", "refused: 500 Oops"),
    ],
)
def test_rubbish_from_the_server_is_told_in_one_line(tmp_path, answer, message):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def answer_once():
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        threading.Thread(target=answer_once, daemon=True).start()
        result = request(
            "--nogrpc", port, "--host=127.0.0.1", "--labels=1", f"--output={tmp_path / 'x.png'}"
        )
    assert result.returncode == 1
    (line,) = result.stderr.strip().splitlines()
    assert f"127.0.0.1:{port}" in line and message in line


@pytest.mark.parametrize("protocol", ["--nogrpc", "--grpc"])
def test_no_server_is_told_in_one_line(tmp_path, protocol):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        result = request(protocol, port, "--timeout=20", f"--output={tmp_path / 'x.png'}")
    assert result.returncode == 1
    (line,) = result.stderr.strip().splitlines()
    assert f"No answer from localhost:{port}" in line


@pytest.mark.parametrize("flag", ["--port=0", "--port=65537", "--timeout=inf"])
def test_flags_out_of_range_are_named(tmp_path, flag):
    name = flag.partition("=")[0].strip("-")
    port = 8501 if name == "timeout" else flag.partition("=")[2]
    result = request("--nogrpc", port, f"--output={tmp_path / 'x.png'}", flag)
    assert result.returncode == 1
    assert f"error: {flag}: " in result.stderr and "Traceback" not in result.stderr
