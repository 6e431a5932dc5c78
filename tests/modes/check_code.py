#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Disassemble the primitive behind every x86 line of kernel/prims.inc and check its inner loops.

usage: check_code.py [--verbose] INCLUDE_DIR OBJDUMP COMPILER [FLAG...]

For each line: the instruction it is written for is there (INSTRUCTIONS), in an innermost loop, and no
such loop stores vectors on the stack; loops of products do not read them there either (elsewhere, a
constant that found no register may lie there). A compiler that runs out of registers, or does not
understand an intrinsic, makes code that is right and three times slower; g++ 12 does both. A line this
script does not know fails: add it to INSTRUCTIONS, and its operation to USES.
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ONCE, TWICE, BRIEF = "lb::rescale_rule::once", "lb::rescale_rule::twice", "lb::rescale_rule::brief"
# operation -> the functions to look at, of P, the primitive
USES = {
    "gemm": ["P::run"],
    "gemm_codes": [f"P::template run<{ONCE}, int8_t>", f"P::template run<{TWICE}, int8_t>"],
    "gemm_bits": [f"P::template run<{bits}>" for bits in range(1, 8)],
    "gemm_trits": ["P::run"],
    "gemm_groups": ["P::template run<2, lb::half, float>", "P::template run<4, uint8_t, int32_t>"],
    "gemm_binary": ["P::run"],
    "gemm_words": ["P::template run<1>", "P::template run<2>"],
    "gemm_reals": ["P::run", "P::unpack", "P::tile"],
    "requantize_wide": [f"P::template run<{ONCE}, int16_t>", f"P::template run<{BRIEF}, int8_t>"],
    "depthwise_words": ["P::template run<1>", "P::template run<2>"],
    "requantize": [f"P::template run<{ONCE}, int8_t>", f"P::template run<{TWICE}, uint8_t>"],
    "sums_to_float": ["P::run"],
    "depthwise": [f"P::template run<{ONCE}, int8_t>", f"P::template run<{TWICE}, uint8_t>", "P::sums"],
    "depthwise_window": [f"P::template run<{ONCE}, int8_t>", f"P::template run<{TWICE}, uint8_t>"],
    "sum": ["P::template run<int8_t, uint8_t, int8_t>"],
    "product": [f"P::template run<{ONCE}, int8_t, int8_t, int8_t>", f"P::template run<{TWICE}, int8_t, int8_t, int8_t>"],
    "rescale": ["P::template run<int8_t, uint8_t>"],
    "extremum": ["P::template run<int8_t>"],
    "clamp": ["P::template run<int8_t>"],
    "quantize": ["P::template run<int8_t>"],
    "dequantize": ["P::template run<int8_t>"],
    "finite_range": ["P::run"],
    "lookup": ["P::run"],
    "quantize_and_range": ["P::template run<int8_t>"],
    "window_max": ["P::template run<int8_t>"],
    "window_mean": ["P::template run<int8_t>"],
    "position_mean": ["P::template run<int8_t, int8_t>"],
}
# operation -> architecture -> the instruction (a regular expression)
INSTRUCTIONS = {
    "gemm": {"amx": r"tdpbusd", "avx512vnni": r"vpdpbusd .*%zmm", "avxvnni": r"\{vex\} vpdpbusd .*%ymm", "avx512bw": r"vpmaddwd .*%zmm",
             "avx2": r"vpmaddwd .*%ymm", "sse41": r"^pmaddwd"},
    "gemm_codes": {"amx": r"tdpbusd", "avx512vnni": r"vpdpbusd .*%zmm"},
    "gemm_bits": {"avx512vnni": r"vpdpbusd .*%zmm", "avx2": r"vpmaddubsw .*%ymm"},
    "gemm_binary": {"avx512bw": r"vpopcntd .*%zmm", "avx2": r"vpshufb .*%ymm"},
    "gemm_trits": {"avx512vnni": r"vpdpbusd .*%zmm", "avx2": r"vpmaddubsw .*%ymm"},
    "gemm_groups": {"avx512vnni": r"vpdpbusd .*%zmm", "avx2": r"vpmaddubsw .*%ymm"},
    "gemm_words": {"avx512vnni": r"vpdpwssd .*%zmm", "avx512bw": r"vpmaddwd .*%zmm", "avx2": r"vpmaddwd .*%ymm"},
    "gemm_reals": {"avx512bw": r"vmulps .*%zmm", "avx2": r"vmulps .*%ymm"},
    "requantize_wide": {"avx512bw": r"vpmuldq .*%zmm", "avx2": r"vpmuldq .*%ymm"},
    "depthwise_words": {"avx2": r"vpmaddwd .*%ymm"},
    "requantize": {"avx512bw": r"vpmuldq .*%zmm", "avx2": r"vpmuldq .*%ymm", "sse41": r"^pmuldq"},
    "sums_to_float": {"avx512bw": r"vcvtdq2ps .*%zmm", "avx2": r"vcvtdq2ps .*%ymm"},
    "depthwise": {"avx512vnni": r"vpdpbusd .*%zmm", "avx2": r"vpmaddwd .*%ymm", "sse41": r"^pmaddwd"},
    "depthwise_window": {"avx512vnni": r"vpdpbusd .*%zmm"},
    "sum": {"avx512bw": r"vpmaddwd .*%zmm", "avx2": r"vpmaddwd .*%ymm", "sse41": r"^pmaddwd"},
    "product": {"avx512bw": r"vpmuldq .*%zmm", "avx2": r"vpmuldq .*%ymm"},
    "rescale": {"avx2": r"vpmuldq .*%ymm"},
    "extremum": {"avx2": r"vpmaxs[bwd]", "sse41": r"^pmaxs[bw]"},
    "clamp": {"avx2": r"vpmaxs[bwd]", "sse41": r"^pmaxs[bw]"},
    "quantize": {"avx512bw": r"vcvtps2dq .*%zmm", "avx2": r"vcvtps2dq .*%ymm", "sse41": r"^roundps"},
    "dequantize": {"avx512bw": r"vcvtdq2ps .*%zmm", "avx2": r"vcvtdq2ps .*%ymm", "sse41": r"^cvtdq2ps"},
    "finite_range": {"avx512bw": r"vpmaxud .*%zmm", "avx2": r"vpmaxud .*%ymm"},
    "lookup": {"avx512bw": r"vpermi2b .*%zmm|vpermt2b .*%zmm", "avx2": r"vpshufb .*%ymm"},
    "quantize_and_range": {"avx512bw": r"vpmaxud .*%zmm"},
    "window_max": {"avx512bw": r"vpmaxs[bwd] .*%zmm", "avx2": r"vpmaxs[bwd]"},
    "window_mean": {"avx512bw": r"vpadd[wd] .*%zmm", "avx2": r"vpadd[wd] .*%ymm"},
    "position_mean": {"avx512bw": r"vpadd[wd] .*%zmm", "avx2": r"vpadd[wd] .*%ymm"},
}
PRODUCTS = {"gemm", "gemm_codes", "gemm_words", "gemm_reals", "depthwise", "depthwise_words", "depthwise_window"}
# Loops with a branch inside, such as one for the last few columns, may keep vectors on the stack there: how many accesses they
# have at most, over all loops of a row. Measured with g++ 12 and clang 14, made up to a multiple of four; 0 where not named.
BRANCHES_STACK = {("depthwise_window", "avx512vnni"): 48, ("requantize", "avx512bw"): 4, ("quantize_and_range", "avx512bw"): 12,
                  ("requantize", "avx2"): 16, ("requantize_wide", "avx2"): 8, ("depthwise_words", "avx2"): 32,
                  ("product", "avx2"): 8, ("rescale", "avx2"): 8, ("dequantize", "avx2"): 4,
                  ("window_max", "avx2"): 8, ("window_mean", "avx2"): 12, ("position_mean", "avx2"): 16,
                  ("requantize", "sse41"): 4, ("extremum", "sse41"): 4}
NOT_OURS = {"vector"}  # xsimd's, in no region


def rows_of(include):
    text = Path(include, "lowbits/kernel/prims.inc").read_text(encoding="utf-8")
    rows = re.findall(r"(?m)^LOWBITS_PRIM\((\w+), (\w+)\)", text)
    return [(op, arch) for op, arch in rows if arch not in NOT_OURS]


def source_of(rows):
    """A function per row that has the addresses of what it uses."""
    text = "#include <lowbits/arch/binary.hpp>\n#include <lowbits/arch/reals.hpp>\n#include <lowbits/arch/trits.hpp>\n#include <lowbits/arch/groups.hpp>\n#include <lowbits/kernel/select.hpp>\nnamespace lb = lowbits;\n"
    for op, arch in rows:
        keep = "; ".join(f"to[{i}] = reinterpret_cast<const void*>(&{use})" for i, use in enumerate(USES[op]))
        text += (f"template <class P> void {op}_{arch}(const void** to) {{ {keep}; }}\n"
                 f'extern "C" void row_{op}_{arch}(const void** to) {{ {op}_{arch}<lb::prim<lb::prims::{op}, lb::arch::{arch}>>(to); }}\n')
    return text


class Code:
    """The functions in what objdump prints: name -> [(address, instruction)], and whom each one names."""

    def __init__(self, text):
        self.functions, self.named, self.at = {}, {}, {}
        section = name = ""
        for line in text.splitlines():
            if head := re.match(r"Disassembly of section (.*):$", line):
                section = head.group(1)
            elif head := re.match(r"([0-9a-f]+) <(.*)>:$", line):
                name = head.group(2)
                self.functions[name], self.named[name] = [], set()
                self.at[section, int(head.group(1), 16)] = name
            elif relocation := re.match(r"\s*[0-9a-f]+: R_\w+\s+(.+)", line):
                target = re.match(r"(.+?)(?:([+-])0x([0-9a-f]+))?$", relocation.group(1))
                offset = int(target.group(3) or "0", 16) * (-1 if target.group(2) == "-" else 1)
                self.named[name] |= {target.group(1), (target.group(1), offset + 4), (target.group(1), offset)}
            elif one := re.match(r"\s*([0-9a-f]+):\t(.*)", line):
                self.functions[name].append((int(one.group(1), 16), one.group(2).strip()))
                if inside := re.search(r"<([^>+]+)(?:\+0x[0-9a-f]+)?>$", one.group(2)):
                    self.named[name].add(inside.group(1))

    def reached_from(self, root):
        found, waiting = set(), [root]
        while waiting:
            name = waiting.pop()
            name = self.at.get(name, name) if isinstance(name, tuple) else name
            if name in self.functions and name not in found:
                found.add(name)
                waiting += self.named[name]
        return found - {root}

    def innermost_loops(self, name):
        """Bodies of loops with no loop inside: (instructions, whether they branch)."""
        code = self.functions[name]
        places = {address: i for i, (address, _) in enumerate(code)}
        loops = []
        for i, (address, instruction) in enumerate(code):
            jump = re.match(r"j\w+\s+([0-9a-f]+)", instruction)
            start = places.get(int(jump.group(1), 16)) if jump else None
            if start is not None and start <= i:
                loops.append((start, i))
        for start, end in loops:
            if not any((s, e) != (start, end) and start <= s and e <= end for s, e in loops):
                body = [instruction for _, instruction in code[start:end + 1]]
                yield body, any(re.match(r"j\w+\s|call", x) for x in body[:-1])


def check(code, op, arch, verbose):
    """Complaints about one row."""
    wanted = re.compile(INSTRUCTIONS[op][arch])
    straight = branching = stores = 0
    for name in sorted(code.reached_from(f"row_{op}_{arch}")):
        framed = any(re.match(r"mov\s+%rsp,%rbp", x) for _, x in code.functions[name])
        memory = r"[-x0-9a-f]*\(%r[sb]p" if framed else r"[-x0-9a-f]*\(%rsp"
        stack = re.compile(rf"{memory}.*%[xyz]mm|%[xyz]mm.*{memory}" if op in PRODUCTS else rf"%[xyz]mm\d+,{memory}")
        for body, branches in code.innermost_loops(name):
            if not any(wanted.search(x) for x in body):
                continue
            if branches:
                branching += 1
                stores += sum(bool(stack.search(x)) for x in body)
                continue
            straight += 1
            spilled = [x for x in body if stack.search(x)]
            if spilled:
                yield f"a loop of {len(body)} instructions keeps vectors on the stack:\n    " + "\n    ".join(spilled[:4])
    if verbose:
        print(f"{op:14} {arch:12} {straight:3} straight loops, {branching} with branches, stack {stores}")
    allowed = BRANCHES_STACK.get((op, arch), 0)
    if stores > allowed:
        yield f"loops with branches use the stack {stores} times, at most {allowed} were there before"
    if straight + branching == 0:
        yield f"no innermost loop has the instruction it is written for ({wanted.pattern})"


def main():
    arguments = sys.argv[1:]
    verbose = arguments[:1] == ["--verbose"]
    include, objdump, *command = arguments[verbose:]
    rows = rows_of(include)
    errors = [f"{op} on {arch}: this script does not know what to look for; add it to INSTRUCTIONS and USES in {__file__}"
              for op, arch in rows if op not in USES or arch not in INSTRUCTIONS.get(op, {})]
    known = {(op, arch) for op, archs in INSTRUCTIONS.items() for arch in archs}
    errors += [f"{op} on {arch}: has no line in prims.inc any more; remove it from INSTRUCTIONS in {__file__}"
               for op, arch in sorted(known - set(rows))]
    checked = [(op, arch) for op, arch in rows if (op, arch) in known]
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder, "rows.cpp"), Path(folder, "rows.o")
        source.write_text(source_of(checked), encoding="utf-8")
        subprocess.run([*command, "-std=c++20", "-O2", f"-I{include}", "-DLOWBITS_NO_XSIMD", "-c", str(source), "-o", str(program)], check=True)
        code = Code(subprocess.run([objdump, "-dr", "--no-show-raw-insn", str(program)], check=True,
                                   capture_output=True, text=True).stdout)
    for op, arch in checked:
        errors += [f"{op} on {arch}: {what}" for what in check(code, op, arch, verbose)]
    print("\n".join(errors))
    print(f"check_code: {len(rows)} rows, {len(errors)} complaints")
    sys.exit(len(errors) > 0 or not rows)


if __name__ == "__main__":
    main()
