#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Write tests/data/tflite_models: runs of published models that are not part of this repository.

usage: make_published.py PYTHON_WITH_LITERT_1.2 FOLDER_OF_MODELS [--out DIR] [--check]
"""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "vector_data")]

import numpy as np  # noqa: E402

import values  # noqa: E402
from runtime import Other, details  # noqa: E402
from store import digest, run_maker, tensor_json, write_group, write_index  # noqa: E402
from tensors import Tensor  # noqa: E402

DEFAULT = Path(__file__).resolve().parents[2] / "tests" / "data" / "tflite_models"


def pattern(label, lowest, highest, every=1):
    """A spectrogram-sized row: codes in a range at every n-th place, the lowest code elsewhere."""
    row = np.full([1, 1960], -128)
    row[:, ::every] = values.codes(f"micro_speech/{label}", row[:, ::every].shape, lowest, highest)
    return row.astype(np.int8)


def inputs():
    """Model: {name of the run: its one input}."""
    codes = sorted({*range(-128, 128, 9), -1, 0, 1, 127})
    return {
        "hello_world_int8": {f"code_{c}": np.array([[c]], np.int8) for c in codes},
        "hello_world_float": {f"x_{x}_8": np.array([[x / 8]], np.float32)
                              for x in range(0, 52, 3)},
        "micro_speech_quantized": {"full": pattern("full", -128, 127),
                                   "quiet": pattern("quiet", -128, -90),
                                   "sparse": pattern("sparse", -60, 127, 7)},
    }


def case_of(model, name, data, runtime):
    """The entry of one run."""
    net = details(model)
    values = runtime.answer(model, {net["inputs"][0]: data}, "reference", net["outputs"])
    outputs = [tensor_json("output", Tensor(v.dtype.name, v)) for v in values.values()]
    return {"name": name, "inputs": [tensor_json("input", Tensor(data.dtype.name, data))],
            "results": [{"runtime": "litert", "version": runtime.version, "kernels": "reference",
                         "outputs": outputs}]}


def make(root, folder, runtime):
    """Writes everything below `root`."""
    groups = []
    for name, runs in inputs().items():
        model = (folder / f"{name}.tflite").read_bytes()
        entry = write_group(root, name, [
            (case_of(model, *run, runtime), {}) for run in runs.items()])
        (root / name).rmdir()  # the model is elsewhere
        groups.append(entry | {"model": f"{name}.tflite", "model_sha256": digest(model)})
    write_index(root, {"ai-edge-litert": runtime.version}, groups)


if __name__ == "__main__":
    other, models = Other(sys.argv.pop(1)), Path(sys.argv.pop(1))
    sys.exit(run_maker(lambda root: make(root, models, other), DEFAULT, __doc__.splitlines()[0]))
