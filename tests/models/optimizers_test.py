import keras
import pytest

from sagan_tf import SAGAN, Discriminator, Generator
from sagan_tf.config import Config, ModelConfig, Recipe
from sagan_tf.models import make_optimizers
from sagan_tf.models.optimizers import OptimizerPair, check_optimizers
from tests.tiny import tiny


def test_learning_rates_are_constant_or_end_with_the_run_for_both():
    for schedule, left in (("constant", (1, 1, 1)), ("linear", (1, 0.5, 0))):
        recipe = Recipe(steps=10, learning_rate_schedule=schedule, beta_1=0.5)
        optimizers = make_optimizers(Config(ModelConfig(discriminator_steps=3), recipe))
        for optimizer, updates, rate in zip(optimizers, (10, 30), (1e-4, 4e-4), strict=True):
            assert (optimizer.beta_1, optimizer.beta_2) == (0.5, 0.9)
            for done, factor in zip((0, 0.5, 1), left, strict=True):
                optimizer.iterations.assign(int(done * updates))
                expected = pytest.approx(rate * factor, abs=1e-9)
                assert float(optimizer.learning_rate) == expected


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("gradient_accumulation_steps", "accumulation_steps"),
        ("clipnorm", "global_clipnorm"),
        ("clipvalue", "global_clipnorm"),
        ("global_clipnorm", "global_clipnorm"),
    ],
)
def test_an_optimizer_that_handles_gradients_itself_is_refused(name, ours):
    adam = keras.optimizers.Adam
    with pytest.raises(ValueError, match=f"must be without {name}: pass {ours} to SAGAN.compile"):
        check_optimizers(OptimizerPair(adam(), adam(**{name: 2})), tiny())


def test_the_ratio_of_the_rates_outlives_a_rate_of_zero():
    pair = OptimizerPair(*(keras.optimizers.SGD(rate) for rate in (1e-4, 4e-4)))
    for rate in (0.0, 0.0, 1e-3):
        pair.learning_rate = rate
        rates = [float(each.learning_rate) for each in pair.both]
        assert rates == [pytest.approx(rate), pytest.approx(4 * rate)]
    pair = OptimizerPair(*(keras.optimizers.SGD(rate) for rate in (0.0, 4e-4)))
    pair.learning_rate = 1e-3
    assert float(pair.both[1].learning_rate) == pytest.approx(4e-4)


def test_what_would_train_wrongly_without_a_word_is_refused():
    adam = keras.optimizers.Adam
    one = adam()
    with pytest.raises(ValueError, match="an optimizer of its own"):
        tiny().compile(one, one)
    with pytest.raises(ValueError, match="The loss is not scaled here"):
        tiny().compile(keras.optimizers.LossScaleOptimizer(adam()))
    half = SAGAN(Generator(16, 1, 3, 4, dtype="mixed_float16"), Discriminator(16, 1, 3, 4))
    with pytest.raises(ValueError, match="float16 is not supported: use mixed_bfloat16"):
        half.compile()
