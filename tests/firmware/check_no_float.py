#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Check that an Arm object file computes without floating point.

usage: check_no_float.py [--helium] [--allow SYMBOL]... NM OBJDUMP OBJECT

Two ways in are looked at. Calls: an object may need only the integer helpers of the compiler and
the memory functions (and SYMBOLs); __aeabi_fadd and its like are floating point in software.
Instructions: of those that start with v, only loads, stores and moves of registers are left; with
--helium also integer vector instructions, which are told from floating point by their data type.
"""
import argparse
import re
import subprocess
import sys

CALLS = re.compile(
    r"""mem(cpy|move|set|cmp)
      | __aeabi_mem(cpy|move|set|clr)[48]?
      | __aeabi_(u?idiv(mod)?|u?ldivmod|lmul|llsl|llsr|lasr|u?lcmp)
      | __(clz|ctz|popcount|bswap)[sd]i2
      | __gnu_thumb1_case_\w+   # switch statements of Armv6-M
    """, re.X)
MOVES = {"vldr", "vstr", "vldm", "vldmia", "vldmdb", "vstm", "vstmia", "vstmdb", "vpush", "vpop", "vmov"}
FLOAT_TYPE = re.compile(r"\.(bf16|f16|f32|f64)\b")
STATUS = {"vmrs", "vmsr"}  # flags of the floating-point unit; Helium's predicate has its own name


def lines(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def foreign_calls(nm, target, allowed):
    """Undefined symbols that are not known to be free of floating point."""
    names = [line.split()[-1] for line in lines(nm, "-u", target) if line.strip()]
    return [name for name in names if not CALLS.fullmatch(name) and name not in allowed]


def float_instructions(objdump, target, helium):
    """(function, instruction) for every one that is not allowed, and how many were looked at."""
    function, found, count = "", [], 0
    for line in lines(objdump, "-d", "--no-show-raw-insn", target):
        if head := re.match(r"[0-9a-f]+ <(.*)>:$", line):
            function = head[1]
        elif code := re.match(r"\s*[0-9a-f]+:\t(\S+)(\s.*)?$", line):
            count += 1
            whole = code[1] + (code[2] or "").split(";")[0].rstrip()
            name = code[1].split(".")[0]
            base = re.sub(r"(?<=vldr|vstr|vmov)(eq|ne|cs|cc|mi|pl|vs|vc|hi|ls|ge|lt|gt|le|t|e)$", "", name)
            if not name.startswith("v") or base in MOVES:
                continue
            predicate = name in STATUS and re.search(r"\b(p0|vpr)\b", whole, re.I)
            integer = name not in STATUS and not FLOAT_TYPE.search(code[1])
            if not (helium and (integer or predicate)):
                found.append((function, whole))
    return found, count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--helium", action="store_true")
    parser.add_argument("--allow", action="append", default=[])
    parser.add_argument("nm")
    parser.add_argument("objdump")
    parser.add_argument("object")
    given = parser.parse_args()
    calls = foreign_calls(given.nm, given.object, given.allow)
    instructions, count = float_instructions(given.objdump, given.object, given.helium)
    for name in calls:
        print(f"{given.object}: calls {name}, which is floating point or not known to be without it")
    for function, text in instructions[:20]:
        print(f"{given.object}: {function}: {text}")
    print(f"{count} instructions, {len(instructions)} of them floating point; {len(calls)} foreign calls")
    sys.exit(bool(calls or instructions or count == 0))


main()
