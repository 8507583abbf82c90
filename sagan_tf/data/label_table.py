"""Tables that say of which class the images beside them are."""

import collections
import csv
import io
import json
import os
import unicodedata

from sagan_tf.data.image_tree import ENDINGS, ending_of

TABLES = ("labels.csv", "dataset.json")
"""Names of the files: two columns of text, and the form of StyleGAN."""
_SHOWN = 5


def read_table(path, content, folder, images):
    """Dict from the paths of images to the names of their classes; `None` if there are no classes.

    `labels.csv` has two columns, with or without a header: the path of an image within the folder
    of the table, and the name or the number of its class. `dataset.json` has the like under
    `"labels"`, as in `{"labels": [["00000/img00000000.png", 6]]}`, or `null` for no classes.

    Args:
        path: str, path of the table.
        content: bytes of it.
        folder: str, path of the folder in which it lies.
        images: Iterable of the paths of all images in the folder.

    Raises:
        ValueError: if the table is not of that form, names an image twice or one that is not
            there, or lacks one.
    """
    rows = (_of_csv if path.endswith(".csv") else _of_json)(path, content)
    if rows is None:
        return None
    known = {_normal(os.path.relpath(image, folder)): image for image in images}
    names = [_normal(name) for name, _ in rows]
    repeated = [name for name, count in collections.Counter(names).items() if count > 1]
    unknown = [name for name in names if name not in known]
    lacking = known.keys() - set(names)
    for found, what in (
        (repeated, "names {} more than once"),
        (unknown, "names {} that {are} not there"),
        (sorted(lacking), "has no class for {}"),
    ):
        if found:
            count = f"{len(found)} image{'s' * (len(found) > 1)}"
            shown = ", ".join(found[:_SHOWN]) + (", ..." if len(found) > _SHOWN else "")
            what = what.format(count, are="are" if len(found) > 1 else "is")
            raise ValueError(f"{path} {what}: {shown}")
    return {known[name]: label for name, (_, label) in zip(names, rows, strict=True)}


def _of_csv(path, content):
    try:
        lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    except (ValueError, csv.Error) as error:
        raise ValueError(f"{path} is not a table of text (UTF-8): {error}") from error
    rows = []
    for number, line in enumerate(lines, start=1):
        if not any(map(str.strip, line)):
            continue
        if len(line) != 2:
            raise ValueError(
                f"{path} must have two columns, a file name and a class, with a comma between "
                f"them. Received in row {number}: {','.join(line)[:80]!r}"
            )
        name, label = map(str.strip, line)
        if not rows and number == 1 and ending_of(name) not in ENDINGS:
            continue  # It is a header.
        if not label:
            raise ValueError(f"{path} has no class for 1 image: {name}")
        rows.append((name, unicodedata.normalize("NFC", label)))
    return rows


def _of_json(path, content):
    expected = (
        f'{path} must hold {{"labels": [["00000/img00000000.png", 6], ...]}}, or null in the place '
        "of the list"
    )
    try:
        table = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # The latter is for what is nested too deeply.
        raise ValueError(f"{path} is not valid JSON: {error}") from error
    if not isinstance(table, dict) or "labels" not in table:
        raise ValueError(f"{expected}. It has no `labels`")
    rows = table["labels"]
    if rows is None:
        return None
    if not isinstance(rows, list):
        raise ValueError(expected)
    for row in rows:
        is_pair = isinstance(row, list) and len(row) == 2 and isinstance(row[0], str)
        if not is_pair or type(row[1]) not in (int, str) or row[1] == "":
            raise ValueError(f"{expected}. Received: {json.dumps(row)[:80]}")
    return [(name, unicodedata.normalize("NFC", str(label))) for name, label in rows]


def _normal(name):
    """The path of an image, in one of the ways to write it."""
    name = os.path.normpath(name.replace("\\", "/"))
    return unicodedata.normalize("NFC", name)
