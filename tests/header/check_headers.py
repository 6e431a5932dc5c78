#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compile every header alone, included twice, without warnings.

usage: check_headers.py [--together] [--without WORD]... INCLUDE_DIR COMPILER [FLAG...]

Headers with one of the WORDs in their path are left out. --together compiles all of a kind at once, for a second
compiler: what a header lacks, the first one has found.
The core is compiled for a freestanding target, hosted/ for a hosted one, the headers that differ
between the two for both. The umbrella must also survive the macros of Arduino.h and windows.h.
"""
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Werror"]
FREESTANDING = ["-ffreestanding", "-fno-exceptions", "-fno-rtti"]
IN_BOTH = {"lowbits/lowbits.hpp", "lowbits/config.hpp", "lowbits/arch/xsimd.hpp"}
HOSTILE = Path(__file__).resolve().parent / "hostile_macros.hpp"


def main():
    arguments, without = sys.argv[1:], []
    together = arguments[0] == "--together"
    del arguments[:together]
    while arguments[0] == "--without":
        without.append(arguments[1])
        del arguments[:2]
    include, *command = arguments
    headers = sorted(p.relative_to(include).as_posix() for p in Path(include).glob("lowbits/**/*.hpp"))
    headers = [h for h in headers if not any(word in h for word in without)]
    jobs = []
    for header in headers:
        hosted = header.startswith("lowbits/hosted/")
        if not hosted:
            jobs.append((header, "freestanding", FREESTANDING))
        if hosted or header in IN_BOTH:
            jobs.append((header, "hosted", []))
        if header == "lowbits/lowbits.hpp":
            jobs.append((header, "with hostile macros", ["-include", str(HOSTILE)]))

    if together:
        kinds = {}
        for header, mode, flags in jobs:
            kinds.setdefault((mode, tuple(flags)), []).append(header)
        jobs = [(">\n#include <".join(names), mode, flags) for (mode, flags), names in kinds.items()]

    def compile_it(job):
        header, _, flags = job
        done = subprocess.run([*command, *WARNINGS, *flags, "-fsyntax-only", "-x", "c++", "-"],
                              input=f"#include <{header}>\n" * 2, capture_output=True, text=True)
        return done.returncode, done.stderr

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(compile_it, jobs))
    failed = 0
    for (header, mode, _), (code, errors) in zip(jobs, results):
        if code:
            failed += 1
            print(f"<{header}>, {mode}: does not compile\n{errors[:3000]}")
    print(f"{len(jobs)} compilations of {len(headers)} headers, {failed} failed")
    sys.exit(failed > 0 or not headers)


main()
