# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operators on floats. Sums are of multiples of 1/16, so they are exact in every order of addition."""
import numpy as np

from net import Net
from tensors import Tensor, random_reals

GRID = 1 / 16


def grid(label, shape, reach=4.0):
    """Multiples of 1/16."""
    return random_reals(label, shape, reach, GRID)


def simple(name, about, opset, op, shapes, constants=(), reach=4.0, **attributes):
    """One operator: random inputs, then constants (name, tensor) or None for one left out."""
    net = Net(name, about, opset)
    inputs = [net.input(f"x{i}" if len(shapes) > 1 else "x", grid(f"{name} {i}", shape, reach))
              for i, shape in enumerate(shapes)]
    inputs += [c and net.const(*c) for c in constants]
    return net.output(net.node(op, inputs, "y", **attributes))


def conv(name, about, x_shape, w_shape, bias=True, opset=11, **attributes):
    """One Conv."""
    constants = [("w", grid(name + " w", w_shape))]
    if bias:
        constants.append(("b", grid(name + " b", w_shape[:1])))
    return simple(name, about, opset, "Conv", [x_shape], constants, **attributes)


def _conv():
    w = (4, 3, 3, 3)
    yield conv("conv", "with a bias", (1, 3, 6, 7), w)
    yield conv("conv_no_bias_opset1", "bias left out; initializers are graph inputs", (1, 3, 6, 7), w, False, 1)
    yield conv("conv_opset22", "the newest version", (1, 3, 6, 7), w, opset=22)
    yield conv("conv_pads_strides", "four different pads, two strides", (2, 3, 7, 8), w, pads=[0, 1, 2, 1],
               strides=[2, 3])
    yield conv("conv_same_upper", "pads from auto_pad", (1, 3, 6, 7), (2, 3, 2, 4), auto_pad="SAME_UPPER",
               strides=[2, 2])
    yield conv("conv_same_lower", "pads from auto_pad", (1, 3, 6, 7), (2, 3, 2, 4), auto_pad="SAME_LOWER")
    yield conv("conv_dilated_group", "two groups, dilated", (1, 4, 8, 9), (6, 2, 3, 2), group=2, dilations=[2, 3])
    yield conv("conv_depthwise", "one group per channel", (1, 5, 6, 5), (5, 1, 3, 3), group=5, pads=[1, 1, 1, 1])
    yield conv("conv_1x1", "pointwise", (1, 6, 3, 4), (5, 6, 1, 1))
    yield conv("conv_1d", "one spatial axis", (2, 3, 11), (4, 3, 5), pads=[2, 2], strides=[2])


def gemm(name, about, a_shape, b_shape, c_shape, opset=11, activations=False, **attributes):
    """One Gemm with constant B and C."""
    b = grid(name + " b", b_shape)
    shapes = [a_shape, b_shape] if activations else [a_shape]
    constants = [] if activations else [("b", b)]
    if c_shape is not None:
        constants.append(("c", grid(name + " c", c_shape)))
    return simple(name, about, opset, "Gemm", shapes, constants, **attributes)


def _gemm():
    yield gemm("gemm", "bias per column", (3, 5), (5, 4), (4,))
    yield gemm("gemm_no_bias", "C left out", (3, 5), (5, 4), None)
    yield gemm("gemm_trans_b", "weights [N, K]", (3, 5), (4, 5), (4,), transB=1)
    yield gemm("gemm_trans_a", "A [K, M]", (5, 3), (5, 4), (4,), transA=1)
    yield gemm("gemm_trans_both", "both transposed, nothing constant but C", (5, 3), (4, 5), (1, 4), transA=1,
               transB=1, activations=True)
    yield gemm("gemm_alpha_beta", "0.5 and 2", (3, 5), (5, 4), (4,), alpha=0.5, beta=2.0)
    yield gemm("gemm_bias_column", "C of shape [M, 1]", (3, 5), (5, 4), (3, 1), beta=0.25)
    yield gemm("gemm_bias_matrix", "C of shape [M, N]", (3, 5), (5, 4), (3, 4))
    yield gemm("gemm_bias_number", "C of rank 0", (3, 5), (5, 4), ())
    yield gemm("gemm_opset7", "an old version, C is needed", (3, 5), (4, 5), (4,), 7, transB=1)
    for name, about, a, b in (
            ("matmul", "two dimensions", (3, 5), (5, 4)),
            ("matmul_batch", "one matrix for the whole batch", (2, 3, 5), (5, 4)),
            ("matmul_batch_broadcast", "batches [2,1] and [3]", (2, 1, 2, 5), (3, 5, 4)),
            ("matmul_vector_left", "a vector by a matrix", (5,), (5, 4)),
            ("matmul_vector_right", "a matrix by a vector", (3, 5), (5,)),
            ("matmul_vectors", "a number", (5,), (5,))):
        yield simple(name, about, 13, "MatMul", [a, b])


def _elements():
    yield simple("relu", "negative to 0", 14, "Relu", [(3, 7)])
    yield simple("relu_opset6", "an old version", 6, "Relu", [(3, 7)])
    yield simple("clip_attributes", "limits as attributes", 6, "Clip", [(3, 7)], min=0.0, max=2.5)
    yield simple("clip_attributes_none", "no limits at all", 6, "Clip", [(3, 7)])
    low, high = ("lowest", Tensor("float32", -1.5)), ("highest", Tensor("float32", 2.0))
    yield simple("clip_inputs", "limits as inputs", 11, "Clip", [(3, 7)], [low, high])
    yield simple("clip_inputs_low", "only a lower limit", 13, "Clip", [(3, 7)], [low])
    yield simple("clip_inputs_high", "only an upper limit: an empty name", 13, "Clip", [(3, 7)], [None, high])
    relu6 = [("lowest", Tensor("float32", 0)), ("highest", Tensor("float32", 6))]
    yield simple("clip_relu6", "0 to 6", 13, "Clip", [(3, 7)], relu6, 9.0)
    for op in ("Add", "Mul", "Sub"):
        label = op.lower()
        yield simple(label, "equal shapes", 13, op, [(2, 3, 4), (2, 3, 4)])
        yield simple(label + "_constant", "a constant of rank 0", 14, op, [(2, 3, 4)],
                     [("c", Tensor("float32", 1.25))])
        yield simple(label + "_channels", "a constant [C, 1, 1]", 14, op, [(2, 3, 4, 2)],
                     [("c", grid(label + " c", (3, 1, 1)))])
        yield simple(label + "_both_broadcast", "[3, 1] and [2, 1, 4]", 13, op, [(3, 1), (2, 1, 4)])
    net = Net("sub_constant_left", "a constant minus the input", 14)
    net.input("x", grid("sub_constant_left", (2, 5)))
    yield net.output(net.node("Sub", [net.scalar("c", "float32", 1.0), "x"], "y"))
    yield simple("sigmoid", "to 8 on both sides", 13, "Sigmoid", [(5, 9)], reach=8.0)
    yield simple("tanh", "to 4 on both sides", 13, "Tanh", [(5, 9)])


def _shapes():
    yield simple("concat", "axis 1, three inputs", 13, "Concat", [(2, 1, 3), (2, 2, 3), (2, 3, 3)], axis=1)
    yield simple("concat_negative", "axis -1", 13, "Concat", [(2, 3), (2, 2)], axis=-1)
    yield simple("flatten", "axis 1", 13, "Flatten", [(2, 3, 2, 2)])
    yield simple("flatten_axis_0", "to one row", 13, "Flatten", [(2, 3, 2)], axis=0)
    yield simple("flatten_negative", "axis -1", 13, "Flatten", [(2, 3, 4)], axis=-1)
    shapes = {"reshape": ("a whole shape", [4, 6]), "reshape_infer": ("-1", [2, -1]),
              "reshape_zero": ("0 keeps an extent", [0, 0, 2, -1]), "reshape_flat": ("to a vector", [-1])}
    for name, (about, shape) in shapes.items():
        yield simple(name, about, 13, "Reshape", [(2, 3, 4)], [("shape", Tensor("int64", shape))])
    yield simple("reshape_allow_zero", "0 is an extent", 14, "Reshape", [(0, 3)],
                 [("shape", Tensor("int64", [3, 0]))], allowzero=1)
    yield simple("transpose", "axes reversed, the default", 13, "Transpose", [(2, 3, 4)])
    yield simple("transpose_nhwc", "channels last", 13, "Transpose", [(1, 3, 4, 2)], perm=[0, 2, 3, 1])


def _pools():
    x = (1, 2, 7, 6)
    both = [
        ("", "no padding", {"kernel_shape": [3, 2]}),
        ("_pads", "four different pads, strides", {"kernel_shape": [3, 3], "pads": [1, 0, 1, 2], "strides": [2, 2]}),
        ("_ceil", "extents rounded up", {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}),
        ("_ceil_pads", "rounded up, with pads", {"kernel_shape": [2, 2], "strides": [3, 3], "pads": [0, 1, 1, 0],
                                                 "ceil_mode": 1}),
        ("_same_upper", "pads from auto_pad", {"kernel_shape": [3, 2], "strides": [2, 2], "auto_pad": "SAME_UPPER"}),
        ("_same_lower", "pads from auto_pad", {"kernel_shape": [3, 2], "strides": [2, 2], "auto_pad": "SAME_LOWER"}),
    ]
    for suffix, about, attributes in both:
        yield simple("maxpool" + suffix, about, 12, "MaxPool", [x], **attributes)
        yield simple("averagepool" + suffix, about, 11, "AveragePool", [x], **attributes)
    yield simple("maxpool_dilations", "every other element", 12, "MaxPool", [x], kernel_shape=[3, 2],
                 dilations=[2, 3])
    yield simple("maxpool_1d", "one spatial axis", 12, "MaxPool", [(2, 3, 9)], kernel_shape=[3], strides=[2])
    yield simple("averagepool_include_pad", "padding counts", 11, "AveragePool", [x], kernel_shape=[3, 3],
                 pads=[1, 1, 1, 1], count_include_pad=1)
    yield simple("averagepool_include_pad_ceil", "padding counts, rounded up", 19, "AveragePool", [x],
                 kernel_shape=[3, 3], pads=[1, 1, 0, 0], strides=[2, 2], count_include_pad=1, ceil_mode=1)
    yield simple("averagepool_dilations", "every other element", 19, "AveragePool", [x], kernel_shape=[2, 2],
                 dilations=[2, 3])
    yield simple("averagepool_1d", "one spatial axis", 11, "AveragePool", [(2, 3, 9)], kernel_shape=[4], strides=[2])
    yield simple("global_averagepool", "one number per channel", 1, "GlobalAveragePool", [(2, 3, 4, 5)])
    yield simple("global_averagepool_1d", "one spatial axis", 1, "GlobalAveragePool", [(2, 3, 8)])


def _softmax():
    for opset in (11, 13):
        yield simple(f"softmax_opset{opset}", "the default axis: 1 and all behind it, or only the last", opset,
                     "Softmax", [(2, 3, 4)])
        yield simple(f"softmax_opset{opset}_axis_2", "axis 2", opset, "Softmax", [(2, 3, 4)], axis=2)
        yield simple(f"softmax_opset{opset}_axis_1", "axis 1", opset, "Softmax", [(2, 3, 4)], axis=1)
        yield simple(f"softmax_opset{opset}_negative", "axis -2", opset, "Softmax", [(2, 3, 4)], axis=-2)
    yield simple("softmax_rows", "logits", 13, "Softmax", [(3, 10)], reach=12.0)


def _rest():
    """Operators that have one form, or few."""
    yield simple("leaky_relu", "slope 0.25", 16, "LeakyRelu", [(3, 7)], alpha=0.25)
    yield simple("elu", "alpha 0.5", 6, "Elu", [(3, 7)], alpha=0.5)
    yield simple("hard_swish", "all three parts", 14, "HardSwish", [(3, 7)])
    yield simple("max", "two inputs that broadcast", 13, "Max", [(2, 3, 4), (3, 1)])
    yield simple("min", "two inputs that broadcast", 13, "Min", [(2, 3, 4), (4,)])
    yield simple("dropout", "nothing happens", 13, "Dropout", [(3, 7)])
    yield simple("identity", "nothing happens", 13, "Identity", [(3, 7)])
    pads, value = Tensor("int64", [0, 1, 2, 0, 3, 1]), Tensor("float32", 0.5)
    yield simple("pad", "with a number", 13, "Pad", [(2, 3, 4)], [("pads", pads), ("value", value)])
    limits = [(n, Tensor("int64", v)) for n, v in (("starts", [1, -1]), ("ends", [3, -6]), ("axes", [1, 2]),
                                                   ("steps", [1, -2]))]
    yield simple("slice", "two axes, one of them backwards", 13, "Slice", [(2, 3, 6)], limits)
    net = Net("split", "into unequal parts", 13)
    net.input("x", grid("split", (2, 5, 3)))
    net.const("sizes", Tensor("int64", [2, 3]))
    yield net.output(*net.nodes_of("Split", ["x", "sizes"], ["y0", "y1"], axis=1))
    yield simple("squeeze", "axes as an input", 13, "Squeeze", [(1, 3, 1, 4)], [("axes", Tensor("int64", [0, -2]))])
    yield simple("squeeze_opset11", "axes as an attribute", 11, "Squeeze", [(1, 3, 1, 4)], axes=[2])
    yield simple("squeeze_all", "every axis of one element", 13, "Squeeze", [(1, 3, 1, 4)])
    yield simple("unsqueeze", "axes as an input", 13, "Unsqueeze", [(3, 4)], [("axes", Tensor("int64", [0, -1]))])
    yield simple("unsqueeze_opset11", "axes as an attribute", 11, "Unsqueeze", [(3, 4)], axes=[1, 2])
    net = Net("shape_gather", "a shape that is computed from another", 13)
    net.checked = False  # ONNX's inference does not follow the shape
    net.input("x", grid("shape_gather", (2, 3, 4)))
    shape = net.node("Gather", [net.node("Shape", ["x"]), net.const("order", Tensor("int64", [2, 0, 1]))])
    yield net.output(net.node("Reshape", ["x", shape], "y"))


def cases():
    yield from _conv()
    yield from _gemm()
    yield from _elements()
    yield from _shapes()
    yield from _pools()
    yield from _softmax()
    yield from _rest()
