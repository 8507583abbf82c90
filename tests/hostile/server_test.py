"""What `deploy/request.py` makes of a server that is not to be trusted."""

import base64
import io
import itertools
import json
import re
import socket
import threading
import time

import numpy as np
import pytest
from PIL import Image

from tests.deploy.request_test import request
from tests.hostile.images_test import EPS, png

pytestmark = pytest.mark.slow
OK = b"HTTP/1.1 200 OK\r\n\r\n"


def answer(*files):
    predictions = [{"b64": base64.b64encode(file).decode()} for file in files]
    return [OK + json.dumps({"predictions": predictions}).encode()]


def picture(mode, side=16):
    buffer = io.BytesIO()
    Image.fromarray(np.zeros((side, side), "uint8")).convert(mode).save(buffer, "PNG")
    return buffer.getvalue()


def dripping(start):
    yield start
    for _ in itertools.count():
        time.sleep(0.1)
        yield b" "


NO_PNG = "other things than PNG files"
ANSWERS = {
    "an endless body": (lambda: itertools.chain([OK], itertools.repeat(2**16 * b"{")), "longer"),
    "a slow body": (lambda: dripping(OK), "timed out"),
    "slow headers": (lambda: dripping(b"HTTP/1.1 200 OK\r\nX: "), "timed out"),
    "nothing": (lambda: dripping(b""), "timed out|No answer"),
    "a deep one": (lambda: [OK + 100_000 * b"["], NO_PNG),
    "a list": (lambda: [OK + b'[{"predictions": 1}]'], NO_PNG),
    "a terminal's command": (lambda: [b'HTTP/1.1 400 \r\n\r\n{"error": "\\u001b[2Jgone"}'], "gone"),
    "a command in the reason": (lambda: [b"HTTP/1.1 400 \x1b[2Jgone\r\n\r\n"], "gone"),
    "lines": (lambda: [b'HTTP/1.1 400 \r\n\r\n{"error": "one\\ntwo"}'], "refused: one$"),
    "no text": (lambda: [b'HTTP/1.1 400 \r\n\r\n{"error": [1]}'], "refused"),
    "a program": (lambda: answer(EPS), NO_PNG),
    "a bomb": (lambda: answer(png(2, 60_000_000)), NO_PNG),
    "16 bits": (lambda: answer(picture("I;16")), NO_PNG),
    "a palette": (lambda: answer(picture("P")), NO_PNG),
    "two sizes": (lambda: answer(picture("L"), picture("L", 32)), "images of several sizes"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_it_is_told_in_one_line(name, tmp_path):
    parts, message = ANSWERS[name]
    labels = "1,2" if name == "two sizes" else "1"
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def serve():
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                try:
                    for part in parts():
                        connection.sendall(part)
                    # To close while there is something to read resets a connection.
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65536):
                        pass
                except OSError:
                    return  # The program has had enough.

        threading.Thread(target=serve, daemon=True).start()
        output = f"--output={tmp_path / 'x.png'}"
        flags = ["--host=127.0.0.1", f"--labels={labels}", "--timeout=3", output]
        result = request("--nogrpc", port, *flags)
    assert result.returncode == 1
    (line,) = result.stderr.strip().splitlines()
    assert line.isprintable()
    assert re.search(message, line), line
    assert list(tmp_path.iterdir()) == []
