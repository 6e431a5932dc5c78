#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Write tests/data/tflite_ops: small TFLite models, their inputs, and what LiteRT answers.

usage: make.py [--out DIR] [--check]      (needs: pip install ai-edge-litert flatbuffers numpy)

make_published.py does the same for models that are not part of this repository.
"""

import sys
from importlib.metadata import version
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "vector_data")]

import cases_activation  # noqa: E402
import cases_arithmetic  # noqa: E402
import cases_conv  # noqa: E402
import cases_convert  # noqa: E402
import cases_matmul  # noqa: E402
import cases_pool  # noqa: E402
import cases_shape  # noqa: E402
import networks  # noqa: E402
from runtime import Refused, run  # noqa: E402
from store import compared, run_maker, tensor_json, write_group, write_index  # noqa: E402
from tensors import Tensor  # noqa: E402

MODULES = (cases_conv, cases_matmul, cases_arithmetic, cases_pool, cases_activation, cases_shape,
           cases_convert, networks)
DEFAULT = Path(__file__).resolve().parents[2] / "tests" / "data" / "tflite_ops"


def answer(net):
    """The result, values of all tensors wanted by index, and how far the default kernels are off."""
    wanted = sorted({i for op in net.operators for i in op["outputs"]})
    result = {"runtime": "litert", "kernels": "reference"}
    if net.reference_versions:
        result["version"] = next(iter(net.reference_versions.values()))
    try:
        values, first = run(net.file(True), net.fed, "reference", wanted), None
    except Refused as refusal:
        values, first = None, refusal
    try:
        other = run(net.file(), net.fed, "default", wanted)
    except Refused as refusal:
        if first:
            raise
        return result, values, {"error": str(refusal)}
    if first:
        return {"runtime": "litert", "kernels": "default", "reference": str(first)}, other, None
    return result, values, compared(*([Tensor(v.dtype.name, v) for v in one.values()]
                                      for one in (values, other)))


def case_of(net, name):
    """The group's entry for one case, and its model."""
    result, values, default = answer(net)
    for index, value in values.items():
        if list(value.shape) != net.tensors[index]["shape"]:
            raise RuntimeError(f"{net.key}: tensor {index} has shape {value.shape}")

    def tensors(of, indices):
        return [tensor_json(net.tensors[i]["name"], Tensor(of[i].dtype.name, of[i]))
                for i in indices]

    entry = {"name": name, "nodes": net.nodes, "inputs": tensors(net.fed, net.fed),
             "results": [result | {"outputs": tensors(values, net.outputs)}]}
    if inner := [i for i in values if i not in net.outputs]:
        entry["inner"] = tensors(values, inner)
    if default:
        entry["default_kernels"] = default
    return entry, {name + ".tflite": net.file()}


def make(root):
    """Writes everything below `root`; what no kernel takes is listed in the index."""
    groups, refused = [], []
    for op, cases in ((op, cases) for module in MODULES for op, cases in module.CASES.items()):
        entries = []
        for name, net in cases():
            try:
                entries.append(case_of(net, name))
            except Refused as refusal:
                refused.append({"group": op.lower(), "name": name, "message": str(refusal)})
        groups.append(write_group(root, op.lower(), entries))
        print(f"{op}: {len(entries)} cases")
    write_index(root, {"ai-edge-litert": version("ai-edge-litert")}, groups, refused=refused)


if __name__ == "__main__":
    sys.exit(run_maker(make, DEFAULT, __doc__.splitlines()[0]))
