# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs a model through ncnn's Python package."""
import tempfile
from pathlib import Path

import ncnn
import numpy as np

from tensors import Tensor

PLAIN_OFF = ("use_packing_layout", "use_winograd_convolution", "use_winograd23_convolution",
             "use_winograd43_convolution", "use_winograd63_convolution", "use_sgemm_convolution",
             "use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage", "use_bf16_packed")


def _expect(code, what):
    if code != 0:
        raise RuntimeError(f"ncnn: {what} gave {code}")


def run(model, binary=False, plain=True):
    """Outputs; `binary` reads the binary .param, `plain` switches off what rounds differently."""
    net = ncnn.Net()
    net.opt.use_vulkan_compute = False
    net.opt.num_threads = 1
    for option in PLAIN_OFF if plain else ():
        setattr(net.opt, option, False)
    with tempfile.TemporaryDirectory() as folder:
        param, weights = Path(folder) / "m.param", Path(folder) / "m.bin"
        param.write_bytes(model.binary() if binary else model.text())
        weights.write_bytes(model.bin())
        _expect((net.load_param_bin if binary else net.load_param)(str(param)), "load_param")
        _expect(net.load_model(str(weights)), "load_model")
        blobs = [top for layer in model.layers for top in layer[3]]
        extractor = net.create_extractor()
        for name, tensor in model.feeds.items():
            _expect(extractor.input(blobs.index(name) if binary else name, ncnn.Mat(tensor.array).clone()), "input")
        results = []
        for name in model.results:
            # Type 1: as the layer left it, so that codes stay codes.
            code, mat = extractor.extract(blobs.index(name) if binary else name, 1)
            _expect(code, "extract")
            if mat.elempack != 1:
                code, mat = extractor.extract(name, 0)
            array = np.array(mat)
            results.append(Tensor("int8" if array.dtype.itemsize == 1 else "float32", array))
        extractor = None
        net.clear()
    return results
