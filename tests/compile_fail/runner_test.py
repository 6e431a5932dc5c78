#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""expect_failure.py must notice each way in which a compile-fail test can lie.

usage: runner_test.py EXPECT_FAILURE COMPILER
"""
import subprocess
import sys
import tempfile
from pathlib import Path

BODY = """#ifdef LOWBITS_EXPECT_OK
{cured}
#else
{broken}
#endif
"""
REFUSED = 'static_assert(sizeof(int) == 1, "lowbits: f: too wide; use less");'
CASES = [  # first line, broken program, cured program, words of the runner's complaint (None: passes)
    ("// expect: f: too wide; use (less|more)", REFUSED, "int x;", None),
    ("// expect: something else", REFUSED, "int x;", "does not match: something else"),
    ("// expect: too wide", "int x;", "int x;", "it compiles"),
    ("// expect: too wide", REFUSED, "int x = y;", "the cured program"),
    ("", REFUSED, "int x;", "no `// expect: REGEX`"),
]

failed = 0
with tempfile.TemporaryDirectory() as folder:
    for number, (first, broken, cured, complaint) in enumerate(CASES):
        source = Path(folder) / f"case{number}.cpp"
        source.write_text(first + "\n" + BODY.format(cured=cured, broken=broken))
        done = subprocess.run([sys.executable, sys.argv[1], sys.argv[2], source, "-std=c++20"],
                              capture_output=True, text=True)
        right = done.returncode == 0 if complaint is None else (
            done.returncode != 0 and complaint in done.stderr)
        if not right:
            failed += 1
            print(f"case {number}: exit code {done.returncode}\n{done.stderr}")
sys.exit(failed > 0)
