"""The networks, the GAN and its presets, on any Keras backend; TensorFlow and JAX train them."""

import lazy_loader

# Keras is imported with the first network: names and settings are checked without it.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "copies": ["fold_spectral_norm", "walk_layers", "with_standing_statistics"],
        "discriminator": ["Discriminator"],
        "generator": ["Generator"],
        "model_folder": ["find_model", "read_config"],
        "optimizers": ["make_optimizers"],
        "presets": ["PRESETS", "preset"],
        "sagan": ["SAGAN"],
        "sampling": ["draw_inputs", "draw_latents", "interpolate_latents"],
        "transfer": ["transfer_weights"],
    },
)
