#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What including the library costs a program's build, against bench/compile_time/budget.json.

usage: measure.py [--check | --time] [--root DIR] COMPILER [FLAG...]

--time (the default) compiles each program three times with -O2 and prints the best user time next to
its budget. --check looks only at what is the same in every run, and fails where it is above budget:

    lines      preprocessed lines that come from the library, blank ones not counted
    bytes      size of the object file
    functions  functions in it

If a change is worth a higher number, write it into budget.json and say why in the commit.
"""
import argparse
import json
import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

UMBRELLA = "#include <lowbits/lowbits.hpp>\nint main() {}\n"


class Program:
    def __init__(self, source, flags=()):
        self.source, self.flags = source, list(flags)


def programs(root):
    """Name -> program; the one with xsimd only where xsimd is."""
    big_graph = subprocess.run([sys.executable, root / "tools/make_big_graph.py", "200"], capture_output=True,
                               text=True, check=True).stdout
    found = {
        "umbrella": Program(UMBRELLA, ["-DLOWBITS_NO_XSIMD"]),
        "graph_of_200": Program(big_graph, ["-DLOWBITS_NO_XSIMD"]),
    }
    # Only without primitives of our own is xsimd included at all.
    folders = [root / "build/deps/prefix/usr/include", Path("/usr/local/include"), Path("/usr/include")]
    for folder in folders:
        if (folder / "xsimd/arch/xsimd_emulated.hpp").is_file():
            found["umbrella_xsimd"] = Program(UMBRELLA, ["-DLOWBITS_STATIC", f"-isystem{folder}"])
            break
    return found


class Compiler:
    def __init__(self, command, root, folder):
        self.command = [*command, "-std=c++20", f"-I{root / 'include'}"]
        self.folder = Path(folder)
        self.library = str(root / "include")

    def call(self, program, *options):
        source = self.folder / "program.cpp"
        source.write_text(program.source, encoding="utf-8")
        done = subprocess.run([*self.command, *program.flags, *options, str(source)], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"compile time: {' '.join(program.flags)}: the program does not compile\n{done.stderr[:3000]}")
        return done.stdout

    def lines(self, program):
        count, ours = 0, False
        for line in self.call(program, "-E").splitlines():
            if mark := re.match(r'#(?:line)? \d+ "([^"]*)"', line):
                ours = mark.group(1).startswith(self.library)
            elif ours and line.strip():
                count += 1
        return count

    def compile(self, program):
        """Object file and user seconds."""
        target = self.folder / "program.o"
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        self.call(program, "-O2", "-c", "-o", str(target))
        return target, resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before


def functions_in(target):
    symbols = subprocess.run(["nm", str(target)], capture_output=True, text=True, check=True).stdout
    return len(re.findall(r"(?m)^[0-9a-f]+ [tTwW] ", symbols))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true")
    what.add_argument("--time", action="store_true")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent.parent)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    root = options.root.resolve()
    budget = json.loads((root / "bench/compile_time/budget.json").read_text(encoding="utf-8"))
    over = 0
    with tempfile.TemporaryDirectory() as folder:
        compiler = Compiler(options.command, root, folder)
        for name, program in programs(root).items():
            target, seconds = compiler.compile(program)
            if options.check:
                found = {"lines": compiler.lines(program), "bytes": target.stat().st_size, "functions": functions_in(target)}
            else:
                found = {"seconds": min(seconds, *(compiler.compile(program)[1] for _ in range(2)))}
            for unit, value in found.items():
                limit = budget[name][unit]
                is_over = value > limit
                over += is_over
                print(f"{name:16} {value:10.2f}" if unit == "seconds" else f"{name:16} {value:10}", f"{unit:10} of {limit}",
                      "  ABOVE THE BUDGET" if is_over else "")
    if options.check and over:
        sys.exit("compile time: look at what the change adds to every program; if it is worth it, raise bench/compile_time/budget.json")


main()
