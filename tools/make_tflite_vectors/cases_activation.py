# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""SOFTMAX and the operators that map every element alone."""

import numpy as np

import values
from net import Net
from rounding import division_too, product_first, quotient, scales_in_contest

TYPES = ("int8", "uint8", "int16", "float32")
OPTIONS = {"LEAKY_RELU": "LeakyReluOptions", "HARD_SWISH": "HardSwishOptions"}


def every_code(dtype):
    """All codes of 8 bits; of 16 bits both ends, the middle, and steps between."""
    lowest, highest = values.RANGE[dtype]
    if dtype != "int16":
        return np.arange(lowest, highest + 1)
    return np.unique(np.concatenate([np.arange(lowest, highest, 331), np.arange(-40, 41),
                                     [lowest + 1, highest - 1, highest]]))


def mapped(op, name, dtype, quant, out_quant, fields=None, data=None, version=None):
    """One operator; without `data` it sees every code, or floats from -10 to 10."""
    net = Net(f"{op.lower()}/{name}")
    if data is None:
        data = np.linspace(-10, 10, 161) if dtype == "float32" else every_code(dtype)
    x = net.input("input", dtype, data.shape, *quant, data=data)
    y = net.output("output", dtype, data.shape, *out_quant)
    net.op(op, [x], [y], OPTIONS.get(op), fields, version)
    return name, net


NONE = (None, 0)


def sigmoid_cases(op):
    """The output scale is the one the format fixes; inputs narrow, usual, wide and off centre."""
    fixed = {"LOGISTIC": {"int8": (1 / 256, -128), "uint8": (1 / 256, 0), "int16": (1 / 32768, 0)},
             "TANH": {"int8": (1 / 128, 0), "uint8": (1 / 128, 128), "int16": (1 / 32768, 0)}}[op]
    yield mapped(op, "float32", "float32", NONE, NONE)
    for dtype, out in fixed.items():
        zero = 128 if dtype == "uint8" else 0
        unit = 1 / 256 if dtype == "int16" else 1
        for name, scale, shift in (("usual", 0.0637, 3), ("narrow", 0.0049, 0), ("wide", 0.41, -20),
                                   ("one_sided", 0.05, 100)):
            shift = 0 if dtype == "int16" else shift
            yield mapped(op, f"{dtype}_{name}", dtype, (scale * unit, zero + shift), out)
    for exponent in (-9, -11, -12, -13, -15):
        yield mapped(op, f"int16_power_of_two_{-exponent}", "int16", (2.0**exponent, 0),
                     fixed["int16"])


def relu_cases(op):
    """Equal and unequal scales on both sides."""
    yield mapped(op, "float32", "float32", NONE, NONE)
    for dtype, zero, other in (("int8", -7, -128), ("uint8", 121, 0), ("int16", 0, 0)):
        unit = 1 / 256 if dtype == "int16" else 1
        yield mapped(op, f"{dtype}_equal_scales", dtype, (0.0512 * unit, zero),
                     (0.0512 * unit, zero))
        yield mapped(op, f"{dtype}_finer_output", dtype, (0.0712 * unit, zero),
                     (0.0291 * unit, other))
        yield mapped(op, f"{dtype}_coarser_output", dtype, (0.0312 * unit, zero),
                     (0.0611 * unit, zero))


    middle = {"RELU": 0.05, "RELU6": 0.02, "RELU_N1_TO_1": 0.003}[op]
    for dtype, number, result in (("int8", 97, 41), ("uint8", 101, 47), ("int16", 20011, 9001)):
        zero = {"int8": -7, "uint8": 121}.get(dtype, 0)
        a, _, out = scales_in_contest(f"{op}/{dtype}", number, result, quotient,
                                      middle * (1 if number < 128 else 1 / 256))
        data = np.arange(number - 20, number + 21) if dtype == "int16" else None
        yield mapped(op, f"{dtype}_quotient_of_scales", dtype, (a, zero), (out, zero), data=data)


def leaky_cases():
    """Slopes below and above one, zero and negative."""
    for alpha in (0.01, 0.3, 1.7, 0.0, -0.5):
        name = f"alpha_{alpha}".replace(".", "_").replace("-", "minus_")
        fields = {"alpha": alpha}
        yield mapped("LEAKY_RELU", f"float32_{name}", "float32", NONE, NONE, fields)
        yield mapped("LEAKY_RELU", f"int8_{name}", "int8", (0.05, -7), (0.043, 13), fields)
        yield mapped("LEAKY_RELU", f"uint8_{name}", "uint8", (0.05, 121), (0.043, 133), fields)
        yield mapped("LEAKY_RELU", f"int16_{name}", "int16", (0.0002, 0), (0.00017, 0), fields)
    for dtype, number, result in (("int8", 97, 41), ("int16", 20011, 9001)):
        data = None
        if dtype == "int16":
            data = np.concatenate([np.arange(-20, 21) - number, np.arange(-20, 21) + number])
        a, _, out = scales_in_contest(f"leaky/{dtype}", number, result, quotient)
        yield mapped("LEAKY_RELU", f"{dtype}_quotient_of_scales", dtype, (a, 0), (out, 0),
                     {"alpha": 0.1}, data)
        for name, ways in (("product_of_scales", product_first), ("division", division_too)):
            a, alpha, out = scales_in_contest(f"leaky/{dtype}", -number, -result, ways, b=0.3)
            yield mapped("LEAKY_RELU", f"{dtype}_alpha_{name}", dtype, (a, 0), (out, 0),
                         {"alpha": alpha}, data)
    yield mapped("LEAKY_RELU", "int8_equal_scales", "int8", (0.05, 3), (0.05, 3), {"alpha": 0.2})


def hard_swish_cases():
    """Input ranges around the bends at -3 and 3."""
    yield mapped("HARD_SWISH", "float32", "float32", NONE, NONE)
    for dtype, middle in (("int8", 0), ("uint8", 128)):
        for name, scale, shift, out, out_shift in (
                ("usual", 0.0471, -9, 0.0353, -110), ("narrow", 0.0051, 4, 0.0037, 3),
                ("wide", 0.31, 11, 0.23, -100), ("equal_scales", 0.05, 0, 0.05, 0),
                ("saturates", 0.07, 0, 0.011, -20)):
            yield mapped("HARD_SWISH", f"{dtype}_{name}", dtype, (scale, middle + shift),
                         (out, middle + out_shift))


def softmax(name, dtype, shape, beta=1.0, scale=None, zero=0, out=None, data=None):
    """Over the last axis; `out` is the type of the result if it is another one."""
    net = Net(f"softmax/{name}")
    out = out or dtype
    fixed = {"int8": (1 / 256, -128), "uint8": (1 / 256, 0), "int16": (1 / 32768, 0)}
    if out == "int16" and dtype != "int16":
        fixed["int16"] = (1 / 65536, -32768)
    x = net.input("input", dtype, shape, scale, zero, data)
    y = net.output("output", out, shape, *fixed.get(out, NONE))
    net.op("SOFTMAX", [x], [y], "SoftmaxOptions", {"beta": beta})
    return name, net


def softmax_cases():
    """Ranks 1 to 4, betas, scales, rows of equal and of extreme codes."""
    for dtype in TYPES:
        zero = {"int8": -11, "uint8": 131}.get(dtype, 0)
        scale = {"int8": 0.0313, "uint8": 0.0313, "int16": 0.00017}.get(dtype)
        for rank, shape in enumerate(([13], [5, 11], [2, 3, 7], [1, 2, 3, 10]), 1):
            yield softmax(f"{dtype}_rank_{rank}", dtype, shape, 1.0, scale, zero)
        yield softmax(f"{dtype}_beta_half", dtype, [4, 12], 0.5, scale, zero)
        yield softmax(f"{dtype}_beta_2", dtype, [4, 12], 2.0, scale, zero)
        yield softmax(f"{dtype}_one_class", dtype, [3, 1], 1.0, scale, zero)
        if dtype != "float32":
            for name, factor in (("fine", 0.1), ("coarse", 30)):
                yield softmax(f"{dtype}_{name}", dtype, [4, 12], 1.0, scale * factor, zero)
            equal = np.full([2, 9], values.RANGE[dtype][0])
            yield softmax(f"{dtype}_equal_codes", dtype, [2, 9], 1.0, scale, zero, data=equal)
        if dtype in ("int8", "uint8"):
            yield softmax(f"{dtype}_to_int16", dtype, [4, 12], 1.0, scale, zero, "int16")
    yield softmax("int8_long", "int8", [2, 257], 1.0, 0.05, 0)


CASES = {op: (lambda op=op: sigmoid_cases(op)) for op in ("LOGISTIC", "TANH")}
CASES |= {op: (lambda op=op: relu_cases(op)) for op in ("RELU", "RELU6", "RELU_N1_TO_1")}
CASES |= {"LEAKY_RELU": leaky_cases, "HARD_SWISH": hard_swish_cases, "SOFTMAX": softmax_cases}
