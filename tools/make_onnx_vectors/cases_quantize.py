# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""QuantizeLinear, DequantizeLinear and DynamicQuantizeLinear alone."""
import numpy as np

from net import Net
from tensors import Tensor, limits, random_codes, random_reals

OPSET = {"uint8": 13, "int8": 13, "uint16": 21, "int16": 21, "uint4": 21, "int4": 21, "uint2": 25, "int2": 25}
ZERO = {"uint8": 131, "int8": -7, "uint16": 32000, "int16": -1200, "uint4": 9, "int4": -2, "uint2": 1, "int2": -1}


def reals(values):
    return Tensor("float32", np.array(values, np.float32))


def _parameters(net, scale, zero, stored="raw"):
    net.const("scale", scale, stored)
    if zero is None:
        return ["x", "scale"]
    net.const("zero_point", zero, stored)
    return ["x", "scale", "zero_point"]


def quantize(name, about, opset, x, scale, zero, stored="raw", **attributes):
    """One QuantizeLinear."""
    net = Net(name, about, opset)
    net.input("x", x)
    return net.output(net.node("QuantizeLinear", _parameters(net, scale, zero, stored), "y", **attributes))


def dequantize(name, about, opset, x, scale, zero, stored="raw", x_stored=None, **attributes):
    """One DequantizeLinear; with x_stored its input is a constant."""
    net = Net(name, about, opset)
    if x_stored:
        net.const("x", x, x_stored)
    else:
        net.input("x", x)
    return net.output(net.node("DequantizeLinear", _parameters(net, scale, zero, stored), "y", **attributes))


def _per_tensor():
    for dtype in OPSET:
        low, high = limits(dtype)
        step, zero = 0.037, ZERO[dtype]
        reach = 1.3 * step * max(high - zero, zero - low)
        label = f"q_{dtype}"
        yield quantize(label, "per tensor, a few values saturate", OPSET[dtype],
                       random_reals(label, (3, 7), reach), reals(step), Tensor(dtype, zero))
        ties = (np.arange(-9, 10) / 2).astype(np.float32) * 0.25
        yield quantize(label + "_ties", "halves between codes go to the even code, before the zero point is added",
                       OPSET[dtype], reals(ties), reals(0.25), Tensor(dtype, zero))
    for opset in (10, 13, 19, 21, 23, 25):
        for dtype in ("uint8", "int8"):
            label = f"q_{dtype}_opset{opset}"
            yield quantize(label, "the same in another version", opset, random_reals(label, (2, 3, 5), 9.0),
                           reals(0.05), Tensor(dtype, ZERO[dtype]))
    yield quantize("q_no_zero_point", "no zero point: uint8, zero 0", 13,
                   random_reals("q_no_zero_point", (11,), 3.0), reals(0.0125), None)
    yield quantize("q_extremes", "infinities, the largest floats, both zeros and subnormals", 13,
                   reals([np.inf, -np.inf, 3.4e38, -3.4e38, 0.0, -0.0, 1e-45, -1e-45]), reals(0.1), Tensor("int8", 3))
    yield quantize("q_divide", "x / scale is not x * (1 / scale): quotients near halves", 13,
                   reals((np.arange(64) - 31.5).astype(np.float32) * np.float32(0.3)), reals(0.3), Tensor("int8", 0))
    yield quantize("q_typed_fields", "parameters in float_data and int32_data", 13,
                   random_reals("q_typed_fields", (6,), 3.0), reals(0.02), Tensor("int8", 5), "typed")
    yield quantize("q_constant_nodes", "parameters from Constant nodes", 13,
                   random_reals("q_constant_nodes", (6,), 3.0), reals(0.02), Tensor("uint8", 120), "node")
    yield quantize("q_scalar_as_vector", "parameters of shape [1]", 13,
                   random_reals("q_scalar_as_vector", (2, 4), 3.0), reals([0.02]), Tensor("uint8", [120]))
    yield quantize("q_rank0", "a number without dimensions", 13, reals(1.25), reals(0.5), Tensor("int8", 1))
    yield quantize("q_empty", "no elements", 13, reals(np.zeros((0, 3))), reals(0.5), Tensor("int8", 1))
    for dtype in ("int8", "int16", "uint4"):
        code = Tensor(dtype, 0).code
        yield quantize(f"q_output_dtype_{dtype}", "type from the attribute, no zero point", 21,
                       random_reals(f"q_output_dtype_{dtype}", (9,), 3.0), reals(0.1), None, output_dtype=code)
    integers = quantize("q_int32", "int32 values", 13, random_codes("q_int32", "int32", (12,), -900, 900), reals(4.0),
                        Tensor("int8", 1))
    integers.runtime = False
    yield integers
    half = random_reals("q_float16", (10,), 4.0)
    yield quantize("q_float16", "float16 values and scale", 19, Tensor("float16", half.array),
                   Tensor("float16", 0.0625), Tensor("int8", -3))


def _scales(label, shape):
    return Tensor("float32", 0.02 + np.abs(random_reals(label + " scale", shape, 0.08).array))


def _along(shape, axis, block):
    shape = list(shape)
    if not block:
        return [shape[axis]]
    shape[axis] = -(-shape[axis] // block)
    return shape


# dtype, shape, axis in the attribute (None: left out), block size, has a zero point
LAYOUTS = [
    ("uint8", (3, 4), 0, 0, True),
    ("int8", (2, 5, 3), None, 0, True),
    ("uint8", (2, 3, 4), -1, 0, True),
    ("int8", (2, 3, 4, 2), -3, 0, False),
    ("int16", (4, 3), 0, 0, True),
    ("uint4", (5, 3), 1, 0, True),
    ("int4", (3, 7), 0, 0, False),
    ("int2", (3, 5), 0, 0, True),
    ("uint8", (2, 6), 1, 3, True),
    ("int8", (4, 3), 0, 2, True),
    ("int8", (2, 8, 3), -2, 4, False),
    ("uint8", (2, 7), 1, 3, True),
    ("int16", (2, 8), 1, 4, True),
    ("uint4", (3, 8), 1, 4, True),
    ("int4", (16, 3), 0, 8, False),
    ("int4", (2, 3, 9), -1, 4, True),
    ("uint2", (2, 8), 1, 4, True),
    ("int2", (8, 3), 0, 4, False),
]


def _layouts():
    for dtype, shape, axis, block, has_zero in LAYOUTS:
        place = "default" if axis is None else f"{axis}".replace("-", "minus")
        label = f"{dtype}_axis_{place}" + (f"_block{block}" if block else "") + ("" if has_zero else "_no_zero_point")
        if block and shape[axis] % block:
            label += "_partial"
        around = _along(shape, 1 if axis is None else axis, block)
        scale = _scales(label, around)
        zero = random_codes(label + " zero", dtype, around) if has_zero else None
        given = zero
        attributes = {} if axis is None else {"axis": axis}
        opset = OPSET[dtype]
        if block:
            attributes["block_size"], opset = block, max(21, opset)
        if zero is None and dtype != "uint8":
            given = Tensor(dtype, np.zeros(around))  # the type has to come from somewhere
        about = "one scale per index of an axis" if not block else "one scale per block along an axis"
        reach = 0.05 * (limits(dtype)[1] - limits(dtype)[0])
        yield quantize("q_" + label, about, opset, random_reals(label, shape, reach), scale, given, **attributes)
        yield dequantize("dq_" + label, about, opset, random_codes(label, dtype, shape), scale, zero, **attributes)


def _dequantize():
    for dtype in OPSET:
        low, high = limits(dtype)
        count = min(high - low + 1, 256)
        every = np.linspace(low, high, count).round()
        yield dequantize(f"dq_{dtype}", "every code" if high < 256 else "codes over the whole range", OPSET[dtype],
                         Tensor(dtype, every), reals(0.037), Tensor(dtype, ZERO[dtype]))
    for opset in (10, 13, 19, 21, 23, 25):
        label = f"dq_int8_opset{opset}"
        yield dequantize(label, "the same in another version", opset, random_codes(label, "int8", (2, 3, 5)),
                         reals(0.05), Tensor("int8", -7))
    big = random_codes("dq_int32", "int32", (12,), -2**30, 2**30)
    yield dequantize("dq_int32", "int32, beyond what a float holds exactly", 13, big, reals(0.001), None)
    yield dequantize("dq_int32_axis_0", "a bias with one scale per channel", 13,
                     random_codes("dq_int32_axis_0", "int32", (5,), -9000, 9000), _scales("dq_int32_axis_0", [5]), None,
                     axis=0)
    yield dequantize("dq_no_zero_point", "no zero point", 10, random_codes("dq_no_zero_point", "uint8", (9,)),
                     reals(0.5), None)
    for dtype, count in (("uint4", 7), ("int4", 9), ("uint2", 5), ("int2", 7)):
        for stored in ("raw", "typed"):
            label = f"dq_{dtype}_constant_{stored}"
            yield dequantize(label, "a packed constant whose last byte is not full", OPSET[dtype],
                             random_codes(label, dtype, (count,)), reals(0.5), Tensor(dtype, ZERO[dtype]),
                             x_stored=stored, stored=stored)
    yield dequantize("dq_float16", "float16 scale, so a float16 result", 19, random_codes("dq_float16", "uint8", (10,)),
                     Tensor("float16", 0.0625), Tensor("uint8", 130))


def _dynamic():
    label = "dynamic_"
    data = {
        "random": random_reals(label + "random", (3, 7), 4.0),
        "positive": reals(np.linspace(0.5, 3.0, 11)),
        "negative": reals(np.linspace(-3.0, -0.25, 9)),
        "zeros": reals(np.zeros(5)),
        "one_value": reals([2.5]),
        "tie_of_zero_point": reals([-0.5, 254.5, 0.0, 1.0, 100.25]),
        "small": random_reals(label + "small", (2, 3, 4), 1e-30),
    }
    for name, x in data.items():
        net = Net(label + name, "range of the values and of zero", 11)
        net.input("x", x)
        yield net.output(*net.nodes_of("DynamicQuantizeLinear", ["x"], ["y", "y_scale", "y_zero_point"]))


def cases():
    yield from _per_tensor()
    yield from _layouts()
    yield from _dequantize()
    yield from _dynamic()
