import keras
import pytest

from sagan_tf.config import Config, ModelConfig, Recipe
from sagan_tf.models import make_optimizers
from sagan_tf.models.optimizers import check_optimizer


def test_constant_learning_rates():
    generator, discriminator = make_optimizers(Config(ModelConfig(), Recipe(beta_1=0.5)))
    assert float(generator.learning_rate) == pytest.approx(1e-4)
    assert float(discriminator.learning_rate) == pytest.approx(4e-4)
    assert generator.beta_1 == discriminator.beta_1 == 0.5


def test_linear_decay_ends_with_the_run_for_both():
    recipe = Recipe(steps=10, learning_rate_schedule="linear")
    generator, discriminator = make_optimizers(Config(ModelConfig(discriminator_steps=3), recipe))
    for optimizer, updates, rate in ((generator, 10, 1e-4), (discriminator, 30, 4e-4)):
        for done in (0.0, 0.5, 1.0):
            optimizer.iterations.assign(int(done * updates))
            expected = rate * (1 - done)
            assert float(optimizer.learning_rate) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("options", "ours"),
    [
        ({"gradient_accumulation_steps": 2}, "accumulation_steps"),
        ({"clipnorm": 1.0}, "global_clipnorm"),
        ({"clipvalue": 1.0}, "global_clipnorm"),
        ({"global_clipnorm": 1.0}, "global_clipnorm"),
    ],
)
def test_an_optimizer_that_handles_gradients_itself_is_refused(options, ours):
    (name,) = options
    with pytest.raises(ValueError, match=f"must be without {name}: pass {ours} to SAGAN.compile"):
        check_optimizer(keras.optimizers.Adam(**options))
    check_optimizer(keras.optimizers.Adam())
