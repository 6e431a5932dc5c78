#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compare the primitives below include/lowbits/arch/ with the table kernel/prims.inc.

usage: check_table.py INCLUDE_DIR
"""
import re
import sys
from pathlib import Path


def pairs(pattern, texts):
    return {m.groups() for text in texts for m in re.finditer(pattern, text)}


def main():
    library = Path(sys.argv[1]) / "lowbits"
    headers = [p.read_text(encoding="utf-8") for p in (library / "arch").rglob("*.hpp")]
    table = (library / "kernel/prims.inc").read_text(encoding="utf-8")
    written = pairs(r"struct prim<prims::(\w+), arch::(\w+)>", headers)
    listed = pairs(r"(?m)^LOWBITS_PRIM\((\w+), (\w+)\)", [table])
    declared = {m for (m,) in pairs(r"(?m)^struct (\w+) \{\};", [(library / "arch/prim.hpp").read_text(encoding="utf-8")])}
    errors = [f"prim<prims::{op}, arch::{arch}> has no line in kernel/prims.inc: add LOWBITS_PRIM({op}, {arch})"
              for op, arch in sorted(written - listed)]
    errors += [f"LOWBITS_PRIM({op}, {arch}) has no primitive below arch/: write it or remove the line"
               for op, arch in sorted(listed - written)]
    errors += [f"prims::{op} is declared in arch/prim.hpp, but no architecture has it: remove it"
               for op in sorted(declared - {op for op, _ in listed})]
    print("\n".join(errors) if errors else f"check_table: {len(listed)} rows, all have their primitive")
    if not listed:
        sys.exit("check_table: the table is empty")
    sys.exit(len(errors) > 0)


main()
