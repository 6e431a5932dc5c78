# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writers of ncnn's .param (text and binary) and .bin files."""
import struct

import numpy as np

from tensors import random_codes, random_reals

MAGIC = 7767517
END_OF_LAYER = -233
ARRAY = -23300
# Number of a layer in a binary .param: its place in ncnn's list of layers.
LAYER_NUMBER = {
    "BatchNorm": 2, "Concat": 5, "Convolution": 6, "Deconvolution": 8, "Dropout": 9, "Eltwise": 10, "ELU": 11, "Flatten": 14, "InnerProduct": 15,
    "Input": 16, "Pooling": 21, "PReLU": 23, "ReLU": 26, "Reshape": 27, "Scale": 29, "Sigmoid": 30, "Slice": 31, "Softmax": 32, "Split": 33, "TanH": 35,
    "BinaryOp": 40, "ConvolutionDepthWise": 42, "Padding": 43, "Permute": 47, "Interp": 50, "DeconvolutionDepthWise": 51, "ShuffleChannel": 52, "Clip": 54,
    "Quantize": 57, "Dequantize": 58, "Requantize": 63, "HardSigmoid": 65, "HardSwish": 67, "Noop": 68, "Mish": 71, "Swish": 73, "Convolution1D": 81,
}
TAGS = {"float32": 0, "float16": 0x01306B47, "int8": 0x000D4B38, "float32_tagged": 0x0002C056}


def _padded(content):
    return content + bytes(-len(content) % 4)


def raw(values):
    """Floats without a tag: biases and scales."""
    return np.asarray(values, "<f4").tobytes()


def tagged(values, form="float32"):
    """Weights behind the tag that says how they are stored."""
    values = np.asarray(values)
    if form == "table":  # 256 floats and an index per weight; any other tag that is not 0
        book = np.zeros(256, "<f4")
        distinct = np.unique(values.astype("<f4"))
        book[:len(distinct)] = distinct
        places = np.searchsorted(distinct, values.astype("<f4").reshape(-1)).astype(np.uint8)
        return struct.pack("<I", 1) + book.tobytes() + _padded(places.tobytes())
    kind = {"float16": "<f2", "int8": "i1"}.get(form, "<f4")
    return struct.pack("<I", TAGS[form]) + _padded(values.astype(kind).tobytes())


class Model:
    """One case: layers, their weights, and the inputs the model is to be run with."""

    def __init__(self, name, about, old_arrays=False):
        self.name, self.about, self.old_arrays = name, about, old_arrays
        self.layers, self.weights, self.feeds, self.results = [], [], {}, []
        self.expected = None  # the formula's answer where there is one

    def layer(self, kind, bottoms, tops, params=None, weights=()):
        """Appends a layer; `params` by number; `weights` in file order. Returns the first top."""
        tops = [tops] if isinstance(tops, str) else list(tops)
        bottoms = [bottoms] if isinstance(bottoms, str) else list(bottoms)
        self.layers.append((kind, f"{kind.lower()}_{len(self.layers)}", bottoms, tops, dict(params or {})))
        self.weights += weights
        return tops[0]

    def input(self, name, tensor):
        """An Input layer and the value to run with; shapes are channels, rows, columns."""
        self.feeds[name] = tensor
        sizes = tensor.shape[::-1]  # columns first
        self.layer("Input", [], name, dict(zip((0, 1, 2), sizes)))
        return name

    def output(self, *names):
        self.results += names
        return self

    def codes(self, label, shape, limit=127):
        """Signed codes of the narrow range that ncnn uses."""
        return random_codes(f"{self.name} {label}", "int8", shape, -limit, limit).array

    def reals(self, label, shape, reach=1.0, grid=1 / 16):
        return random_reals(f"{self.name} {label}", shape, reach, grid).array

    def scales(self, label, count, low, high):
        """Positive floats between two limits."""
        unit = random_reals(f"{self.name} {label}", (count,), 1.0).array
        return ((low + high) / 2 + unit * (high - low) / 2).astype(np.float32)

    def text(self):
        """The .param file."""
        lines = [str(MAGIC), f"{len(self.layers)} {len(self._blobs())}"]
        for kind, name, bottoms, tops, params in self.layers:
            words = [f"{kind:<20} {name:<20} {len(bottoms)} {len(tops)}", *bottoms, *tops]
            for number, value in params.items():
                if not isinstance(value, (list, tuple)):
                    words.append(f"{number}={_word(value)}")
                elif self.old_arrays:
                    words.append(f"{ARRAY - number}={len(value)}," + ",".join(map(_word, value)))
                else:
                    words.append(f"{number}=" + ",".join(map(_word, value)) + "," * (len(value) == 1))
            lines.append(" ".join(words))
        return ("\n".join(lines) + "\n").encode()

    def _blobs(self):
        return [top for layer in self.layers for top in layer[3]]

    def binary(self):
        """The .param.bin file; blobs are numbered in the order in which they are made."""
        blobs = self._blobs()
        words = [MAGIC, len(self.layers), len(blobs)]
        for kind, _, bottoms, tops, params in self.layers:
            words += [LAYER_NUMBER[kind], len(bottoms), len(tops), *(blobs.index(b) for b in (*bottoms, *tops))]
            for number, value in params.items():
                words += [ARRAY - number, len(value), *value] if isinstance(value, (list, tuple)) else [number, value]
            words.append(END_OF_LAYER)
        return b"".join(struct.pack("<f" if isinstance(w, float) else "<i", w) for w in words)

    def bin(self):
        """The .bin file."""
        return b"".join(self.weights)


def _word(value):
    return f"{value:.6e}" if isinstance(value, float) else str(value)
