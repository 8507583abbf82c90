from sagan_tf.models.discriminator import Discriminator
from sagan_tf.models.generator import Generator
