"""Odd inputs at random, for as long as is asked: `make fuzz`, which prints a seed to repeat it.

Images, model folders and exported models meet their readers in processes of their own, programs
their flags; what else than a line of an error or a sound result comes out is counted and shown.
"""

import collections
import io
import json
import multiprocessing
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

import numpy as np
from absl import app, flags
from PIL import Image

from experiments import program
from sagan_tf.files import one_line

SECONDS = flags.DEFINE_integer("seconds", 300, "How long it takes.", lower_bound=4)
SEED = flags.DEFINE_integer("seed", None, "Seed of the inputs; None for another one each time.")

ROOT = pathlib.Path(__file__).parents[2]
PATIENCE = 60  # Seconds that an input may take.
WORDS = ("", "0", "-1", "1", "7", "1.5", "nan", "inf", "1e400", "x", "None", "()", "(8,", "True")
WORDS += (
    str(2**63),
    str(-(2**70)),
    "9" * 5000,
    "ä\u202e",
    "a b",
    "--",
    "~",
    "/dev/null",
    "[" * 999,
)
VALUES = (None, True, -1, 0, 1, 2, 7, 1000, 2**31, 2**70, 0.5, float("nan"), float("inf"), "", "x")
VALUES += ([], {}, ["x"], [1, 2], {"x": 1}, "9" * 5000)


def mutated(rng, content):
    """Bytes, some of which are others, are gone, or are there twice."""
    content = bytearray(content)
    for _ in range(rng.choice((0, 1, 1, 2, 5, 20))):
        start = rng.randrange(len(content) + 1)
        end = min(len(content), start + rng.choice((1, 1, 2, 4, 100, len(content))))
        new = rng.choice((b"", rng.randbytes(1), rng.randbytes(end - start), b"\xff" * 4))
        content[start:end] = rng.choice((new, new, 2 * content[start:end]))
    return bytes(content)


def edited(rng, content):
    """JSON, one place of which has another value, or none."""
    if not isinstance(content, (dict, list)) or not content or rng.random() < 0.1:
        return rng.choice(VALUES)
    content = content.copy()
    key = rng.choice(list(content) if isinstance(content, dict) else range(len(content)))
    if rng.random() < 0.1:
        del content[key]
    else:
        content[key] = edited(rng, content[key])
    return content


def images(rng):
    """Decodes a damaged image of one of the formats."""
    from sagan_tf.data.decoding import decode_image

    modes = {"JPEG": ("L", "RGB", "CMYK"), "BMP": ("1", "L", "P", "RGB"), "GIF": ("L", "P", "RGB")}
    modes |= {"PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"), "WEBP": ("RGB", "RGBA")}
    modes |= {"TIFF": ("1", "L", "P", "RGB", "CMYK", "I;16", "F")}

    def make():
        kind = rng.choice(list(modes))
        mode, buffer = rng.choice(modes[kind]), io.BytesIO()
        size = rng.randrange(1, 40), rng.randrange(1, 40)
        options = rng.choice(({}, {"exif": rng.randbytes(50)}, {"icc_profile": rng.randbytes(50)}))
        if kind == "TIFF":  # Pillow writes no broken ones there.
            options.pop("exif", None)
        picture = Image.linear_gradient("L").resize(size)
        picture = picture.convert("I").convert(mode) if mode == "I;16" else picture.convert(mode)
        picture.save(buffer, kind, **options)
        return mutated(rng, buffer.getvalue())

    def attempt(content):
        for channels in (1, 3):
            pixels = decode_image(content, 16, channels)
            assert pixels.shape == (16, 16, channels) and pixels.dtype == np.uint8

    return make, attempt


def model_folders(rng):
    """Loads a preset and a run, one file of which is edited or damaged."""
    from sagan_tf import SAGAN
    from sagan_tf.config import Recipe
    from sagan_tf.models.model_folder import find_config, read_config, write_config
    from sagan_tf.models.run_folder import check_run
    from sagan_tf.training import Checkpoints
    from tests.tiny import compiled

    folder = pathlib.Path(tempfile.mkdtemp())
    sagan = compiled()
    sagan.recipe = Recipe()
    checkpoints = Checkpoints(folder / "run" / "checkpoints", sagan)
    checkpoints.save()
    config, _ = read_config(checkpoints.paths[-1])
    write_config(folder / "run", config, sagan.seed)
    sagan.save_preset(folder / "preset")
    paths = sorted(path for path in folder.rglob("*") if path.is_file())

    def make():
        path = rng.choice(paths)
        content = path.read_bytes()
        if path.suffix == ".json" and rng.random() < 0.8:
            return path, json.dumps(edited(rng, json.loads(content))).encode()
        return path, mutated(rng, content)

    def attempt(case):
        path, content = case
        kept = path.read_bytes()
        path.write_bytes(content)
        try:
            if "preset" in path.parts:
                found = SAGAN.from_preset(folder / "preset")
            else:
                find_config(folder / "run")
                check_run(folder / "run", config)
                found = SAGAN.from_preset(folder / "run")
            assert all(np.all(np.isfinite(value)) for value in found.ema_generator.get_weights())
        finally:
            path.write_bytes(kept)

    return make, attempt


def exported_models(rng):
    """Calls the signatures of a SavedModel with other types, shapes and values."""
    import tensorflow as tf

    from sagan_tf.export import export_saved_model
    from tests.tiny import tiny

    folder = tempfile.mkdtemp()
    model = tf.saved_model.load(str(export_saved_model(tiny(), folder)))
    shutil.rmtree(folder)
    numbers = (0, 1, 2, -1, 3, 0.5, 1e-30, 1e6, 1e30, -1e38, float("nan"), float("inf"), 2**31 - 1)

    def tensor(spec, rows):
        shape = [rows, *spec.shape[1:]]
        if rng.random() < 0.1:
            shape = rng.choice((shape[:-1], [*shape, 1], [rows, *shape], [rows + 1, *shape[1:]]))
        array = np.ones(shape)
        if array.size and rng.random() < 0.5:
            array.flat[rng.randrange(array.size)] = rng.choice(numbers)
        dtype = spec.dtype if rng.random() < 0.95 else tf.float64
        with np.errstate(invalid="ignore", over="ignore"):
            return array.astype(dtype.as_numpy_dtype)

    def make():
        name, rows = rng.choice(list(model.signatures)), rng.choice((0, 1, 2, 2, 3))
        _, specs = model.signatures[name].structured_input_signature
        return name, {key: tensor(spec, rows) for key, spec in specs.items()}

    def attempt(case):
        name, inputs = case
        try:
            found = model.signatures[name](**{key: tf.constant(inputs[key]) for key in inputs})
        except (TypeError, tf.errors.OpError) as error:
            raise ValueError(one_line(error)) from error
        for value in found.values():
            rows = {len(each) for each in inputs.values()}
            assert rows == {len(value)}, "another number of rows"
            if value.dtype == tf.float32:
                assert np.all(np.isfinite(value)), "not finite"

    return make, attempt


def command_lines(rng):
    """Starts programs with flags at random, and one that is wrong for certain."""
    wrong = {"train": "dataset", "fit": "dataset", "sample": "model", "evaluate": "model"}
    wrong |= {"export": "model", "import_weights": "input", "ablate": "preset"}
    known = {}
    for name in wrong:
        text = run_program(name, "--help").stdout
        known[name] = re.findall(r"^ +--(?:\[no\])?(\w+)", text, re.MULTILINE)

    def make():
        name = rng.choice(list(wrong))
        chosen = rng.choices(known[name], k=rng.randrange(6))
        line = [f"--{flag}" + rng.choice(("", *(f"={word}" for word in WORDS))) for flag in chosen]
        return name, [*line, f"--{wrong[name]}=/nowhere/to be found"]

    def attempt(case):
        name, line = case
        result = run_program(name, *line)
        errors = result.stderr.splitlines()
        assert result.returncode == 1, f"exit code {result.returncode}: {errors[-1:]}"
        assert len(errors) == 1 and f"{name}.py: error: " in errors[0], errors[-3:]
        raise ValueError(errors[0])

    return make, attempt


def run_program(name, *arguments):
    with tempfile.TemporaryDirectory() as folder:  # Whatever is written is not written here.
        return subprocess.run(
            [sys.executable, str(ROOT / "experiments" / f"{name}.py"), *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )


KINDS = (images, model_folders, exported_models, command_lines)


def work(kind, seed, seconds, connection):
    """Tells of each input before it is tried, and of what came of it."""
    program.start_tensorflow()
    make, attempt = kind(random.Random(seed))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        case = make()
        connection.send(("tried", repr(case)[:2000]))
        try:
            attempt(case)
            connection.send(("fine", None))
        except subprocess.TimeoutExpired:
            connection.send(("hang", None))
        except (ValueError, OSError) as error:
            is_one_line = str(error).strip() and one_line(error) == str(error).strip()
            connection.send(("refused", None) if is_one_line else ("many lines", str(error)))
        except BaseException:
            connection.send(("traceback", traceback.format_exc(limit=-4)))
    connection.send(("end", None))


def watch(kind, seed, seconds):
    """Counter of the results of a kind of input; those that should not be are printed."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(kind, seed, seconds, sender), daemon=True)
    process.start()
    sender.close()
    counts, case = collections.Counter(), "its beginning"
    result = None
    while result != "end":
        try:
            result, text = receiver.recv() if receiver.poll(2 * PATIENCE) else ("hang", None)
        except EOFError:
            process.join()
            result, text = "signal", f"exit code {process.exitcode}"
        counts[result] += 1
        case = text if result == "tried" else case
        if result not in ("tried", "fine", "refused", "end"):
            print(f"{kind.__name__}: {result}: {case}\n{text or ''}", flush=True)
        if result == "signal" or (result == "hang" and not receiver.poll(PATIENCE)):
            break
    process.kill()
    return counts


def main(_):
    seed = SEED.value if SEED.value is not None else random.SystemRandom().randrange(2**32)
    print(f"--seconds={SECONDS.value} --seed={seed}", flush=True)
    total = collections.Counter()
    for kind in KINDS:
        counts = watch(kind, seed, SECONDS.value / len(KINDS))
        del counts["end"]
        print(
            f"{kind.__name__}: " + ", ".join(f"{counts[key]} {key}" for key in counts), flush=True
        )
        total += counts
    sys.exit(total["tried"] != total["fine"] + total["refused"])


if __name__ == "__main__":
    app.run(main)
