#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Write tests/data/onnx_ops: small ONNX models, their inputs, and what foreign runtimes answer.

usage: make.py [--out DIR] [--check]      (needs: pip install onnx onnxruntime numpy)
"""
import argparse
import filecmp
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import onnx  # noqa: E402
import onnxruntime  # noqa: E402

import cases_float  # noqa: E402
import cases_integer  # noqa: E402
import cases_network  # noqa: E402
import cases_qdq  # noqa: E402
import cases_quantize  # noqa: E402
from runtimes import difference, run_reference, run_runtime, same  # noqa: E402
from store import tensor_json, write_group, write_index  # noqa: E402

GROUPS = {
    "quantize": cases_quantize.cases,
    "integer": cases_integer.cases,
    "float": cases_float.cases,
    "qdq": cases_qdq.cases,
    "network": cases_network.cases,
}
DEFAULT = Path(__file__).resolve().parents[2] / "tests" / "data" / "onnx_ops"


def results_of(net, model):
    """What every runtime answers; an answer equal to an earlier one only says so."""
    results, answers = [], []

    def keep(what, tensors):
        twin = next((i for i, other in enumerate(answers) if other and same(other, tensors)), None)
        names = [o.name for o in model.graph.output]
        results.append({**what, "same_as": twin} if twin is not None else
                       {**what, "outputs": [tensor_json(n, t) for n, t in zip(names, tensors)]})
        answers.append(tensors if twin is None else None)

    for level in (("none", "all") if net.optimized else ("none",)) if net.runtime else ():
        tensors, ran = run_runtime(model, net.feeds, level)
        what = {"runtime": "onnxruntime", "optimization": level}
        keep(what if level == "none" else {**what, "ran": ran}, tensors)
    try:
        tensors = run_reference(model, net.feeds)
    except Exception as error:  # it lacks some forms; ONNX Runtime's answer stands alone
        if not net.runtime:
            raise
        reason = (str(error).splitlines() or [""])[0][:120]
        return results, {"error": f"{type(error).__name__}: {reason}"}
    if not net.runtime:
        keep({"runtime": "onnx reference"}, tensors)
        return results, {}
    first = answers[0]
    if same(first, tensors):
        return results, {"same": True}
    apart = difference(first, tensors)
    return results, {"error": "another shape"} if apart is None else {"largest_difference": apart}


def case_of(net):
    """The group's entry for one case, and its model."""
    try:
        model = net.model()
        results, second = results_of(net, model)
    except Exception as error:
        raise RuntimeError(f"{net.name}: {error}") from error
    entry = {
        "name": net.name,
        "about": net.about,
        "opset": net.opset,
        "nodes": [n.op_type for n in model.graph.node],
        "inputs": [tensor_json(name, tensor) for name, tensor in net.feeds.items()],
        "results": results,
    }
    if second:
        entry["reference_evaluator"] = second
    return entry, {net.name + ".onnx": model.SerializeToString(deterministic=True)}


def make(root):
    """Writes everything below `root`."""
    groups = []
    for group, cases in GROUPS.items():
        nets = list(cases())
        names = [n.name for n in nets]
        twice = {n for n in names if names.count(n) > 1}
        if twice:
            raise RuntimeError(f"{group}: two cases have the same name: {sorted(twice)}")
        groups.append(write_group(root, group, [case_of(net) for net in nets]))
        print(f"{group}: {len(nets)} cases")
    versions = {"onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__}
    write_index(root, versions, groups)


def differing(a, b):
    """Files below a and b that are not the same."""
    names = {p.relative_to(r) for r in (a, b) for p in r.rglob("*") if p.suffix in (".json", ".onnx")}
    return sorted(str(n) for n in names
                  if not ((a / n).is_file() and (b / n).is_file() and filecmp.cmp(a / n, b / n, False)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=DEFAULT, help="folder to write")
    parser.add_argument("--check", action="store_true", help="write nothing, say what would change")
    arguments = parser.parse_args()
    if not arguments.check:
        make(arguments.out)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder))
        changed = differing(Path(folder), arguments.out)
    for name in changed:
        print(f"{name} differs")
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
