"""The opponent has the same networks."""

import math

import pytest

import sagan_tf

torch = pytest.importorskip("torch", reason="PyTorch is needed by benchmarks only: make bench")


@pytest.mark.parametrize("image_size", [16, 32, 64, 128])
def test_parameters_are_equally_many(image_size):
    from benchmarks import torch_sagan

    options = {"image_size": image_size, "channels": 3, "num_classes": 7, "base_channels": 8}
    for name in ("Generator", "Discriminator"):
        ours = getattr(sagan_tf, name)(**options).trainable_weights
        theirs = getattr(torch_sagan, name)(**options).parameters()
        assert sum(parameter.numel() for parameter in theirs) == sum(
            math.prod(weight.shape) for weight in ours
        )


@pytest.mark.parametrize("options", [{}, {"bfloat16": True}, {"channels_last": False}])
def test_it_trains_and_draws(options):
    from benchmarks.torch_sagan import TorchSAGAN

    sagan = TorchSAGAN(16, 1, 10, 2, discriminator_steps=2, **options)
    before = [parameter.clone() for parameter in sagan.discriminator.parameters()]
    images, labels = torch.rand(8, 1, 16, 16), torch.randint(10, (8,))
    losses = [sagan.train_step(images, labels) for _ in range(2)]
    assert all(math.isfinite(loss) for pair in losses for loss in pair)
    after = sagan.discriminator.parameters()
    assert any((old != new).any() for old, new in zip(before, after, strict=True))
    drawn = sagan.generate(torch.randn(3, 128), torch.arange(3))
    assert drawn.shape == (3, 1, 16, 16)
    assert drawn.abs().max() <= 1
