r"""Trains PyTorch's SAGAN on a folder of images for some minutes, and writes images of it.

  python -m benchmarks.torch_training --dataset=~/cifar10/train --minutes=60 --output=runs/torch
  python experiments/evaluate.py --images=runs/torch --dataset=~/cifar10 --split=test

The networks, the update and the recipe are those of the preset sagan_cifar10_32, whose images can
be scored in the same way.
"""

import pathlib
import time

import numpy as np
import torch
from absl import app, flags
from PIL import Image

from benchmarks.torch_sagan import TorchSAGAN

FLAGS = flags.FLAGS
flags.DEFINE_string("dataset", None, "Folder of a folder per class.", required=True)
flags.DEFINE_string("output", None, "Folder to write, of a folder per class.", required=True)
flags.DEFINE_float("minutes", 60.0, "Time of training, from the first step on.", 0.0)
flags.DEFINE_integer("num_images", 10_000, "How many images are written.", 1)
flags.DEFINE_integer("seed", 0, "Seed of weights, batches and images.", 0)
flags.DEFINE_integer("base_channels", 16, "Width of both networks.", 8)
flags.DEFINE_bool("bfloat16", True, "Whether networks run under autocast.")

_BATCH_SIZE = 64
_DISCRIMINATOR_STEPS = 2


def main(_):
    images, labels, classes = read_folder(pathlib.Path(FLAGS.dataset).expanduser())
    if FLAGS.num_images < len(classes):
        raise SystemExit(f"--num_images={FLAGS.num_images} is less than one of each class.")
    sagan = TorchSAGAN(
        image_size=images.shape[2],
        channels=3,
        num_classes=len(classes),
        base_channels=FLAGS.base_channels,
        discriminator_steps=_DISCRIMINATOR_STEPS,
        bfloat16=FLAGS.bfloat16,
        learning_rates=(2e-4, 4e-4),
        betas=(0.0, 0.999),
        seed=FLAGS.seed,
    )
    steps, start = 0, time.monotonic()
    for batch in batches(len(images), _BATCH_SIZE * _DISCRIMINATOR_STEPS):
        real = images[batch].float() / 127.5 - 1
        flipped = torch.rand(len(real)) < 0.5
        real[flipped] = real[flipped].flip(3)
        losses = sagan.train_step(real, labels[batch])
        steps += 1
        minutes = (time.monotonic() - start) / 60
        if steps % 500 == 0:
            print(f"step {steps}, {minutes:.1f} minutes, losses {losses}", flush=True)
        if minutes >= FLAGS.minutes:
            break
    print(f"{steps} steps, {steps * len(batch)} real images in {minutes:.1f} minutes")
    sagan.keep_average()
    write_images(sagan, classes, pathlib.Path(FLAGS.output))


def read_folder(folder):
    """Images `(count, 3, height, width)`, uint8, their labels, and the names of their classes."""
    if not folder.is_dir():
        raise SystemExit(f"--dataset={folder} is no folder.")
    classes = sorted(path.name for path in folder.iterdir() if path.is_dir())
    files = [
        (path, label) for label, name in enumerate(classes) for path in folder.glob(f"{name}/*")
    ]
    if not files:
        raise SystemExit(f"--dataset={folder} has no images in folders of classes.")
    images = np.stack([np.asarray(Image.open(path).convert("RGB")) for path, _ in files])
    labels = torch.tensor([label for _, label in files])
    return torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(), labels, classes


def batches(count, size):
    """Indices of batches for ever, of one random order of the images after the other."""
    while True:
        yield from torch.randperm(count)[: count // size * size].split(size)


def write_images(sagan, classes, folder):
    """Writes equally many images of each class, as PNG."""
    for label, name in enumerate(classes):
        (folder / name).mkdir(parents=True, exist_ok=True)
        labels = torch.full((FLAGS.num_images // len(classes),), label)
        generated = sagan.generate(torch.randn(len(labels), sagan.latent_dim), labels)
        pixels = (generated.float() * 127.5 + 127.5).round().clamp(0, 255).byte()
        for number, image in enumerate(pixels.permute(0, 2, 3, 1).numpy()):
            Image.fromarray(image).save(folder / name / f"{number:04d}.png")


if __name__ == "__main__":
    app.run(main)
