#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Write the table of operations and architectures in docs/targets.md, from kernel/prims.inc.

usage: support_matrix.py --write | --check | --print  [--root DIR]
"""
import argparse
import re
import sys
from pathlib import Path

BEGIN = "<!-- made by tools/support_matrix.py: begin -->"
END = "<!-- made by tools/support_matrix.py: end -->"


def read_rows(text):
    """(operation, architecture, condition it is built under), in the order of the table."""
    rows, condition = [], ""
    for line in text.splitlines():
        if begin := re.match(r"#if (\w+)", line):
            condition = begin.group(1)
        elif line.startswith("#endif"):
            condition = ""
        elif row := re.match(r"LOWBITS_PRIM\((\w+), (\w+)\)", line):
            rows.append((*row.groups(), condition))
    return rows


def read_weaker(text):
    """Architecture -> those weaker than it, best first."""
    found = re.findall(r"struct (\w+) \{\s*static constexpr const char\* name = [^;]*;\s*using weaker = type_list<([^>]*)>", text)
    return {name: [w.strip() for w in weaker.split(",") if w.strip()] for name, weaker in found}


def in_order(archs, weaker):
    """Each in front of the first that is weaker than it, as kernel/table.hpp does."""
    placed = []
    for arch in archs:
        place = next((i for i, other in enumerate(placed) if other in weaker[arch]), len(placed))
        placed.insert(place, arch)
    return placed


def matrix(root):
    library = root / "include/lowbits"
    rows = read_rows((library / "kernel/prims.inc").read_text(encoding="utf-8"))
    weaker = read_weaker((library / "core/arch.hpp").read_text(encoding="utf-8"))
    declared = re.findall(r"(?m)^struct (\w+) \{\};", (library / "arch/prim.hpp").read_text(encoding="utf-8"))
    own = {(op, arch) for op, arch, _ in rows}
    built = {arch: condition for _, arch, condition in rows}
    if unknown := sorted(set(built) - set(weaker)):
        sys.exit(f"support_matrix: prims.inc names {', '.join(unknown)}, which core/arch.hpp does not define as expected")
    archs = in_order(list(dict.fromkeys(arch for _, arch, _ in rows)), weaker)

    def cell(op, arch):
        if (op, arch) in own:
            return "**own**"
        return next((w for w in weaker[arch] if (op, w) in own and built[w] == built[arch]), "")

    lines = ["| primitive | " + " | ".join(f"`{a}`" for a in archs) + " |", "|---" * (len(archs) + 1) + "|"]
    ops = [op for op in declared if any((op, a) in own for a in archs)]
    lines += [f"| `{op}` | " + " | ".join(cell(op, a) for a in archs) + " |" for op in ops]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group(required=True)
    for option in ("--write", "--check", "--print"):
        what.add_argument(option, action="store_true")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    options = parser.parse_args()
    table = matrix(options.root)
    if options.print:
        return print(table)
    page = options.root / "docs/targets.md"
    text = page.read_text(encoding="utf-8")
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        sys.exit(f"support_matrix: docs/targets.md needs the lines '{BEGIN}' and '{END}' once each, around the table")
    before, rest = text.split(BEGIN)
    new = f"{before}{BEGIN}\n{table}\n{END}{rest.split(END)[1]}"
    if options.write:
        page.write_text(new, encoding="utf-8")
    elif new != text:
        sys.exit("support_matrix: the table in docs/targets.md is not that of kernel/prims.inc; run\n"
                 "    python3 tools/support_matrix.py --write\nand commit the page with the change")


main()
