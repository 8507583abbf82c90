r"""What a training step costs by counting, without running it.

  python -m benchmarks.costs

How the operations of a step grow with the size of the images, the width and the attention; with
the batch they grow in proportion, and N replicas share them equally.
"""

import math

from absl import app, flags

from benchmarks import report
from benchmarks.flops import count_flops

FLAGS = flags.FLAGS
flags.DEFINE_string("output", None, "JSON file to write.")

_BATCH = 2


def main(_):
    rows = {
        f"{size}x{size}, base {base}": counted(size, base)
        for size, base in ((16, 16), (32, 32), (64, 64), (128, 64), (256, 64))
    }
    for base in (16, 32):
        rows[f"128x128, base {base}"] = counted(128, base)
    for resolutions in ((), (16,), (64,)):
        name = ", ".join(map(str, resolutions)) or "none"
        rows[f"128x128, base 64, attention: {name}"] = counted(128, 64, resolutions)
    columns = {
        "GFLOP/image": "gflop",
        "of it convolutions": "convolutions",
        "parameters, 1e6": "parameters",
        "map per image, MiB": "map_mib",
    }
    report.show(rows, columns)
    report.write(FLAGS.output, rows)


def counted(image_size, base_channels, attention_resolutions=None):
    """Figures of a step of one discriminator and one generator update, per real image."""
    import tensorflow as tf

    import sagan_tf
    from sagan_tf.models.architecture import architecture

    options = {
        "image_size": image_size,
        "num_classes": 10,
        "base_channels": base_channels,
        "attention_resolutions": attention_resolutions,
    }
    networks = sagan_tf.Generator(**options), sagan_tf.Discriminator(**options)
    sagan = sagan_tf.SAGAN(*networks)
    sagan.compile()
    images = tf.TensorSpec((_BATCH, image_size, image_size, 3))
    labels = tf.TensorSpec((_BATCH,), tf.int32)
    flops = count_flops(tf.function(sagan.train_step).get_concrete_function((images, labels)))
    total = sum(flops.values())
    convolutions = sum(count for name, count in flops.items() if name.startswith("Conv2D"))
    if attention_resolutions is None:
        attention_resolutions = (architecture(image_size).attention,)
    # Queries times pooled keys, in float32.
    maps = [4 * size**2 * (size // 2) ** 2 for size in attention_resolutions]
    return {
        "gflop": total / _BATCH / 1e9,
        "convolutions": convolutions / total,
        "parameters": sum(
            math.prod(weight.shape) for network in networks for weight in network.trainable_weights
        )
        / 1e6,
        "map_mib": sum(maps) / 2**20,
    }


if __name__ == "__main__":
    app.run(main)
