"""Settings as frozen dataclasses, each declared once: name, type, default, range and help."""

import dataclasses
import difflib
import math
import typing

# Settings are fewer, classes may be thousands.
_LISTED = 60


def setting(default, help, *, choices=None, minimum=None, above=None, maximum=None, below=None):
    """A field of a `Settings` class, with all that checks, messages and flags need to know of it.

    Args:
        default: Default value.
        help: str, a sentence that says what the setting is. Its range is added to it.
        choices: Sequence of the values, or of the items of a tuple, that are allowed. Defaults to
            `None`, any.
        minimum: Least allowed number. Defaults to `None`, none.
        above: Number below all allowed ones. Defaults to `None`, none.
        maximum: Largest allowed number. Defaults to `None`, none.
        below: Number above all allowed ones. Defaults to `None`, none.

    Returns:
        A `dataclasses.Field`.
    """
    if choices is not None:
        rule = " or ".join(filter(None, (", ".join(map(str, choices[:-1])), str(choices[-1]))))
    elif maximum is None and below is None:
        rule = "" if minimum is None else f"at least {minimum}"
        rule = rule if above is None else f"more than {above}"
    else:
        start = f"[{minimum}" if above is None else f"({above}"
        rule = f"in {start}, {below})" if maximum is None else f"in {start}, {maximum}]"

    def allowed(value):
        return (
            (choices is None or all(item in choices for item in _items(value)))
            and (minimum is None or value >= minimum)
            and (above is None or value > above)
            and (maximum is None or value <= maximum)
            and (below is None or value < below)
        )

    metadata = {"help": help, "rule": rule, "choices": choices, "allowed": allowed}
    return dataclasses.field(default=default, metadata=metadata)


class Settings:
    """The base of frozen dataclasses of settings, which checks types and ranges.

    Fields are made by `setting`. An int is a fine float, and a list a fine tuple.

    Raises:
        TypeError: for a value of the wrong type.
        ValueError: for a value out of its range.
    """

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = _of_type(field, getattr(self, field.name))
            object.__setattr__(self, field.name, value)
            rule, allowed = field.metadata["rule"], field.metadata["allowed"]
            if value is not None and not allowed(value):
                if isinstance(value, (str, tuple)):
                    choices = field.metadata["choices"]
                    wrong = next(item for item in _items(value) if item not in choices)
                    raise unknown_name(field.name, wrong, choices)
                rule += " or None" if type(None) in typing.get_args(field.type) else ""
                raise ValueError(f"`{field.name}` must be {rule}. Received: {value}")
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"`{field.name}` must be finite. Received: {value}")

    def replace(self, **changes):
        """A copy with some fields changed.

        Raises:
            ValueError: for an unknown name (with the nearest valid ones) or a value out of range.
            TypeError: for a value of the wrong type.
        """
        names = [field.name for field in dataclasses.fields(self)]
        for name in changes:
            if name not in names:
                raise unknown_name("setting", name, names)
        return dataclasses.replace(self, **changes)

    def differences(self, other, there="there", here="here"):
        """Dict from the names of fields that differ from another's to texts that say how.

        Args:
            other: Settings of the same class, which are `there`.
            there: str, a word for where the others are.
            here: str, a word for where these are.
        """
        pairs = {
            field.name: (getattr(other, field.name), getattr(self, field.name))
            for field in dataclasses.fields(self)
        }
        return {
            name: f"{name}={theirs} {there}, {ours} {here}"
            for name, (theirs, ours) in pairs.items()
            if theirs != ours
        }


def unknown_name(kind, name, valid):
    """The ValueError for a name that is not one of `valid`: the nearest, then the others."""
    near = difflib.get_close_matches(str(name), valid, n=3)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    listed = ", ".join(sorted(valid)[:_LISTED])
    more = f" and {len(valid) - _LISTED} more" if len(valid) > _LISTED else ""
    return ValueError(f"Unknown {kind}: {name}.{hint} Valid: {listed}{more}")


def _items(value):
    return value if isinstance(value, tuple) else (value,)


def _of_type(field, value):
    if field.type in (float, float | None) and type(value) is int:
        return float(value)
    for item in (int, str):
        if field.type in (tuple[item, ...], tuple[item, ...] | None):
            value = (value,) if type(value) is item else value
            is_tuple = isinstance(value, (tuple, list)) and all(type(v) is item for v in value)
            if is_tuple or (value is None and field.type != tuple[item, ...]):
                return value if value is None else tuple(value)
            break
    else:
        is_bool = type(value) is bool
        if isinstance(value, field.type) and (not is_bool or field.type in (bool, bool | None)):
            return value
    expected = getattr(field.type, "__name__", None) or str(field.type)
    raise TypeError(f"`{field.name}` must be of type {expected}. Received: {value!r}")
