"""Whether generated images are of use: what a classifier learns from them."""

import tempfile

import numpy as np

from sagan_tf.data import Arrays
from sagan_tf.evaluation.features.classifier import Classifier
from sagan_tf.images import to_uint8


def gan_train(sagan, real, held_out, architecture=None, seed=0, use_ema=True, truncation=1.0):
    """Accuracies, on held-out real images, of classifiers that learn from generated ones.

    Beside the one that is trained on as many generated images as there are real ones, of the same
    classes, one is trained on the real images, and one on both together. All three are trained
    alike, for as many steps as the network takes for its number of images (at least 600), and none
    is kept.

    Args:
        sagan: A `SAGAN` with classes.
        real: `(images, labels)` of training: uint8 `(num_images, image_size, image_size,
            channels)` and ints `(num_images,)`, at least 2 of each class.
        held_out: The like, of images that nothing was trained on.
        architecture: str, a name in `CLASSIFIER_NETWORKS`. Defaults to `None`, `"plain"`.
        seed: int, seed of the latents. Defaults to `0`.
        use_ema: bool, whether the averaged weights draw. Defaults to `True`.
        truncation: float in (0, 1], factor of the latents. Defaults to `1.0`.

    Returns:
        Dict ready for JSON, from `"generated"`, `"real"` and `"both"` to a dict from `"accuracy"`
        to a float and from `"classes"` to a list of the accuracies of the classes, `None` where
        none was held out.

    Raises:
        ValueError: if the model has no classes, or the images of one are too few.

    Reference:
        [Shmelkov et al., 2018](https://arxiv.org/abs/1807.09499), section 3, which calls the
        accuracy of `"generated"` GAN-train.
    """
    num_classes = sagan.generator.num_classes
    if num_classes is None:
        raise ValueError("A classifier cannot learn from images of an unconditional model")
    names = [str(label) for label in range(num_classes)]
    images, labels = real
    drawn = sagan.generate_batches(labels=labels, truncation=truncation, seed=seed, use_ema=use_ema)
    generated = np.concatenate([to_uint8(each) for each, _ in drawn])
    sets = {
        "generated": (generated, labels),
        "real": (images, labels),
        "both": (np.concatenate([generated, images]), np.tile(labels, 2)),
    }
    with tempfile.TemporaryDirectory() as cache_dir:
        size, channels = images.shape[2:]
        classifiers = {
            name: Classifier.trained_on(
                Arrays(*pair, names, name=f"{name} images"),
                size,
                channels,
                cache_dir=cache_dir,
                architecture=architecture,
            )
            for name, pair in sets.items()
        }
    return {name: _accuracies(each, *held_out) for name, each in classifiers.items()}


def _accuracies(classifier, images, labels):
    _, probabilities = classifier(images)
    right = np.argmax(probabilities, axis=1) == labels
    of_class = [right[labels == label] for label in range(classifier.num_classes)]
    return {
        "accuracy": float(np.mean(right)),
        "classes": [float(np.mean(each)) if len(each) else None for each in of_class],
    }
