#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Check what an object file takes in flash and RAM.

usage: check_budget.py SIZE_TOOL OBJECT FLASH_BYTES RAM_BYTES

Flash is text with constants, RAM what starts as zeros; nothing may have to be copied to RAM.
"""
import subprocess
import sys


def main():
    tool, path, flash, ram = sys.argv[1:]
    lines = subprocess.run([tool, path], check=True, capture_output=True, text=True).stdout.splitlines()
    text, data, zeros = (int(v) for v in lines[1].split()[:3])
    print(f"flash {text} of {flash} bytes, RAM {zeros} of {ram} bytes, copied to RAM {data} bytes")
    sys.exit(data != 0 or text > int(flash) or zeros > int(ram))


main()
