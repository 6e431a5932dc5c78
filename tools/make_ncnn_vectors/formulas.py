# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What ncnn's int8 layers compute, written down plainly as a second opinion.

Codes are in [-127, 127]; a scale multiplies reals to become codes; halves round away from zero.
"""
import numpy as np

F = np.float32


def codes_of(reals):
    """Rounded half away from zero, limited to [-127, 127]."""
    reals = np.asarray(reals, np.float64)
    return np.clip(np.trunc(reals + np.copysign(0.5, reals)), -127, 127).astype(np.int8)


def quantize(reals, scale):
    return codes_of(np.asarray(reals, F) * np.asarray(scale, F))


def activation(v, kind, params=()):
    """Kinds that need no exponential: 0 none, 1 ReLU, 2 leaky, 3 clip, 6 hard swish."""
    if kind == 1:
        return np.maximum(v, F(0))
    if kind == 2:
        return np.where(v > 0, v, v * F(params[0]))
    if kind == 3:
        return np.clip(v, F(params[0]), F(params[1]))
    if kind == 6:
        alpha, beta = F(params[0]), F(params[1])
        lower = -beta / alpha
        inside = v * (v * alpha + beta)
        return np.where(v < lower, F(0), np.where(v > F(1) / alpha + lower, v, inside)).astype(F)
    return v


def rescale(sums, x_scale, w_scale, bias, kind=0, params=()):
    """Sums of products to floats; the last three arguments per channel, sums [channel, ...]."""
    w_scale = np.asarray(w_scale, F)
    safe = np.where(w_scale == 0, F(1), w_scale)
    factor = np.where(w_scale == 0, F(0), F(1) / (F(x_scale) * safe)).astype(F)
    around = (-1,) + (1,) * (sums.ndim - 1)
    v = sums.astype(F) * factor.reshape(around)
    if bias is not None:
        v = v + np.asarray(bias, F).reshape(around)
    return activation(v, kind, params)


def convolution(x, w, group=1, strides=(1, 1), dilations=(1, 1), pads=(0, 0, 0, 0), pad_code=0):
    """Integer sums. x [C, H, W], w [O, C / group, KH, KW]; pads top, left, bottom, right."""
    top, left, bottom, right = pads
    x = np.pad(x.astype(np.int64), ((0, 0), (top, bottom), (left, right)), constant_values=pad_code)
    out, depth, kh, kw = w.shape
    rows = (x.shape[1] - dilations[0] * (kh - 1) - 1) // strides[0] + 1
    columns = (x.shape[2] - dilations[1] * (kw - 1) - 1) // strides[1] + 1
    sums = np.zeros((out, rows, columns), np.int64)
    for o in range(out):
        first = o // (out // group) * depth
        for ky in range(kh):
            for kx in range(kw):
                y0, x0 = ky * dilations[0], kx * dilations[1]
                part = x[first:first + depth, y0::strides[0], x0::strides[1]][:, :rows, :columns]
                sums[o] += np.tensordot(w[o, :, ky, kx].astype(np.int64), part, 1)
    return sums


def same_pads(size, kernel, stride, dilation, lower=False):
    """Padding in front and behind of SAME_UPPER, or SAME_LOWER."""
    total = max(dilation * (kernel - 1) + 1 + (size - 1) // stride * stride - size, 0)
    return (total - total // 2, total // 2) if lower else (total // 2, total - total // 2)
