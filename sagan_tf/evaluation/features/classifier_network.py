"""The networks of `Classifier`, and how each is trained."""

import contextlib
import dataclasses
import itertools
from collections.abc import Callable

import keras
from keras import layers

SEED = 0
_DIMENSION = 64
# Of the residual blocks; the map is half as large where a width is another one than before.
_WIDTHS = (32, 64, 64, 128, 128, 256, 256)


@dataclasses.dataclass(frozen=True)
class ClassifierNetwork:
    """A kind of network, and its training.

    Attributes:
        build: Function from image size, channels and number of classes to an untrained Keras model
            of the global dtype policy, from images in [-1, 1] to `[features, logits]`.
        optimizer: Function from the number of steps to a Keras optimizer.
        batch_size: int, images per step.
        passes: int, how often training goes over the data.
        min_steps, max_steps: int, bounds of the number of steps.
        is_augmented: bool, whether images are shifted and flipped at random.
        precision: str, the dtype policy of its training; it is used in float32.
    """

    build: Callable
    optimizer: Callable
    batch_size: int
    passes: int
    min_steps: int
    max_steps: int
    is_augmented: bool
    precision: str

    def steps(self, num_images):
        """Number of steps for so many images."""
        return min(max(self.min_steps, self.passes * num_images // self.batch_size), self.max_steps)


@contextlib.contextmanager
def dtype_policy(name):
    """The global dtype policy is the one of this name inside."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)


def shifted(images, step):
    """Images, each moved by up to an eighth of its size, by the step; edges are mirrored."""
    import tensorflow as tf  # Only this needs it: classifiers work without.

    size = images.shape[1]
    margin = size // 8
    padded = tf.pad(images, [(0, 0), (margin, margin), (margin, margin), (0, 0)], "REFLECT")
    shape = (2, tf.shape(images)[0], 1)
    begins = tf.random.stateless_uniform(shape, (SEED, step), 0, 2 * margin + 1, "int32")
    rows, columns = tf.unstack(begins + tf.range(size))
    moved = tf.gather(tf.gather(padded, rows, batch_dims=1), columns, axis=2, batch_dims=1)
    return tf.ensure_shape(moved, images.shape)


# All layers have names, or those made later in a process would be numbered otherwise.


def _plain(image_size, channels, num_classes):
    seeds = itertools.count(SEED)

    def convolution(filters, strides, name):
        initializer = keras.initializers.HeNormal(next(seeds))
        options = {"activation": "relu", "kernel_initializer": initializer, "name": name}
        return layers.Conv2D(filters, 3, strides, "same", **options)

    images = keras.Input((image_size, image_size, channels), name="images")
    x = convolution(16, 1, "stem")(images)
    size = image_size
    while size > 4:
        size = -(-size // 2)
        x = convolution(_DIMENSION, 2, f"down_{size}")(x)
        x = convolution(_DIMENSION, 1, f"conv_{size}")(x)
    if image_size <= 4:
        x = convolution(_DIMENSION, 1, "conv")(x)
    return _with_outputs(images, x, num_classes, next(seeds))


def _residual(image_size, channels, num_classes):
    """Residual blocks with preactivation (He et al., 2016, arXiv 1603.05027), down to 4x4."""
    seeds = itertools.count(SEED)

    def convolution(x, filters, size, strides, name):
        initializer = keras.initializers.HeNormal(next(seeds))
        options = {"use_bias": False, "kernel_initializer": initializer, "name": name}
        return layers.Conv2D(filters, size, strides, "same", **options)(x)

    def activated(x, name):
        return layers.ReLU(name=f"{name}_relu")(layers.BatchNormalization(name=f"{name}_norm")(x))

    images = keras.Input((image_size, image_size, channels), name="images")
    x = convolution(images, _WIDTHS[0], 3, max(1, image_size // 32), "stem")
    for number, width in enumerate(_WIDTHS, start=1):
        strides, name = (1 if x.shape[-1] == width else 2), f"block_{number}"
        preactivated = activated(x, f"{name}_1")
        shortcut = x
        if strides > 1:
            shortcut = convolution(preactivated, width, 1, strides, f"{name}_shortcut")
        y = convolution(preactivated, width, 3, strides, f"{name}_conv_1")
        y = convolution(activated(y, f"{name}_2"), width, 3, 1, f"{name}_conv_2")
        x = layers.Add(name=f"{name}_sum")([y, shortcut])
    return _with_outputs(images, activated(x, "last"), num_classes, next(seeds))


def _with_outputs(images, x, num_classes, seed):
    features = layers.GlobalAveragePooling2D(name="features")(x)
    initializer = keras.initializers.GlorotUniform(seed)
    logits = layers.Dense(num_classes, kernel_initializer=initializer, name="logits")
    return keras.Model(images, [features, logits(features)], name="classifier")


def _adam(steps):
    schedule = keras.optimizers.schedules.CosineDecay(3e-3, steps)
    return keras.optimizers.Adam(schedule, name="classifier_adam")


def _momentum(steps):
    warmup = max(1, steps // 10)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warmup), warmup_target=0.1, warmup_steps=warmup
    )
    return keras.optimizers.SGD(
        schedule, momentum=0.9, nesterov=True, weight_decay=5e-3, name="classifier_sgd"
    )


CLASSIFIER_NETWORKS = {
    "plain": ClassifierNetwork(_plain, _adam, 64, 4, 600, 10_000, False, "float32"),
    "residual": ClassifierNetwork(
        _residual, _momentum, 128, 8, 600, 50_000, True, "mixed_bfloat16"
    ),
}
"""By name: the one that is trained where none comes with the package, and a better one for natural
images, which takes half an hour for 50,000 of 32x32 pixels on two CPU cores with bfloat16."""
