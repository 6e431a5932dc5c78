#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Run a program here and on another target, and compare what they print.

usage: same_output.py REFERENCE COMMAND [ARGUMENT...]

REFERENCE is built for this machine, or a .txt file with what has to be printed; COMMAND runs the same program elsewhere (an emulator).
Both must end with status 0 and print the same text. Emulated microcontrollers may print to stderr.
"""
import difflib
import subprocess
import sys

TIMEOUT = 280  # seconds


def output(command):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=TIMEOUT)
    except subprocess.TimeoutExpired as stuck:
        sys.exit(f"{' '.join(command)}\nstill running after {TIMEOUT} s; it printed\n"
                 f"{(stuck.stdout or b'').decode(errors='replace')}")
    text = done.stdout.decode(errors="replace")
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\nended with status {done.returncode} and printed\n{text}")
    return text.splitlines()


def main():
    reference, *command = sys.argv[1:]
    if reference.endswith(".txt"):
        with open(reference, encoding="utf-8") as text:
            expected = text.read().splitlines()
    else:
        expected = output([reference])
    found = output(command)
    if not expected:
        sys.exit(f"{reference} prints nothing")
    difference = list(difflib.unified_diff(expected, found, "here", "there", lineterm="", n=0))
    print("\n".join(difference) if difference else f"{len(expected)} lines are the same")
    sys.exit(bool(difference))


main()
