"""Named configurations, and where their numbers come from."""

from sagan_tf.config import Config, ModelConfig, Recipe
from sagan_tf.settings import unknown_name

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
        model=ModelConfig(
            image_size=32,
            num_classes=10,
            base_channels=16,
            ema_decay=0.999,
            discriminator_steps=2,
        ),
        recipe=Recipe(
            dataset="cifar10",
            steps=100_000,
            batch_size=64,
            generator_learning_rate=2e-4,
            discriminator_learning_rate=4e-4,
            beta_2=0.999,
            flip=True,
        ),
        reference=(
            "Chosen for this project: CIFAR-10 on two CPU cores. See "
            "saved_models/sagan_cifar10_32/README.md for its scores."
        ),
    ),
    "sagan_cifar10_32_studiogan": Config(
        model=ModelConfig(
            image_size=32,
            num_classes=10,
            discriminator_base_channels=32,
            discriminator_steps=5,
        ),
        recipe=Recipe(
            dataset="cifar10",
            steps=100_000,
            batch_size=64,
            generator_learning_rate=2e-4,
            discriminator_learning_rate=2e-4,
            beta_1=0.5,
            beta_2=0.999,
            flip=True,
        ),
        reference=(
            "PyTorch-StudioGAN's SAGAN for CIFAR-10: widths, attention at 16, five discriminator "
            "updates, batch size, Adam. It published FID 10.35 (10,000 images, test set), and "
            "mmgeneration 9.43 with the like (50,000 images, training set), after 100,000 steps "
            "or 32 million real images. The average of the weights is an addition; its decay is "
            "that of mmgeneration's best SAGAN."
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
            "rates 1e-4 and 4e-4, batch size 256, attention at 32, one million steps or 256 "
            "million real images: IS 52.52 and FID 18.65 there (table 2). Their official code ran "
            "beta_2 0.999. The average of the weights is an addition (BigGAN, arXiv 1809.11096)."
        ),
    ),
    "sagan_imagenet_128_biggan": Config(
        model=ModelConfig(image_size=128, attention_resolutions=(64,)),
        recipe=Recipe(dataset="imagenet2012", steps=1_000_000, batch_size=256, beta_2=0.999),
        reference=(
            "BigGAN-PyTorch's script for SAGAN, by which mmgeneration trained its best one: "
            "attention at 64, Adam (0, 0.999) with learning rates 1e-4 and 4e-4, batch size 256, "
            "Glorot's initialization, no flips, decay 0.999. mmgeneration published IS 69.54 and "
            "FID 12.83 (50,000 images, training set) after 826,000 steps or 211 million real "
            "images. There the average began at step 2,000; here its decay grows from 0.1."
        ),
    ),
}


def preset(name):
    """The `Config` of a named preset; a ValueError lists those that exist."""
    if name not in PRESETS:
        raise unknown_name("preset", name, PRESETS)
    return PRESETS[name]
