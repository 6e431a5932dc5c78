#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Check the rules that keep include/lowbits/ readable, portable and quick to compile.

usage: check_layers.py [--root DIR] [--length WARNING ERROR]

Prints one complaint per violation: file:line, the rule, what is wrong, why it matters, how to fix it.
"""
import argparse
import re
import sys
from pathlib import Path

BASE = ["config", "core"]
LAYERS = {  # folder -> folders it may include, besides itself
    "config": [],
    "core": ["config"],
    "quant": BASE,
    "fixed": BASE + ["quant"],
    "pack": BASE + ["quant"],
    "ref": BASE + ["quant", "fixed", "pack"],
    "arch": BASE,
    "kernel": BASE + ["quant", "fixed", "pack", "ref", "arch"],
    "op": BASE + ["quant", "fixed", "pack", "ref", "arch", "kernel"],
    "graph": BASE + ["quant", "fixed", "pack", "ref", "arch", "kernel", "op"],
}
LAYERS["lowbits"] = list(LAYERS)  # the umbrella, lowbits.hpp
LAYERS["hosted"] = list(LAYERS)

STANDARD = {"array", "bit", "concepts", "cstddef", "cstdint", "span", "type_traits", "utility"}
STANDARD_IN = {"config": {"atomic"}, "core/cpu": {"atomic", "cpuid.h", "sys/auxv.h"}}
INTRINSICS = {"immintrin.h", "x86intrin.h", "arm_neon.h", "arm_mve.h", "arm_sve.h", "arm_acle.h",
              "riscv_vector.h", "wasm_simd128.h"}
XSIMD_HEADER = "arch/xsimd.hpp"

# Macros of Arduino.h, windows.h and newlib's ctype.h.
CALL_MACROS = re.compile(r"(?<!\w)(min|max|abs|round|bit|F|word|sq|constrain)\s*\(")
NAME_MACROS = re.compile(r"\b(B[01]{1,8}|PI|HIGH|LOW|INPUT|OUTPUT|DEFAULT|small|near|far|IN|OUT|"
                         r"interface|ERROR|_[ULNSPCXB])\b")

WHY = {
    "layer": ("the order config, core, quant, {fixed, pack}, {ref | arch}, kernel, op, graph lets a "
              "reader learn and a test check one layer at a time",
              "move what both need to a layer below both"),
    "hosted": ("hosted/ uses heap, exceptions and files, which firmware does not have",
               "move what is needed out of hosted/ into a layer of the core"),
    "place": ("the folder says who may include the header", "put it into one of the layers' folders"),
    "quotes": ("a relative path hides the layer, and the single header cannot follow it",
               "write #include <lowbits/layer/name.hpp>"),
    "standard": ("it costs compile time in every user's file or is missing on bare metal",
                 "do without; core/ has substitutes, or the code belongs in hosted/"),
    "intrinsics": ("what a processor offers is known in arch/ and kernel/ only",
                   "add a primitive to arch/<isa>.hpp and call it through the kernel"),
    "xsimd": ("including it costs most of a second per file and it must stay optional",
              f"include <lowbits/{XSIMD_HEADER}> and test LOWBITS_HAS_XSIMD"),
    "abi": ("without the tag the linker may give a baseline program a function compiled for a newer "
            "processor", "write namespace lowbits::inline LOWBITS_ABI {"),
    "length": ("a file should hold one idea", "split it"),
    "licence": ("tools read the licence from the first line",
                "start with // SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception"),
    "once": ("including the header twice must be harmless", "add #pragma once behind the licence line"),
    "macro": ("Arduino.h, windows.h or newlib define a macro of that name",
              "choose another name: lowest, highest, smaller, larger, magnitude, nearest"),
}


def without_comments(text):
    """The text with comments, strings and characters blanked out; lines stay where they are."""
    pattern = (r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"'
               r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'")
    return re.sub(pattern, lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.DOTALL)


class Checker:
    def __init__(self, root, warn_length, error_length):
        self.folder = root / "include/lowbits"
        self.warn_length, self.error_length = warn_length, error_length
        self.errors = 0

    def complain(self, path, line, rule, what, severity="error"):
        why, fix = WHY[rule]
        print(f"include/lowbits/{path}:{line}: {severity} [{rule}]: {what}; why: {why}; fix: {fix}")
        self.errors += severity == "error"

    def check_include(self, path, number, layer, bracket, name):
        if bracket == '"':
            self.complain(path, number, "quotes", f'#include "{name}" uses quotation marks')
        elif name.startswith("lowbits/"):
            parts = name.split("/")
            target = parts[1] if len(parts) > 2 else parts[1].split(".")[0]
            if target == layer or target in LAYERS[layer]:
                return
            self.complain(path, number, "hosted" if target == "hosted" else "layer",
                          f"{layer} must not include {target} (<{name}>)")
        elif layer == "hosted":
            if name in INTRINSICS:
                self.complain(path, number, "intrinsics", f"<{name}> is included in hosted/")
        elif name.startswith("xsimd"):
            if path != XSIMD_HEADER:
                self.complain(path, number, "xsimd", f"<{name}> is included outside {XSIMD_HEADER}")
        elif name in INTRINSICS:
            if layer not in ("arch", "kernel"):
                self.complain(path, number, "intrinsics", f"<{name}> is included in {layer}")
        elif name not in STANDARD and name not in STANDARD_IN.get(path.removesuffix(".hpp"), ()):
            self.complain(path, number, "standard", f"<{name}> is included outside hosted/")

    def check_file(self, path):
        raw = (self.folder / path).read_text(encoding="utf-8")
        raw_lines = raw.splitlines()
        parts = path.split("/")
        layer = parts[0] if len(parts) > 1 else parts[0].removesuffix(".hpp")
        if layer not in LAYERS:
            self.complain(path, 1, "place", f"{layer} is not a layer of the library")
            return
        if not raw.startswith("// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception\n"):
            self.complain(path, 1, "licence", "the first line is not the licence line")
        if path.endswith(".hpp") and "#pragma once" not in raw_lines[:2]:
            self.complain(path, min(2, len(raw_lines)), "once", "#pragma once is not in line 2")
        count = len(raw_lines)
        if count > self.warn_length:
            over = count > self.error_length
            self.complain(path, count, "length", f"{count} lines, the limit is {self.warn_length}",
                          "error" if over else "warning")

        for number, line in enumerate(without_comments(raw).splitlines(), 1):
            found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', raw_lines[number - 1])
            if found and line.lstrip().startswith("#"):
                self.check_include(path, number, layer, *found.groups())
                continue
            if re.match(r"\s*(inline\s+)?namespace\s+lowbits\b", line) and "LOWBITS_ABI" not in line:
                self.complain(path, number, "abi", "namespace lowbits is opened without LOWBITS_ABI")
            if layer != "hosted":
                for pattern in (CALL_MACROS, NAME_MACROS):
                    for name in dict.fromkeys(m.group(1) for m in pattern.finditer(line)):
                        self.complain(path, number, "macro", f"the identifier {name} is used")

    def check_all(self):
        paths = sorted(p.relative_to(self.folder).as_posix()
                       for p in self.folder.rglob("*") if p.suffix in (".hpp", ".inc", ".h"))
        for path in paths:
            self.check_file(path)
        return len(paths)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--length", type=int, nargs=2, default=(400, 500))
    options = parser.parse_args()
    checker = Checker(options.root, *options.length)
    files = checker.check_all()
    if files == 0:
        sys.exit(f"check_layers: there are no headers below {checker.folder}")
    print(f"check_layers: {files} files, {checker.errors} errors")
    sys.exit(checker.errors > 0)


main()
