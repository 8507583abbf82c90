"""Data sets: bundled, from TFDS, or folders of images; and the input pipeline."""

import lazy_loader

# Only `load` needs Keras: a wrong folder, split or name is answered before it is imported.
__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "arrays": ["Arrays"],
        "catalog": ["BUNDLED", "check_dataset", "find_dataset", "find_held_out"],
        "image_folder": ["ImageFolder"],
        "image_writer": ["folder_names", "write_image_arrays", "write_image_folder"],
        "pipeline": ["load"],
        "source": ["Example", "Relabeled", "Source", "Subset"],
    },
)
