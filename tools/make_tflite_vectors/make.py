#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Write tests/data/tflite_ops: small TFLite models, their inputs, and what LiteRT answers.

usage: make.py PYTHON_WITH_LITERT_1.2 [--out DIR] [--check]

Needs: pip install ai-edge-litert flatbuffers numpy. The other Python has ai-edge-litert==1.2.0,
the last whose reference kernel of FULLY_CONNECTED requantizes with integers, as all the others do.
make_published.py does the same for models that are not part of this repository.
"""

import sys
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
from runtime import VERSION, Other, Refused, answer  # noqa: E402
from store import compared, run_maker, same, tensor_json, write_group, write_index  # noqa: E402
from tensors import Tensor  # noqa: E402

MODULES = (cases_conv, cases_matmul, cases_arithmetic, cases_pool, cases_activation, cases_shape,
           cases_convert, networks)
DEFAULT = Path(__file__).resolve().parents[2] / "tests" / "data" / "tflite_ops"


def listed(values, indices):
    """Some of the values as the store takes them."""
    return [Tensor(values[i].dtype.name, values[i]) for i in indices]


def named(net, indices, tensors):
    """Tensors for the file, with the names they have in the model."""
    return [tensor_json(net.tensors[i]["name"], t) for i, t in zip(indices, tensors)]


def integers_matter(net):
    """Whether it has a FULLY_CONNECTED that the newer reference kernel computes in floats."""
    return any(code == "FULLY_CONNECTED" and net.tensors[op["inputs"][0]]["type"] != "FLOAT32"
               for code, op in zip(net.nodes, net.operators))


def results_of(net, older):
    """What both versions' reference kernels answer, the one to equal first; all its values."""
    wanted = sorted({i for op in net.operators for i in op["outputs"]})
    job = net.file(True), net.fed, "reference", wanted
    order = [(VERSION, answer), (older.version, older.answer)]
    results, first = [], None
    for number, run in reversed(order) if integers_matter(net) else order:
        values = run(*job)
        if isinstance(values, str):
            if first is None:
                raise Refused(values)
            continue
        result = {"runtime": "litert", "version": number, "kernels": "reference"}
        if net.reference_versions:
            result["operator_version"] = next(iter(net.reference_versions.values()))
        outputs = listed(values, net.outputs)
        if first and same(listed(first, net.outputs), outputs):
            results.append(result | {"same_as": 0})
            continue
        results.append(result | {"outputs": named(net, net.outputs, outputs)})
        first = first or values
    return results, first


def case_of(net, name, older):
    """The group's entry for one case, and its model."""
    results, values = results_of(net, older)
    for index, value in values.items():
        if list(value.shape) != net.tensors[index]["shape"]:
            raise RuntimeError(f"{net.key}: tensor {index} has shape {value.shape}")

    entry = {"name": name, "nodes": net.nodes,
             "inputs": named(net, net.fed, listed(net.fed, net.fed)), "results": results}
    if inner := [i for i in values if i not in net.outputs]:
        entry["inner"] = named(net, inner, listed(values, inner))
    default = answer(net.file(), net.fed, "default", net.outputs)
    entry["default_kernels"] = ({"error": default} if isinstance(default, str) else compared(
        listed(values, net.outputs), listed(default, net.outputs)))
    return entry, {name + ".tflite": net.file()}


def make(root, older):
    """Writes everything below `root`; what no kernel takes is listed in the index."""
    groups, refused = [], []
    for op, cases in ((op, cases) for module in MODULES for op, cases in module.CASES.items()):
        entries = []
        for name, net in cases():
            try:
                entries.append(case_of(net, name, older))
            except Refused as refusal:
                refused.append({"group": op.lower(), "name": name, "message": str(refusal)})
        groups.append(write_group(root, op.lower(), entries))
        print(f"{op}: {len(entries)} cases")
    write_index(root, {"ai-edge-litert": [VERSION, older.version]}, groups, refused=refused)


if __name__ == "__main__":
    other = Other(sys.argv.pop(1))
    sys.exit(run_maker(lambda root: make(root, other), DEFAULT, __doc__.splitlines()[0]))
