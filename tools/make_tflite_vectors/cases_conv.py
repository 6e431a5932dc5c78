# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""CONV_2D, DEPTHWISE_CONV_2D and TRANSPOSE_CONV."""

from linear import CONTEST, SHIFT_1, Linear, extent

CONV_VERSION = {"int4": 7, "int4_per_tensor": 7, "hybrid": 5, "hybrid_per_tensor": 2,
                "hybrid_uint8": 2, "hybrid_int4": 5}
DEPTHWISE_VERSION = {"int4": 7, "hybrid": 6, "hybrid_int4": 6}


def conv(name, kind, shape, filters, window, padding="SAME", stride=(1, 1), dilation=(1, 1),
         activation="NONE", bias=True, groups=1, out_zero=None, out_scale=None, bounds=None):
    """CONV_2D of an NHWC `shape`; weights are [filters, height, width, channels / groups]."""
    n = Linear(f"conv_2d/{name}", kind, activation)
    n.contests(kind, out_scale)
    x = n.input(shape)
    depth = shape[3] // groups
    w = n.weights([filters, *window, depth], 0, window[0] * window[1] * depth, bounds)
    inputs = [x, w, n.bias() if bias else -1]
    out = [shape[0], *(extent(shape[i + 1], window[i], stride[i], padding, dilation[i])
                       for i in range(2)), filters]
    fields = {"padding": padding, "stride_h": stride[0], "stride_w": stride[1],
              "dilation_h_factor": dilation[0], "dilation_w_factor": dilation[1],
              "fused_activation_function": activation}
    version = CONV_VERSION.get(kind, 6 if groups > 1 else None)
    if kind.startswith("int16_bias32"):
        version, fields["quantized_bias_type"] = 8, "INT32"
    n.net.op("CONV_2D", inputs, [n.output(out, out_zero, out_scale)], "Conv2DOptions", fields,
             version)
    return name, n.net


def depthwise(name, kind, shape, multiplier, window, padding="SAME", stride=(1, 1),
              dilation=(1, 1), activation="NONE", bias=True, out_zero=None, out_scale=None,
              bounds=None):
    """DEPTHWISE_CONV_2D; weights are [1, height, width, channels * multiplier]."""
    n = Linear(f"depthwise_conv_2d/{name}", kind, activation)
    n.contests(kind, out_scale)
    x = n.input(shape)
    channels = shape[3] * multiplier
    w = n.weights([1, *window, channels], 3, window[0] * window[1], bounds)
    inputs = [x, w, n.bias()] if bias else [x, w]
    out = [shape[0], *(extent(shape[i + 1], window[i], stride[i], padding, dilation[i])
                       for i in range(2)), channels]
    fields = {"padding": padding, "stride_h": stride[0], "stride_w": stride[1],
              "depth_multiplier": multiplier, "fused_activation_function": activation,
              "dilation_h_factor": dilation[0], "dilation_w_factor": dilation[1]}
    version = DEPTHWISE_VERSION.get(kind)
    if version is None and kind in ("float32", "uint8") and dilation != (1, 1):
        version = 2
    n.net.op("DEPTHWISE_CONV_2D", inputs, [n.output(out, out_zero, out_scale)],
             "DepthwiseConv2DOptions", fields, version, 6 if kind == "int4" else None)
    return name, n.net


def transpose_conv(name, kind, shape, filters, window, padding="SAME", stride=(1, 1), out=None,
                   activation="NONE", bias=True, out_zero=None, out_scale=None, bounds=None):
    """TRANSPOSE_CONV; `out` is the height and width of the result."""
    n = Linear(f"transpose_conv/{name}", kind, activation)
    n.contests(kind, out_scale)
    if out is None:
        out = [shape[i + 1] * stride[i] if padding == "SAME"
               else (shape[i + 1] - 1) * stride[i] + window[i] for i in range(2)]
    result = [shape[0], *out, filters]
    x = n.input(shape)
    size = n.net.const("output_shape", "int32", result)
    w = n.weights([filters, *window, shape[3]], 0,
                  max(1, window[0] * window[1] * shape[3] // (stride[0] * stride[1])), bounds)
    inputs = [size, w, x, n.bias()] if bias else [size, w, x]
    fields = {"padding": padding, "stride_h": stride[0], "stride_w": stride[1],
              "fused_activation_function": activation}
    version = 4 if activation != "NONE" else 3 if bias else None
    if kind.startswith("int16_bias32"):
        version, fields["quantized_bias_type"] = 5, "INT32"
    y = n.output(result, out_zero, out_scale)
    n.net.op("TRANSPOSE_CONV", inputs, [y], "TransposeConvOptions", fields, version)
    return name, n.net


def conv_cases():
    """All kinds in all important forms, then options on int8 and what is special of a kind."""
    for kind in ("int8", "int8_per_tensor", "uint8", "int16", "int16_bias32", "int4", "hybrid",
                 "hybrid_per_tensor", "hybrid_int4", "float32"):
        yield conv(f"{kind}_3x3_same", kind, [1, 5, 6, 3], 4, (3, 3))
        yield conv(f"{kind}_3x2_valid_stride2", kind, [2, 7, 6, 3], 5, (3, 2), "VALID", (2, 2))
        yield conv(f"{kind}_1x1", kind, [1, 3, 4, 7], 6, (1, 1), "VALID")
    for kind in ("int8", "uint8", "int16", "hybrid", "float32"):
        yield conv(f"{kind}_dilation", kind, [1, 9, 8, 2], 3, (3, 3), "VALID", dilation=(2, 3))
        yield conv(f"{kind}_dilation_same", kind, [1, 7, 7, 2], 3, (3, 3), dilation=(2, 2))
        yield conv(f"{kind}_stride_3x2_same", kind, [1, 8, 7, 2], 3, (4, 3), "SAME", (3, 2))
    for activation in ("RELU", "RELU6", "RELU_N1_TO_1"):
        for kind in ("int8", "uint8", "int16", "float32"):
            zero = {"int8": -128, "uint8": 3}.get(kind) if activation != "RELU_N1_TO_1" else None
            yield conv(f"{kind}_{activation.lower()}", kind, [1, 4, 5, 3], 4, (3, 3),
                       activation=activation, out_zero=zero)
    for kind, (bounds, scale) in SHIFT_1.items():
        yield conv(f"{kind}_shift_1", kind, [1, 5, 6, 3], 6, (2, 2), bounds=bounds,
                   out_scale=scale)
    for kind, (bounds, scale) in CONTEST.items():
        yield conv(f"{kind}_product_of_scales", kind, [1, 1, 1, 2], 24, (1, 1), bounds=bounds,
                   out_scale=scale)
    yield conv("hybrid_relu6", "hybrid", [1, 4, 5, 3], 4, (3, 3), activation="RELU6")
    yield conv("int4_relu6", "int4", [1, 4, 5, 3], 4, (3, 3), activation="RELU6", out_zero=-128)
    yield conv("hybrid_uint8_3x3_same", "hybrid_uint8", [1, 5, 6, 3], 4, (3, 3))
    yield conv("int8_no_bias", "int8", [1, 3, 4, 7], 6, (1, 1), bias=False)
    yield conv("int8_groups", "int8", [1, 5, 5, 6], 9, (3, 3), groups=3)
    yield conv("int16_groups", "int16", [1, 5, 5, 6], 4, (2, 2), groups=2)
    yield conv("float32_groups", "float32", [1, 5, 5, 6], 4, (2, 2), groups=2)
    yield conv("int8_weights_minus_128", "int8_per_tensor", [1, 4, 4, 3], 3, (2, 2),
               bounds=(-128, 127))
    yield conv("int4_weights_minus_8", "int4", [1, 4, 4, 3], 3, (2, 2), bounds=(-8, 7))
    yield conv("int8_saturates", "int8", [1, 4, 4, 3], 4, (3, 3), out_scale=0.21)
    yield conv("int8_multiplier_above_1", "int8", [1, 4, 4, 3], 4, (3, 3), bounds=(-1, 1),
               out_scale=0.0009)
    yield conv("int8_tiny_multiplier", "int8", [1, 4, 4, 3], 4, (3, 3), out_scale=61.0)
    yield conv("uint8_saturates", "uint8", [1, 4, 4, 3], 4, (3, 3), out_scale=0.21)
    yield conv("int16_saturates", "int16", [1, 4, 4, 3], 4, (3, 3), out_scale=0.00021)
    yield conv("int8_window_of_input", "int8", [1, 5, 4, 3], 7, (5, 4), "VALID")
    yield conv("int8_window_above_input_same", "int8", [1, 2, 3, 2], 2, (5, 5))
    yield conv("int8_one_pixel", "int8", [1, 1, 1, 13], 11, (1, 1))
    yield conv("int8_one_dimension", "int8", [1, 1, 17, 3], 5, (1, 5), stride=(1, 2))


def depthwise_cases():
    """As for CONV_2D, and depth multipliers.

    Hybrid with one scale is missing: the runtime reads a scale per channel, past the end of it.
    """
    for kind in ("int8", "int8_per_tensor", "uint8", "int16", "int4", "hybrid", "float32"):
        yield depthwise(f"{kind}_3x3_same", kind, [1, 5, 6, 5], 1, (3, 3))
        yield depthwise(f"{kind}_multiplier3_valid", kind, [2, 6, 5, 2], 3, (3, 2), "VALID",
                        (2, 2))
    for kind in ("int8", "uint8", "int16", "hybrid", "float32"):
        yield depthwise(f"{kind}_dilation", kind, [1, 9, 8, 3], 1, (3, 3), "VALID",
                        dilation=(2, 3))
        yield depthwise(f"{kind}_dilation_same", kind, [1, 7, 7, 2], 2, (3, 3), dilation=(2, 2))
        yield depthwise(f"{kind}_no_bias", kind, [1, 4, 4, 3], 1, (2, 2), bias=False)
        yield depthwise(f"{kind}_relu6", kind, [1, 4, 5, 3], 1, (3, 3), activation="RELU6",
                        out_zero={"int8": -128, "uint8": 0}.get(kind))
    for kind in ("int8", "uint8", "int16"):
        yield depthwise(f"{kind}_shift_1", kind, [1, 5, 6, 5], 1, (3, 3), bounds=SHIFT_1[kind][0],
                        out_scale=SHIFT_1[kind][1])
    for kind in ("int8", "int8_per_tensor", "uint8"):
        yield depthwise(f"{kind}_product_of_scales", kind, [1, 1, 1, 24], 1, (1, 1),
                        bounds=CONTEST[kind][0], out_scale=CONTEST[kind][1])
    yield depthwise("int4_multiplier2_relu", "int4", [1, 5, 4, 3], 2, (2, 3), activation="RELU")
    yield depthwise("hybrid_int4_3x3_same", "hybrid_int4", [1, 5, 6, 5], 1, (3, 3))
    yield depthwise("int16_bias32", "int16_bias32", [1, 4, 4, 3], 1, (3, 3))
    yield depthwise("int8_relu", "int8", [1, 4, 5, 3], 2, (3, 3), activation="RELU", out_zero=-90)
    yield depthwise("int8_relu_n1_to_1", "int8", [1, 4, 5, 3], 1, (3, 3),
                    activation="RELU_N1_TO_1")
    yield depthwise("int8_one_channel_multiplier8", "int8", [1, 5, 5, 1], 8, (3, 3))
    yield depthwise("int8_stride_2x1", "int8", [1, 8, 5, 3], 1, (3, 5), stride=(2, 1))
    yield depthwise("int8_stride_1x3", "int8", [1, 5, 9, 3], 1, (3, 3), stride=(1, 3))
    yield depthwise("int8_saturates", "int8", [1, 4, 5, 3], 1, (3, 3), out_scale=0.11)
    yield depthwise("int8_multiplier_above_1", "int8", [1, 4, 5, 3], 1, (3, 3), bounds=(-1, 1),
                    out_scale=0.0008)
    yield depthwise("int8_17_channels", "int8", [1, 3, 3, 17], 1, (3, 3))


def transpose_conv_cases():
    """Strides, paddings and sizes that do not divide."""
    for kind in ("int8", "int8_per_tensor", "uint8", "int16", "int16_bias32", "float32"):
        yield transpose_conv(f"{kind}_3x3_same_stride2", kind, [1, 3, 4, 3], 4, (3, 3), "SAME",
                             (2, 2))
        yield transpose_conv(f"{kind}_2x3_valid_stride2", kind, [2, 3, 2, 2], 3, (2, 3), "VALID",
                             (2, 2))
        yield transpose_conv(f"{kind}_no_bias", kind, [1, 4, 3, 2], 3, (3, 3), bias=False)
    for kind in ("int8", "uint8", "int16", "float32"):
        yield transpose_conv(f"{kind}_relu6", kind, [1, 3, 3, 2], 3, (3, 3), "SAME", (2, 1),
                             activation="RELU6", out_zero={"int8": -120, "uint8": 5}.get(kind))
    for kind in ("int8", "uint8", "int16"):
        yield transpose_conv(f"{kind}_shift_1", kind, [1, 4, 4, 5], 5, (3, 3),
                             bounds=SHIFT_1[kind][0], out_scale=SHIFT_1[kind][1])
    for kind, (bounds, scale) in CONTEST.items():
        if kind == "int4_per_tensor":
            continue
        yield transpose_conv(f"{kind}_product_of_scales", kind, [1, 1, 1, 2], 24, (1, 1),
                             bounds=bounds, out_scale=scale)
    yield transpose_conv("int8_odd_output_same", "int8", [1, 3, 3, 2], 3, (3, 3), "SAME", (2, 2),
                         out=[5, 5])
    yield transpose_conv("int8_gap_between_windows", "int8", [1, 3, 3, 2], 2, (2, 2), "VALID",
                         (3, 3), out=[8, 8])
    for kind in ("int8", "uint8", "int16", "hybrid", "float32"):
        yield transpose_conv(f"{kind}_window_below_stride_same", kind, [1, 3, 2, 3], 3, (2, 1), "SAME", (3, 2))
    for kind in ("int8", "uint8", "float32"):
        yield transpose_conv(f"{kind}_window_below_stride_valid", kind, [2, 2, 3, 2], 3, (1, 3), "VALID", (2, 4),
                             out=[4, 12])
    yield transpose_conv("int8_window_below_stride_wide", "int8", [1, 2, 3, 2], 3, (1, 5), "SAME", (2, 2))
    yield transpose_conv("int8_relu", "int8", [1, 3, 3, 2], 3, (2, 2), activation="RELU")
    yield transpose_conv("int4_3x3_same", "int4", [1, 3, 3, 2], 3, (3, 3))
    yield transpose_conv("hybrid_3x3_same", "hybrid", [1, 3, 3, 2], 3, (3, 3))


CASES = {"CONV_2D": conv_cases, "DEPTHWISE_CONV_2D": depthwise_cases,
         "TRANSPOSE_CONV": transpose_conv_cases}
