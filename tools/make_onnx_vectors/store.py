# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes models and one JSON file per group, always the same bytes for the same numbers."""
import hashlib
import json
from pathlib import Path


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


def write_index(root, versions, groups):
    """Writes index.json, the list of the groups."""
    text = _dump({"versions": versions, "groups": groups}) + "\n"
    (Path(root) / "index.json").write_text(text)
