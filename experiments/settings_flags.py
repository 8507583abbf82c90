"""Flags made of the dataclasses of settings, one per field: its name, type, range and help."""

import dataclasses
import re
import sys
import typing

from absl import flags

from sagan_tf.settings import unknown_name

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


def define_variation(name, *settings_classes):
    """Defines a required flag that names a field of `Settings` classes and several of its values.

    Its value is a tuple of the field's name and a dict from the values' texts to the values, as in
    `("attention_resolutions", {"()": (), "(8,)": (8,)})` of `attention_resolutions=(),(8,)`.
    """
    help_text = (
        "Setting to vary and two or more of its values, such as attention_resolutions=(),(16,) or "
        "attention_layer=self_attention,residual. The first value is the one to compare with."
    )
    parser = _VariationParser(settings_classes)
    own = {"module_name": sys.argv[0], "flag_values": FLAGS}
    flags.DEFINE(parser, name, None, help_text, required=True, **own)


def given(settings_class, *names):
    """Dict from the names of fields, all by default, to the values of flags that were given."""
    names = names or [field.name for field in dataclasses.fields(settings_class)]
    return {name: FLAGS[name].value for name in names if name in FLAGS and FLAGS[name].present}


def text_of(value):
    """The text that a flag reads as this value of a field."""
    if value is None:
        return "none"
    text = str(value).lower() if type(value) is bool else str(value).replace(" ", "")
    return text.replace("'", "") if isinstance(value, tuple) else text


class _ChoiceParser(flags.ArgumentParser):
    def __init__(self, name, choices):
        self.name, self.choices = name, choices

    def parse(self, argument):
        if argument not in self.choices:
            raise unknown_name(self.name, argument, self.choices)
        return argument


class _VariationParser(flags.ArgumentParser):
    """Reads NAME=VALUE,VALUE with the parser of the field of that name."""

    def __init__(self, settings_classes):
        fields = [field for each in settings_classes for field in dataclasses.fields(each)]
        self.fields = {field.name: field for field in fields}

    def parse(self, argument):
        name, equals, text = argument.partition("=")
        rule = "it must be a setting and two or more of its values, as in base_channels=8,16"
        if not equals:
            raise ValueError(rule)
        if name not in self.fields:
            raise unknown_name("setting", name, self.fields)
        values = {}
        # A comma inside of parentheses separates the items of one value.
        for part in map(str.strip, re.split(r",(?![^(\[]*[)\]])", text)):
            value = self._value(name, part)
            if value in values.values():
                raise ValueError(f"{part} is there twice: variants must differ")
            values[text_of(value)] = value
        if len(values) < 2:
            raise ValueError(rule)
        return name, values

    def _value(self, name, text):
        if not text:
            raise ValueError("a value is empty: () is for no items, and none for None")
        try:
            return _FieldParser(self.fields[name]).parse(text)
        except ValueError as error:
            # What is wrong is one of several values.
            rule = re.sub("^it must", f"{name} must", str(error))
            raise ValueError(rule if rule == str(error) else f"{rule}. Received: {text}") from error


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
        if choices and (self.type is str or isinstance(value, tuple)):
            known = _ChoiceParser(self.field.name, choices)
            for item in value if isinstance(value, tuple) else (value,):
                known.parse(item)
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
            parts = map(str.strip, text.strip("()[] ").split(","))
            return tuple(item(part) for part in parts if part)
        except (KeyError, ValueError) as error:
            kind = _KINDS.get(self.type, "integers such as 8,16, or () for none")
            raise ValueError(f"it must be {kind}") from error
