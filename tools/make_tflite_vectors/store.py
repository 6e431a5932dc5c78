# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes what was recorded as JSON: one line per tensor, digits that give the same bits."""

import hashlib
import json
import pathlib

import numpy as np


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def number(x) -> str:
    """One element; nine digits name every float32."""
    if not isinstance(x, (float, np.floating)):
        return str(int(x))
    if not np.isfinite(x):
        raise ValueError("results must be finite")
    text = f"{float(x):.9g}"
    return text if set(text) & set(".e") else text + ".0"


def tensor(index: int, data: np.ndarray) -> str:
    """A tensor's number in the file, type, shape and elements."""
    elements = ",".join(number(x) for x in data.reshape(-1))
    shape = json.dumps(list(data.shape))
    return f'{{"tensor": {index}, "type": "{data.dtype}", "shape": {shape}, "data": [{elements}]}}'


def record(head: dict, lists: dict) -> str:
    """One JSON object: the entries of `head`, then lists of tensors by name."""
    lines = [f'"{key}": {json.dumps(value)}' for key, value in head.items()]
    for key, tensors in lists.items():
        tensors = {int(i): data for i, data in tensors.items()}
        inside = ",\n   ".join(tensor(i, data) for i, data in tensors.items())
        lines.append(f'"{key}": [\n   {inside}]')
    return "{" + ",\n  ".join(lines) + "}"


def document(head: dict, label: str, records: list[str]) -> str:
    """A file: a few words and a list of records."""
    lines = [f' "{key}": {json.dumps(value)},\n' for key, value in head.items()]
    return "{\n" + "".join(lines) + f' "{label}": [\n ' + ",\n ".join(records) + "\n ]\n}\n"


def write(path: pathlib.Path, data: str | bytes) -> None:
    """Writes a file, and its folder if there is none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
