#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A graph of 200 nodes compiles with a compiler's default limits, and runs.

usage: big_graph.py MAKE_BIG_GRAPH COMPILER [FLAG...]

The time is printed, not judged; the test's own time limit only ends a compiler that hangs.
"""
import resource
import subprocess
import sys
import tempfile
from pathlib import Path


def main():
    generator, *command = sys.argv[1:]
    source = subprocess.run([sys.executable, generator, "200"], capture_output=True, text=True, check=True).stdout
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "graph")
        done = subprocess.run([*command, "-O2", "-x", "c++", "-", "-o", str(program)], input=source,
                              capture_output=True, text=True)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            sys.exit(f"a graph of 200 nodes does not compile\n{done.stderr[:3000]}")
        print(f"200 nodes: {used.ru_utime + used.ru_stime:.2f} s of compiler time, {used.ru_maxrss // 1024} MiB")
        code = subprocess.run([str(program)]).returncode
        if code:
            sys.exit(f"it ends with {code}: {'a run failed' if code == 1 else 'prepared and portable results differ'}")


main()
