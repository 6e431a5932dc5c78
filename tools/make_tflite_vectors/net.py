# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A model under construction: tensors with their quantization, operators, inputs to run it on."""

import pathlib

import numpy as np

import fbs
import values

SCHEMA = fbs.Schema(pathlib.Path(__file__).resolve().parents[1] / "schemas" / "tflite.fbs")

# Version of an operator for (float32 or uint8, int8, int16) where all else is plain; a model that
# needs another one says so.
VERSIONS = {
    "CONV_2D": (1, 3, 4), "DEPTHWISE_CONV_2D": (1, 3, 5), "TRANSPOSE_CONV": (1, 2, 2),
    "FULLY_CONNECTED": (1, 4, 7), "BATCH_MATMUL": (1, 2, 3), "ADD": (1, 2, 2), "SUB": (1, 2, 2),
    "MUL": (1, 2, 4), "AVERAGE_POOL_2D": (1, 2, 3), "MAX_POOL_2D": (1, 2, 3), "MEAN": (1, 2, 3),
    "SOFTMAX": (1, 2, 3), "LOGISTIC": (1, 2, 3), "TANH": (1, 2, 3), "RELU": (1, 2, 3),
    "RELU6": (1, 2, 3), "LEAKY_RELU": (1, 1, 2), "CONCATENATION": (1, 2, 3), "SPLIT": (1, 2, 4),
    "PAD": (1, 2, 3), "PADV2": (1, 2, 3), "TRANSPOSE": (1, 2, 5), "SLICE": (1, 2, 4),
    "STRIDED_SLICE": (1, 2, 1), "RESIZE_NEAREST_NEIGHBOR": (1, 2, 4), "RESIZE_BILINEAR": (1, 2, 4),
    "MINIMUM": (1, 2, 4), "MAXIMUM": (1, 2, 4), "DEQUANTIZE": (1, 2, 3), "QUANTIZE": (1, 1, 2),
}


def pack4(codes: np.ndarray) -> bytes:
    """Two codes a byte, the first in the low half."""
    low = codes.reshape(-1).astype(np.int64) & 15
    low = np.append(low, 0) if low.size % 2 else low
    return (low[0::2] | low[1::2] << 4).astype(np.uint8).tobytes()


class Net:
    """One subgraph. Methods that add a tensor return its index."""

    def __init__(self, key: str):
        self.key, self.tensors, self.operators = key, [], []
        self.buffers, self.codes = [{}], []
        self.inputs, self.outputs, self.fed = [], [], {}
        self.nodes, self.reference_versions = [], {}
        self.old = False  # as before builtin_code existed

    def _tensor(self, name, dtype, shape, scale, zero, axis, buffer=0) -> int:
        tensor = {"shape": list(shape), "type": dtype.upper(), "buffer": buffer, "name": name}
        if scale is not None:
            many = np.atleast_1d(np.asarray(scale, np.float32))
            zeros = np.broadcast_to(np.asarray(zero, np.int64), many.shape)
            tensor["quantization"] = {"scale": many, "zero_point": zeros}
            if many.size > 1:
                tensor["quantization"]["quantized_dimension"] = axis
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def tensor(self, name, dtype, shape, scale=None, zero=0) -> int:
        """A tensor that an operator writes."""
        return self._tensor(name, dtype, shape, scale, zero, 0)

    def input(self, name, dtype, shape, scale=None, zero=0, data=None, lowest=None,
              highest=None) -> int:
        """A model input and what it is fed with: `data`, or numbers between both bounds."""
        index = self._tensor(name, dtype, shape, scale, zero, 0)
        key = f"{self.key}/{name}"
        if data is None and dtype == "float32":
            data = values.reals(key, shape, -4 if lowest is None else lowest,
                                4 if highest is None else highest)
        elif data is None:
            bounds = values.RANGE[dtype]
            data = values.codes(key, shape, bounds[0] if lowest is None else lowest,
                                bounds[1] if highest is None else highest)
        self.inputs.append(index)
        self.fed[index] = np.asarray(data).astype(values.storage(dtype)).reshape(shape)
        return index

    def const(self, name, dtype, data, scale=None, zero=0, axis=0) -> int:
        """A constant; `scale` may have one value per index of `axis`."""
        data = np.asarray(data)
        raw = pack4(data) if dtype == "int4" else data.astype(values.storage(dtype)).tobytes()
        self.buffers.append({"data": np.frombuffer(raw, np.uint8)})
        return self._tensor(name, dtype, data.shape, scale, zero, axis, len(self.buffers) - 1)

    def output(self, name, dtype, shape, scale=None, zero=0) -> int:
        """A tensor that an operator writes and that the model gives back."""
        self.outputs.append(self.tensor(name, dtype, shape, scale, zero))
        return self.outputs[-1]

    def op(self, code, inputs, outputs, options=None, fields=None, version=None,
           reference_version=None) -> None:
        """An operator; `options` names its table of options, `fields` fills it.

        `reference_version`: the reference resolver has the same kernel only below this number.
        """
        if version is None:
            data = self.tensors[inputs[{"SPLIT": 1, "TRANSPOSE_CONV": 2}.get(code, 0)]]["type"]
            version = VERSIONS.get(code, (1, 1, 1))[{"INT8": 1, "INT16": 2}.get(data, 0)]
        self.nodes.append(code)
        number = SCHEMA.enums["BuiltinOperator"][code]
        entry = {"deprecated_builtin_code": min(number, 127), "version": version,
                 "builtin_code": number}
        if entry not in self.codes:
            self.codes.append(entry)
        if reference_version:
            self.reference_versions[self.codes.index(entry)] = reference_version
        operator = {"opcode_index": self.codes.index(entry), "inputs": inputs, "outputs": outputs}
        if options:
            operator["builtin_options"] = (options, fields or {})
        self.operators.append(operator)

    def scale(self, index: int, channel: int = 0) -> float:
        """Scale of a tensor as the float32 value that is stored."""
        return float(self.tensors[index]["quantization"]["scale"][channel])

    def file(self, for_reference: bool = False) -> bytes:
        """The .tflite file, or how it is given to the reference resolver."""
        versions = self.reference_versions if for_reference else {}
        codes = [dict(c, version=versions.get(i, c["version"])) for i, c in enumerate(self.codes)]
        if self.old:
            codes = [{k: v for k, v in c.items() if k != "builtin_code"} for c in codes]
        graph = {"tensors": self.tensors, "inputs": self.inputs, "outputs": self.outputs,
                 "operators": self.operators, "name": "main"}
        return SCHEMA.write({"version": 3, "operator_codes": codes, "subgraphs": [graph],
                             "description": self.key, "buffers": self.buffers})
