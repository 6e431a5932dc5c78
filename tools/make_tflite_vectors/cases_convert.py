# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""QUANTIZE and DEQUANTIZE."""

import numpy as np

import values
from net import Net
from rounding import quotient, scales_in_contest

QUANT = {"int8": (0.0431, -7), "uint8": (0.0391, 121), "int16": (0.000171, 0), "int4": (0.61, 0),
         "int32": (0.0000037, 0)}


def quantize_float(name, dtype, quant, data):
    """float32 to codes."""
    net = Net(f"quantize/{name}")
    data = np.asarray(data, np.float32)
    x = net.input("input", "float32", data.shape, data=data)
    y = net.output("output", dtype, data.shape, *quant)
    net.op("QUANTIZE", [x], [y], "QuantizeOptions", {}, 2 if dtype == "int16" else None)
    return name, net


def requantize(source, target, source_quant, target_quant, tail="", data=None):
    """Codes to codes; without `data` all of 8 bits or some of more."""
    name = f"{source}_to_{target}{tail}"
    net = Net(f"quantize/{name}")
    lowest, highest = values.RANGE[source]
    if data is not None:
        data = np.array(data)
    elif source in ("int8", "uint8"):
        data = np.arange(lowest, highest + 1)
    else:
        reach = min(highest, 3_000_000)
        data = values.codes(net.key, [200], -reach, reach)
    x = net.input("input", source, data.shape, *source_quant, data=data)
    y = net.output("output", target, data.shape, *target_quant)
    net.op("QUANTIZE", [x], [y], "QuantizeOptions", {}, 2 if target == "int16" else 1)
    return name, net


def quantize_cases():
    """From float: ties, ends, values beyond them; between all pairs of integer types."""
    for dtype in ("int8", "uint8", "int16"):
        scale, zero = QUANT[dtype]
        key = f"quantize/{dtype}"
        reach = scale * (values.RANGE[dtype][1] + 1) * 1.3
        yield quantize_float(f"float32_to_{dtype}", dtype, QUANT[dtype],
                             values.reals(key, [3, 50], -reach, reach))
        ties = np.arange(-40, 41) / 4  # halves are ties: they go away from zero
        yield quantize_float(f"float32_to_{dtype}_ties", dtype, (0.5, zero), ties)
        ends = [0.0, -0.0, 1e30, -1e30, 3.4e38, -3.4e38, 1e-40, -1e-40]
        yield quantize_float(f"float32_to_{dtype}_ends", dtype, QUANT[dtype], ends)
    net = Net("quantize/float32_to_int8_per_channel")
    x = net.input("input", "float32", [2, 3, 4])
    y = net.output("output", "int8", [2, 3, 4], [0.02, 0.03, 0.05, 0.04], [0, 3, -5, 7])
    net.tensors[y]["quantization"]["quantized_dimension"] = 2
    net.op("QUANTIZE", [x], [y], "QuantizeOptions", {}, 3)
    yield "float32_to_int8_per_channel", net
    for source in ("int8", "uint8", "int16", "int32"):
        for target in ("int8", "uint8", "int16", "int32"):
            if source == target == "int32":
                continue
            s, t = QUANT[source], QUANT[target]
            if source == target:
                t = (t[0] * 1.7, t[1] + (20 if t[1] else 0))
            if source == "int32":
                s = (t[0] * values.RANGE[target][1] / 2_500_000, 0)
            yield requantize(source, target, s, t)
    for source, target in (("int8", "uint8"), ("uint8", "int8")):
        zero = {"int8": 5, "uint8": 133}
        yield requantize(source, target, (0.05, zero[source]), (0.05, zero[target]), "_same_scale")
    yield requantize("int8", "int8", (0.05, 3), (0.02, -9), "_saturates")
    for source, target, number, result in (("int8", "int8", 97, 41), ("int8", "uint8", 97, 41),
                                           ("uint8", "uint8", 101, 47), ("int16", "int8", 999, 99),
                                           ("int16", "int16", 20011, 9001)):
        a, _, out = scales_in_contest(f"quantize/{source}/{target}", number, result, quotient)
        zero = {"int8": 3, "uint8": 120, "int16": 0}
        data = None if "8" in source else np.arange(number - 20, number + 21)
        yield requantize(source, target, (a, zero[source]), (out, zero[target]),
                         "_quotient_of_scales", data)


def dequantize(name, dtype, quant, data, version=None, axis=None, constant=False):
    """Codes to float32."""
    net = Net(f"dequantize/{name}")
    data = np.asarray(data)
    if constant:  # with something to feed, as a model without inputs is none
        x = net.const("input", dtype, data, *quant, axis=axis or 0)
        z = net.input("other", "float32", data.shape)
        y = net.tensor("floats", "float32", data.shape)
        net.op("DEQUANTIZE", [x], [y], "DequantizeOptions", {}, version)
        net.op("ADD", [y, z], [net.output("output", "float32", data.shape)], "AddOptions")
        return name, net
    x = net.input("input", dtype, data.shape, *quant, data=data)
    if axis is not None:
        net.tensors[x]["quantization"]["quantized_dimension"] = axis
    y = net.output("output", "float32", data.shape)
    net.op("DEQUANTIZE", [x], [y], "DequantizeOptions", {}, version)
    return name, net


def dequantize_cases():
    """Every code of 8 bits, some of 16, four bits and half floats as constants."""
    yield dequantize("int8", "int8", QUANT["int8"], np.arange(-128, 128))
    yield dequantize("uint8", "uint8", QUANT["uint8"], np.arange(256))
    yield dequantize("int16", "int16", QUANT["int16"],
                     values.codes("dequantize/int16", [4, 50], -32768, 32767))
    per_channel = ([0.02, 0.03, 0.05], [0, 3, -5])
    codes = values.codes("dequantize/per_channel", [2, 3, 4], -128, 127)
    yield dequantize("int8_per_channel", "int8", per_channel, codes, 5, axis=1)
    yield dequantize("int8_per_channel_constant", "int8", (per_channel[0], 0), codes[0], 5, 0, True)
    yield dequantize("int4_constant", "int4", (0.61, 0), np.arange(-8, 8), 6, constant=True)
    yield dequantize("int4_constant_odd", "int4", (0.61, 0), np.arange(-7, 8), 6, constant=True)
    halves = np.float16([0, -0.0, 1, -1.5, 65504, 6e-8, 0.3333])
    yield dequantize("float16_constant", "float16", (None,), halves, 3, constant=True)


CASES = {"QUANTIZE": quantize_cases, "DEQUANTIZE": dequantize_cases}
