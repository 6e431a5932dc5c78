#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compile every C++ block of the documentation.

usage: compile_blocks.py ROOT COMPILER [FLAG...]

A fenced block that starts with ```cpp in README.md, CONTRIBUTING.md or docs/ is a translation unit:
the umbrella header and `namespace lb = lowbits;` stand in front of it. Blocks of a page see the
blocks before them. A block that starts with ```cpp run has a main() of its own and must return 0.
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

PRELUDE = "#include <lowbits/lowbits.hpp>\n#include <cstdio>\nnamespace lb = lowbits;\n"
BLOCK = re.compile(r"^```cpp( run)?\n(.*?)^```$", re.M | re.S)


def main():
    root, *command = sys.argv[1:]
    pages = [p for p in [Path(root, "README.md"), Path(root, "CONTRIBUTING.md")] if p.exists()]
    pages += sorted(Path(root, "docs").glob("**/*.md"))
    compiled = failed = 0
    for page in pages:
        seen = PRELUDE
        for match in BLOCK.finditer(page.read_text()):
            line = page.read_text()[: match.start()].count("\n") + 2
            runs, code = bool(match[1]), match[2]
            unit = (PRELUDE if runs else seen) + f'#line {line} "{page.name}"\n' + code
            seen += "" if runs else code
            compiled += 1
            failed += not compile_unit(page, line, unit, runs, command)
    print(f"{compiled} blocks in {len(pages)} pages, {failed} failed")
    sys.exit(failed > 0 or compiled == 0)


def compile_unit(page, line, unit, runs, command):
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder, "block.cpp"), Path(folder, "block")
        source.write_text(unit)
        last = ["-O1", "-o", str(program)] if runs else ["-fsyntax-only"]
        done = subprocess.run([*command, "-Wall", "-Wextra", *last, str(source)], capture_output=True, text=True)
        if done.returncode == 0 and runs:
            done = subprocess.run([str(program)], capture_output=True, text=True)
        if done.returncode:
            print(f"{page}:{line}: the block does not {'run' if runs else 'compile'}\n{done.stderr[:3000]}")
        return done.returncode == 0


main()
