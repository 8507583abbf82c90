"""The bundled data set: scikit-learn's handwritten digits, as a TFDS builder."""

import contextlib
import functools
import io
import tempfile

import numpy as np
import tensorflow_datasets as tfds

from sagan_tf.files import one_line


class Digits(tfds.core.GeneratorBasedBuilder):
    """1,797 gray 8x8 images of the digits 0 to 9, in scikit-learn's order. Nothing is downloaded.

    The digits are the test set of the UCI data set "Optical Recognition of Handwritten Digits"
    (Alpaydin and Kaynak, 1998). Their 17 gray levels are spread over 0 to 255.
    """

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        return tfds.core.DatasetInfo(
            builder=self,
            description="Handwritten digits, 8x8 pixels, bundled with scikit-learn.",
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(8, 8, 1)),
                    "label": tfds.features.ClassLabel(num_classes=10),
                }
            ),
            supervised_keys=("image", "label"),
            homepage="https://doi.org/10.24432/C50P49",
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        from sklearn.datasets import load_digits  # It is slow to import, and needed only once.

        digits = load_digits()
        images = np.rint(digits.images * (255 / 16)).astype(np.uint8)[..., None]
        for index, (image, label) in enumerate(zip(images, digits.target, strict=True)):
            yield index, {"image": image, "label": int(label)}


@functools.cache
def _folder_until_exit():
    return tempfile.TemporaryDirectory(prefix="sagan_tf-digits-")


def prepared_digits(data_dir=None):
    """The `Digits` builder, whose 0.3 MB are written to `data_dir` if they are missing.

    Where the default folder, that of TFDS, cannot be written, or what is there is damaged, they are
    written for this process. Several processes may do so at once: TFDS writes aside and renames,
    and the first one wins.
    """
    try:
        builder = Digits(data_dir=data_dir)
    except Exception as error:  # A damaged file of TFDS raises errors of JSON, protobuf and others.
        if data_dir is None:
            return prepared_digits(_folder_until_exit().name)
        raise ValueError(
            f"The digits in {data_dir} are damaged ({one_line(error)}). Remove the folder digits "
            "there, or pass another one as `data_dir`."
        ) from error
    if builder.info.splits:
        return builder
    silence = io.StringIO()  # TFDS prints to stdout and draws progress bars.
    reason = "something else is there; remove it"
    try:
        with contextlib.redirect_stdout(silence), contextlib.redirect_stderr(silence):
            builder.download_and_prepare()
    except OSError as error:
        reason = one_line(error)
    builder = Digits(data_dir=data_dir)  # Another process may have been first.
    if not builder.info.splits:
        if data_dir is None:
            return prepared_digits(_folder_until_exit().name)
        raise ValueError(
            f"Cannot write the digits to {builder.data_dir}: {reason}. "
            "Or pass another folder as `data_dir`."
        )
    return builder
