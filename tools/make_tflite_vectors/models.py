# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Inputs for published models, which themselves stay where they are."""

import numpy as np

import values


def pattern(key: str, lowest: int, highest: int, every: int = 1) -> np.ndarray:
    """A spectrogram-sized row: codes in a range at every n-th place, the lowest code elsewhere."""
    out = np.full([1, 1960], -128)
    out[:, ::every] = values.codes(f"micro_speech/{key}", out[:, ::every].shape, lowest, highest)
    return out.astype(np.int8)


def inputs() -> dict:
    """File name: arrays for its one input."""
    steps = sorted({*range(-128, 128, 9), -1, 0, 1, 127})
    return {
        "hello_world_int8": [np.array([[c]], np.int8) for c in steps],
        "hello_world_float": [np.array([[x / 8]], np.float32) for x in range(0, 52, 3)],
        "micro_speech_quantized": [pattern("full", -128, 127), pattern("quiet", -128, -90),
                                   pattern("sparse", -60, 127, 7)],
    }
