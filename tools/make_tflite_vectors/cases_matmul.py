# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""FULLY_CONNECTED and BATCH_MATMUL."""

import math

import numpy as np

import values
from linear import CONTEST, SHIFT_1, Linear, rms
from net import Net
from rounding import division_too, product_first, scales_in_contest


def dense(name, kind, shape, units, activation="NONE", bias=True, keep=False, asymmetric=False,
          out_zero=None, out_scale=None, bounds=None, depth=None, data=None, fed_weights=False):
    """FULLY_CONNECTED; weights are [units, depth], depth is the last extent if not given."""
    n = Linear(f"fully_connected/{name}", kind, activation)
    n.contests(kind, out_scale)
    depth = depth or shape[-1]
    x = n.input(shape, data)
    if fed_weights:
        n.fan_in, n.channels, n.w_bounds, n.w_scales = depth, units, (-127, 127), [n.kind.w_scale]
        w = n.net.input("weights", n.kind.weight, [units, depth], n.kind.w_scale, 0, lowest=-127)
    else:
        w = n.weights([units, depth], 0, depth, bounds)
    inputs = [x, w, n.bias() if bias else -1]
    out = [*shape[:-1], units] if keep else [math.prod(shape) // depth, units]
    fields = {"fused_activation_function": activation, "keep_num_dims": keep,
              "asymmetric_quantize_inputs": asymmetric}
    version = {"int4": 10, "int4_per_tensor": 10, "hybrid": 12, "hybrid_uint8": 3,
               "hybrid_int4": 12, "hybrid_per_tensor": 9 if asymmetric else 3,
               }.get(kind, 5 if keep else None)
    if kind.startswith("int16_bias32"):
        version, fields["quantized_bias_type"] = 11, "INT32"
    n.net.op("FULLY_CONNECTED", inputs, [n.output(out, out_zero, out_scale)],
             "FullyConnectedOptions", fields, version)
    return name, n.net


def dense_cases():
    """All kinds, then ranks, options and extremes."""
    for kind in ("int8", "int8_per_tensor", "uint8", "int16", "int16_bias32", "int4", "hybrid",
                 "hybrid_per_tensor", "hybrid_int4", "float32"):
        yield dense(f"{kind}_plain", kind, [1, 31], 7)
        yield dense(f"{kind}_batch3_relu", kind, [3, 16], 5, "RELU")
        yield dense(f"{kind}_no_bias", kind, [2, 9], 4, bias=False)
    for kind in ("int16_per_tensor", "int16_bias32_per_tensor", "int4_per_tensor"):
        yield dense(f"{kind}_plain", kind, [2, 31], 7)
        yield dense(f"{kind}_relu", kind, [3, 16], 5, "RELU")
    for kind in ("int8_per_tensor", "uint8", "int16", "hybrid_per_tensor", "float32"):
        yield dense(f"{kind}_keep_dims", kind, [2, 3, 2, 8], 5, keep=True)
        yield dense(f"{kind}_flattens", kind, [2, 2, 3, 4], 5, depth=12)
    for kind in ("hybrid", "hybrid_per_tensor", "hybrid_int4"):
        yield dense(f"{kind}_asymmetric", kind, [3, 17], 5, asymmetric=True)
        zeros = values.reals("zeros", [3, 8], 0.5, 4)
        zeros[1] = 0
        yield dense(f"{kind}_row_of_zeros", kind, [3, 8], 4, data=zeros)
        yield dense(f"{kind}_row_of_zeros_asymmetric", kind, [3, 8], 4, data=zeros,
                    asymmetric=True)
    for kind in ("int8_per_tensor", "uint8", "int16", "float32"):
        yield dense(f"{kind}_relu6", kind, [5, 15], 5, "RELU6")
        yield dense(f"{kind}_relu_n1_to_1", kind, [5, 15], 5, "RELU_N1_TO_1")
    for kind, (bounds, scale) in SHIFT_1.items():
        yield dense(f"{kind}_shift_1", kind, [6, 14], 20, bounds=bounds, out_scale=scale)
    for kind, (bounds, scale) in CONTEST.items():
        yield dense(f"{kind}_product_of_scales", kind, [1, 4], 24, bounds=bounds, out_scale=scale)
    yield dense("int8_keep_dims", "int8", [1, 2, 3, 8], 5, keep=True)
    yield dense("int4_per_channel_odd_depth", "int4", [2, 13], 3)
    yield dense("int4_weights_minus_8", "int4", [2, 12], 3, bounds=(-8, 7))
    yield dense("int8_weights_minus_128", "int8_per_tensor", [2, 12], 3, bounds=(-128, 127))
    yield dense("int8_long", "int8_per_tensor", [1, 257], 3)
    yield dense("int8_one_by_one", "int8_per_tensor", [1, 1], 1)
    yield dense("int8_saturates", "int8_per_tensor", [2, 12], 6, out_scale=0.2)
    yield dense("int8_multiplier_above_1", "int8_per_tensor", [2, 12], 6, bounds=(-1, 1),
                out_scale=0.0008)
    yield dense("int8_fed_weights", "int8_per_tensor", [2, 12], 5, fed_weights=True)
    yield dense("int8_weight_zero_point", "int8_weight_zero", [2, 12], 5)
    yield dense("hybrid_uint8_plain", "hybrid_uint8", [2, 12], 5)
    yield dense("uint8_saturates", "uint8", [2, 12], 6, out_scale=0.2)
    yield dense("int16_saturates", "int16", [2, 12], 6, out_scale=0.0002)
    yield dense("int16_long", "int16", [1, 257], 3)


def matmul(name, dtype, left, right, adj=(False, False), constant=False, asymmetric=False,
           hybrid=False, zeros=(0, 0, 0)):
    """BATCH_MATMUL of the shapes as stored, that is before adj_x and adj_y."""
    net = Net(f"batch_matmul/{name}")
    key = net.key + "/right"
    rows, depth = left[-2:][::-1] if adj[0] else left[-2:]
    columns = right[-2] if adj[1] else right[-1]
    out = [*np.broadcast_shapes(tuple(left[:-2]), tuple(right[:-2])), rows, columns]
    scales, out_scale = {"int8": (0.031, 0.017), "int16": (0.00031, 0.00017)}.get(
        dtype, (None, None)), None
    if dtype != "float32":
        size = rms(*values.RANGE[dtype])
        out_scale = (scales[0] * scales[1] * size * size * math.sqrt(depth) * 4
                     / (values.RANGE[dtype][1] * 2))
        x = net.input("left", dtype, left, scales[0], zeros[0])
    else:
        x = net.input("left", dtype, left, data=values.reals(net.key + "/left", left, -4, 4,
                                                             0 if hybrid else 1 / 16))
    if hybrid:
        y = net.const("right", "int8", values.codes(key, right, -127, 127), 0.019)
    elif constant:
        data = (values.reals(key, right, -2, 2, 1 / 16) if dtype == "float32"
                else values.codes(key, right, *values.RANGE[dtype]))
        y = net.const("right", dtype, data, scales[1] if scales else None, zeros[1])
    elif dtype == "float32":
        y = net.input("right", dtype, right, data=values.reals(key, right, -2, 2, 1 / 16))
    else:
        y = net.input("right", dtype, right, scales[1], zeros[1])
    z = net.output("output", dtype, out, out_scale, zeros[2])
    net.op("BATCH_MATMUL", [x, y], [z], "BatchMatMulOptions",
           {"adj_x": adj[0], "adj_y": adj[1], "asymmetric_quantize_inputs": asymmetric},
           4 if asymmetric else None)
    return name, net


def matmul_cases():
    """Both transpositions, batches that broadcast, constant and fed right sides."""
    for dtype, zeros in (("int8", (-4, 6, 11)), ("int16", (0, 0, 0)), ("float32", (0, 0, 0))):
        for ax in (False, True):
            for ay in (False, True):
                left, right = [2, 3, 7], [2, 7, 4]
                yield matmul(f"{dtype}_adj_{ax:d}{ay:d}", dtype,
                             left[:1] + left[1:][::-1] if ax else left,
                             right[:1] + right[1:][::-1] if ay else right, (ax, ay), zeros=zeros)
        yield matmul(f"{dtype}_rank_2", dtype, [5, 6], [6, 3], zeros=zeros)
        yield matmul(f"{dtype}_constant", dtype, [2, 3, 6], [2, 6, 5], constant=True, zeros=zeros)
        yield matmul(f"{dtype}_constant_adj_y", dtype, [2, 3, 6], [2, 5, 6], (False, True),
                     constant=True, zeros=zeros)
        yield matmul(f"{dtype}_broadcast_right", dtype, [2, 2, 3, 4], [4, 5], zeros=zeros)
        yield matmul(f"{dtype}_broadcast_left", dtype, [3, 4], [3, 4, 5], zeros=zeros)
        yield matmul(f"{dtype}_broadcast_both", dtype, [3, 1, 2, 4], [1, 2, 4, 3], zeros=zeros)
    for name, ways in (("product_of_scales", product_first), ("division", division_too)):
        net = Net(f"batch_matmul/int8_{name}")
        a, b, out = scales_in_contest(net.key, 97 * 101, 73, ways)
        x = net.input("left", "int8", [2, 1], a, 0, [97, -97])
        y = net.input("right", "int8", [1, 3], b, 0, [101, -101, 100])
        net.op("BATCH_MATMUL", [x, y], [net.output("output", "int8", [2, 3], out, 3)],
               "BatchMatMulOptions")
        yield f"int8_{name}", net
    for asymmetric in (False, True):
        tail = "_asymmetric" if asymmetric else ""
        yield matmul("hybrid" + tail, "float32", [2, 3, 9], [2, 9, 4], asymmetric=asymmetric,
                     hybrid=True)
        yield matmul("hybrid_adj_y" + tail, "float32", [1, 3, 9], [1, 4, 9], (False, True),
                     asymmetric=asymmetric, hybrid=True)


CASES = {"FULLY_CONNECTED": dense_cases, "BATCH_MATMUL": matmul_cases}
