"""Files that are there as a whole or not at all, and what is said when they are not."""

import contextlib
import errno
import hashlib
import json
import os
import pathlib
import shutil
import stat
import tempfile
from concurrent.futures import ThreadPoolExecutor

ASIDE = ".aside-"
_LARGEST_JSON = 2**26


@contextlib.contextmanager
def replacing(path):
    """Yields a path to write to, whose file or folder replaces `path` when the context ends.

    It is a `pathlib.Path` of the same name in a new folder beside `path`; missing parents are made.
    A reader never sees half of it. If the context ends by an exception, `path` stays as it was.
    Several processes may replace the same path at once: the last one wins. A process that is
    killed leaves a folder behind whose name starts with `ASIDE`, see `remove_abandoned`.
    """
    path = pathlib.Path(path).expanduser()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=ASIDE) as folder:
        new = pathlib.Path(folder, path.name)
        with naming(path, folder):
            yield new
            # What is renamed must be on the disk before its name is. A disk takes the files of
            # several threads together: 5,000 of them in 1 s, not in 13 s.
            with ThreadPoolExecutor(8) as threads:
                list(threads.map(flush, (*(new.rglob("*") if new.is_dir() else ()), new)))
            _swap(new, path, pathlib.Path(folder))
            flush(path.parent)


@contextlib.contextmanager
def naming(path, aside):
    """Errors of the disk name a path: a full one names no file, and nobody knows what is aside."""
    try:
        yield
    except OSError as error:
        if error.errno and str(error.filename or aside).startswith(aside):
            error.filename = str(path)
        raise


def _swap(new, path, aside):
    if not new.is_dir():
        new.replace(path)
        return
    # A folder with files in it cannot be replaced at once: another process may be between us.
    for attempt in range(10):
        with contextlib.suppress(FileNotFoundError):
            path.rename(aside / f"old_{attempt}")
        try:
            new.rename(path)
            return
        except OSError as error:
            reason = error
    raise reason


def remove_abandoned(directory):
    """Removes what killed processes have left in a folder; nobody may be `replacing` there."""
    for folder in pathlib.Path(directory).glob(f"{ASIDE}*"):
        shutil.rmtree(folder, ignore_errors=True)


def flush(path):
    """Waits until a file, or the list of names in a folder, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_regular(path, max_bytes):
    """The bytes of a file; an OSError if it is a pipe or a device, or larger than `max_bytes`."""
    # Opening a pipe would wait for its other end.
    flags = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, os.O_RDONLY | flags)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "It is not a regular file", str(path))
        if status.st_size > max_bytes:
            text = f"It has {status.st_size} bytes. At most {max_bytes} are read"
            raise OSError(errno.EFBIG, text, str(path))
        with open(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


def sha256(path):
    """The SHA-256 of a file's content, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(*parts):
    """The SHA-256, in hexadecimal digits, of bytes, strs and numpy arrays in their order.

    Where one ends and the next begins matters, and so do the dtype and shape of an array.
    """
    total = hashlib.sha256()
    for part in parts:
        if isinstance(part, str):
            part = part.encode()
        elif not isinstance(part, bytes):
            total.update(f"{part.dtype.str}{part.shape}".encode())
            part = part.tobytes()
        total.update(b"%d:" % len(part))
        total.update(part)
    return total.hexdigest()


def one_line(error):
    """What an exception says, in one line that can stand in a message."""
    text = str(error).split(" [Op:")[0].strip() or type(error).__name__
    return text.splitlines()[0]


def read_json(path):
    """The content of a JSON file; a ValueError names one that is not JSON."""
    content = read_regular(path, _LARGEST_JSON)
    try:
        return json.loads(content.decode())
    except (ValueError, RecursionError) as error:  # The latter is for what is nested too deeply.
        raise ValueError(f"{path} is not valid JSON: {error}") from error


def write_json(path, content):
    """Writes a JSON file, see `replacing`."""
    with replacing(path) as new:
        new.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def write_picture(path, picture):
    """Writes a `PIL.Image.Image` in the format of the path's suffix, see `replacing`."""
    with replacing(path) as new:
        picture.save(new)


def write_animation(path, frames, milliseconds):
    """Writes an endless animation in the format of the path's suffix, GIF or WebP.

    Args:
        path: str or path, see `replacing`.
        frames: Iterable of `PIL.Image.Image`s of the same size, at least one.
        milliseconds: int, how long each frame is shown, or a list with a number for each.
    """
    frames = iter(frames)
    with replacing(path) as new:
        next(frames).save(new, save_all=True, append_images=frames, duration=milliseconds, loop=0)


def settings_differences(path, settings):
    """Lists in what the settings in a JSON file differ from others, as `key=3 there, 4 here`.

    Args:
        path: Path of the file, which holds a dict.
        settings: Dict, ready for JSON. Keys that only the file has are not compared.

    Raises:
        ValueError: if the file is not JSON, or holds no dict.
    """
    found, wanted = read_json(path), json.loads(json.dumps(settings))
    if not isinstance(found, dict):
        raise ValueError(f"{path} does not hold the settings that belong there: remove it")
    return [
        f"{key}={found.get(key)} there, {here} here"
        for key, here in wanted.items()
        if found.get(key) != here
    ]


def read_json_lines(path):
    """Lists the dicts of a file of one JSON object per line; a ValueError names another line.

    A process can be killed while it writes: an unfinished last line is left out.
    """
    lines = pathlib.Path(path).read_text(encoding="utf-8", errors="replace").split("\n")
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            if number == len(lines):
                break
            record = None
        if not isinstance(record, dict):
            raise ValueError(f"{path}, line {number}: not a JSON object. Received: {line[:80]!r}")
        records.append(record)
    return records


def lock(path):
    """Locks a file, which is made if it is missing, and returns it open until the lock shall end.

    It raises a BlockingIOError if another process holds the lock, and another OSError if there are
    no locks, as on Windows and some network file systems, or no such folder.
    """
    try:
        import fcntl
    except ImportError as error:
        raise OSError(str(error)) from error

    with contextlib.ExitStack() as stack:
        file = stack.enter_context(pathlib.Path(path).open("w"))
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        stack.pop_all()
    return file
