"""Writes checkpoints as StudioGAN and mmgeneration name them, with what they put out.

It runs where torch is (requirements-bench.txt) and writes into tests/golden:

  python tests/interop/write_torch_goldens.py

Both are of 64x64 pixels and 5 classes, with random weights whose power iterations have not
converged. A network is written as one function, which draws each weight when it first meets it.
"""

import pathlib

import numpy as np
import torch
from torch.nn import functional

GOLDEN = pathlib.Path(__file__).parents[1] / "golden"
WIDTHS = {"G": (64, 32, 16, 8, 4), "D": (4, 8, 16, 32, 64)}
CLASSES, LATENT_DIM, STEPS = 5, 6, 3


class Weights:
    """The variables of a network by name, drawn when they are first asked for."""

    def __init__(self, seed):
        self.random = torch.Generator().manual_seed(seed)
        self.variables = {}

    def draw(self, name, *shape, scale=1.0, mean=0.0):
        if name not in self.variables:
            self.variables[name] = mean + scale * torch.randn(*shape, generator=self.random)
        return self.variables[name]

    def kernel(self, name, *shape, norm="torch"):
        scale = (2 / np.prod(shape[1:])) ** 0.5
        if norm == "none":
            return self.draw(f"{name}.weight", *shape, scale=0.3)
        if norm == "biggan":
            weight = self.draw(f"{name}.weight", *shape, scale=scale)
            u = self.draw(f"{name}.u0", 1, shape[0])
            self.draw(f"{name}.sv0", 1)
            v = functional.normalize(u @ weight.flatten(1))
            return weight / (v @ weight.flatten(1).T).norm()
        weight = self.draw(f"{name}.weight_orig", *shape, scale=scale)
        u, v = f"{name}.weight_u", f"{name}.weight_v"
        if u not in self.variables:
            self.draw(u, shape[0])
            for _ in range(STEPS):
                last = self.variables[u]
                self.variables[v] = functional.normalize(last @ weight.flatten(1), dim=0)
                self.variables[u] = functional.normalize(
                    weight.flatten(1) @ self.variables[v], dim=0
                )
        return weight / (self.variables[u] @ weight.flatten(1) @ self.variables[v])

    def convolve(self, name, x, outputs, size, bias=True, norm="torch"):
        weight = self.kernel(name, outputs, x.shape[1], size, size, norm=norm)
        bias = self.draw(f"{name}.bias", outputs, scale=0.1) if bias else None
        return functional.conv2d(x, weight, bias, padding=size // 2)

    def linear(self, name, x, outputs):
        weight = self.kernel(name, outputs, x.shape[1])
        return functional.linear(x, weight, self.draw(f"{name}.bias", outputs, scale=0.1))

    def normalize(self, name, x, epsilon, affine=False):
        channels = x.shape[1]
        mean = self.draw(f"{name}.running_mean", channels, scale=0.2)
        variance = self.draw(f"{name}.running_var", channels, scale=0.2, mean=1.5)
        self.variables[f"{name}.num_batches_tracked"] = torch.tensor(7)
        weight, bias = None, None
        if affine:
            weight = self.draw(f"{name}.weight", channels, scale=0.2, mean=1.0)
            bias = self.draw(f"{name}.bias", channels, scale=0.2)
        return functional.batch_norm(x, mean, variance, weight, bias, eps=epsilon)

    def attend(self, name, x, names, gate, norm="torch"):
        channels, height, width = x.shape[1:]
        features = (channels // 8, channels // 8, channels // 2)
        query, key, value = (
            self.convolve(f"{name}.{part}", x, count, 1, bias=False, norm=norm)
            for part, count in zip(names, features, strict=False)
        )
        key, value = (functional.max_pool2d(each, 2).flatten(2) for each in (key, value))
        attention = torch.softmax(query.flatten(2).transpose(1, 2) @ key, -1)
        attended = (value @ attention.transpose(1, 2)).unflatten(2, (height, width))
        attended = self.convolve(f"{name}.{names[3]}", attended, channels, 1, False, norm)
        return x + gate * attended


def _upsampled(x):
    return functional.interpolate(x, scale_factor=2, mode="nearest")


class StudioGAN(Weights):
    """Attention follows the generator's block 3 and the discriminator's block 2."""

    names = ("conv1x1_theta", "conv1x1_phi", "conv1x1_g", "conv1x1_attn")

    def class_norm(self, name, x, labels):
        one_hot = functional.one_hot(labels, CLASSES).float()
        gain, bias = (
            one_hot @ self.kernel(f"{name}.{part}", x.shape[1], CLASSES).T
            for part in ("gain", "bias")
        )
        x = self.normalize(f"{name}.bn", x, 1e-4)
        return x * (1 + gain[:, :, None, None]) + bias[:, :, None, None]

    def attention(self, name, x, gate):
        self.variables[f"{name}.sigma"] = torch.tensor([gate])
        return self.attend(name, x, self.names, gate)

    def generate(self, latents, labels):
        x = self.linear("linear0", latents, 16 * WIDTHS["G"][0]).unflatten(1, (-1, 4, 4))
        stage = 0
        for number, outputs in enumerate(WIDTHS["G"][1:], start=1):
            name = f"blocks.{stage}.0"
            shortcut = self.convolve(f"{name}.conv2d0", _upsampled(x), outputs, 1)
            x = functional.relu(self.class_norm(f"{name}.bn1", x, labels))
            x = self.convolve(f"{name}.conv2d1", _upsampled(x), outputs, 3)
            x = functional.relu(self.class_norm(f"{name}.bn2", x, labels))
            x = self.convolve(f"{name}.conv2d2", x, outputs, 3) + shortcut
            stage += 1
            if number == 3:
                x = self.attention(f"blocks.{stage}.0", x, 0.7)
                stage += 1
        x = functional.relu(self.normalize("bn4", x, 1e-4, affine=True))
        return torch.tanh(self.convolve("conv2d5", x, 3, 3))

    def judge(self, x, labels):
        stage = 0
        for number, outputs in enumerate(WIDTHS["D"], start=1):
            name = f"blocks.{stage}.0"
            # Its ReLU works in place.
            x = functional.relu(x) if number > 1 else x
            shortcut = x
            x = functional.relu(self.convolve(f"{name}.conv2d1", x, outputs, 3))
            x = self.convolve(f"{name}.conv2d2", x, outputs, 3)
            shortcut = self.convolve(f"{name}.conv2d0", shortcut, outputs, 1)
            if number <= 4:
                x, shortcut = functional.avg_pool2d(x, 2), functional.avg_pool2d(shortcut, 2)
            x = x + shortcut
            stage += 1
            if number == 2:
                x = self.attention(f"blocks.{stage}.0", x, -0.5)
                stage += 1
        features = functional.relu(x).sum((2, 3))
        projected = self.kernel("embedding", CLASSES, WIDTHS["D"][-1])[labels]
        return self.linear("linear1", features, 1) + (projected * features).sum(1, keepdim=True)


class MMGeneration(Weights):
    """Attention follows the generator's blocks 2 and 3, and the discriminator's 4.

    The discriminator's is in BigGAN's form, and class tables are not normalized.
    """

    names = ("theta.conv", "phi.conv", "g.conv", "o.conv")

    def class_norm(self, name, x, labels):
        gain, bias = (
            self.kernel(f"{name}.{part}_embedding", CLASSES, x.shape[1], norm="none")[labels]
            for part in ("weight", "bias")
        )
        x = self.normalize(f"{name}.norm", x, 1e-5)
        return x * (1 + gain[:, :, None, None]) + bias[:, :, None, None]

    def attention(self, name, x, gate, norm="torch"):
        self.variables[f"{name}.gamma"] = torch.tensor(gate)
        return self.attend(name, x, self.names, gate, norm)

    def generate(self, latents, labels):
        x = self.linear("noise2feat", latents, 16 * WIDTHS["G"][0]).unflatten(1, (-1, 4, 4))
        stage = 0
        for number, outputs in enumerate(WIDTHS["G"][1:], start=1):
            name = f"conv_blocks.{stage}"
            shortcut = self.convolve(f"{name}.shortcut.conv", _upsampled(x), outputs, 1)
            x = functional.relu(self.class_norm(f"{name}.norm_1", x, labels))
            x = self.convolve(f"{name}.conv_1.conv", _upsampled(x), outputs, 3)
            x = functional.relu(self.class_norm(f"{name}.norm_2", x, labels))
            x = self.convolve(f"{name}.conv_2.conv", x, outputs, 3) + shortcut
            stage += 1
            if number in (2, 3):
                x = self.attention(f"conv_blocks.{stage}", x, 0.4)
                stage += 1
        x = functional.relu(self.normalize("to_rgb.bn", x, 1e-5, affine=True))
        return torch.tanh(self.convolve("to_rgb.conv", x, 3, 3))

    def judge(self, x, labels):
        stage = -1
        for number, outputs in enumerate(WIDTHS["D"], start=1):
            name = f"conv_blocks.{stage}" if number > 1 else "from_rgb"
            hidden = functional.relu(x) if number > 1 else x
            hidden = functional.relu(self.convolve(f"{name}.conv_1.conv", hidden, outputs, 3))
            hidden = self.convolve(f"{name}.conv_2.conv", hidden, outputs, 3)
            shortcut = self.convolve(f"{name}.shortcut.conv", x, outputs, 1)
            x = functional.avg_pool2d(hidden, 2) + functional.avg_pool2d(shortcut, 2)
            stage += 1
            if number == 4:
                x = self.attention(f"conv_blocks.{stage}", x, 0.9, norm="biggan")
                stage += 1
        features = functional.relu(x).sum((2, 3))
        projected = self.kernel("proj_y", CLASSES, WIDTHS["D"][-1])[labels]
        return self.linear("decision", features, 1) + (projected * features).sum(1, keepdim=True)


def _reference(generator, ema, discriminator):
    """Calls the networks, which draws their weights, and returns what they took and gave."""
    random = torch.Generator().manual_seed(9)
    latents = torch.randn(3, LATENT_DIM, generator=random)
    labels = torch.tensor([4, 0, 2])
    real = 2 * torch.rand(3, 3, 64, 64, generator=random) - 1
    generator.generate(latents, labels)
    images = ema.generate(latents, labels)
    return {
        "latents": latents.numpy(),
        "labels": labels.numpy(),
        "images": images.permute(0, 2, 3, 1).numpy(),
        "real": real.permute(0, 2, 3, 1).numpy(),
        "real_labels": labels.flip(0).numpy(),
        "real_logits": discriminator.judge(real, labels.flip(0)).numpy(),
        "fake_logits": discriminator.judge(images, labels).numpy(),
    }


def _write(path, variables, prefix=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **{prefix + name: value.numpy() for name, value in variables.items()})


def main():
    networks = {name: StudioGAN(seed) for seed, name in enumerate(("G", "G_ema", "D"))}
    folder = GOLDEN / "studiogan_64"
    reference = _reference(*networks.values())
    for name, network in networks.items():
        _write(folder / f"model={name}-best-weights-step=7.npz", network.variables, "module.")
    np.savez(folder / "reference.npz", **reference)

    networks = {
        name: MMGeneration(seed)
        for seed, name in enumerate(("generator", "generator_ema", "discriminator"))
    }
    folder = GOLDEN / "mmgeneration_64"
    reference = _reference(*networks.values())
    variables = {
        f"{network}.{name}": value
        for network, weights in networks.items()
        for name, value in weights.variables.items()
    }
    _write(folder / "iter_7.npz", variables)
    np.savez(folder / "reference.npz", **reference)


if __name__ == "__main__":
    main()
