"""What `save_preset` writes and `from_preset` reads."""

import numpy as np
import pytest

from sagan_tf import SAGAN
from tests.models.small import small


def test_preset_round_trip(tmp_path):
    sagan = small(ema_decay=0.5, discriminator_steps=2, seed=7)
    sagan.save_preset(tmp_path / "a" / "b")
    loaded = SAGAN.from_preset(tmp_path / "a" / "b")
    assert (loaded.ema_decay, loaded.discriminator_steps, loaded.seed) == (0.5, 2, 7)
    for ours, theirs in zip(sagan.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    untrained = SAGAN.from_preset(tmp_path / "a" / "b", load_weights=False)
    assert not np.array_equal(untrained.get_weights()[0], sagan.get_weights()[0])
    sagan.save_preset(tmp_path / "a" / "b")
    assert sorted(path.name for path in (tmp_path / "a" / "b").iterdir()) == [
        "config.json",
        "discriminator.weights.h5",
        "ema_generator.weights.h5",
        "generator.weights.h5",
    ]


@pytest.mark.parametrize("name", ["config.json", "generator.weights.h5"])
@pytest.mark.parametrize("damage", ["missing", "truncated", "foreign"])
def test_a_damaged_preset_is_named_in_one_line(tmp_path, name, damage):
    small().save_preset(tmp_path)
    path = tmp_path / name
    if damage == "missing":
        path.unlink()
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:100])
    else:
        path.write_text('{"model": 1}')
    with pytest.raises(ValueError, match=name) as info:
        SAGAN.from_preset(tmp_path)
    assert "\n" not in str(info.value)


def test_weights_of_another_architecture_are_named(tmp_path):
    small().save_preset(tmp_path)
    config = (tmp_path / "config.json").read_text()
    changed = config.replace('"base_channels": 4', '"base_channels": 8')
    (tmp_path / "config.json").write_text(changed)
    with pytest.raises(ValueError, match=r"Cannot load weights from .*generator.weights.h5"):
        SAGAN.from_preset(tmp_path)
