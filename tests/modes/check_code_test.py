#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check_code.py complains where it should, on a disassembly made up for it."""
import sys

import check_code

LISTING = """
Disassembly of section .text:
0000000000000000 <row_gemm_avx2>:
   0:\tlea 0x0(%rip),%rax
\t\t\t3: R_X86_64_PC32\ttile-0x4
   7:\tret
Disassembly of section .text.tile:
0000000000000000 <tile>:
   0:\tvpmaddwd (%rax),%ymm1,%ymm2
   4:\t{extra}
   8:\tadd $0x1,%rax
   c:\tjne 0 <tile>
   e:\tret
"""
CASES = [  # an instruction of the loop, operation, complaints
    ("vpaddd %ymm2,%ymm3,%ymm3", "gemm", 0),
    ("vmovdqa %ymm2,-0x38(%rsp)", "gemm", 1),
    ("vpaddd 0x20(%rsp),%ymm3,%ymm3", "gemm", 1),
    ("mov 0x20(%rsp),%rdx", "gemm", 0),
    ("vmovdqa %ymm2,0x20(%rbp)", "gemm", 0),  # no frame: %rbp is any pointer
    ("vpaddd 0x20(%rsp),%ymm3,%ymm3", "sum", 0),  # a constant
    ("vmovdqa %ymm2,0x20(%rsp)", "sum", 1),
    ("jne e <tile+0xe>", "sum", 0),  # a loop with a branch
    ("jne e <tile+0xe>\n   6:\tvmovdqa %ymm2,0x20(%rsp)", "sum", 1),
    ("vpaddd %ymm2,%ymm3,%ymm3", "requantize", 1),  # no vpmuldq
]


def main():
    failed = 0
    for extra, op, expected in CASES:
        code = check_code.Code(LISTING.replace("{extra}", extra).replace("row_gemm", f"row_{op}"))
        complaints = list(check_code.check(code, op, "avx2", False))
        if len(complaints) != expected:
            failed += 1
            print(f"{op} with '{extra}': {len(complaints)} complaints instead of {expected}: {complaints}")
    print(f"{len(CASES)} cases, {failed} failed")
    sys.exit(failed > 0)


main()
