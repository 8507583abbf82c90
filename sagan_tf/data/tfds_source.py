"""Data sets that TFDS has prepared on disk."""

import difflib
import importlib.util
import re
import textwrap
import threading

import numpy as np
import tensorflow_datasets as tfds

from sagan_tf.data.source import Example, Source
from sagan_tf.files import one_line

# This is name[/config][:version]. Community names, namespace:name, would need the network.
_NAME = re.compile(r"[a-zA-Z]\w*(/[\w.-]+)?(:[\d.*]+)?")

# Records that allow no random access are held in memory, encoded, up to this size.
MAX_BYTES_IN_MEMORY = 4 * 2**30


class TfdsSource(Source):
    """The features `image` and `label` of a TFDS data set.

    The builder's files are on disk and opened by the first `read`. Array records are read as
    needed; TF records allow no random access and are held in memory, still encoded. It is a
    ValueError if they are too big for that, or if the split or a feature does not exist.
    """

    def __init__(self, builder, split="train"):
        self._builder = builder
        self._split = split
        info = builder.info
        name = info.full_name
        _check_features(name, info.features)
        try:
            self._length = info.splits[split].num_examples
        except (KeyError, ValueError) as error:
            valid = ", ".join((*sorted(info.splits), "and slices of these"))
            raise ValueError(f"Unknown split of {name}: {split}. Valid: {valid}.") from error
        self._in_memory = not (
            info.available_file_formats() & tfds.core.FileFormat.with_random_access()
        )
        num_bytes = info.dataset_size * self._length / max(1, info.splits.total_num_examples)
        if self._in_memory and num_bytes > MAX_BYTES_IN_MEMORY:
            raise ValueError(
                f"{name} has {num_bytes / 2**30:.1f} GiB of TF records, too many for memory. "
                "Convert it (pip install apache-beam mlcroissant): tfds convert_format "
                f"--dataset_version_dir={builder.data_dir} --out_file_format=array_record"
            )
        # Only a `ClassLabel` has names.
        super().__init__(f"{name} {split}", getattr(info.features["label"], "names", None))
        self._records = None
        self._lock = threading.Lock()

    def __len__(self):
        return self._length

    def read(self, index):
        try:
            with self._lock:
                if self._records is None:
                    self._records = self._open()
            record = self._records[index]
        except Exception as error:  # The file formats have no error in common.
            raise ValueError(
                f"Cannot read {self.name} in {self._builder.data_dir}: {one_line(error)}"
            ) from error
        return Example(record["image"], int(record["label"]), f"{self.name} example {index}")

    def _open(self):
        as_stored = {"image": tfds.decode.SkipDecoding()}
        if not self._in_memory:
            return self._builder.as_data_source(self._split, decoders=as_stored)
        in_order = tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False)
        examples = self._builder.as_dataset(
            split=self._split, decoders=as_stored, read_config=in_order
        ).map(lambda example: {key: example[key] for key in ("image", "label")})
        return list(examples.as_numpy_iterator())


def _check_features(name, features):
    """Raises ValueError unless there is an 8- or 16-bit image and a whole number for a label."""
    features = dict(features) if isinstance(features, tfds.features.FeaturesDict) else {}
    image, label = features.get("image"), features.get("label")
    has_image = isinstance(image, tfds.features.Image) and np.dtype(image.np_dtype).kind == "u"
    is_scalar = isinstance(label, tfds.features.Tensor) and label.shape == ()
    has_label = is_scalar and np.dtype(label.np_dtype).kind in "iu"
    if not (has_image and has_label):
        found = ", ".join(features) or "neither"
        raise ValueError(f"{name} must have an `image` and an integer `label`. It has: {found}")


def is_known(name):
    """Whether TFDS has a data set of this name; nothing is fetched to find out."""
    return name in tfds.list_builders(with_community_datasets=False)


def prepared_builder(name, data_dir=None, download=False, split="train"):
    """The builder of a TFDS data set whose files are on disk, or a ValueError that says why not.

    The network stays untouched unless `download` is true, and what can be known of the features and
    of the split is checked before.
    """
    if not _NAME.fullmatch(name):
        raise _unknown(name)
    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError as error:
        raise _unknown(name) from error
    except Exception as error:  # Each builder raises what it likes, from KeyError to ImportError.
        # TFDS begins with its own arguments, and lists valid configs on further lines.
        reason = textwrap.shorten(str(error).partition('}": ')[2], 300) or one_line(error)
        raise ValueError(f"Cannot open the TFDS data set {name}: {reason}") from error
    if not builder.info.splits:
        if not download:
            raise ValueError(
                f"{builder.info.full_name} is not prepared in {builder.data_dir}. Pass its TFDS "
                "folder as `data_dir`, or `download=True` to fetch it."
            )
        _check_features(builder.info.full_name, builder.info.features)
        _check_syntax(split)
        # This format has random access. It is not installed everywhere: its wheels are for Linux.
        file_format = "array_record" if importlib.util.find_spec("array_record") else None
        try:
            builder.download_and_prepare(file_format=file_format)
        except Exception as error:
            raise ValueError(f"TFDS could not prepare {name}: {one_line(error)}") from error
    # Unlike the builder from code, this one knows the formats that files were converted to.
    return tfds.builder_from_directory(builder.data_dir)


def _check_syntax(split):
    try:
        tfds.core.ReadInstruction.from_spec(split)
    except Exception as error:  # TFDS asserts.
        raise ValueError(
            f"`split` must be one such as train, or a slice such as train[:90%]. Received: {split}"
        ) from error


def _unknown(name):
    names = tfds.list_builders(with_community_datasets=False)
    near = difflib.get_close_matches(name.partition("/")[0], names, n=3, cutoff=0.8)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    return ValueError(
        f"{name!r} is neither a folder nor a TFDS data set.{hint} Valid: digits, the path of an "
        "image folder, or a name from https://www.tensorflow.org/datasets/catalog"
    )
