#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Write tests/data/onnx_ops: small ONNX models, their inputs, and what foreign runtimes answer.

usage: make.py [--out DIR] [--check]      (needs: pip install onnx onnxruntime numpy)
"""
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "vector_data")]

import onnx  # noqa: E402
import onnxruntime  # noqa: E402

import cases_float  # noqa: E402
import cases_integer  # noqa: E402
import cases_network  # noqa: E402
import cases_qdq  # noqa: E402
import cases_quantize  # noqa: E402
import cases_refused  # noqa: E402
from runtimes import run_reference, run_runtime  # noqa: E402
from store import compared, make_groups, run_maker, same, tensor_json  # noqa: E402

GROUPS = {
    "quantize": cases_quantize.cases,
    "integer": cases_integer.cases,
    "float": cases_float.cases,
    "qdq": cases_qdq.cases,
    "network": cases_network.cases,
    "refused": cases_refused.cases,
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
    return results, compared(answers[0], tensors)


def case_of(net):
    """The group's entry for one case, and its model."""
    if isinstance(net, cases_refused.Refused):
        entry = {"name": net.name, "refused": net.about, "runtime_refuses": cases_refused.runtime_opinion(net.content)}
        return entry, {net.name + ".onnx": net.content}
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
    make_groups(root, GROUPS, case_of, {"onnx": onnx.__version__, "onnxruntime": onnxruntime.__version__})


if __name__ == "__main__":
    sys.exit(run_maker(make, DEFAULT, __doc__.splitlines()[0]))
