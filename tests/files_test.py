import contextlib
import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from sagan_tf.files import digest, lock, one_line, read_json_lines, replacing, sha256, write_json


def fill(path, text):
    """Writes a file, or a folder with a file in it if the name has no ending."""
    if path.suffix:
        path.write_text(text)
    else:
        path.mkdir()
        (path / "part").write_text(text)


def content(path):
    return (path if path.suffix else path / "part").read_text()


@pytest.mark.parametrize("name", ["file.txt", "folder"])
def test_a_path_is_replaced_as_a_whole_or_not_at_all(tmp_path, name):
    path = tmp_path / "new" / name
    for text in ("first", "second"):
        with replacing(path) as new:
            fill(new, text)
            assert not path.exists() or content(path) == "first"
        assert content(path) == text
    with contextlib.suppress(ZeroDivisionError), replacing(path) as new:
        fill(new, "third")
        raise ZeroDivisionError
    assert content(path) == "second"
    assert [each.name for each in path.parent.iterdir()] == [name]


def test_several_processes_replace_a_folder_at_once(tmp_path):
    program = f"""
from sagan_tf.files import replacing
for number in range(30):
    with replacing({str(tmp_path / "folder")!r}) as new:
        new.mkdir()
        (new / "part").write_text("whole")
"""
    environment = {**os.environ, "PYTHONPATH": str(pathlib.Path(__file__).parents[1])}
    processes = [subprocess.Popen([sys.executable, "-c", program], env=environment) for _ in "123"]
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert content(tmp_path / "folder") == "whole"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_digest_is_of_parts_and_not_of_their_sum(tmp_path):
    array = np.arange(6, dtype="int32")
    digests = [
        digest("ab", "c"),
        digest("a", "bc"),
        digest(b"ab", b"c", b""),
        digest(array),
        digest(array.reshape(2, 3)),
        digest(array.astype("int64")),
    ]
    assert len(set(digests)) == len(digests)
    assert digest(b"ab", "c") == digests[0]
    (tmp_path / "file").write_bytes(b"abc")
    assert sha256(tmp_path / "file").startswith("ba7816bf8f01cfea414140de5dae2223b00361a3")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("one\ntwo"), "one"),
        (OSError(28, "No space left"), "[Errno 28] No space left"),
        (KeyError(), "KeyError"),
        (RuntimeError("Failed to read. [Op:Restore]"), "Failed to read."),
    ],
)
def test_one_line(error, line):
    assert one_line(error) == line


def test_a_lock_is_for_one_process(tmp_path):
    program = f"""
from sagan_tf.files import lock
try:
    lock({str(tmp_path / "lock")!r})
except BlockingIOError:
    print("held")
"""
    environment = {**os.environ, "PYTHONPATH": str(pathlib.Path(__file__).parents[1])}

    def other():
        command = [sys.executable, "-c", program]
        return subprocess.run(command, env=environment, capture_output=True, text=True).stdout

    with lock(tmp_path / "lock"):
        assert other() == "held\n"
    assert other() == ""


def test_json_is_readable_text(tmp_path):
    write_json(tmp_path / "a.json", {"a": [1]})
    assert (tmp_path / "a.json").read_text() == '{\n  "a": [\n    1\n  ]\n}\n'


def test_reads_what_json_wrote(tmp_path):
    path = tmp_path / "metrics.jsonl"
    records = [{"step": 1}, {"step": 2, "loss": 0.5}, {"step": 3, "note": "a\u2028b"}]
    lines = [json.dumps(entry, ensure_ascii=False) + "\n" for entry in records]
    path.write_text("".join(lines), encoding="utf-8")
    assert read_json_lines(path) == records


@pytest.mark.parametrize("kept", range(0, 26))
def test_tolerates_a_write_cut_anywhere(tmp_path, kept):
    path = tmp_path / "metrics.jsonl"
    last = '{"step": 2, "note": "ä"}\n'.encode()
    assert len(last) == 26
    path.write_bytes(b'{"step": 1}\n' + last[:kept])
    complete = [{"step": 2, "note": "ä"}] if kept == 25 else []
    assert read_json_lines(path) == [{"step": 1}, *complete]


@pytest.mark.parametrize("line", ["{broken", "", "3", "[1]"])
def test_names_a_broken_line(tmp_path, line):
    path = tmp_path / "metrics.jsonl"
    path.write_text(f'{{"step": 1}}\n{line}\n{{"step": 2}}\n')
    with pytest.raises(ValueError, match="metrics.jsonl, line 2") as error:
        read_json_lines(path)
    assert "\n" not in str(error.value)


def test_an_empty_file_has_no_records(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.touch()
    assert read_json_lines(path) == []
