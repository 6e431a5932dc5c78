# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operators on integers: QLinearConv, QLinearMatMul, MatMulInteger, ConvInteger, and moving codes about."""
import numpy as np

from net import Net
from tensors import Tensor, limits, random_codes, random_reals


def middle(dtype):
    """A zero point off the middle of the range."""
    low, high = limits(dtype)
    return (low + high + 1) // 2 + 3


def output_scale(x_scale, w_scale, terms, fill=1.0):
    """A scale with which sums of `terms` random products fill the output range; 4 digits."""
    spread = 74.0 * 74.0 * np.sqrt(terms)  # 74 = standard deviation of a random byte
    return float(f"{x_scale * w_scale * spread * 2.5 / 127 * fill:.4g}")


def qlinear_conv(name, about, x_shape, w_shape, types=("uint8", "int8", "uint8"), per_channel=True, bias=True,
                 w_zero=False, fill=1.0, batch_name=None, stored="raw", opset=10, **attributes):
    """One QLinearConv on random codes."""
    x_type, w_type, y_type = types
    net = Net(name, about, opset)
    net.input("x", random_codes(name + " x", x_type, x_shape), [batch_name, *x_shape[1:]] if batch_name else None)
    channels, terms = w_shape[0], int(np.prod(w_shape[1:]))
    x_scale = 0.0371
    w_scale = np.abs(random_reals(name + " w_scale", (channels,), 0.01).array) + 0.004 if per_channel else 0.0072
    net.scalar("x_scale", "float32", x_scale)
    net.scalar("x_zero_point", x_type, middle(x_type))
    net.const("w", random_codes(name + " w", w_type, w_shape), stored)
    net.const("w_scale", Tensor("float32", w_scale), stored)
    zero = middle(w_type) if w_zero or w_type == "uint8" else 0
    net.const("w_zero_point", Tensor(w_type, np.full(np.shape(w_scale), zero)), stored)
    net.scalar("y_scale", "float32", output_scale(x_scale, 0.009 if per_channel else w_scale, terms, fill))
    net.scalar("y_zero_point", y_type, middle(y_type))
    inputs = ["x", "x_scale", "x_zero_point", "w", "w_scale", "w_zero_point", "y_scale", "y_zero_point"]
    if bias:
        inputs.append(net.const("bias", random_codes(name + " bias", "int32", (channels,), -20000, 20000), stored))
    return net.output(net.node("QLinearConv", inputs, "y", **attributes))


def _qlinear_conv():
    u8, s8 = "uint8", "int8"
    x, w = (1, 3, 6, 7), (4, 3, 3, 3)
    make = qlinear_conv
    yield make("qconv_u8_u8", "uint8 weights with zero points", x, w, (u8, u8, u8), per_channel=False)
    yield make("qconv_u8_s8", "int8 weights, one scale", x, w, per_channel=False)
    yield make("qconv_s8_s8", "int8 throughout, one scale", x, w, (s8, s8, s8), per_channel=False)
    yield make("qconv_u8_s8_per_channel", "one weight scale per channel", x, w)
    yield make("qconv_s8_s8_per_channel", "one weight scale per channel", x, w, (s8, s8, s8))
    yield make("qconv_u8_u8_per_channel", "one scale and zero point per channel", x, w, (u8, u8, u8))
    yield make("qconv_s8_weight_zero_point", "int8 weights with a zero point", x, w, (s8, s8, s8), False, w_zero=True)
    yield make("qconv_no_bias", "bias left out", x, w, bias=False)
    yield make("qconv_saturates", "a third of the results saturate", x, w, (s8, s8, s8), fill=0.3)
    yield make("qconv_1x1", "pointwise", (1, 5, 4, 3), (7, 5, 1, 1))
    yield make("qconv_pads", "four different pads", x, w, pads=[0, 1, 2, 1])
    yield make("qconv_pads_s8", "padding is the zero point, not 0", x, w, (s8, s8, s8), pads=[1, 1, 1, 1])
    for auto in ("SAME_UPPER", "SAME_LOWER", "VALID"):
        yield make(f"qconv_auto_pad_{auto.lower()}", "pads from auto_pad", (1, 2, 6, 7), (3, 2, 2, 4), auto_pad=auto,
                   strides=[2, 3] if auto != "VALID" else [1, 2])
    yield make("qconv_strides", "two different strides", (1, 3, 7, 8), w, strides=[2, 3])
    yield make("qconv_dilations", "dilated", (1, 2, 9, 8), (3, 2, 3, 2), dilations=[2, 3])
    yield make("qconv_all_options", "pads, strides and dilations at once", (2, 4, 9, 8), (6, 2, 3, 2), group=2,
               pads=[1, 2, 0, 1], strides=[2, 1], dilations=[1, 2], kernel_shape=[3, 2])
    yield make("qconv_group_2", "two groups", (1, 4, 5, 5), (6, 2, 3, 3), group=2)
    yield make("qconv_depthwise", "one group per channel", (1, 5, 6, 5), (5, 1, 3, 3), group=5, pads=[1, 1, 1, 1])
    yield make("qconv_depthwise_s8_stride", "depthwise, stride 2", (1, 6, 7, 7), (6, 1, 3, 3), (s8, s8, s8), group=6,
               strides=[2, 2], pads=[1, 1, 1, 1])
    yield make("qconv_depthwise_multiplier", "two results per channel", (1, 3, 5, 5), (6, 1, 3, 3), group=3)
    yield make("qconv_1d", "one spatial axis", (2, 3, 11), (4, 3, 5), pads=[2, 1], strides=[2])
    yield make("qconv_1d_depthwise", "one spatial axis, depthwise, dilated", (1, 4, 13), (4, 1, 3), group=4,
               dilations=[3])
    yield make("qconv_batch", "batch of 3, extent named in the model", (3, 2, 5, 4), (3, 2, 3, 3), batch_name="n")
    yield make("qconv_typed_fields", "constants in int32_data and float_data", (1, 2, 4, 4), (3, 2, 3, 3),
               stored="typed")
    yield make("qconv_constant_nodes", "constants from Constant nodes", (1, 2, 4, 4), (3, 2, 3, 3), stored="node")
    for types in ((u8, s8, s8), (s8, u8, s8), (s8, s8, u8)):
        mixed = make("qconv_types_" + "_".join(types), "another combination of types", (1, 2, 4, 4), (3, 2, 3, 3),
                     types)
        mixed.runtime = False
        yield mixed
    yield make("qconv_opset_21", "the same in a newer set", (1, 2, 4, 4), (3, 2, 3, 3), opset=21)


def qlinear_matmul(name, about, a_shape, b_shape, types=("uint8", "int8", "uint8"), per_column=False, constant=True,
                   fill=1.0, opset=10):
    """One QLinearMatMul on random codes."""
    a_type, b_type, y_type = types
    net = Net(name, about, opset)
    net.input("a", random_codes(name + " a", a_type, a_shape))
    b = random_codes(name + " b", b_type, b_shape)
    net.const("b", b) if constant else net.input("b", b)
    a_scale = 0.0213
    count = (b_shape[-1],) if per_column else ()
    b_scale = np.abs(random_reals(name + " b_scale", count, 0.01).array) + 0.004 if per_column else 0.0065
    zeros = random_codes(name + " b_zero", b_type, count) if b_type == "uint8" else Tensor(b_type, np.zeros(count))
    if not per_column:
        zeros = Tensor(b_type, middle(b_type))
    net.scalar("a_scale", "float32", a_scale)
    net.scalar("a_zero_point", a_type, middle(a_type))
    net.const("b_scale", Tensor("float32", b_scale))
    net.const("b_zero_point", zeros)
    net.scalar("y_scale", "float32", output_scale(a_scale, 0.009 if per_column else b_scale, a_shape[-1], fill))
    net.scalar("y_zero_point", y_type, middle(y_type))
    inputs = ["a", "a_scale", "a_zero_point", "b", "b_scale", "b_zero_point", "y_scale", "y_zero_point"]
    return net.output(net.node("QLinearMatMul", inputs, "y"))


def _qlinear_matmul():
    u8, s8 = "uint8", "int8"
    make = qlinear_matmul
    yield make("qmatmul_u8_u8", "uint8 throughout", (5, 7), (7, 3), (u8, u8, u8))
    yield make("qmatmul_u8_s8", "int8 weights", (5, 7), (7, 3))
    yield make("qmatmul_s8_s8", "int8 throughout", (4, 33), (33, 6), (s8, s8, s8))
    yield make("qmatmul_u8_s8_per_column", "a scale per column", (5, 9), (9, 4), per_column=True)
    yield make("qmatmul_u8_u8_per_column", "a scale and a zero point per column", (3, 9), (9, 4), (u8, u8, u8), True)
    yield make("qmatmul_s8_s8_per_column", "a scale per column", (3, 9), (9, 5), (s8, s8, s8), True)
    yield make("qmatmul_two_activations", "nothing constant", (5, 7), (7, 3), (u8, u8, u8), constant=False)
    yield make("qmatmul_batch", "three dimensions on both sides", (2, 3, 5), (2, 5, 4), (s8, s8, s8), constant=False)
    yield make("qmatmul_batch_of_left", "one matrix for the whole batch", (2, 3, 5), (5, 4), (u8, s8, u8))
    yield make("qmatmul_batch_broadcast", "batches [2,1] and [1,3]", (2, 1, 2, 5), (1, 3, 5, 3), (u8, u8, u8),
               constant=False)
    yield make("qmatmul_depth_1", "an outer product", (4, 1), (1, 5))
    yield make("qmatmul_one_row", "a vector by a matrix, as [1, K]", (1, 16), (16, 10), (s8, s8, s8))
    yield make("qmatmul_saturates", "a third of the results saturate", (6, 8), (8, 5), (s8, s8, s8), fill=0.3)
    for types in ((s8, u8, s8), (u8, u8, s8), (s8, s8, u8)):
        mixed = make("qmatmul_types_" + "_".join(types), "another combination of types", (3, 5), (5, 4), types)
        mixed.runtime = False
        yield mixed
    yield make("qmatmul_opset_21", "the same in a newer set", (3, 8), (8, 5), (s8, s8, s8), opset=21)


def matmul_integer(name, about, a_shape, b_shape, types=("uint8", "int8"), zeros=(True, True), per_column=False,
                   constant=True):
    """One MatMulInteger."""
    net = Net(name, about, 10)
    net.input("a", random_codes(name + " a", types[0], a_shape))
    b = random_codes(name + " b", types[1], b_shape)
    net.const("b", b) if constant else net.input("b", b)
    inputs = ["a", "b", None, None]
    if zeros[0]:
        inputs[2] = net.scalar("a_zero_point", types[0], middle(types[0]))
    if zeros[1]:
        zero = random_codes(name + " b_zero", types[1], (b_shape[-1],)) if per_column else \
            Tensor(types[1], middle(types[1]))
        inputs[3] = net.const("b_zero_point", zero)
    return net.output(net.node("MatMulInteger", inputs, "y"))


def _matmul_integer():
    u8, s8 = "uint8", "int8"
    make = matmul_integer
    yield make("matmul_integer_u8_s8", "both zero points", (3, 7), (7, 5))
    yield make("matmul_integer_u8_u8", "both zero points", (3, 7), (7, 5), (u8, u8))
    yield make("matmul_integer_s8_s8", "both zero points", (3, 7), (7, 5), (s8, s8))
    yield make("matmul_integer_s8_u8", "both zero points", (3, 7), (7, 5), (s8, u8))
    yield make("matmul_integer_no_zero_points", "both left out", (3, 7), (7, 5), zeros=(False, False))
    yield make("matmul_integer_only_right", "the left zero point is an empty name", (3, 7), (7, 5), zeros=(False, True))
    yield make("matmul_integer_only_left", "the right zero point left out", (3, 7), (7, 5), zeros=(True, False))
    yield make("matmul_integer_per_column", "a zero point per column", (4, 6), (6, 5), (u8, u8), per_column=True)
    yield make("matmul_integer_batch", "one matrix for the whole batch", (2, 3, 6), (6, 5))
    yield make("matmul_integer_activations", "four dimensions, nothing constant", (2, 2, 3, 5), (2, 2, 5, 4), (u8, u8),
               constant=False)
    yield make("matmul_integer_deep", "sums beyond 24 bits", (2, 700), (700, 3), zeros=(False, False))


def conv_integer(name, about, x_shape, w_shape, types=("uint8", "uint8"), zeros=(True, True), **attributes):
    """One ConvInteger."""
    net = Net(name, about, 10)
    net.input("x", random_codes(name + " x", types[0], x_shape))
    net.const("w", random_codes(name + " w", types[1], w_shape))
    inputs = ["x", "w", None, None]
    for i in (0, 1):
        if zeros[i]:
            inputs[2 + i] = net.scalar("xw"[i] + "_zero_point", types[i], middle(types[i]))
    return net.output(net.node("ConvInteger", inputs, "y", **attributes))


def _conv_integer():
    make = conv_integer
    yield make("conv_integer", "both zero points", (1, 2, 5, 6), (3, 2, 3, 3))
    yield make("conv_integer_no_zero_points", "both left out", (1, 2, 5, 6), (3, 2, 3, 3), zeros=(False, False))
    yield make("conv_integer_pads", "padding is the zero point of x", (1, 2, 5, 6), (3, 2, 3, 3),
               zeros=(True, False), pads=[1, 0, 1, 2])
    yield make("conv_integer_s8_weights", "uint8 by int8", (1, 2, 5, 6), (3, 2, 3, 3), ("uint8", "int8"), (True, False))
    yield make("conv_integer_s8_s8", "int8 throughout", (1, 2, 5, 6), (3, 2, 3, 3), ("int8", "int8"))
    yield make("conv_integer_strides_group", "stride 2, two groups", (2, 4, 7, 6), (4, 2, 3, 2), group=2,
               strides=[2, 2])
    yield make("conv_integer_dilations", "dilated, same padding", (1, 2, 7, 6), (3, 2, 3, 3), dilations=[2, 2],
               auto_pad="VALID")
    yield make("conv_integer_1d", "one spatial axis", (1, 3, 9), (4, 3, 3), pads=[1, 1])


def moving(name, about, op, shapes, opset, dtype="int8", constants=(), **attributes):
    """One operator that only moves codes about, or compares them."""
    net = Net(name, about, opset)
    inputs = [net.input(f"x{i}" if len(shapes) > 1 else "x", random_codes(f"{name} {i}", dtype, shape))
              for i, shape in enumerate(shapes)]
    for label, tensor in constants:
        inputs.append(tensor and net.const(label, tensor))
    return net.output(net.node(op, inputs, "y", **attributes))


def _moving():
    shape = Tensor("int64", [0, -1])
    yield moving("maxpool_int8", "codes compared", "MaxPool", [(1, 2, 5, 6)], 12, kernel_shape=[3, 2],
                 pads=[1, 0, 1, 1], strides=[2, 2])
    yield moving("maxpool_uint8", "codes compared; padding never wins", "MaxPool", [(1, 2, 5, 6)], 12, "uint8",
                 kernel_shape=[2, 2], pads=[1, 1, 0, 0])
    yield moving("concat_int8", "codes side by side", "Concat", [(2, 3, 2), (2, 1, 2)], 13, axis=1)
    yield moving("reshape_int8", "0 and -1", "Reshape", [(2, 3, 4)], 13, constants=[("shape", shape)])
    yield moving("transpose_uint8", "a permutation", "Transpose", [(2, 3, 4)], 13, "uint8", perm=[2, 0, 1])
    yield moving("flatten_int8", "axis 2", "Flatten", [(2, 3, 4)], 13, axis=2)
    yield moving("relu_int8", "codes against 0", "Relu", [(3, 7)], 14)
    yield moving("clip_int8", "codes against limits", "Clip", [(3, 7)], 13,
                 constants=[("lowest", Tensor("int8", -20)), ("highest", Tensor("int8", 90))])
    yield moving("clip_uint8_above", "only an upper limit", "Clip", [(3, 7)], 12, "uint8",
                 constants=[("lowest", None), ("highest", Tensor("uint8", 90))])


def cases():
    yield from _qlinear_conv()
    yield from _qlinear_matmul()
    yield from _matmul_integer()
    yield from _conv_integer()
    yield from _moving()
