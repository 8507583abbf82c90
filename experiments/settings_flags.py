"""Flags made of the dataclasses of settings, one per field: its name, type, range and help."""

import ast
import dataclasses
import sys
import typing

from absl import flags

FLAGS = flags.FLAGS


def define(settings_class, *names, skip=(), default="the preset's"):
    """Defines a flag for each field of a `Settings` class.

    A flag that is not given leaves the setting as it is. `none` stands for `None`.

    Args:
        settings_class: The class.
        *names: Names of the fields. Defaults to all.
        skip: Names of fields that get no flag. Defaults to none.
        default: str, what the help says of the value without the flag; `None` names the field's
            own default.
    """
    for field in dataclasses.fields(settings_class):
        if field.name in skip or (names and field.name not in names):
            continue
        help_text = field.metadata["help"]
        if field.metadata["rule"]:
            help_text += f" It must be {field.metadata['rule']}."
        help_text += f" Default: {default or field.default}."
        # The name of the program's module, for --help.
        own = {"module_name": sys.argv[0], "flag_values": FLAGS}
        if field.type is bool:
            flags.DEFINE_boolean(field.name, None, help_text, **own)
        else:
            flags.DEFINE(_Parser(field), field.name, None, help_text, **own)


def given(settings_class, *names):
    """Dict from the names of fields, all by default, to the values of flags that were given."""
    names = names or [field.name for field in dataclasses.fields(settings_class)]
    return {name: FLAGS[name].value for name in names if name in FLAGS and FLAGS[name].present}


class _Parser(flags.ArgumentParser):
    """Reads a value of a field's type, and checks its range."""

    def __init__(self, field):
        super().__init__()
        self.field = field
        types = typing.get_args(field.type) if type(None) in typing.get_args(field.type) else ()
        self.optional = bool(types)
        self.type = types[0] if types else field.type

    def parse(self, argument):
        if not isinstance(argument, str):
            return argument
        if self.optional and argument.lower() == "none":
            return None
        value = self._read(argument)
        if not self.field.metadata["allowed"](value):
            raise ValueError(f"it must be {self.field.metadata['rule']}")
        return value

    def _read(self, text):
        if self.type is str:
            return text
        if self.type in (int, float, bool):
            kind = {int: "an integer", float: "a number", bool: "true or false"}[self.type]
            try:
                return ast.literal_eval(text.title()) if self.type is bool else self.type(text)
            except (ValueError, SyntaxError) as error:
                raise ValueError(f"it must be {kind}") from error
        item = typing.get_args(self.type)[0]
        items = [part for part in text.strip("()[] ").split(",") if part.strip()]
        try:
            return tuple(item(part.strip()) for part in items)
        except ValueError as error:
            raise ValueError("it must be integers such as 8,16, or () for none") from error
