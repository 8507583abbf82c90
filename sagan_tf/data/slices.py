"""Slices of a split, such as train[:90%], in the words of TFDS."""

import collections
import re

from sagan_tf.files import digest

_BOUND = r"-?\d+(?:(?:\.\d+)?%)?"
_PART = re.compile(rf"(?P<name>[^\[\]+]+)\[(?P<start>{_BOUND})?:(?P<stop>{_BOUND})?\]")


def parse_split(split):
    """The name of a split, and the slices that are taken of it.

    Args:
        split: str, such as `"train"`, `"train[:90%]"` or `"train[:10%]+train[90%:]"`.

    Returns:
        `(name, slices)`: a str, and a list of pairs of strs, the bounds, of which either may be
        `None`; or `None` in the place of the list if all is taken.

    Raises:
        ValueError: if brackets are there that are no slice, or the slices are of several splits.
    """
    if not any(bracket in split for bracket in "[]"):
        return split, None
    parts = [_PART.fullmatch(part.strip()) for part in split.split("+")]
    if not all(parts) or len({part["name"] for part in parts}) > 1:
        raise ValueError(
            "`split` must be the name of one, such as train, or slices of one, such as "
            f"train[:90%] or train[:10%]+train[90%:]. Received: {split}"
        )
    return parts[0]["name"], [(part["start"], part["stop"]) for part in parts]


def held_out_split(split):
    """The split that holds what slices leave over: `"train[90%:]"` of `"train[:90%]"`.

    It is `None` for a whole split, and for more than one slice.
    """
    try:
        name, slices = parse_split(split)
    except ValueError:
        return None
    if slices is None or len(slices) > 1:
        return None
    ((start, stop),) = slices
    rest = [f"{name}[:{start}]"] if start else []
    rest += [f"{name}[{stop}:]"] if stop else []
    return "+".join(rest) or None


def have_common_images(first, second, size_of):
    """Whether two splits of a data set have images in common.

    Args:
        first: str, such as `"train[:90%]"`.
        second: str, such as `"train[80%:]+train[:10%]"`.
        size_of: Function from the name of a whole split to its number of images.
    """
    found = []
    for split in (first, second):
        name, slices = parse_split(split)
        found.append(dict.fromkeys(name.split("+")) if slices is None else {name: slices})
    if found[0].keys() != found[1].keys() and any("all" in each for each in found):
        return True
    for name in found[0].keys() & found[1].keys():
        size = size_of(name)
        positions = [
            set(range(size)) if each[name] is None else slice_positions(each[name], size)
            for each in found
        ]
        if positions[0] & positions[1]:
            return True
    return False


def slice_positions(slices, size):
    """The positions in `[0, size)` of slices, as a set of ints.

    Percentages are rounded to the nearest number, as TFDS does. A bound out of range is a
    ValueError.
    """
    chosen = set()
    for start, stop in slices:
        chosen |= set(range(_bound(start, 0, size), _bound(stop, size, size)))
    return chosen


def spread_order(names, labels):
    """An order of images in which every stretch has its share of each class, to within one image.

    Within a class it is a random one that depends on nothing but the names.

    Args:
        names: List of str, one per image, all different.
        labels: List of as many ints.

    Returns:
        List of indices.
    """
    by_class = collections.defaultdict(list)
    for index, name in enumerate(names):
        by_class[labels[index]].append((digest(name), index))
    places = [
        ((rank + 0.5) / len(members), *member)
        for members in by_class.values()
        for rank, member in enumerate(sorted(members))
    ]
    return [index for _, _, index in sorted(places)]


def _bound(text, default, size):
    if text is None:
        return default
    number, whole = (float(text[:-1]), 100) if text.endswith("%") else (int(text), size)
    if abs(number) > whole:
        raise ValueError(f"`split` has a bound out of range, of {size} images. Received: {text}")
    number = round(number * size / whole) if size else 0
    return number + size if number < 0 else number
