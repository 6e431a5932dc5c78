#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compile a program that must be refused, and check with which words.

usage: expect_failure.py COMPILER SOURCE [FLAG...]

SOURCE starts with one or more lines `// expect: REGEX` (Python syntax, searched in stderr). It must
not compile and every REGEX must be found. With -DLOWBITS_EXPECT_OK it must compile: the file then
shows the cured program, which proves that it fails for the stated reason only.
"""
import re
import subprocess
import sys


def compile_it(compiler, source, flags):
    command = [compiler, *flags, "-fsyntax-only", "-fmessage-length=0", "-fno-diagnostics-color", source]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    return done.returncode, done.stderr, " ".join(command)


def main():
    compiler, source, *flags = sys.argv[1:]
    expected = []
    with open(source, encoding="utf-8") as text:
        for line in text:
            if not line.startswith("//"):
                break
            found = re.match(r"//\s*expect:\s*(.*\S)", line)
            if found:
                expected.append(found.group(1))
    if not expected:
        sys.exit(f"{source}: no `// expect: REGEX` among the first comment lines")
    if "LOWBITS_EXPECT_OK" not in open(source, encoding="utf-8").read():
        sys.exit(f"{source}: shows no cured program (#ifdef LOWBITS_EXPECT_OK)")

    problems = []
    code, errors, command = compile_it(compiler, source, flags)
    if code == 0:
        problems.append("it compiles, but must be refused")
    for regex in expected if code != 0 else []:
        if not re.search(regex, errors):
            problems.append(f"the compiler's message does not match: {regex}")
    if problems:
        problems += [f"command: {command}", errors[:4000]]

    code, errors, command = compile_it(compiler, source, [*flags, "-DLOWBITS_EXPECT_OK"])
    if code != 0:
        problems += ["the cured program (LOWBITS_EXPECT_OK) does not compile",
                     f"command: {command}", errors[:4000]]
    if problems:
        sys.exit(f"{source}:\n" + "\n".join(problems))


main()
