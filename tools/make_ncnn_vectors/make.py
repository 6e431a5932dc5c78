#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Write tests/data/ncnn_ops: small ncnn models, their inputs, and what ncnn answers.

usage: make.py [--out DIR] [--check]      (needs: pip install ncnn numpy)
"""
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "vector_data")]

import ncnn  # noqa: E402

import cases_int8  # noqa: E402
import cases_layers  # noqa: E402
import cases_refused  # noqa: E402
from runtime import run  # noqa: E402
from store import compared, make_groups, run_maker, same, tensor_json  # noqa: E402

GROUPS = {"layers": cases_layers.cases, "int8": cases_int8.cases, "refused": cases_refused.cases}
DEFAULT = Path(__file__).resolve().parents[2] / "tests" / "data" / "ncnn_ops"


def forms(model):
    """The kinds of layers and of parameters in a model."""
    return {(kind, type(value)) for kind, _, _, _, params in model.layers for value in params.values()}


def case_of(model, seen):
    """The group's entry for one case, and its files; a binary .param where it shows a form not yet `seen`."""
    if isinstance(model, cases_refused.Refused):  # ncnn is not asked: it may crash
        return {"name": model.name, "refused": model.about}, model.files
    try:
        outputs = run(model)
        if not same(outputs, run(model, binary=True)):
            raise RuntimeError("text and binary .param give different results")
        default = compared(outputs, run(model, plain=False))
    except Exception as error:
        raise RuntimeError(f"{model.name}: {error}") from error
    entry = {
        "name": model.name,
        "about": model.about,
        "nodes": [kind for kind, *_ in model.layers],
        "inputs": [tensor_json(name, tensor) for name, tensor in model.feeds.items()],
        "results": [{"runtime": "ncnn", "optimization": "none",
                     "outputs": [tensor_json(n, t) for n, t in zip(model.results, outputs)]}],
        "default_options": default,
    }
    if model.expected:
        entry["formula"] = compared(outputs, model.expected)
    files = {model.name + ".param": model.text(), model.name + ".bin": model.bin()}
    if not forms(model) <= seen or model.name.startswith("network"):
        files[model.name + ".param.bin"] = model.binary()
        seen |= forms(model)
    return entry, files


def make(root):
    """Writes everything below `root`."""
    seen = set()
    make_groups(root, GROUPS, lambda model: case_of(model, seen), {"ncnn": ncnn.__version__})


if __name__ == "__main__":
    sys.exit(run_maker(make, DEFAULT, __doc__.splitlines()[0]))
