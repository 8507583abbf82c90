"""Flags made of the dataclasses of settings, one per field: its name, type, range and help."""

import dataclasses
import sys
import typing

from absl import flags

from sagan_tf.config import unknown_name

FLAGS = flags.FLAGS
_KINDS = {int: "an integer", float: "a number", bool: "true or false"}
_BOOLS = {"true": True, "1": True, "false": False, "0": False}


def define(settings_class, *names, skip=(), defaults=True):
    """Defines a flag for each field of a `Settings` class; `none` stands for `None`.

    `names` are those of the fields, all by default, and `skip` holds names of fields that get no
    flag. Without `defaults` a flag that is not given has no value.
    """
    for field in dataclasses.fields(settings_class):
        if field.name in skip or (names and field.name not in names):
            continue
        help_text, rule = field.metadata["help"], field.metadata["rule"]
        help_text += f" It must be {rule}." if rule else ""
        default = field.default if defaults else None
        # The name of the program's module, for --help.
        own = {"module_name": sys.argv[0], "flag_values": FLAGS}
        if field.type is bool:
            flags.DEFINE_boolean(field.name, default, help_text, **own)
        else:
            flags.DEFINE(_FieldParser(field), field.name, default, help_text, **own)


def define_choice(name, default, choices, help_text):
    """Defines a flag with a number of valid values, whose error names the nearest."""
    help_text += f" It must be {', '.join(choices[:-1])} or {choices[-1]}."
    flags.DEFINE(_ChoiceParser(name, choices), name, default, help_text, module_name=sys.argv[0])


def given(settings_class, *names):
    """Dict from the names of fields, all by default, to the values of flags that were given."""
    names = names or [field.name for field in dataclasses.fields(settings_class)]
    return {name: FLAGS[name].value for name in names if name in FLAGS and FLAGS[name].present}


class _ChoiceParser(flags.ArgumentParser):
    def __init__(self, name, choices):
        self.name, self.choices = name, choices

    def parse(self, argument):
        if argument not in self.choices:
            raise unknown_name(self.name, argument, self.choices)
        return argument


class _FieldParser(flags.ArgumentParser):
    """Reads a value of a field's type, and checks its range."""

    def __init__(self, field):
        self.field = field
        self.optional = type(None) in typing.get_args(field.type)
        self.type = typing.get_args(field.type)[0] if self.optional else field.type

    def parse(self, argument):
        if not isinstance(argument, str):
            return argument  # It is the default.
        if self.optional and argument.lower() == "none":
            return None
        value = self._read(argument)
        choices, rule = self.field.metadata["choices"], self.field.metadata["rule"]
        if choices and self.type is str:
            return _ChoiceParser(self.field.name, choices).parse(value)
        if not self.field.metadata["allowed"](value):
            raise ValueError(f"it must be {rule}{' or none' if self.optional else ''}")
        return value

    def _read(self, text):
        try:
            if self.type is str:
                return text
            if self.type is bool:
                return _BOOLS[text.lower()]
            if self.type in _KINDS:
                return self.type(text)
            item = typing.get_args(self.type)[0]
            return tuple(item(part) for part in text.strip("()[] ").split(",") if part.strip())
        except (KeyError, ValueError) as error:
            kind = _KINDS.get(self.type, "integers such as 8,16, or () for none")
            raise ValueError(f"it must be {kind}") from error
