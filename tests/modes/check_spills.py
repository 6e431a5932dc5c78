#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Look for accumulators in memory in the innermost loops of the matrix product's tiles.

usage: check_spills.py INCLUDE_DIR OBJDUMP COMPILER [FLAG...]

A compiler that runs out of vector registers keeps accumulators on the stack, and the tile runs at a
third of its speed without giving a wrong result; g++ 12 does so with some intrinsics.
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = """
#include <lowbits/kernel/select.hpp>
namespace lb = lowbits;
template <class Arch>
void use(const int8_t* w, const int32_t* start, int32_t* acc, const void* x) {
  using P = lb::prim<lb::prims::gemm, Arch>;
  P::run(P::rows, P::cols, 64, static_cast<const typename P::element*>(x), 64, w, start, acc);
}
template void use<lb::arch::sse41>(const int8_t*, const int32_t*, int32_t*, const void*);
template void use<lb::arch::avx2>(const int8_t*, const int32_t*, int32_t*, const void*);
template void use<lb::arch::avxvnni>(const int8_t*, const int32_t*, int32_t*, const void*);
template void use<lb::arch::avx512bw>(const int8_t*, const int32_t*, int32_t*, const void*);
template void use<lb::arch::avx512vnni>(const int8_t*, const int32_t*, int32_t*, const void*);
"""
MULTIPLY = re.compile(r"vpdpbusd|pmaddwd")
STACK = re.compile(r"\(%rsp[,)]")
STACK_WITH_FRAME = re.compile(r"\(%r[sb]p[,)]")
VECTOR = re.compile(r"%[xyz]mm")


def main():
    include, objdump, *command = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        source, program = Path(folder, "tiles.cpp"), Path(folder, "tiles.o")
        source.write_text(SOURCE, encoding="utf-8")
        subprocess.run([*command, "-std=c++20", "-O2", f"-I{include}", "-c", str(source), "-o", str(program)], check=True)
        text = subprocess.run([objdump, "-d", "-C", "--no-show-raw-insn", str(program)], check=True,
                              capture_output=True, text=True).stdout
    code = []  # (address, instruction, function)
    function = ""
    for line in text.splitlines():
        if head := re.match(r"[0-9a-f]+ <(.*)>:$", line):
            function = head.group(1)
        elif one := re.match(r"\s*([0-9a-f]+):\t(.*)", line):
            code.append((int(one.group(1), 16), one.group(2), function))
    framed = {name for _, instruction, name in code if re.match(r"mov\s+%rsp,%rbp", instruction)}
    # Section addresses start again at 0 for every section: find a jump's target by walking back.
    loops = errors = 0
    for at, (address, instruction, name) in enumerate(code):
        jump = re.match(r"j\w+\s+([0-9a-f]+)", instruction)
        if not jump or int(jump.group(1), 16) >= address:
            continue
        body = []
        for back in range(at, -1, -1):
            if code[back][2] != name or code[back][0] < int(jump.group(1), 16):
                break
            body.append(code[back][1])
        if any(re.match(r"j\w+\s", i) for i in body[1:]) or not any(MULTIPLY.search(i) for i in body):
            continue  # not an innermost loop, or not a product's
        loops += 1
        stack = STACK_WITH_FRAME if name in framed else STACK
        spilled = [i for i in body if stack.search(i) and VECTOR.search(i)]
        if spilled:
            errors += 1
            print(f"{name[:120]}: a loop with {sum(bool(MULTIPLY.search(i)) for i in body)} products has vectors on the stack:")
            print("\n".join(f"    {i}" for i in spilled[:4]))
    print(f"check_spills: {loops} loops with products, {errors} with vectors on the stack")
    if loops < 10:
        sys.exit("check_spills: the tiles' loops were not found")
    sys.exit(errors > 0)


main()
