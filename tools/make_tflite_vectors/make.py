#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes single-operator .tflite models and what LiteRT computes with them.

Run by a maintainer when cases are added; tests read the stored files only. Every file depends on
the cases and on the runtime alone, so a second run gives the same bytes.

    python3 -m venv venv && venv/bin/pip install -r tools/make_tflite_vectors/requirements.txt
    venv/bin/python tools/make_tflite_vectors/make.py                   # tests/data/tflite_ops
    venv/bin/python tools/make_tflite_vectors/make.py --models FOLDER   # tests/data/tflite_models
    venv/bin/python tools/make_tflite_vectors/make.py --check           # nothing would change

Integers are computed by the reference kernels. Where these lack an operator or type, the
runtime's default kernels (no delegate) stand in and the record says so.
"""

import argparse
import importlib.metadata
import json
import pathlib
import shutil
import tempfile

import cases_activation
import cases_arithmetic
import cases_conv
import cases_convert
import cases_matmul
import cases_pool
import cases_shape
import models
import networks
import runtime
import store

DATA = pathlib.Path(__file__).resolve().parents[2] / "tests" / "data"
MODULES = (cases_conv, cases_matmul, cases_arithmetic, cases_pool, cases_activation, cases_shape,
           cases_convert, networks)
PACKAGE = "ai-edge-litert"


def run_case(net, inner: bool):
    """What ran it ('reference' or 'default'), every recorded tensor, remarks."""
    wanted = sorted({i for op in net.operators for i in op["outputs"]}) if inner else net.outputs
    remarks = {}
    if net.reference_versions:
        remarks["reference_version"] = list(net.reference_versions.values())[0]
    try:
        return "reference", runtime.run(net.file(True), net.fed, "reference", wanted), remarks
    except runtime.Refused as refusal:
        remarks["reference_says"] = str(refusal)
    return "default", runtime.run(net.file(), net.fed, "default", wanted), remarks


def check_shapes(net, results: dict) -> None:
    """The file's shapes must be what the runtime computes."""
    for index, data in results.items():
        if list(data.shape) != list(net.tensors[index]["shape"]):
            raise SystemExit(f"{net.key}: shape of tensor {index} is {data.shape}")


def operator(folder: pathlib.Path, op: str, cases, refused: list):
    """Records all cases of one operator; returns the digest of their file and their number."""
    records, base = [], op.lower()
    shutil.rmtree(folder / base, ignore_errors=True)
    for name, net in cases:
        try:
            resolver, results, remarks = run_case(net, op == "NETWORKS")
        except runtime.Refused as refusal:
            refused.append({"operator": op, "case": name, "message": str(refusal)})
            continue
        check_shapes(net, results)
        model, path = net.file(), f"{base}/{name}.tflite"
        store.write(folder / path, model)
        head = {"name": name, "model": path, "sha256": store.digest(model), "resolver": resolver}
        lists = {"inputs": net.fed, "outputs": {i: results[i] for i in net.outputs}}
        inner = {i: data for i, data in results.items() if i not in net.outputs}
        if inner:
            lists["inner"] = inner
        records.append(store.record(head | remarks, lists))
    text = store.document({"operator": op}, "cases", records)
    store.write(folder / f"{base}.json", text)
    return store.digest(text.encode()), len(records)


def all_operators(folder: pathlib.Path) -> None:
    """tflite_ops: every operator, and the index."""
    files, refused, total = {}, [], 0
    for module in MODULES:
        for op, cases in module.CASES.items():
            files[f"{op.lower()}.json"], count = operator(folder, op, cases(), refused)
            total += count
            print(f"{op}: {count}", flush=True)
    index = {"runtime": PACKAGE, "version": importlib.metadata.version(PACKAGE), "cases": total,
             "files": dict(sorted(files.items())), "refused": refused}
    store.write(folder / "index.json", json.dumps(index, indent=1) + "\n")
    print(f"{total} cases, {len(refused)} refused")


def published(folder: pathlib.Path, source: pathlib.Path) -> None:
    """tflite_models: inputs and outputs of models that are not part of this repository."""
    for name, arrays in models.inputs().items():
        model = (source / f"{name}.tflite").read_bytes()
        records = []
        for data in arrays:
            net = runtime.details(model)
            outputs = runtime.run(model, {net["inputs"][0]: data}, "reference", net["outputs"])
            records.append(store.record({}, {"inputs": {net["inputs"][0]: data},
                                             "outputs": outputs}))
        head = {"model": f"{name}.tflite", "sha256": store.digest(model), "runtime": PACKAGE,
                "version": importlib.metadata.version(PACKAGE), "resolver": "reference"}
        store.write(folder / f"{name}.json", store.document(head, "runs", records))


def compare(fresh: pathlib.Path, kept: pathlib.Path) -> None:
    """Fails when a file that was just made differs from the one in the tree."""
    made = sorted(p.relative_to(fresh) for p in fresh.rglob("*") if p.is_file())
    other = [str(p) for p in made
             if not (kept / p).exists() or (fresh / p).read_bytes() != (kept / p).read_bytes()]
    if other:
        raise SystemExit("not as stored: " + ", ".join(other))
    print(f"{len(made)} files as stored")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--out", type=pathlib.Path, default=DATA, help="folder to write below")
    parser.add_argument("--models", type=pathlib.Path, help="folder of the published models")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        out = pathlib.Path(temporary) if options.check else options.out
        if options.models:
            published(out / "tflite_models", options.models)
        else:
            all_operators(out / "tflite_ops")
        if options.check:
            compare(out, options.out)


if __name__ == "__main__":
    main()
