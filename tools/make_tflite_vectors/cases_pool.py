# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""AVERAGE_POOL_2D, MAX_POOL_2D, MEAN and both ways to resize."""

import numpy as np

import values
from linear import extent
from net import Net

QUANT = {"int8": (0.0371, -11), "uint8": (0.0371, 117), "int16": (0.000213, 0),
         "float32": (None, 0)}
TYPES = ("int8", "uint8", "int16", "float32")


def image(net, dtype, shape):
    """An input whose float values have exact sums."""
    data = values.reals(net.key + "/input", shape, -4, 4, 1 / 16) if dtype == "float32" else None
    return net.input("input", dtype, shape, *QUANT[dtype], data=data)


def pool(op, name, dtype, shape, window, stride=(1, 1), padding="VALID", activation="NONE"):
    """One of the pools; input and output share scale and zero point."""
    net = Net(f"{op.lower()}/{name}")
    x = image(net, dtype, shape)
    out = [shape[0], *(extent(shape[i + 1], window[i], stride[i], padding) for i in range(2)),
           shape[3]]
    y = net.output("output", dtype, out, *QUANT[dtype])
    net.op(op, [x], [y], "Pool2DOptions",
           {"padding": padding, "stride_h": stride[0], "stride_w": stride[1],
            "filter_height": window[0], "filter_width": window[1],
            "fused_activation_function": activation})
    return name, net


def pool_cases(op):
    """Paddings, strides and windows that do not divide, activations."""
    for dtype in TYPES:
        yield pool(op, f"{dtype}_2x2_stride2", dtype, [1, 4, 6, 5], (2, 2), (2, 2))
        yield pool(op, f"{dtype}_3x3_same", dtype, [2, 5, 4, 3], (3, 3), (1, 1), "SAME")
        yield pool(op, f"{dtype}_3x2_same_stride_2x3", dtype, [1, 7, 8, 2], (3, 2), (2, 3), "SAME")
        yield pool(op, f"{dtype}_whole_image", dtype, [1, 5, 7, 4], (5, 7))
        yield pool(op, f"{dtype}_relu", dtype, [1, 4, 5, 3], (2, 3), activation="RELU")
        yield pool(op, f"{dtype}_relu6", dtype, [1, 4, 5, 3], (2, 2), activation="RELU6")
    yield pool(op, "int8_relu_n1_to_1", "int8", [1, 4, 5, 3], (2, 2), activation="RELU_N1_TO_1")
    yield pool(op, "int8_1x1_stride2", "int8", [1, 5, 5, 3], (1, 1), (2, 2))
    yield pool(op, "int8_window_above_input_same", "int8", [1, 3, 4, 3], (5, 7), (1, 1), "SAME")
    yield pool(op, "int8_19_channels", "int8", [1, 3, 3, 19], (3, 3), (2, 2), "SAME")


def mean(name, dtype, shape, axes, keep=False, out_quant=None, scalar=False):
    """MEAN over `axes`, which may be negative, repeated, or one number without a dimension."""
    net = Net(f"mean/{name}")
    x = image(net, dtype, shape)
    a = net.const("axes", "int32", np.array(axes[0] if scalar else axes, np.int32))
    gone = {axis % len(shape) for axis in axes}
    out = [1 if i in gone else e for i, e in enumerate(shape) if keep or i not in gone]
    y = net.output("output", dtype, out, *(out_quant or QUANT[dtype]))
    net.op("MEAN", [x, a], [y], "ReducerOptions", {"keep_dims": keep})
    return name, net


def mean_cases():
    """The spatial form that has a path of its own, and all others."""
    for dtype in TYPES:
        other = {"int8": (0.0259, 7), "uint8": (0.0259, 99), "int16": (0.00015, 0)}.get(dtype)
        yield mean(f"{dtype}_spatial", dtype, [2, 4, 5, 3], [1, 2], True)
        yield mean(f"{dtype}_spatial_other_scale", dtype, [2, 4, 5, 3], [1, 2], True, other)
        yield mean(f"{dtype}_spatial_flat", dtype, [1, 3, 3, 7], [1, 2], False, other)
        yield mean(f"{dtype}_last_axis", dtype, [3, 4, 7], [-1], False, other)
        yield mean(f"{dtype}_first_axis_keep", dtype, [5, 2, 3], [0], True)
        yield mean(f"{dtype}_all_axes", dtype, [2, 3, 4], [0, 1, 2], False, other)
    yield mean("int8_axes_reversed", "int8", [2, 4, 5, 3], [2, 1], True, (0.0259, 7))
    yield mean("int8_negative_axes", "int8", [2, 4, 5, 3], [-3, -2], True, (0.0259, 7))
    yield mean("int8_repeated_axis", "int8", [2, 3, 4], [1, -2, 1], False, (0.0259, 7))
    yield mean("int8_scalar_axis", "int8", [2, 3, 4], [1], False, scalar=True)
    yield mean("int8_axes_1_and_3", "int8", [2, 3, 2, 5], [1, 3], True, (0.0259, 7))
    yield mean("int8_rank_5", "int8", [2, 3, 2, 2, 3], [1, 4], False, (0.0259, 7))
    yield mean("int8_saturates", "int8", [2, 4, 5, 3], [1, 2], True, (0.01, 60))
    yield mean("int8_extent_1", "int8", [2, 1, 1, 9], [1, 2], True, (0.05, 9))
    yield mean("float32_rank_1", "float32", [13], [0])


def resize(op, name, dtype, shape, size, align=False, half=False):
    """To `size` (height, width); scales are equal on both sides."""
    net = Net(f"{op.lower()}/{name}")
    x = image(net, dtype, shape)
    s = net.const("size", "int32", np.array(size, np.int32))
    y = net.output("output", dtype, [shape[0], *size, shape[3]], *QUANT[dtype])
    options = {"RESIZE_BILINEAR": "ResizeBilinearOptions",
               "RESIZE_NEAREST_NEIGHBOR": "ResizeNearestNeighborOptions"}[op]
    version = {"int16": 4}.get(dtype, 3 if half or (align and op != "RESIZE_BILINEAR") else None)
    net.op(op, [x, s], [y], options, {"align_corners": align, "half_pixel_centers": half}, version)
    return name, net


def resize_cases(op):
    """Up, down, to and from one pixel, in every mode."""
    for dtype in TYPES:
        for mode, align, half in (("plain", False, False), ("align", True, False),
                                  ("half", False, True)):
            yield resize(op, f"{dtype}_up_{mode}", dtype, [1, 3, 4, 2], (7, 6), align, half)
            yield resize(op, f"{dtype}_down_{mode}", dtype, [2, 7, 5, 3], (3, 2), align, half)
    for mode, align, half in (("plain", False, False), ("align", True, False),
                              ("half", False, True)):
        yield resize(op, f"int8_twice_{mode}", "int8", [1, 4, 3, 5], (8, 6), align, half)
        yield resize(op, f"int8_to_one_{mode}", "int8", [1, 4, 5, 3], (1, 1), align, half)
    yield resize(op, "int8_from_one", "int8", [1, 1, 1, 3], (4, 3))
    yield resize(op, "int8_same_size", "int8", [1, 4, 3, 2], (4, 3), False, True)
    yield resize(op, "int8_align_and_half", "int8", [1, 4, 3, 2], (7, 5), True, True)


CASES = {op: (lambda op=op: pool_cases(op)) for op in ("AVERAGE_POOL_2D", "MAX_POOL_2D")}
CASES["MEAN"] = mean_cases
CASES |= {op: (lambda op=op: resize_cases(op))
          for op in ("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR")}
