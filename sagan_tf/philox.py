"""The counter-based random integers of TensorFlow's stateless functions, for NumPy and JAX.

A number is a function of a seed and of its place, and of nothing else. Unsigned 32-bit arithmetic
is all that it takes, so whatever device and compiler give the same bits. All functions take arrays
of NumPy, or of JAX where tracers are among their arguments.

References:
    [Salmon et al., 2011](https://doi.org/10.1145/2063384.2063405), Philox4x32-10.
    `tf.random.stateless_uniform` and `tf.random.fold_in` with `alg="philox"`.
"""

import numpy as np

_MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
_WEYL = 0x9E3779B9, 0xBB67AE85
# TensorFlow scrambles its seeds by this key.
_SCRAMBLE = 0x3EC8F720, 0x02461E29
_BLOCK = 4  # Numbers that come of one counter.


def random_bits(seed, count):
    """Draws `count` integers, uint32 in `[0, 2**32)`.

    Args:
        seed: Pair of ints: Python's, of up to 64 bits, or int32 scalars of an array library.
        count: int.

    Returns:
        Array of shape `(count,)`.
    """
    counter = [word for part in seed for word in _words(part)]
    key_low, key_high, low, high = _philox(counter, [np.uint32(word) for word in _SCRAMBLE])
    blocks = -(-count // _BLOCK)
    places = np.arange(blocks, dtype=np.uint32)
    zeros = np.zeros(blocks, np.uint32)
    numbers = _philox([places, zeros, low + zeros, high + zeros], [key_low, key_high])
    # Each counter gives the numbers of a row.
    xp = numbers[0].__array_namespace__()
    return xp.stack(numbers, axis=1).reshape(-1)[:count]


def fold_in(seed, data):
    """A seed that is a function of another one and of an int, as `tf.random.fold_in`."""
    return random_bits(seed, 1)[0].astype("int32"), data


def _words(number):
    """The lower and the upper 32 bits of an int of 64, or of 32 whose sign is carried on."""
    if isinstance(number, int):
        return np.uint32(number & 0xFFFFFFFF), np.uint32(number >> 32 & 0xFFFFFFFF)
    return number.astype("uint32"), (number >> 31).astype("uint32")


def _philox(counter, key):
    with np.errstate(over="ignore"):  # Scalars of NumPy warn of what arrays are to do here.
        for _ in range(10):
            (high, low), (other_high, other_low) = (
                _multiply(number, factor)
                for number, factor in zip(counter[::2], _MULTIPLIERS, strict=True)
            )
            counter = [other_high ^ counter[1] ^ key[0], other_low, high ^ counter[3] ^ key[1], low]
            key = [part + np.uint32(step) for part, step in zip(key, _WEYL, strict=True)]
    return counter


def _multiply(number, factor):
    """The upper and the lower 32 bits of a product, of which no part takes more than 32."""
    low, high = number & np.uint32(0xFFFF), number >> np.uint32(16)
    factor_low, factor_high = np.uint32(factor & 0xFFFF), np.uint32(factor >> 16)
    middle = high * factor_low + (low * factor_low >> np.uint32(16))
    middle_low = low * factor_high + (middle & np.uint32(0xFFFF))
    upper = high * factor_high + (middle >> np.uint32(16)) + (middle_low >> np.uint32(16))
    return upper, number * np.uint32(factor)
