#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Write the table of imported operators in docs/importing.md: the operators are those that the program
lowbits knows, the forms are those of the recorded models in tests/data that it reads.

usage: import_matrix.py TOOL --write | --check | --print  [--root DIR]

A format that TOOL was built without keeps the table that the page has."""
import argparse
import json
import re
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

FORMATS = {"TFLite": "tflite_ops", "ONNX": "onnx_ops", "ncnn": "ncnn_ops"}
# What the models of a group are, where their names do not say it.
GROUPS = {"ONNX": {"float": "float", "qdq": "QDQ", "integer": "integer operators", "quantize": "quantization", "network": None},
          "ncnn": {"layers": "float", "int8": "int8"}}
ORDER = ["int8", "uint8", "int16", "int4", "int32", "hybrid", "float32", "float16", "float", "QDQ", "integer operators",
         "quantization"]


def marks(name):
    return f"<!-- {name}: made by tools/import_matrix.py: begin -->", f"<!-- {name}: made by tools/import_matrix.py: end -->"


def cases_of(folder):
    """(group, case, path of its model) of every recorded model that is meant to be read."""
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    for group in index["groups"]:
        if group["group"] == "refused":
            continue
        for case in json.loads((folder / group["file"]).read_text(encoding="utf-8"))["cases"]:
            models = [f for f in case["files"] if f.endswith((".tflite", ".onnx", ".param"))]
            if models:
                yield group["group"], case, folder / models[0]


def shapes_of(case, name):
    """Options for extents that a .param file leaves open: those of the recorded inputs."""
    if name != "ncnn":
        return []
    return [o for t in case["inputs"] for o in ("--shape", f"{t['name']}=" + ",".join(map(str, t["shape"])))]


def table(tool, name, operators, folder):
    tried, refused = defaultdict(Counter), Counter()
    for group, case, model in cases_of(folder):
        form = GROUPS[name][group] if name in GROUPS else case["name"].split("_")[0]
        command = [tool, "inspect", model]
        if any(subprocess.run(command + more, capture_output=True).returncode == 0 for more in ([], shapes_of(case, name))):
            for operator in set(case["nodes"]):
                tried[operator][form] += 1
        else:
            refused.update(set(case["nodes"]))
    lines = ["| operator | models that are read, by form | not read |", "|---|---|---|"]
    for operator in sorted(operators):
        forms = sorted((f for f in tried[operator] if f), key=lambda f: (ORDER.index(f) if f in ORDER else len(ORDER), f))
        text = ", ".join(f"{form} {tried[operator][form]}" for form in forms)
        if tried[operator][None]:
            text += f"{', ' if text else ''}networks {tried[operator][None]}"
        lines.append(f"| `{operator}` | {text or 'none'} | {refused[operator] or ''} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tool")
    what = parser.add_mutually_exclusive_group(required=True)
    for option in ("--write", "--check", "--print"):
        what.add_argument(option, action="store_true")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    options = parser.parse_args()
    page = options.root / "docs/importing.md"
    text = new = page.read_text(encoding="utf-8")
    known = json.loads(subprocess.run([options.tool, "operators", "--json"], capture_output=True, check=True).stdout)
    for name, operators in known.items():
        made = table(options.tool, name, operators, options.root / "tests/data" / FORMATS[name])
        if options.print:
            print(f"{name}\n{made}\n")
            continue
        begin, end = marks(name)
        if new.count(begin) != 1 or new.count(end) != 1:
            sys.exit(f"import_matrix: docs/importing.md needs the lines '{begin}' and '{end}' once each, around the table")
        new = re.sub(re.escape(begin) + ".*?" + re.escape(end), lambda _: f"{begin}\n{made}\n{end}", new, flags=re.S)
    if options.write:
        page.write_text(new, encoding="utf-8")
    elif options.check and new != text:
        sys.exit("import_matrix: a table in docs/importing.md is not what the importers and the recorded models give; run\n"
                 "    python3 tools/import_matrix.py build/test/bin/lowbits --write\nand commit the page with the change")


main()
