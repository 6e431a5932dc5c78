# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The digits demo's files (digits.bin, float_weights.hpp) and its network, with numpy only.

`forward` states what the exported weights mean; train.py describes the network and makes them.
"""

import re
import struct
import textwrap

import numpy as np

TRAIN, FIT, IMAGES = 1200, 1050, 1797  # [0, FIT) fits, [FIT, TRAIN) validates, the rest tests
SIDE, PIXEL_BITS, PIXEL_MAX = 8, 5, 16
HEADER = struct.Struct("<4sHHBBBB")

# Shapes in the exported order: conv [out][kh][kw][in], depthwise [kh][kw][c], dense [out][in].
SHAPES = {
    "stem": (16, 3, 3, 1), "depth": (3, 3, 16), "point": (16, 1, 1, 16),
    "down": (32, 3, 3, 16), "body": (32, 3, 3, 32), "logits": (10, 128),
}  # fmt: skip
CHANNEL_AXIS = {"depth": 2}  # the output channel comes first everywhere else

Weights = dict[str, np.ndarray]


# ---- The network in numpy: what the exported numbers mean -------------------------------------


def windows(x: np.ndarray, pad: int, kernel: int, stride: int) -> np.ndarray:
    """NHWC to [n][out_h][out_w][c][kernel][kernel]."""
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    view = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), axis=(1, 2))
    return view[:, ::stride, ::stride]


def conv(x: np.ndarray, weights: Weights, name: str, stride: int = 1) -> np.ndarray:
    w = weights[name + "_w"]
    view = windows(x, w.shape[1] // 2, w.shape[1], stride)
    return np.tensordot(view, w, ((4, 5, 3), (1, 2, 3))) + weights[name + "_b"]


def forward(weights: Weights, pixels: np.ndarray) -> np.ndarray:
    """Logits [n][10] of images [n][8][8] with values 0..16, in float32."""
    x = (pixels.astype(np.float32) / PIXEL_MAX)[..., None]
    stem = np.maximum(conv(x, weights, "stem"), 0)
    depth = np.einsum("nhwcij,ijc->nhwc", windows(stem, 1, 3, 1), weights["depth_w"])
    depth = np.maximum(depth + weights["depth_b"], 0)
    skip = np.maximum(stem + conv(depth, weights, "point"), 0)
    body = np.maximum(conv(skip, weights, "down", stride=2), 0)
    body = np.maximum(conv(body, weights, "body"), 0)
    pool = body.reshape(-1, 2, 2, 2, 2, 32).mean(axis=(2, 4), dtype=np.float32)
    return pool.reshape(-1, 128) @ weights["logits_w"].T + weights["logits_b"]


def hits(weights: Weights, pixels: np.ndarray, labels: np.ndarray) -> int:
    return int((forward(weights, pixels).argmax(axis=1) == labels).sum())


def cross_entropy(weights: Weights, pixels: np.ndarray, labels: np.ndarray) -> float:
    z = forward(weights, pixels).astype(np.float64)
    z -= z.max(axis=1, keepdims=True)
    return float((np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), labels]).mean())


def rounded(weights: Weights, bits: int) -> Weights:
    """Every weight on a symmetric grid of 2^bits - 1 points; per channel the least-squares step."""
    top = 2 ** (bits - 1) - 1
    result = dict(weights)
    for name in SHAPES:
        w = np.moveaxis(weights[name + "_w"], CHANNEL_AXIS.get(name, 0), 0)
        flat = w.reshape(len(w), -1)
        peak = np.abs(flat).max(axis=1, keepdims=True) + 1e-12
        tries = []
        for part in np.linspace(0.4, 1.0, 25, dtype=np.float32):
            step = peak * part / top
            tries.append(np.clip(np.rint(flat / step), -top, top) * step)
        errors = [((t - flat) ** 2).sum(axis=1) for t in tries]
        best = np.stack(tries)[np.argmin(errors, axis=0), np.arange(len(w))].reshape(w.shape)
        result[name + "_w"] = np.moveaxis(best, 0, CHANNEL_AXIS.get(name, 0)).astype(np.float32)
    return result


# ---- Files ------------------------------------------------------------------------------------


def pack(values: np.ndarray, bits: int) -> bytes:
    """One little-endian bit stream: code i occupies bits [bits * i, bits * (i + 1))."""
    planes = (values.reshape(-1, 1).astype(np.uint8) >> np.arange(bits, dtype=np.uint8)) & 1
    return np.packbits(planes.reshape(-1), bitorder="little").tobytes()


def unpack(data: bytes, count: int, bits: int) -> np.ndarray:
    planes = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")[: count * bits]
    return planes.reshape(count, bits) @ (1 << np.arange(bits))


def write_images(pixels: np.ndarray, labels: np.ndarray) -> bytes:
    head = HEADER.pack(b"LBDG", 1, IMAGES, SIDE, SIDE, PIXEL_BITS, PIXEL_MAX)
    return head + pack(labels, 4) + pack(pixels, PIXEL_BITS)


def read_images(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    magic, version, count, height, width, bits, _ = HEADER.unpack_from(data)
    assert (magic, version) == (b"LBDG", 1), "not a digits.bin of version 1"
    pixels_at = HEADER.size + (count + 1) // 2
    assert len(data) == pixels_at + (count * height * width * bits + 7) // 8, "wrong length"
    labels = unpack(data[HEADER.size : pixels_at], count, 4)
    return unpack(data[pixels_at:], count * height * width, bits).reshape(-1, height, width), labels


def literal(value: np.float32) -> str:
    text = f"{value:.9g}"
    return (text if re.search(r"[.e]", text) else text + ".0") + "f"


def arrays_text(weights: Weights) -> str:
    parts = []
    for name, shape in SHAPES.items():
        extents = {"_w": " * ".join(map(str, shape)), "_b": str(len(weights[name + "_b"]))}
        for key, extent in ((name + suffix, e) for suffix, e in extents.items()):
            numbers = ", ".join(map(literal, weights[key].reshape(-1)))
            body = textwrap.fill(numbers, 100, initial_indent="  ", subsequent_indent="  ")
            parts.append(f"inline constexpr float {key}[{extent}] = {{\n{body}\n}};\n")
    return "\n".join(parts)


def read_weights(text: str) -> Weights:
    found = re.findall(r"float (\w+)\[[^]]*\] = \{([^}]*)\};", text)
    flat = {k: np.array(re.findall(r"[^\s,]+(?=f)", v), np.float32) for k, v in found}
    return {k: v.reshape(SHAPES[k[:-2]]) if k.endswith("_w") else v for k, v in flat.items()}


def header_text(arrays: str, correct: int) -> str:
    return f"""\
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The trained float weights of the digits demo, written by tools/train_digits/train.py, which also
// describes the network. Layouts: convolutions [out_c][k_h][k_w][in_c], depthwise [k_h][k_w][c],
// dense [out][in] with its input flattened as height, width, channel. An input is pixel / 16.

namespace digits {{

inline constexpr int image_count = {IMAGES};  // in digits.bin

// The weights were fitted to the first images; the next ones only chose the epoch and the seed;
// training never saw the rest.
inline constexpr int fit_count = {FIT};
inline constexpr int validation_count = {TRAIN - FIT};
inline constexpr int test_first = {TRAIN};
inline constexpr int test_count = {IMAGES - TRAIN};

// Test images that these weights classify correctly in float32.
inline constexpr int test_correct = {correct};

// clang-format off
{arrays}// clang-format on

}}  // namespace digits
"""
