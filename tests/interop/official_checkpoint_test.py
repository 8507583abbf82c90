"""Loading checkpoints that are named as the official code names them."""

import numpy as np
import pytest
import tensorflow as tf

from sagan_tf.interop import load_official_checkpoint

RNG = np.random.default_rng(31)


def _random(*shape):
    return RNG.standard_normal(shape).astype("float32")


def _convolution(scope, size, inputs, outputs, bias=True):
    yield f"{scope}/w", _random(size, size, inputs, outputs)
    yield f"{scope}/u", _random(1, outputs)
    if bias:
        yield f"{scope}/biases", _random(outputs)


def _attention(scope, channels):
    yield f"{scope}/sigma_ratio", _random()
    for name, inputs, outputs in (
        ("theta", channels, channels // 8),
        ("phi", channels, channels // 8),
        ("g", channels, channels // 2),
        ("attn", channels // 2, channels),
    ):
        yield from _convolution(f"{scope}/sn_conv_{name}", 1, inputs, outputs, bias=False)


def _generator(width, classes, latents, attention):
    """The official generator's variables; `attention` is the number of the block before it."""
    yield "g_snh0/Matrix", _random(latents, 4 * 4 * 16 * width)
    yield "g_snh0/u", _random(1, 4 * 4 * 16 * width)
    yield "g_snh0/bias", _random(4 * 4 * 16 * width)
    inputs = 16 * width
    for index, multiple in enumerate((16, 8, 4, 2, 1), start=1):
        scope, outputs = f"g_block{index}", multiple * width
        for norm, channels in (("cbn_0", inputs), ("cbn_1", outputs)):
            yield f"{scope}/{norm}/gamma", _random(classes, channels)
            yield f"{scope}/{norm}/beta", _random(classes, channels)
            yield f"{scope}/{norm}/mean", _random(1, 1, 1, channels)
            yield f"{scope}/{norm}/var", np.abs(_random(1, 1, 1, channels))
        yield from _convolution(f"{scope}/snconv1", 3, inputs, outputs)
        yield from _convolution(f"{scope}/snconv2", 3, outputs, outputs)
        yield from _convolution(f"{scope}/snconv3", 1, inputs, outputs)
        if index == attention:
            yield from _attention("g_non_local", outputs)
        inputs = outputs
    for name in ("beta", "gamma", "moving_mean", "moving_variance"):
        yield f"g_bn/{name}", np.abs(_random(width))
    yield from _convolution("g_snconv_last", 3, width, 3)


def _discriminator(width, classes, attention):
    inputs = 3
    for index, multiple in enumerate((1, 2, 4, 8, 16, 16), start=1):
        scope = "d_optimized_block1" if index == 1 else f"d_block{index}"
        outputs = multiple * width
        yield from _convolution(f"{scope}/sn_conv1", 3, inputs, outputs)
        yield from _convolution(f"{scope}/sn_conv2", 3, outputs, outputs)
        if index < 6:
            yield from _convolution(f"{scope}/sn_conv3", 1, inputs, outputs)
        if index == attention:
            yield from _attention("d_non_local", outputs)
        inputs = outputs
    yield "d_sn_linear/Matrix", _random(16 * width, 1)
    yield "d_sn_linear/u", _random(1, 1)
    yield "d_sn_linear/bias", _random(1)
    yield "d_embedding/embedding_map", _random(classes, 16 * width)
    yield "d_embedding/u", _random(1, classes)


def _official(generator=(1, 5, 6, None), discriminator=(1, 5, None)):
    return {**dict(_generator(*generator)), **dict(_discriminator(*discriminator))}


def _scoped(scope, variables):
    return {scope + name: value for name, value in variables.items()}


def _write(directory, variables):
    prefix = str(directory / "model.ckpt-7")
    names, values = zip(*variables.items(), strict=True)
    tf.raw_ops.SaveV2(
        prefix=prefix, tensor_names=names, shape_and_slices=[""] * len(names), tensors=values
    )
    return prefix


def _assert_holds(networks, variables):
    """Each weight is one of the variables and each variable one of the weights."""
    weights = [weight for network in networks for weight in network.weights]
    embedding_u = networks[1].embedding.u
    stored = {np.ravel(v).tobytes() for name, v in variables.items() if name != "d_embedding/u"}
    loaded = [np.ravel(w.numpy()).tobytes() for w in weights if w is not embedding_u]
    assert set(loaded) == stored
    assert len(loaded) == len(stored) == len(variables) - 1
    u = variables["d_embedding/u"] @ variables["d_embedding/embedding_map"]
    np.testing.assert_allclose(embedding_u, u / np.linalg.norm(u), rtol=1e-5)


@pytest.mark.parametrize(
    ("generator", "discriminator", "resolutions"),
    [
        ((4, 3, 9, 4), (8, 3, 1), ((64,), (64,))),
        ((2, 4, 5, 3), (4, 4, 2), ((32,), (32,))),
        ((1, 1, 1, None), (2, 5, None), ((), ())),
    ],
    ids=["feat64", "feat32", "none"],
)
def test_infers_the_networks(generator, discriminator, resolutions, tmp_path):
    variables = _official(generator, discriminator)
    networks = load_official_checkpoint(_write(tmp_path, _scoped("model/", variables)))
    assert tuple(network.attention_resolutions for network in networks) == resolutions
    for network, sizes in zip(networks, (generator, discriminator), strict=True):
        assert (network.base_channels, network.num_classes) == sizes[:2]
    assert networks[0].latent_dim == generator[2]
    _assert_holds(networks, variables)


@pytest.fixture(scope="module")
def variables():
    return _official((2, 5, 6, 3))


def _scope_each_network(variables):
    return {("a/b/G/" if name[0] == "g" else "D/") + name: v for name, v in variables.items()}


def _add_what_belongs_to_training(variables):
    scoped = _scoped("model/", variables)
    extras = {"global_step": np.int64(7), "model/g_step": np.int32(7), "beta1_power": _random()}
    for name, value in scoped.items():
        extras[f"{name}/Adam"] = extras[f"{name}/Adam_1"] = value + 1
        extras[f"{name}/ExponentialMovingAverage"] = extras[f"average/{name}"] = value + 2
    return {**extras, **scoped}


@pytest.mark.parametrize("change", [_scope_each_network, _add_what_belongs_to_training])
def test_scopes_do_not_matter_and_what_belongs_to_training_is_left_out(change, variables, tmp_path):
    prefix = _write(tmp_path, change(variables))
    _assert_holds(load_official_checkpoint(prefix), variables)


def test_takes_the_latest_of_a_folder(variables, tmp_path):
    prefix = _write(tmp_path, variables)
    tf.compat.v1.train.update_checkpoint_state(str(tmp_path), prefix)
    networks = load_official_checkpoint(tmp_path)
    _assert_holds(networks, variables)
    assert {weight.dtype for network in networks for weight in network.weights} == {"float32"}


def _without(*starts):
    return lambda variables: {k: v for k, v in variables.items() if not k.startswith(starts)}


def _with(name, *shape):
    return lambda variables: {**variables, name: _random(*shape)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_without("g_snh0/Matrix"), "not of the official SAGAN: .* no variable 'g_snh0/Matrix'"),
        (_without("d_"), "no variable 'd_optimized_block1/sn_conv1/w'"),
        (_without("d_embedding"), "no variable 'd_embedding/embedding_map'"),
        (_without("g_block4/cbn_1/mean"), "lacks 'g_block4/cbn_1/mean'"),
        (_without("d_block4", "d_block5"), "lacks 'd_block4/.* and 15 more"),
        (_without("g_non_local/sn_conv_theta"), "more than .*: 'g_non_local/.* and 3 more"),
        (_with("d_block7/sn_conv1/w", 3, 3, 4, 4), "more than .*: 'd_block7/sn_conv1/w'"),
        (
            _with("g_block3/snconv1/w", 3, 3, 16, 9),
            r"'g_block3/snconv1/w' of shape \[3, 3, 16, 9\], expected \[3, 3, 16, 8\]",
        ),
        (_with("g_snh0/Matrix", 6), r"'g_snh0/Matrix' of shape \[6\], expected 2 dimensions"),
        (_with("g_snh0/Matrix"), r"'g_snh0/Matrix' of shape \[\], expected 2 dimensions"),
        (_with("g_block1/cbn_0/gamma", 5), r"of shape \[5\], expected 2 dimensions"),
        (_with("d_optimized_block1/sn_conv1/w"), r"of shape \[\], expected 4 dimensions"),
        (_with("d_embedding/embedding_map"), r"of shape \[\], expected 2 dimensions"),
        (_with("d_embedding/embedding_map", 5), r"of shape \[5\], expected 2 dimensions"),
        (_with("g_non_local/sn_conv_theta/w", 4), r"of shape \[4\], expected 4 dimensions"),
        (
            lambda variables: {**variables, "g_bn/beta": np.full(2, np.nan, "float32")},
            "other than finite numbers in 'g_bn/beta'",
        ),
        (
            lambda variables: {**variables, "g_bn/beta": np.ones(2, "complex64")},
            "other than finite numbers in 'g_bn/beta'",
        ),
        (_with("d_embedding/u", 1, 16), r"'d_embedding/u' of shape \[1, 16\], expected \[1, 5\]"),
        (_with("g_non_local/sn_conv_theta/w", 1, 1, 32, 4), r"on 32 channels .*one of \[4, 8\]"),
        (
            lambda _: _with("g_snh0/Matrix", 6, 128)(_official()),
            "`base_channels` must be at least 1",
        ),
    ],
)
def test_another_checkpoint_is_an_error(change, message, variables, tmp_path):
    prefix = _write(tmp_path, change(variables))
    with pytest.raises(ValueError, match=rf"\A.*{message}.*\Z") as error:
        load_official_checkpoint(prefix)
    assert prefix in str(error.value)


@pytest.mark.parametrize("damage", ["garbage", "cut", "flipped"])
def test_a_broken_checkpoint_is_an_error(damage, tmp_path):
    prefix = _write(tmp_path, _official((1, 1, 1, None), (1, 1, None)))
    (data,) = tmp_path.glob("*.data-*")
    content = bytearray(data.read_bytes())
    content[len(content) // 2] ^= 255
    if damage == "garbage":
        (tmp_path / "model.ckpt-7.index").write_bytes(b"not a checkpoint" * 100)
    else:
        data.write_bytes(content if damage == "flipped" else content[:1000])
    with pytest.raises(ValueError, match=rf"\AThe checkpoint '{prefix}' cannot be read.*\Z"):
        load_official_checkpoint(prefix)


def test_a_missing_checkpoint_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=rf"\AThere is no checkpoint at '{tmp_path}/no'\Z"):
        load_official_checkpoint(tmp_path / "no")
    with pytest.raises(ValueError, match=rf"\AThe checkpoint '{tmp_path}' cannot be read.*\Z"):
        load_official_checkpoint(tmp_path)
