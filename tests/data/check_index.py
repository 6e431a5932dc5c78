#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Check folders of recorded vectors: every file listed with its hash, every tensor complete.

usage: check_index.py FOLDER...
"""
import hashlib
import json
import sys
from pathlib import Path

BYTES = {"float32": 4, "float16": 2, "uint8": 1, "int8": 1, "uint16": 2, "int16": 2, "int32": 4, "int64": 8,
         "uint4": 1, "int4": 1, "uint2": 1, "int2": 1}
RANGE = {"uint4": (0, 15), "int4": (-8, 7), "uint2": (0, 3), "int2": (-2, 1)}
BUDGET = 2 << 20  # bytes per folder


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def tensor_faults(tensor):
    """What is wrong with one tensor's shape, type or data."""
    name, dtype = tensor.get("name"), tensor.get("dtype")
    if dtype not in BYTES:
        return [f"tensor {name}: unknown type {dtype}"]
    count = 1
    for extent in tensor["shape"]:
        count *= extent
    data = bytes.fromhex(tensor["data"])
    if len(data) != count * BYTES[dtype]:
        return [f"tensor {name}: {len(data)} bytes for shape {tensor['shape']} of {dtype}"]
    low, high = RANGE.get(dtype, (0, 255))
    codes = [b - 256 if low < 0 and b > 127 else b for b in data] if dtype in RANGE else []
    return [f"tensor {name}: a code outside {dtype}"] if any(not low <= c <= high for c in codes) else []


def case_faults(root, case):
    """What is wrong with one case; the files it names are checked too."""
    for name, expected in case["files"].items():
        if not (root / name).is_file():
            yield f"{name} is missing"
        elif digest(root / name) != expected:
            yield f"{name} has another content than listed"
    if "refused" in case:  # a damaged model: nobody ran it
        return
    if not case["results"]:
        yield "no results"
    for number, result in enumerate(case["results"]):
        twin = result.get("same_as")
        if twin is not None and not (twin < number and "outputs" in case["results"][twin]):
            yield f"result {number} points at a result that is not there"
        if twin is None and not result.get("outputs"):
            yield f"result {number} is empty"
    outputs = [t for r in case["results"] for t in r.get("outputs", [])]
    for tensor in case["inputs"] + case.get("inner", []) + outputs:
        yield from tensor_faults(tensor)


def folder_faults(root):
    """Everything that is wrong below `root`."""
    index = json.loads((root / "index.json").read_text())
    listed = {"index.json", "README.md"}
    for group in index["groups"]:
        path = root / group["file"]
        listed.add(group["file"])
        if not path.is_file() or digest(path) != group["sha256"]:
            yield f"{group['file']} is missing or has another content than index.json lists"
            continue
        cases = json.loads(path.read_text())["cases"]
        names = [case["name"] for case in cases]
        if len(names) != group["cases"] or len(set(names)) != len(names):
            yield f"{group['file']}: {len(names)} cases, {len(set(names))} names, listed {group['cases']}"
        for case in cases:
            listed |= set(case["files"])
            yield from (f"{group['group']}/{case['name']}: {fault}" for fault in case_faults(root, case))
    present = {str(p.relative_to(root)): p.stat().st_size for p in root.rglob("*") if p.is_file()}
    yield from (f"{name} is in no index" for name in sorted(present.keys() - listed))
    if sum(present.values()) > BUDGET:
        yield f"{sum(present.values())} bytes, more than {BUDGET}"


def main(folders):
    faults = [f"{folder}: {fault}" for folder in folders for fault in folder_faults(Path(folder))]
    print("\n".join(faults) or f"{len(folders)} folder(s): all as listed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
