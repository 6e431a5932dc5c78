# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes models and one JSON file per group, always the same bytes for the same numbers."""
import argparse
import hashlib
import json
import tempfile
from pathlib import Path

import numpy as np


def tensor_json(name, tensor):
    """Name, type, shape and little-endian elements in hexadecimal."""
    array = tensor.array
    data = array.astype(array.dtype.newbyteorder("<")).tobytes().hex()
    return {"name": name, "dtype": tensor.dtype, "shape": tensor.shape, "data": data}


def _dump(value, depth=0):
    """JSON with one tensor or plain list per line."""
    pad, inner = " " * depth, " " * (depth + 1)
    deep = isinstance(value, (dict, list)) and any(
        isinstance(v, (dict, list)) and v for v in (value.values() if isinstance(value, dict) else value))
    is_tensor = isinstance(value, dict) and "data" in value
    if not deep or is_tensor:
        return json.dumps(value)
    if isinstance(value, dict):
        rows = [f"{inner}{json.dumps(k)}: {_dump(v, depth + 1)}" for k, v in value.items()]
        return "{\n" + ",\n".join(rows) + f"\n{pad}}}"
    return "[\n" + ",\n".join(inner + _dump(v, depth + 1) for v in value) + f"\n{pad}]"


def digest(content):
    return hashlib.sha256(content).hexdigest()


def write_group(root, group, cases):
    """Writes <group>.json; `cases` are (entry, {file name: bytes}). Returns the index entry."""
    root = Path(root)
    folder = root / group
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    entries = []
    for entry, files in cases:
        for name, content in files.items():
            (folder / name).write_bytes(content)
        entry["files"] = {f"{group}/{name}": digest(content) for name, content in files.items()}
        entries.append(entry)
    text = _dump({"group": group, "cases": entries}) + "\n"
    (root / f"{group}.json").write_text(text)
    return {"group": group, "file": f"{group}.json", "cases": len(entries),
            "sha256": digest(text.encode())}


def write_index(root, versions, groups, **more):
    """Writes index.json, the list of the groups."""
    text = _dump({"versions": versions, "groups": groups, **more}) + "\n"
    (Path(root) / "index.json").write_text(text)


def differing(a, b):
    """Names of the files below a and b that are not the same; README.md is written by hand."""
    names = {p.relative_to(r) for r in (a, b) for p in r.rglob("*") if p.is_file() and p.name != "README.md"}
    return sorted(str(n) for n in names if not ((a / n).is_file() and (b / n).is_file()
                                                and (a / n).read_bytes() == (b / n).read_bytes()))


def run_maker(make, default, description):
    """The command line of a maker: write everything, or say what would change."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--out", type=Path, default=default, help="folder to write")
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


def make_groups(root, groups, case_of, versions):
    """Runs every case of every group and writes what came out."""
    entries = []
    for group, cases in groups.items():
        described = list(cases())
        names = [c.name for c in described]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise RuntimeError(f"{group}: two cases have the same name: {twice}")
        entries.append(write_group(root, group, [case_of(c) for c in described]))
        print(f"{group}: {len(names)} cases")
    write_index(root, versions, entries)


def same(a, b):
    """Whether two lists of tensors are equal to the last bit."""
    return all(x.array.shape == y.array.shape and x.array.tobytes() == y.array.tobytes()
               for x, y in zip(a, b))


def compared(first, other):
    """The entry that compares two lists of tensors."""
    if same(first, other):
        return {"same": True}
    if any(x.array.shape != y.array.shape for x, y in zip(first, other)):
        return {"error": "another shape"}
    worst = [np.max(np.abs(x.array.astype(np.float64) - y.array.astype(np.float64)), initial=0.0)
             for x, y in zip(first, other)]
    return {"largest_difference": float(f"{max(worst):.3g}")}
