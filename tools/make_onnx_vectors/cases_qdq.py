# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Float operators between DequantizeLinear and QuantizeLinear: what importers fuse to integer nodes."""
import numpy as np

from qdq import QdqNet
from tensors import Tensor


def conv(name, about, x_shape, w_shape, kind="int8", axis=0, bias="int32", after=None, reach=2.5, opset=13,
         from_float=False, w_kind="int8", coded=False, **attributes):
    """DQ - Conv - [Relu or Clip] - Q."""
    net = QdqNet(name, about, kind, opset, optimized=w_kind != "int2")  # its rewriting is not valid
    x = net.coded_input("x", x_shape) if coded else net.qdq(net.real_input("x", x_shape, 2.4), 2.0)
    w = net.weights(w_shape, axis, w_kind, from_float=from_float)
    inputs = [x, w]
    if bias == "int32":
        inputs.append(net.bias(x, w, w_shape[0]))
    elif bias == "float":
        inputs.append(net.const("b", Tensor("float32", np.linspace(-0.5, 0.7, w_shape[0]))))
    y = net.node("Conv", inputs, "conv", **attributes)
    zero = None
    if after == "relu":
        y = net.node("Relu", [y], "relu")
        zero = {"uint8": 0, "int8": -128}.get(kind)
    elif after == "relu_inside":
        y = net.node("Relu", [y], "relu")  # the zero point leaves codes below real 0
    elif after == "clip":
        limits = [net.scalar("lowest", "float32", 0.0), net.scalar("highest", "float32", 1.5)]
        y = net.node("Clip", [y, *limits], "clip")
    elif after == "clip_attributes":
        y = net.node("Clip", [y], "clip", min=0.0, max=1.5)
    return net.done(y, reach, coded, zero)


def _conv():
    x, w = (1, 3, 6, 7), (4, 3, 3, 3)
    for kind in ("uint8", "int8"):
        yield conv(f"conv_{kind}", "one weight scale per channel, int32 bias", x, w, kind)
        yield conv(f"conv_{kind}_codes", "graph input and output are codes", x, w, kind, coded=True)
        yield conv(f"conv_{kind}_relu", "Relu between, output zero point at the lowest code", x, w, kind, after="relu")
        yield conv(f"conv_{kind}_clip", "Clip between", x, w, kind, after="clip")
    yield conv("conv_relu_inside", "Relu between, output zero point inside the range", x, w, after="relu_inside")
    yield conv("conv_per_tensor", "one weight scale", x, w, axis=None)
    yield conv("conv_uint8_weights", "uint8 weights, zero point 128", x, w, "uint8", None, w_kind="uint8")
    yield conv("conv_no_bias", "bias left out", x, w, bias=None)
    yield conv("conv_float_bias", "a float bias", x, w, bias="float")
    yield conv("conv_float_weights", "weights stored as floats, then Q and DQ", x, w, from_float=True)
    yield conv("conv_depthwise", "one group per channel", (1, 5, 6, 5), (5, 1, 3, 3), group=5, pads=[1, 1, 1, 1])
    yield conv("conv_strided_same", "pads from auto_pad, stride 2", (2, 2, 7, 6), (3, 2, 3, 3), strides=[2, 2],
               auto_pad="SAME_UPPER")
    yield conv("conv_group_dilated", "two groups, dilated", (1, 4, 8, 7), (6, 2, 3, 3), group=2, dilations=[2, 2])
    yield conv("conv_1d", "one spatial axis", (1, 3, 12), (4, 3, 3), pads=[1, 1])
    yield conv("conv_saturates", "a third of the results saturate", x, w, reach=0.6)
    yield conv("conv_opset10", "before axes: one weight scale, Clip with attributes", x, w, "uint8", None, opset=10,
               after="clip_attributes")
    yield conv("conv_opset19", "a newer set", x, w, opset=19)
    yield conv("conv_opset21", "a newer set", x, w, opset=21)
    yield conv("conv_opset25", "a newer set", x, w, opset=25)
    yield conv("conv_int16", "16-bit activations, 8-bit weights", x, w, "int16", opset=21)
    yield conv("conv_uint16", "16-bit activations with a zero point", x, w, "uint16", opset=21)
    yield conv("conv_int4_weights", "4-bit weights, one scale per channel", x, w, opset=21, w_kind="int4")
    yield conv("conv_int2_weights", "2-bit weights, one scale per channel", x, w, opset=25, w_kind="int2")


def dense(name, about, op, x_shape, w_shape, kind="int8", axis=None, bias=True, coded=False, after=None, opset=13,
          w_kind="int8", reach=3.0, **attributes):
    """Gemm or MatMul with constant weights."""
    net = QdqNet(name, about, kind, opset)
    x = net.coded_input("x", x_shape) if coded else net.qdq(net.real_input("x", x_shape, 2.4), 2.0)
    w = net.weights(w_shape, axis, w_kind)
    inputs = [x, w]
    columns = w_shape[0] if attributes.get("transB") else w_shape[-1]
    if bias and op == "Gemm":
        inputs.append(net.bias(x, w, columns))
    y = net.node(op, inputs, "dense", **attributes)
    if bias and op == "MatMul":
        y = net.node("Add", [y, net.bias(x, w, columns)], "biased")
    if after:
        y = net.node(after, [y], "after")
    return net.done(y, reach, coded)


def _dense():
    yield dense("gemm", "weights [K, N], one scale", "Gemm", (4, 9), (9, 5))
    yield dense("gemm_trans_b", "weights [N, K], a scale per row", "Gemm", (4, 9), (5, 9), axis=0, transB=1)
    yield dense("gemm_uint8_relu", "Relu between", "Gemm", (4, 9), (5, 9), "uint8", 0, after="Relu", transB=1)
    yield dense("gemm_no_bias", "C left out", "Gemm", (2, 17), (17, 3), bias=False, coded=True)
    yield dense("gemm_codes", "graph input and output are codes", "Gemm", (3, 16), (8, 16), axis=0, coded=True,
                transB=1)
    yield dense("gemm_alpha", "alpha 0.5", "Gemm", (3, 8), (8, 4), bias=False, alpha=0.5)
    yield dense("gemm_int16", "16-bit activations", "Gemm", (3, 8), (4, 8), "int16", 0, opset=21, transB=1)
    yield dense("gemm_int4", "4-bit weights", "Gemm", (3, 8), (4, 8), axis=0, opset=21, w_kind="int4", transB=1)
    yield dense("matmul", "one scale", "MatMul", (4, 9), (9, 5), bias=False)
    yield dense("matmul_per_column", "a scale per column", "MatMul", (4, 9), (9, 5), axis=1, bias=False)
    yield dense("matmul_add", "the bias as an Add behind it", "MatMul", (4, 9), (9, 5), axis=1)
    yield dense("matmul_batch", "three dimensions", "MatMul", (2, 3, 8), (8, 5), "uint8", bias=False)
    net = QdqNet("matmul_activations", "both sides are activations", "uint8")
    a, b = (net.qdq(net.real_input(n, s), 2.0) for n, s in (("a", (2, 3, 5)), ("b", (2, 5, 4))))
    yield net.done(net.node("MatMul", [a, b], "product"), 6.0)


def between(name, about, op, shapes, kind="int8", reaches=(2.0, 2.0), out=2.0, opset=13, constants=(), same=False,
            **attributes):
    """DQ - op - Q; with `same` the output has the input's scale and zero point."""
    net = QdqNet(name, about, kind, opset)
    names = ["x"] if len(shapes) == 1 else [f"x{i}" for i in range(len(shapes))]
    zeros = [net.zero, net.zero if same else net.zero + 9]
    inputs = [net.qdq(net.real_input(n, s, r * 1.1), r, z) for n, s, r, z in zip(names, shapes, reaches, zeros)]
    inputs += [net.const(*c) for c in constants]
    return net.done(net.node(op, inputs, "between", **attributes), reaches[0] if same else out)


def _between():
    s = (1, 3, 4, 5)
    for kind in ("uint8", "int8"):
        yield between(f"add_{kind}", "three different scales", "Add", [s, s], kind, (2.0, 1.3), 3.1)
        yield between(f"mul_{kind}", "three different scales", "Mul", [s, s], kind, (2.0, 1.3), 2.2)
        yield between(f"sub_{kind}", "three different scales", "Sub", [s, s], kind, (2.0, 1.3), 3.1)
        yield between(f"concat_{kind}", "three different scales", "Concat", [s, (1, 2, 4, 5)], kind, (2.0, 1.3), 2.0,
                      axis=1)
        yield between(f"averagepool_{kind}", "other scale behind it", "AveragePool", [s], kind, out=1.4,
                      kernel_shape=[2, 3])
        yield between(f"sigmoid_{kind}", "output in [0, 1]", "Sigmoid", [(4, 8)], kind, (6.0,), 1.0)
        yield between(f"softmax_{kind}", "output in [0, 1]", "Softmax", [(3, 8)], kind, (6.0,), 1.0, axis=-1)
    yield between("add_broadcast", "[1, 3, 1, 1] on the right", "Add", [s, (1, 3, 1, 1)], out=3.1)
    yield between("add_saturates", "the sum saturates", "Add", [s, s], out=1.2)
    yield between("add_int16", "16 bits", "Add", [s, s], "int16", (2.0, 1.3), 3.1, 21)
    yield between("mul_broadcast", "a number per channel", "Mul", [s, (3, 1, 1)], out=2.2)
    yield between("concat_same", "equal scales: a copy", "Concat", [s, s], same=True, axis=-1)
    yield between("maxpool_same", "equal scales: codes compared", "MaxPool", [s], same=True, kernel_shape=[2, 2],
                  strides=[2, 2], pads=[0, 0, 1, 1])
    yield between("maxpool_other", "other scale behind it", "MaxPool", [s], out=1.7, kernel_shape=[2, 2])
    yield between("averagepool_same", "equal scales, padding does not count", "AveragePool", [s], same=True,
                  kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    yield between("averagepool_include_pad", "padding counts as real 0", "AveragePool", [s], out=1.4,
                  kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
    yield between("global_averagepool", "other scale behind it", "GlobalAveragePool", [s], out=0.9)
    yield between("global_averagepool_same", "equal scales", "GlobalAveragePool", [s], "uint8", same=True)
    yield between("tanh", "output in [-1, 1]", "Tanh", [(4, 8)], reaches=(3.0,), out=1.0)
    yield between("softmax_axis_1", "not the last axis", "Softmax", [(2, 4, 3)], reaches=(6.0,), out=1.0, axis=1)
    yield between("softmax_opset11", "axis 1 and all behind it", "Softmax", [(2, 4, 3)], "uint8", (6.0,), 1.0, 11,
                  axis=1)
    yield between("relu_other", "other scale behind it", "Relu", [s], out=1.5)
    yield between("relu_same", "equal scales", "Relu", [s], same=True)
    limits = [("lowest", Tensor("float32", -0.5)), ("highest", Tensor("float32", 1.0))]
    yield between("clip_same", "equal scales", "Clip", [s], same=True, constants=limits)
    shape = [("shape", Tensor("int64", [0, -1]))]
    yield between("reshape", "equal scales", "Reshape", [s], same=True, constants=shape)
    yield between("reshape_other", "a reshape and a requantize", "Reshape", [s], out=3.0, constants=shape)
    yield between("transpose", "equal scales", "Transpose", [s], same=True, perm=[0, 2, 3, 1])
    yield between("flatten", "equal scales", "Flatten", [s], same=True)


def _chains():
    net = QdqNet("requantize", "Q - DQ - Q - DQ with nothing between")
    yield net.done(net.qdq(net.real_input("x", (3, 7), 2.4), 2.0), 1.3)

    net = QdqNet("residual", "one dequantized tensor, two readers")
    x = net.qdq(net.real_input("x", (1, 4, 5, 5)), 2.0)
    w = net.weights((4, 4, 3, 3), 0)
    body = net.qdq(net.node("Conv", [x, w, net.bias(x, w, 4)], "conv", pads=[1, 1, 1, 1]), 2.5)
    yield net.done(net.node("Relu", [net.node("Add", [body, x], "sum")], "relu"), 3.5)

    net = QdqNet("two_outputs", "a tensor inside is an output too", "uint8")
    x = net.qdq(net.real_input("x", (2, 8)), 2.0)
    w = net.weights((6, 8), 0)
    hidden = net.qdq(net.node("Gemm", [x, w, net.bias(x, w, 6)], "dense", transB=1), 3.0)
    net.output(hidden)
    yield net.done(net.node("Sigmoid", [hidden], "sigmoid"), 1.0)

    net = QdqNet("float_between", "an operator that stays float between two that do not")
    x = net.qdq(net.real_input("x", (2, 8)), 2.0)
    w = net.weights((8, 6))
    y = net.node("Tanh", [net.node("MatMul", [x, w], "product")], "tanh")
    v = net.weights((6, 3))
    yield net.done(net.node("MatMul", [net.qdq(y, 1.0), v], "product2"), 1.5)

    net = QdqNet("unquantized_output", "the last operator has no Q behind it")
    x = net.qdq(net.real_input("x", (2, 8)), 2.0)
    w = net.weights((5, 8), 0)
    yield net.output(net.node("Gemm", [x, w, net.bias(x, w, 5)], "y", transB=1))

    net = QdqNet("named_batch", "batch extent named in the model")
    x = net.qdq(net.real_input("x", (3, 8), declared=["batch", 8]), 2.0)
    w = net.weights((5, 8), 0)
    yield net.done(net.node("Gemm", [x, w, net.bias(x, w, 5)], "dense", transB=1), 3.0)


def weight_only(name, about, op, x_shape, w_shape, opset=21, bias=False, **how):
    """Float activations, dequantized weights."""
    attributes = {k: how.pop(k) for k in ("transB", "pads") if k in how}
    net = QdqNet(name, about, opset=opset, optimized=False)  # stays a float product either way
    inputs = [net.real_input("x", x_shape), net.weights(w_shape, **how)]
    if bias:
        inputs.append(net.const("b", Tensor("float32", np.linspace(-1, 1, w_shape[0]))))
    return net.output(net.node(op, inputs, "y", **attributes))


def _weight_only():
    yield weight_only("weights_int8_matmul", "one scale", "MatMul", (3, 8), (8, 5), 13)
    yield weight_only("weights_int8_matmul_per_column", "a scale per column", "MatMul", (3, 8), (8, 5), 13, axis=1)
    yield weight_only("weights_int8_gemm", "a scale per row of [N, K]", "Gemm", (3, 8), (5, 8), 13, True, axis=0,
                      transB=1)
    yield weight_only("weights_int8_conv", "a scale per channel", "Conv", (1, 3, 5, 5), (4, 3, 3, 3), 13, True, axis=0,
                      pads=[1, 1, 1, 1])
    for kind, block, opset in (("int4", 16, 21), ("uint4", 32, 21), ("int4", 32, 25), ("int8", 16, 21),
                               ("int2", 16, 25), ("uint2", 16, 25)):
        yield weight_only(f"weights_{kind}_blocks_of_{block}_opset{opset}", "blocks along K of [K, N]", "MatMul",
                          (2, 64), (64, 6), opset, kind=kind, axis=0, block=block, zeros=kind[0] == "u")
    yield weight_only("weights_int4_blocks_rows", "blocks along K of [N, K]", "Gemm", (2, 32), (5, 32), 21, True,
                      kind="int4", axis=1, block=16, transB=1)
    yield weight_only("weights_uint4_per_column", "a scale and zero point per column", "MatMul", (2, 17), (17, 3), 21,
                      kind="uint4", axis=1, zeros=True)
    yield weight_only("weights_int4_batch", "three dimensions", "MatMul", (2, 3, 32), (32, 5), 21, kind="int4", axis=0,
                      block=16)


def cases():
    yield from _conv()
    yield from _dense()
    yield from _between()
    yield from _chains()
    yield from _weight_only()
