"""Whether images are what they were asked to be."""

import numpy as np


def compute(real, fake, protocol):
    """The share of images that the network takes for what their labels say, also by class."""
    labels = fake.labels
    right = fake.probabilities.argmax(axis=1) == labels
    return {"recognized": float(right.mean())}, {
        label: {"recognized": float(right[labels == label].mean())}
        for label in np.unique(labels).tolist()
    }
