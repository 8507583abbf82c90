"""Data sets: bundled, from TFDS, or folders of images; and the input pipeline."""

import importlib

# Each name is imported with its module when it is first used: only `load` needs TensorFlow.
_MODULES = {
    "BUNDLED": "catalog",
    "Example": "source",
    "ImageFolder": "image_folder",
    "Source": "source",
    "Subset": "subset",
    "check_dataset": "catalog",
    "find_dataset": "catalog",
    "load": "pipeline",
}

__all__ = sorted(_MODULES)


def __getattr__(name):
    if name in _MODULES:
        return getattr(importlib.import_module(f"sagan_tf.data.{_MODULES[name]}"), name)
    raise AttributeError(f"module 'sagan_tf.data' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *_MODULES})
