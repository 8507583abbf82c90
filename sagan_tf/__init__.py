"""SAGAN (Zhang et al., 2019, arXiv 1805.08318) for Keras 3 and TensorFlow 2."""

import lazy_loader

__version__ = "0.1.0"

# All is loaded when it is first used: a wrong flag is answered before Keras is imported.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=(
        "config",
        "data",
        "evaluation",
        "export",
        "interop",
        "layers",
        "losses",
        "models",
        "training",
        "visualization",
    ),
    submod_attrs={
        "losses": ["gradient_penalty", "r1_penalty"],
        "models": ["SAGAN", "Discriminator", "Generator"],
    },
)
