#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Write single_include/lowbits/lowbits.hpp: the library's core (never hosted/) in one file.

usage: amalgamate.py [--root DIR] [--output FILE] [--compare FILE]

A header is inlined where it is included first. What is included unconditionally somewhere is moved
in front of the #if block that mentions it earlier; a header that is included under conditions only
stays under them. An .inc file is inlined wherever it is included. Standard headers included
unconditionally go to the top. With --compare, FILE must equal the result.
"""
import argparse
import hashlib
import re
import sys
from pathlib import Path

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')
OPEN = re.compile(r"\s*#\s*if(def|ndef)?\b")
CLOSE = re.compile(r"\s*#\s*endif\b")
SKIPPED = re.compile(r"\s*#\s*pragma\s+once\b|// SPDX-License-Identifier:")
UMBRELLA = "lowbits/lowbits.hpp"


class Amalgamation:
    def __init__(self, include):
        self.include = include
        self.files = {}  # path -> list of (line, kind, conditional); kind: include path, "#if", "#endif" or None
        self.chain = {}  # path -> who includes it first
        self.system = set()
        self.out = []
        self.done = set()  # headers emitted outside any condition
        self.active = []  # headers being emitted under a condition
        self.load(UMBRELLA)
        self.always = set()
        self.find_always(UMBRELLA)

    # ---- reading

    def load(self, path):
        if path.startswith("lowbits/hosted/"):
            sys.exit(f"amalgamate: {self.route(path)}: the core must not reach hosted/, because the "
                     "single header is for machines without files and heap; move what is needed out "
                     "of hosted/ or drop the include")
        if not (self.include / path).is_file():
            sys.exit(f"amalgamate: {self.route(path)}: there is no such file below include/")
        self.files[path] = lines = []
        depth = 0
        for line in (self.include / path).read_text(encoding="utf-8").splitlines():
            if SKIPPED.match(line):
                continue
            kind = None
            found = INCLUDE.match(line)
            if OPEN.match(line):
                kind = "#if"
                lines.append((line, kind, depth > 0))
                depth += 1
                continue
            if CLOSE.match(line):
                kind = "#endif"
                depth -= 1
            elif found:
                kind = found.group(2)
                if found.group(1) == '"':
                    sys.exit(f'amalgamate: {path}: #include "{kind}": write #include <lowbits/...>, '
                             "relative paths cannot be followed")
            lines.append((line, kind, depth > 0))
        if depth:
            sys.exit(f"amalgamate: {path}: an #if has no #endif")
        for _, kind, _ in lines:
            if self.ours(kind) and kind not in self.files:
                self.chain[kind] = path
                self.load(kind)

    @staticmethod
    def ours(kind):
        return kind is not None and kind.startswith("lowbits/")

    def route(self, path):
        names = [path]
        while names[-1] in self.chain:
            names.append(self.chain[names[-1]])
        return " included by ".join(names)

    def find_always(self, path):
        """Headers that every program gets, whatever its macros."""
        if path in self.always:
            return
        self.always.add(path)
        for _, kind, conditional in self.files[path]:
            if self.ours(kind) and not conditional:
                self.find_always(kind)

    # ---- writing

    def emit(self, path, conditional):
        lines = self.files[path]
        self.out += ["", f"// ---- {path}", ""]
        for number, (line, kind, inner) in enumerate(lines):
            if kind == "#if" and not inner and not conditional:
                self.emit_always_of_block(lines, number)
            if self.ours(kind):
                self.emit_include(kind, conditional or inner)
            elif kind and kind[0] != "#" and not (conditional or inner):
                self.system.add(line.split("//")[0].strip())
            else:
                self.out.append(line)

    def emit_include(self, path, conditional):
        if path.endswith(".inc"):
            self.emit(path, conditional)
        elif path in self.done or path in self.active:
            pass
        elif not conditional:
            self.done.add(path)
            self.emit(path, False)
        else:
            guard = re.sub(r"\W", "_", path).upper() + "_INLINED"
            self.out += [f"#ifndef {guard}", f"#define {guard}"]
            self.active.append(path)
            self.emit(path, True)
            self.active.pop()
            self.out += [f"#endif  // {guard}"]

    def emit_always_of_block(self, lines, start):
        """Before an outermost #if: headers mentioned in it that are needed outside it as well."""
        for _, kind, inner in lines[start + 1:]:
            if kind == "#endif" and not inner:
                break
            if self.ours(kind):
                self.emit_always_of(kind, set())

    def emit_always_of(self, path, seen):
        if path in seen or path in self.done:
            return
        seen.add(path)
        if path in self.always and not path.endswith(".inc"):
            self.emit_include(path, False)
            return
        for _, kind, _ in self.files[path]:
            if self.ours(kind):
                self.emit_always_of(kind, seen)

    def text(self):
        self.done.add(UMBRELLA)
        self.emit(UMBRELLA, False)
        config = (self.include / "lowbits/config.hpp").read_text(encoding="utf-8")
        version = ".".join(re.search(rf"#define LOWBITS_VERSION_{part}\s+(\d+)", config).group(1)
                           for part in ("MAJOR", "MINOR", "PATCH"))
        digest = hashlib.sha256()
        for path in sorted(self.files):
            digest.update(path.encode() + b"\0" + (self.include / path).read_bytes() + b"\0")
        head = ["// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception",
                "#pragma once", "",
                f"// lowbits {version} in one header, generated by tools/amalgamate.py: do not edit.",
                f"// Inputs: sha256 {digest.hexdigest()}", ""]
        first, second = [i for i, line in enumerate(self.out) if line.startswith("// ---- lowbits/")][1:3]
        if self.out[first] != "// ---- lowbits/config.hpp":
            sys.exit("amalgamate: lowbits.hpp must include lowbits/config.hpp first of all, because it "
                     "shields the standard headers from macros")
        lines = []
        for line in head + self.out[:second] + sorted(self.system) + [""] + self.out[second:]:
            if line or (lines and lines[-1]):
                lines.append(line)
        return "\n".join(lines).rstrip("\n") + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--output", type=Path, help="default: ROOT/single_include/lowbits/lowbits.hpp")
    parser.add_argument("--compare", type=Path)
    options = parser.parse_args()
    include = options.root / "include"

    made = Amalgamation(include)
    every = sorted(p.relative_to(include).as_posix() for p in include.glob("lowbits/**/*")
                   if p.suffix in (".hpp", ".inc"))
    unreached = [p for p in every if p not in made.files and not p.startswith("lowbits/hosted/")]
    if unreached:
        sys.exit(f"amalgamate: not reached from {UMBRELLA}: {', '.join(unreached)}; users of the single "
                 "header would miss it: include it in lowbits.hpp or from a header that needs it, or "
                 "move it to hosted/")

    output = options.output or options.root / "single_include/lowbits/lowbits.hpp"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(made.text(), encoding="utf-8")
    if options.compare and (not options.compare.is_file()
                            or options.compare.read_bytes() != output.read_bytes()):
        sys.exit(f"amalgamate: {options.compare} is out of step with include/; "
                 "run: python3 tools/amalgamate.py")


main()
