# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks that the recorded TFLite data is whole: check.py <tests/data>. Needs no runtime.

Every file is listed with its digest, nothing else lies there, tensors have as many elements as
their shapes say and values that their types hold.
"""

import hashlib
import json
import math
import pathlib
import sys

LIMITS = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-2**15, 2**15 - 1),
          "int32": (-2**31, 2**31 - 1), "int64": (-2**63, 2**63 - 1)}


def digest(path: pathlib.Path) -> str:
    """SHA-256 of a file, or a word when there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"


def tensor_complaint(tensor: dict) -> str:
    """What is wrong with one tensor, or nothing."""
    data, kind = tensor["data"], tensor["type"]
    if len(data) != math.prod(tensor["shape"]):
        return f"{len(data)} elements in shape {tensor['shape']}"
    if kind == "float32":
        return "" if all(isinstance(x, float) and math.isfinite(x) for x in data) else "no floats"
    if kind not in LIMITS:
        return f"type {kind}"
    lowest, highest = LIMITS[kind]
    good = all(isinstance(x, int) and lowest <= x <= highest for x in data)
    return "" if good else f"values that are not {kind}"


def record_complaints(where: str, record: dict):
    """Complaints about the tensors of one run."""
    for group in ("inputs", "outputs", "inner"):
        if group != "inner" and not record.get(group):
            yield f"{where}: no {group}"
        for tensor in record.get(group, []):
            if complaint := tensor_complaint(tensor):
                yield f"{where}: {group} tensor {tensor['tensor']}: {complaint}"


def operator_complaints(folder: pathlib.Path):
    """Complaints about tflite_ops."""
    index = json.loads((folder / "index.json").read_text())
    listed, total = {"index.json", "README.md"} | set(index["files"]), 0
    for name, expected in index["files"].items():
        if digest(folder / name) != expected:
            yield f"{name}: not the file that was recorded"
            continue
        cases = json.loads((folder / name).read_text())["cases"]
        total += len(cases)
        if len({case["name"] for case in cases}) != len(cases):
            yield f"{name}: two cases of one name"
        for case in cases:
            where = f"{name}: {case['name']}"
            listed.add(case["model"])
            model = folder / case["model"]
            if digest(model) != case["sha256"]:
                yield f"{where}: {case['model']} is not the model that was run"
            elif model.read_bytes()[4:8] != b"TFL3":
                yield f"{where}: {case['model']} is not a TFLite file"
            if case["resolver"] not in ("reference", "default"):
                yield f"{where}: resolver {case['resolver']}"
            yield from record_complaints(where, case)
    if total != index["cases"]:
        yield f"index.json: {index['cases']} cases, there are {total}"
    found = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    for name in sorted(found - listed):
        yield f"{name}: belongs to no case"
    for name in sorted(listed - found):
        yield f"{name}: missing"


def model_complaints(folder: pathlib.Path):
    """Complaints about tflite_models."""
    for path in sorted(folder.glob("*.json")):
        content = json.loads(path.read_text())
        if len(content["sha256"]) != 64 or not content["runs"]:
            yield f"{path.name}: no digest or no runs"
        for i, run in enumerate(content["runs"]):
            yield from record_complaints(f"{path.name}: run {i}", run)


def main() -> None:
    """Prints complaints; there should be none."""
    data = pathlib.Path(sys.argv[1])
    complaints = [*operator_complaints(data / "tflite_ops"),
                  *model_complaints(data / "tflite_models")]
    for complaint in complaints[:20]:
        print(complaint)
    if complaints:
        raise SystemExit(f"{len(complaints)} complaints")
    print("the recorded TFLite data is whole")


if __name__ == "__main__":
    main()
