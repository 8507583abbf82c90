"""Named configurations, and where their numbers come from."""

from sagan_tf.config import Config, ModelConfig, Recipe, unknown_name

PRESETS = {
    "sagan_digits_16": Config(
        model=ModelConfig(
            image_size=16,
            channels=1,
            num_classes=10,
            base_channels=16,
            ema_decay=0.99,
            discriminator_steps=2,
        ),
        recipe=Recipe(
            dataset="digits",
            steps=1_100,
            batch_size=32,
            generator_learning_rate=4e-4,
            discriminator_learning_rate=1e-3,
        ),
        reference=(
            "Chosen for this project: scikit-learn's digits (Alpaydin & Kaynak, 1998) on two CPU "
            "cores. See saved_models/sagan_digits_16/README.md for its scores."
        ),
    ),
    "sagan_cifar10_32": Config(
        model=ModelConfig(image_size=32, num_classes=10, ema_decay=0.9999),
        recipe=Recipe(dataset="cifar10", steps=100_000, batch_size=64, flip=True),
        reference=(
            "Blocks, the generator's widths and batch size: the CIFAR-10 network of Miyato et al. "
            "(2018, arXiv 1802.05957), table 4 and section 4. Attention at 16, one discriminator "
            "update per step and the learning rates 1e-4 and 4e-4 are SAGAN's (arXiv 1805.08318, "
            "sections 4 and 5); the average of the weights is BigGAN's (arXiv 1809.11096)."
        ),
    ),
    "sagan_imagenet_64": Config(
        model=ModelConfig(image_size=64, ema_decay=0.9999),
        recipe=Recipe(dataset="imagenet2012", steps=1_000_000, batch_size=256),
        reference=(
            "SAGAN's recipe (arXiv 1805.08318, section 5) at half its resolution; one block less "
            "in each network, attention at 32."
        ),
    ),
    "sagan_imagenet_128": Config(
        model=ModelConfig(image_size=128, ema_decay=0.9999),
        recipe=Recipe(dataset="imagenet2012", steps=1_000_000, batch_size=256),
        reference=(
            "Zhang et al. (2019, arXiv 1805.08318), section 5: hinge loss, Adam (0, 0.9), learning "
            "rates 1e-4 and 4e-4, batch size 256, attention at 32, one million steps. The average "
            "of the generator's weights is an addition (BigGAN, arXiv 1809.11096)."
        ),
    ),
}


def preset(name):
    """The `Config` of a named preset; a ValueError lists those that exist."""
    if name not in PRESETS:
        raise unknown_name("preset", name, PRESETS)
    return PRESETS[name]
