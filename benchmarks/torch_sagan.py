"""SAGAN in PyTorch, as one writes it there: the opponent of `versus_torch.py`.

The networks and the update are those of `sagan_tf` with its defaults, with equally many
parameters; resampling and convolution are two modules, spectral norm is that of
`torch.nn.utils.parametrizations`, and gradients are by autograd.
"""

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import spectral_norm
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

# image_size: (generator widths in base channels, discriminator widths, its blocks that halve,
# resolution of attention). Not imported: the opponent's process is without TensorFlow.
_PLANS = {
    16: ((4, 4), (4, 4, 4), 2, 8),
    32: ((4, 4, 4), (4, 4, 4, 4), 2, 16),
    64: ((8, 4, 2, 1), (1, 2, 4, 8, 8), 4, 32),
    128: ((16, 8, 4, 2, 1), (1, 2, 4, 8, 16, 16), 5, 32),
}


class SelfAttention(nn.Module):
    """Pooled keys and values, a gate that starts at 0."""

    def __init__(self, channels):
        super().__init__()
        self.query = spectral_norm(nn.Conv2d(channels, channels // 8, 1, bias=False))
        self.key = spectral_norm(nn.Conv2d(channels, channels // 8, 1, bias=False))
        self.value = spectral_norm(nn.Conv2d(channels, channels // 2, 1, bias=False))
        self.output = spectral_norm(nn.Conv2d(channels // 2, channels, 1, bias=False))
        self.gate = nn.Parameter(torch.zeros(()))

    def forward(self, x):
        height, width = x.shape[2:]
        query = self.query(x).flatten(2)
        key = functional.max_pool2d(self.key(x), 2).flatten(2)
        value = functional.max_pool2d(self.value(x), 2).flatten(2)
        attention = torch.softmax(query.transpose(1, 2) @ key, dim=-1)
        attended = (value @ attention.transpose(1, 2)).unflatten(2, (height, width))
        return x + self.gate * self.output(attended)


class ConditionalBatchNorm(nn.Module):
    """Batch norm with a scale and shift per class."""

    def __init__(self, channels, num_classes):
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.gamma = nn.Embedding(num_classes, channels)
        self.beta = nn.Embedding(num_classes, channels)
        nn.init.ones_(self.gamma.weight)
        nn.init.zeros_(self.beta.weight)

    def forward(self, x, labels):
        gamma, beta = self.gamma(labels), self.beta(labels)
        return gamma[:, :, None, None] * self.norm(x) + beta[:, :, None, None]


class GeneratorBlock(nn.Module):
    """Residual block that doubles the resolution."""

    def __init__(self, inputs, filters, num_classes):
        super().__init__()
        self.norm_1 = ConditionalBatchNorm(inputs, num_classes)
        self.conv_1 = spectral_norm(nn.Conv2d(inputs, filters, 3, padding=1))
        self.norm_2 = ConditionalBatchNorm(filters, num_classes)
        self.conv_2 = spectral_norm(nn.Conv2d(filters, filters, 3, padding=1))
        self.shortcut = spectral_norm(nn.Conv2d(inputs, filters, 1))

    def forward(self, x, labels):
        shortcut = self.shortcut(functional.interpolate(x, scale_factor=2))
        x = functional.relu(self.norm_1(x, labels))
        x = self.conv_1(functional.interpolate(x, scale_factor=2))
        x = self.conv_2(functional.relu(self.norm_2(x, labels)))
        return x + shortcut


class DiscriminatorBlock(nn.Module):
    """Residual block that halves the resolution, or keeps it."""

    def __init__(self, inputs, filters, downsample, preactivation):
        super().__init__()
        self.downsample = downsample
        self.preactivation = preactivation
        self.conv_1 = spectral_norm(nn.Conv2d(inputs, filters, 3, padding=1))
        self.conv_2 = spectral_norm(nn.Conv2d(filters, filters, 3, padding=1))
        self.shortcut = None
        if downsample or inputs != filters:
            self.shortcut = spectral_norm(nn.Conv2d(inputs, filters, 1))

    def forward(self, inputs):
        x = functional.relu(inputs) if self.preactivation else inputs
        x = self.conv_2(functional.relu(self.conv_1(x)))
        shortcut = inputs if self.shortcut is None else self.shortcut(inputs)
        if self.downsample:
            x, shortcut = functional.avg_pool2d(x, 2), functional.avg_pool2d(shortcut, 2)
        return x + shortcut


class Generator(nn.Module):
    """Latents and labels to images in [-1, 1]."""

    def __init__(self, image_size, channels, num_classes, base_channels, latent_dim=128):
        super().__init__()
        multiples, _, _, attention = _PLANS[image_size]
        widths = [base_channels * multiple for multiple in multiples]
        self.linear = spectral_norm(nn.Linear(latent_dim, 4 * 4 * widths[0]))
        self.blocks = nn.ModuleList(
            GeneratorBlock(inputs, filters, num_classes)
            for inputs, filters in zip([widths[0], *widths], widths, strict=False)
        )
        self.attentions = nn.ModuleList(
            SelfAttention(width) if 8 << index == attention else nn.Identity()
            for index, width in enumerate(widths)
        )
        self.norm = nn.BatchNorm2d(widths[-1])
        self.to_image = spectral_norm(nn.Conv2d(widths[-1], channels, 3, padding=1))

    def forward(self, latents, labels):
        x = self.linear(latents).unflatten(1, (-1, 4, 4))
        for block, attention in zip(self.blocks, self.attentions, strict=True):
            x = attention(block(x, labels))
        return torch.tanh(self.to_image(functional.relu(self.norm(x))))


class Discriminator(nn.Module):
    """Images and labels to logits, by projection."""

    def __init__(self, image_size, channels, num_classes, base_channels):
        super().__init__()
        _, multiples, halvings, attention = _PLANS[image_size]
        widths = [base_channels * multiple for multiple in multiples]
        downsample = [index < halvings for index in range(len(widths))]
        self.blocks = nn.ModuleList(
            DiscriminatorBlock(inputs, filters, down, preactivation=index > 0)
            for index, (inputs, filters, down) in enumerate(
                zip([channels, *widths], widths, downsample, strict=False)
            )
        )
        self.attentions = nn.ModuleList(
            SelfAttention(width) if image_size >> (index + 1) == attention else nn.Identity()
            for index, width in enumerate(widths)
        )
        self.linear = spectral_norm(nn.Linear(widths[-1], 1))
        self.embedding = spectral_norm(nn.Embedding(num_classes, widths[-1]))

    def forward(self, x, labels):
        for block, attention in zip(self.blocks, self.attentions, strict=True):
            x = attention(block(x))
        features = functional.relu(x).sum((2, 3))
        return self.linear(features) + (self.embedding(labels) * features).sum(1, keepdim=True)


class TorchSAGAN:
    """Trains both networks with the hinge loss.

    Args:
        image_size: int.
        channels: int.
        num_classes: int.
        base_channels: int.
        latent_dim: int. Defaults to `128`.
        discriminator_steps: int. Defaults to `1`.
        channels_last: bool, layout of the images and kernels in memory. Defaults to `True`.
        compiled: bool, whether `torch.compile` compiles both networks. Defaults to `False`.
        bfloat16: bool, whether networks run under autocast. Defaults to `False`.
        learning_rates: Of the generator and the discriminator. Default to those of the paper.
        betas: Of Adam. Default to those of the paper.
        seed: int. Defaults to `0`.
    """

    def __init__(
        self,
        image_size,
        channels,
        num_classes,
        base_channels,
        latent_dim=128,
        discriminator_steps=1,
        channels_last=True,
        compiled=False,
        bfloat16=False,
        learning_rates=(1e-4, 4e-4),
        betas=(0.0, 0.9),
        seed=0,
    ):
        torch.manual_seed(seed)
        self.latent_dim = latent_dim
        self.num_classes = num_classes
        self.discriminator_steps = discriminator_steps
        self.bfloat16 = bfloat16
        self.format = torch.channels_last if channels_last else torch.contiguous_format
        shape = image_size, channels, num_classes, base_channels
        self.generator = Generator(*shape, latent_dim).to(memory_format=self.format)
        self.discriminator = Discriminator(*shape).to(memory_format=self.format)
        for network in (self.generator, self.discriminator):
            network.apply(_initialize)
        self.average = AveragedModel(
            self.generator, multi_avg_fn=get_ema_multi_avg_fn(0.999), use_buffers=False
        )
        self.generator_optimizer, self.discriminator_optimizer = (
            torch.optim.Adam(network.parameters(), rate, betas)
            for network, rate in zip(
                (self.generator, self.discriminator), learning_rates, strict=True
            )
        )
        self._generate = torch.compile(self.generator) if compiled else self.generator
        self._judge = torch.compile(self.discriminator) if compiled else self.discriminator

    def train_step(self, images, labels):
        """One step: `(discriminator_steps * batch, channels, height, width)` images, labels."""
        images = images.contiguous(memory_format=self.format)
        parts = self.discriminator_steps
        for real in zip(images.chunk(parts), labels.chunk(parts), strict=True):
            discriminator_loss = self._update_discriminator(*real)
        generator_loss = self._update_generator(len(images) // parts)
        self.average.update_parameters(self.generator)
        return discriminator_loss.item(), generator_loss.item()

    def keep_average(self, num_batches=16, batch_size=64):
        """Lets the averaged generator generate, with batch-norm statistics of its own."""
        self._generate = self.average.module.train()
        for module in self._generate.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.reset_running_stats()
                module.momentum = None  # The mean over batches.
        with torch.no_grad(), self._precision():
            for _ in range(num_batches):
                self._fakes(batch_size)
        self._generate.eval()

    def generate(self, latents, labels):
        """Images of the generator at inference."""
        with torch.inference_mode(), self._precision():
            return self._generate(latents, labels)

    def _update_discriminator(self, images, labels):
        with self._precision():
            with torch.no_grad():
                fake_images, fake_labels = self._fakes(len(images))
            logits = self._judge(torch.cat([images, fake_images]), torch.cat([labels, fake_labels]))
            real_logits, fake_logits = logits.float().chunk(2)
            loss = functional.relu(1 - real_logits).mean() + functional.relu(1 + fake_logits).mean()
        self.discriminator_optimizer.zero_grad()
        loss.backward()
        self.discriminator_optimizer.step()
        return loss

    def _update_generator(self, count):
        # Without this, autograd also computes the discriminator's own gradients.
        self.discriminator.requires_grad_(False)
        with self._precision():
            loss = -self._judge(*self._fakes(count)).float().mean()
        self.generator_optimizer.zero_grad()
        loss.backward()
        self.generator_optimizer.step()
        self.discriminator.requires_grad_(True)
        return loss

    def _fakes(self, count):
        labels = torch.randint(self.num_classes, (count,))
        return self._generate(torch.randn(count, self.latent_dim), labels), labels

    def _precision(self):
        return torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16)


def _initialize(module):
    """Starts convolutions and dense layers as Keras does; their scale is that of the rates."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        original = module.parametrizations.weight.original
        nn.init.xavier_uniform_(original)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def train_step(image_size, channels, num_classes, base_channels, batch_size, **options):
    """One step of `TorchSAGAN`, for `interleave.Contestant`."""
    sagan = TorchSAGAN(image_size, channels, num_classes, base_channels, **options)
    count = batch_size * sagan.discriminator_steps
    images = 2 * torch.rand(count, channels, image_size, image_size) - 1
    labels = torch.randint(num_classes, (count,))
    networks = {"generator": sagan.generator, "discriminator": sagan.discriminator}
    parameters = {
        name: sum(parameter.numel() for parameter in network.parameters())
        for name, network in networks.items()
    }
    return lambda: sagan.train_step(images, labels), lambda: {"parameters": parameters}


def sample(image_size, channels, num_classes, base_channels, batch_size, **options):
    """One batch from the generator of `TorchSAGAN`, for `interleave.Contestant`."""
    sagan = TorchSAGAN(image_size, channels, num_classes, base_channels, **options)
    # At inference only: without this every call computes W / sigma anew.
    for module in sagan.generator.modules():
        if parametrize.is_parametrized(module):
            parametrize.remove_parametrizations(module, "weight")
    sagan.generator.eval()
    latents = torch.randn(batch_size, sagan.latent_dim)
    labels = torch.arange(batch_size) % num_classes
    return lambda: sagan.generate(latents, labels).numpy(), dict
