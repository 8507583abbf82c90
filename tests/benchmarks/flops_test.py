"""Counts by hand."""

import tensorflow as tf

from benchmarks.flops import count_flops


def counted(function, *shapes):
    specs = [tf.TensorSpec(shape) for shape in shapes]
    return count_flops(tf.function(function).get_concrete_function(*specs))


def test_convolution():
    flops = counted(
        lambda images, kernel: tf.nn.conv2d(images, kernel, 2, "SAME"), (5, 8, 6, 3), (3, 3, 3, 7)
    )
    assert flops == {"Conv2D": 2 * 5 * (4 * 3) * 9 * 3 * 7}


def test_transposed_convolution():
    flops = counted(
        lambda images, kernel: tf.nn.conv2d_transpose(images, kernel, (5, 8, 6, 7), 2),
        (5, 4, 3, 2),
        (4, 4, 7, 2),
    )
    # Every input pixel meets every entry of the kernel.
    assert flops == {"Conv2DBackpropInput": 2 * 5 * (4 * 3) * 16 * 7 * 2}


def test_matrix_products():
    def function(a, b, c):
        return tf.matmul(a, b, transpose_a=True), tf.matmul(c, c, transpose_b=True)

    flops = counted(function, (4, 3), (4, 5), (2, 6, 7))
    assert flops == {"MatMul": 2 * 3 * 4 * 5, "BatchMatMulV2": 2 * 2 * 6 * 7 * 6}


def test_each_gradient_of_a_convolution_costs_as_much_and_counts_only_if_asked_for():
    def step(images, kernel, wanted):
        with tf.GradientTape() as tape:
            tape.watch([images, kernel])
            outputs = tf.nn.conv2d(images, kernel, 1, "SAME")
        gradients = tape.gradient(outputs, [images, kernel], output_gradients=outputs)
        return outputs, *[gradients[index] for index in wanted]

    once = 2 * 5 * (8 * 6) * 9 * 3 * 7
    shapes = (5, 8, 6, 3), (3, 3, 3, 7)
    both = counted(lambda *tensors: step(*tensors, (0, 1)), *shapes)
    assert both == {
        "Conv2D": once,
        "Conv2DBackpropInput": once,
        "Conv2DBackpropFilter": once,
    }
    of_images = counted(lambda *tensors: step(*tensors, (0,)), *shapes)
    assert of_images == {"Conv2D": once, "Conv2DBackpropInput": once}
