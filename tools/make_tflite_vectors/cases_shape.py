# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Operators that move elements without changing them."""

import numpy as np

import values
from net import Net

QUANT = {"int8": (0.0371, -11), "uint8": (0.0371, 117), "int16": (0.000213, 0)}
TYPES = ("int8", "uint8", "int16", "float32")


def quant(dtype):
    """Scale and zero point of every tensor here."""
    return QUANT.get(dtype, (None, 0))


def moved(op, name, dtype, shape, constants, result, options=None, fields=None, version=None,
          reference_version=None):
    """One input, constants of int32 (or given as arrays), one output."""
    net = Net(f"{op.lower()}/{name}")
    x = net.input("input", dtype, shape, *quant(dtype))
    inputs = [x]
    for label, data in constants:
        data = data if isinstance(data, np.ndarray) else np.array(data, np.int32)
        inputs.append(net.const(label, str(data.dtype), data))
    y = net.output("output", dtype, result, *quant(dtype))
    net.op(op, inputs, [y], options, fields, version, reference_version)
    return name, net


def numbered(shape):
    """An array of the shape, to find out shapes of results with."""
    return np.empty(shape, np.int8)


def reshape_cases():
    """The shape as a tensor, as an option, and with a -1."""
    for dtype in TYPES:
        yield moved("RESHAPE", f"{dtype}_flatten", dtype, [2, 3, 4], [("shape", [2, 12])], [2, 12],
                    "ReshapeOptions", {"new_shape": [2, 12]})
    for name, target, result in (("inferred", [-1, 6], [4, 6]), ("to_rank_1", [-1], [24]),
                                 ("to_rank_5", [2, 1, 3, 1, 4], [2, 1, 3, 1, 4])):
        yield moved("RESHAPE", f"int8_{name}", "int8", [2, 3, 4], [("shape", target)], result)
    yield moved("RESHAPE", "int8_by_option", "int8", [2, 3, 4], [], [6, 4], "ReshapeOptions",
                {"new_shape": [6, 4]})
    yield moved("RESHAPE", "int8_by_option_inferred", "int8", [2, 3, 4], [], [3, 8],
                "ReshapeOptions", {"new_shape": [3, -1]})


def squeeze_cases():
    """Named, negative and all extents of one."""
    for dtype in TYPES:
        yield moved("SQUEEZE", f"{dtype}_axes", dtype, [1, 3, 1, 4], [], [3, 1, 4],
                    "SqueezeOptions", {"squeeze_dims": [0]})
    for name, axes, result in (("all", [], [3, 4]), ("negative", [-2], [1, 3, 4]),
                               ("two", [0, 2], [3, 4])):
        yield moved("SQUEEZE", f"int8_{name}", "int8", [1, 3, 1, 4], [], result, "SqueezeOptions",
                    {"squeeze_dims": axes})


def expand_cases():
    """Every position, the axis with and without a dimension of its own."""
    for dtype in TYPES:
        yield moved("EXPAND_DIMS", f"{dtype}_axis_1", dtype, [3, 4], [("axis", [1])], [3, 1, 4],
                    "ExpandDimsOptions")
    for axis, result in ((0, [1, 3, 4]), (2, [3, 4, 1]), (-1, [3, 4, 1]), (-3, [1, 3, 4])):
        name = f"int8_axis_{axis}".replace("-", "minus_")
        yield moved("EXPAND_DIMS", name, "int8", [3, 4], [("axis", axis)], result,
                    "ExpandDimsOptions")


def transpose_cases():
    """Permutations of ranks 1 to 6."""
    for dtype in TYPES:
        for order in ([0, 3, 1, 2], [0, 2, 3, 1], [3, 2, 1, 0]):
            shape = [2, 3, 4, 5]
            yield moved("TRANSPOSE", f"{dtype}_{''.join(map(str, order))}", dtype, shape,
                        [("order", order)], [shape[i] for i in order], "TransposeOptions")
    for order in ([0], [1, 0], [2, 0, 1], [1, 0, 2], [0, 1, 2, 3], [4, 1, 3, 0, 2],
                  [5, 0, 4, 1, 3, 2]):
        shape = [3, 2, 4, 1, 2, 3][:len(order)]
        yield moved("TRANSPOSE", f"int8_rank_{len(order)}_{''.join(map(str, order))}", "int8",
                    shape, [("order", order)], [shape[i] for i in order], "TransposeOptions",
                    version={5: 4, 6: 6}.get(len(order)))
    yield moved("TRANSPOSE", "int8_negative_axes", "int8", [2, 3, 4], [("order", [-1, 0, 1])],
                [4, 2, 3], "TransposeOptions")


def slice_cases():
    """Offsets and sizes; -1 takes what is left."""
    for dtype in TYPES:
        yield moved("SLICE", f"{dtype}_inner", dtype, [2, 5, 4, 3],
                    [("begin", [0, 1, 2, 0]), ("size", [2, 3, 1, 2])], [2, 3, 1, 2], "SliceOptions")
    yield moved("SLICE", "int8_rest", "int8", [4, 5, 6],
                [("begin", [1, 0, 2]), ("size", [-1, 2, -1])], [3, 2, 4], "SliceOptions")
    yield moved("SLICE", "int8_int64_bounds", "int8", [4, 5],
                [("begin", np.array([1, 2])), ("size", np.array([3, -1]))], [3, 3], "SliceOptions")
    yield moved("SLICE", "int8_rank_1", "int8", [17], [("begin", [3]), ("size", [9])], [9],
                "SliceOptions")
    yield moved("SLICE", "int8_rank_5", "int8", [2, 3, 2, 3, 2],
                [("begin", [1, 0, 0, 1, 0]), ("size", [1, 2, 2, 2, -1])], [1, 2, 2, 2, 2],
                "SliceOptions", version=5)


def strided(name, dtype, shape, begin, end, strides, result, version=None, **masks):
    """STRIDED_SLICE; masks have one bit per entry of `begin`."""
    version = version or (4 if len(shape) > 4 else None)
    return moved("STRIDED_SLICE", name, dtype, shape,
                 [("begin", begin), ("end", end), ("strides", strides)], result,
                 "StridedSliceOptions", masks, version, 4 if (version or 0) > 4 else None)


def strided_cases():
    """Steps of both signs, all masks, indices from the end and beyond it."""
    for dtype in TYPES:
        yield strided(f"{dtype}_steps", dtype, [1, 7, 6, 3], [0, 1, 0, 0], [1, 7, 6, 3],
                      [1, 2, 3, 1], [1, 3, 2, 3])
        yield strided(f"{dtype}_backwards", dtype, [2, 5, 4], [0, 4, 3], [2, 0, 0], [1, -1, -2],
                      [2, 4, 2])
    yield strided("int8_rank_1", "int8", [13], [2], [11], [4], [3])
    yield strided("int8_negative_indices", "int8", [5, 6], [-4, -3], [-1, -1], [1, 1], [3, 2])
    yield strided("int8_beyond_the_end", "int8", [5, 6], [-9, 2], [9, 99], [2, 1], [3, 4])
    yield strided("int8_begin_mask", "int8", [5, 6], [3, 2], [4, 5], [1, 1], [4, 3], begin_mask=1)
    yield strided("int8_end_mask", "int8", [5, 6], [1, 2], [2, 3], [1, 1], [1, 4], end_mask=2)
    yield strided("int8_both_masks_backwards", "int8", [5, 6], [1, 1], [2, 2], [-1, -2], [5, 3],
                  begin_mask=3, end_mask=3)
    yield strided("int8_shrink", "int8", [3, 4, 5], [1, 0, -2], [2, 4, -1], [1, 1, 1], [4],
                  shrink_axis_mask=5)
    yield strided("int8_shrink_last", "int8", [1, 4, 5], [0, 0, 3], [1, 4, 4], [1, 1, 1], [1, 4],
                  shrink_axis_mask=4)
    yield strided("int8_ellipsis", "int8", [2, 3, 4, 5], [1, 0, 1], [2, 0, 4], [1, 1, 2],
                  [1, 3, 4, 2], version=6, ellipsis_mask=2)
    yield strided("int8_new_axis", "int8", [3, 4], [0, 0, 1], [3, 0, 3], [1, 1, 1], [3, 1, 2],
                  version=6, new_axis_mask=2)
    yield strided("int8_ellipsis_and_new_axis", "int8", [2, 3, 4], [0, 0, 2], [0, 0, 4],
                  [1, 1, 1], [2, 3, 1, 2], version=6, ellipsis_mask=1, new_axis_mask=2)
    yield strided("int8_fewer_indices_than_axes", "int8", [4, 3, 2], [1], [3], [1], [2, 3, 2])
    yield strided("int8_offset", "int8", [5, 6], [1, 2], [3, 2], [1, 1], [3, 2], version=8,
                  offset=True)
    yield strided("int8_rank_5", "int8", [2, 3, 2, 3, 2], [0, 2, 0, 0, 1], [2, 0, 2, 3, 2],
                  [1, -1, 1, 2, 1], [2, 2, 2, 2, 1])


def concatenation(name, dtype, shapes, axis, quants=None, out_quant=None, constant=()):
    """Inputs with a scale each where the format permits; `constant` lists those in the file."""
    net = Net(f"concatenation/{name}")
    quants = quants or [quant(dtype)] * len(shapes)
    inputs = []
    for i, (shape, q) in enumerate(zip(shapes, quants)):
        if i in constant:
            data = values.codes(f"{net.key}/{i}", shape, *values.RANGE[dtype])
            inputs.append(net.const(f"input{i}", dtype, data, *q))
        else:
            inputs.append(net.input(f"input{i}", dtype, shape, *q))
    result = np.concatenate([numbered(s) for s in shapes], axis).shape
    y = net.output("output", dtype, result, *(out_quant or quant(dtype)))
    net.op("CONCATENATION", inputs, [y], "ConcatenationOptions", {"axis": axis})
    return name, net


def concatenation_cases():
    """Every axis, two to five inputs, scales that differ for uint8."""
    for dtype in TYPES:
        yield concatenation(f"{dtype}_channels", dtype, [[1, 3, 4, 2], [1, 3, 4, 5]], 3)
        yield concatenation(f"{dtype}_negative_axis", dtype, [[2, 3, 4], [2, 1, 4], [2, 2, 4]], -2)
        yield concatenation(f"{dtype}_first_axis", dtype, [[2, 5], [1, 5]], 0)
    yield concatenation("int8_five_inputs", "int8", [[2, i] for i in (3, 1, 4, 1, 5)], 1)
    yield concatenation("int8_constant", "int8", [[2, 3], [2, 4]], 1, constant=(1,))
    yield concatenation("int8_one_input", "int8", [[2, 3]], 0)
    yield concatenation("int8_rank_5", "int8", [[2, 1, 3, 2, 2], [2, 2, 3, 2, 2]], 1)
    yield concatenation("uint8_differing_scales", "uint8", [[2, 40], [2, 40], [2, 40]], 1,
                        [(0.031, 120), (0.057, 131), (0.0371, 117)])
    yield concatenation("uint8_differing_saturates", "uint8", [[1, 2, 3, 4], [1, 2, 3, 4]], 3,
                        [(0.11, 99), (0.02, 1)])
    for dtype in ("int8", "int16"):
        zero = 5 if dtype == "int8" else 0
        yield concatenation(f"{dtype}_differing_scales", dtype, [[2, 8], [2, 8]], 1,
                            [(0.031, zero), (0.057, -zero)], (0.05, zero))


def split(name, dtype, shape, axis, parts):
    """SPLIT into equal parts."""
    net = Net(f"split/{name}")
    a = net.const("axis", "int32", np.array(axis, np.int32))
    x = net.input("input", dtype, shape, *quant(dtype))
    result = list(shape)
    result[axis] //= parts
    outputs = [net.output(f"output{i}", dtype, result, *quant(dtype)) for i in range(parts)]
    net.op("SPLIT", [a, x], outputs, "SplitOptions", {"num_splits": parts})
    return name, net


def split_cases():
    """Every axis."""
    for dtype in TYPES:
        yield split(f"{dtype}_channels", dtype, [1, 3, 2, 6], 3, 2)
        yield split(f"{dtype}_negative_axis", dtype, [2, 9, 4], -2, 3)
    yield split("int8_first_axis", "int8", [4, 5], 0, 4)
    yield split("int8_one_part", "int8", [4, 5], 1, 1)
    yield split("int8_rank_1", "int8", [12], 0, 3)


def pad(name, dtype, shape, pads, value=None, wide=False, version=None):
    """PAD, or PADV2 when there is a value."""
    pads = np.array(pads, np.int64 if wide else np.int32)
    result = [e + int(p.sum()) for e, p in zip(shape, pads)]
    op = "PAD" if value is None else "PADV2"
    net = Net(f"{op.lower()}/{name}")
    x = net.input("input", dtype, shape, *quant(dtype))
    inputs = [x, net.const("paddings", str(pads.dtype), pads)]
    if value is not None:
        inputs.append(net.const("value", dtype, np.array([value]), *quant(dtype)))
    y = net.output("output", dtype, result, *quant(dtype))
    net.op(op, inputs, [y], "PadOptions" if value is None else "PadV2Options", {},
           version or (4 if len(shape) > 4 else None))
    return name, net


def pad_cases(op):
    """One side, both, every axis; ranks 1 to 5."""
    value = {"int8": -77, "uint8": 200, "int16": 1234, "float32": -2.5} if op == "PADV2" else {}
    for dtype in TYPES:
        v = value.get(dtype)
        yield pad(f"{dtype}_image", dtype, [1, 3, 4, 2], [[0, 0], [1, 2], [2, 1], [0, 0]], v)
        yield pad(f"{dtype}_every_axis", dtype, [2, 2, 3, 2], [[1, 0], [0, 1], [1, 1], [2, 1]], v)
    v = value.get("int8")
    yield pad("int8_rank_1", "int8", [7], [[3, 2]], v)
    yield pad("int8_rank_2", "int8", [3, 4], [[0, 1], [1, 0]], v)
    yield pad("int8_rank_5", "int8", [1, 2, 2, 3, 2], [[0, 0], [1, 0], [0, 1], [1, 1], [0, 0]], v)
    yield pad("int8_nothing", "int8", [3, 4], [[0, 0], [0, 0]], v)
    yield pad("int8_int64_paddings", "int8", [3, 4], [[1, 1], [0, 2]], v, wide=True)


CASES = {"RESHAPE": reshape_cases, "SQUEEZE": squeeze_cases, "EXPAND_DIMS": expand_cases,
         "TRANSPOSE": transpose_cases, "SLICE": slice_cases, "STRIDED_SLICE": strided_cases,
         "CONCATENATION": concatenation_cases, "SPLIT": split_cases}
CASES |= {op: (lambda op=op: pad_cases(op)) for op in ("PAD", "PADV2")}
