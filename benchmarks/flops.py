"""Counts the floating-point operations of a TensorFlow function."""

import math


def count_flops(function):
    """Operations in the convolutions and matrix products that a traced function executes.

    A multiplication and an addition are two. With `N` images, outputs of `H * W` pixels and `O`
    channels, and a kernel of `K * K` pixels and `I` channels, a convolution has `2 N H W K K I O`,
    and so has each of its two gradients; a transposed convolution is the gradient of one. A product
    of `(m, k)` and `(k, n)` has `2 m k n`. All else is not counted: it is
    limited by memory. Nor is what runs in loops: the attention of maps that are made in blocks.

    Args:
        function: What `tf.function(...).get_concrete_function(...)` returns. All shapes are static.

    Returns:
        Dict from the types of TensorFlow's operations to int.
    """
    graph = function.graph
    counts = {}
    # The gradient of a convolution has two halves, of which one may be never asked for.
    seen, stack = set(), [tensor.op for tensor in graph.outputs] + list(graph.control_outputs)
    while stack:
        operation = stack.pop()
        if operation in seen:
            continue
        seen.add(operation)
        stack += [tensor.op for tensor in operation.inputs] + list(operation.control_inputs)
        flops = _flops(operation)
        if flops:
            counts[operation.type] = counts.get(operation.type, 0) + flops
    return counts


def _flops(operation):
    inputs = [tuple(tensor.shape) for tensor in operation.inputs]
    outputs = [tuple(tensor.shape) for tensor in operation.outputs]
    match operation.type:
        case "Conv2D":
            return 2 * math.prod(outputs[0]) * math.prod(inputs[1][:3])
        case "Conv2DBackpropInput":
            return 2 * math.prod(inputs[2]) * math.prod(inputs[1][:3])
        case "Conv2DBackpropFilter":
            return 2 * math.prod(inputs[2]) * math.prod(outputs[0][:3])
        case "MatMul":
            rows = inputs[0][0 if operation.get_attr("transpose_a") else 1]
            return 2 * math.prod(outputs[0]) * rows
        case "BatchMatMulV2":
            rows = inputs[0][-2 if operation.get_attr("adj_x") else -1]
            return 2 * math.prod(outputs[0]) * rows
    return 0
