#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""amalgamate.py on small trees: what it writes compiles to the same program under every condition,
and what it must refuse is refused with the sentence that helps.

usage: generator_test.py AMALGAMATE COMPILER
"""
import subprocess
import sys
import tempfile
from pathlib import Path

CONFIG = """#define LOWBITS_VERSION_MAJOR 1
#define LOWBITS_VERSION_MINOR 2
#define LOWBITS_VERSION_PATCH 3
"""
GOOD = {
    "config.hpp": CONFIG,
    # base is mentioned first under a condition, but everybody needs it; extra only under conditions,
    # twice; table.inc goes everywhere it is included.
    "lowbits.hpp": """#include <cstdint>
#include <lowbits/config.hpp>
#if defined(FIRST)
#include <lowbits/arch/extra.hpp>
#endif
#include <lowbits/core/user.hpp>
#ifdef SECOND
#include <lowbits/arch/extra.hpp>
#endif
""",
    "arch/extra.hpp": """#include <cstddef>
#include <lowbits/core/base.hpp>
struct extra : base { std::size_t size; };
""",
    "core/base.hpp": "struct base { int x; };\n",
    "core/user.hpp": """#include <lowbits/core/base.hpp>
#define ROW(n) +n
inline int sum() { return 0
#include <lowbits/core/table.inc>
; }
#undef ROW
#define ROW(n) *n
inline int product() { return 1
#include <lowbits/core/table.inc>
; }
#undef ROW
""",
    "core/table.inc": "ROW(2)\nROW(3)\n",
    "hosted/file.hpp": "#include <lowbits/core/base.hpp>\n#include <string>\n",
}
PROGRAM = """#include HEADER
#include HEADER
#if defined(FIRST) || defined(SECOND)
static_assert(sizeof(extra) > sizeof(base));
#endif
int main() { return sum() == 5 && product() == 6 ? 0 : 1; }
"""
BAD = [
    ({"core/user.hpp": "#include <lowbits/hosted/file.hpp>\n"}, "the core must not reach hosted/"),
    ({"core/lost.hpp": "\n"}, "not reached from lowbits/lowbits.hpp: lowbits/core/lost.hpp"),
    ({"core/user.hpp": "#include <lowbits/core/gone.hpp>\n"}, "gone.hpp included by lowbits/core/user.hpp"),
    ({"core/user.hpp": '#include "base.hpp"\n'}, "write #include <lowbits/...>"),
]


def run(*command):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True)


def write(folder, files):
    for name, text in files.items():
        path = folder / "include/lowbits" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".hpp":
            text = "// SPDX-License-Identifier: X\n#pragma once\n" + text
        path.write_text(text)


def need(condition, message):
    if not condition:
        sys.exit(f"generator_test: {message}")


amalgamate, compiler = sys.argv[1:]
with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    write(folder, GOOD)
    done = run(sys.executable, amalgamate, "--root", folder)
    need(done.returncode == 0, done.stderr)
    made = folder / "single_include/lowbits/lowbits.hpp"
    text = made.read_text()
    need("lowbits 1.2.3" in text, "the version is missing")
    need(text.count("SPDX") == 1 and text.count("#pragma once") == 1, "SPDX and once appear once")
    need(text.count("struct base") == 1, "base appears once")
    need("#include <lowbits/" not in text, "an include of the library is left")
    program = folder / "program.cpp"
    program.write_text(PROGRAM)
    for flags in [], ["-DFIRST"], ["-DSECOND"], ["-DFIRST", "-DSECOND"]:
        built = run(compiler, "-std=c++20", f'-DHEADER="{made}"', *flags, program, "-o", folder / "a")
        need(built.returncode == 0, f"{flags}: {built.stderr}")
        need(run(folder / "a").returncode == 0, f"{flags}: the program's result is wrong")

    same = [sys.executable, amalgamate, "--root", folder, "--output", folder / "o", "--compare", made]
    need(run(*same).returncode == 0, "--compare refuses an equal file")
    made.write_text(text + "\n")
    done = run(*same)
    need(done.returncode and "run: python3 tools/amalgamate.py" in done.stderr, "--compare accepts")

for number, (files, sentence) in enumerate(BAD):
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), {**GOOD, **files})
        done = run(sys.executable, amalgamate, "--root", name)
        need(done.returncode != 0, f"bad tree {number} is accepted")
        need(sentence in done.stderr, f"bad tree {number}: {done.stderr}")
