#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Run check_layers.py on the tree bad/: it must complain about each line marked `bad: <rule>` and
about no other.

usage: expect_complaints.py CHECK_LAYERS
"""
import re
import subprocess
import sys
from pathlib import Path

bad = Path(__file__).resolve().parent / "bad"
marked = set()
for path in bad.rglob("*.hpp"):
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        for rule in re.findall(r"bad: (\w+)", line):
            marked.add((path.relative_to(bad).as_posix(), number, rule))

done = subprocess.run([sys.executable, sys.argv[1], "--root", bad, "--length", "22", "23"],
                      capture_output=True, text=True)
found = set()
for line in done.stdout.splitlines():
    complaint = re.match(r"(\S+?):(\d+): (?:error|warning) \[(\w+)\]: .+; why: .+; fix: .+", line)
    if complaint:
        found.add((complaint.group(1), int(complaint.group(2)), complaint.group(3)))

for missed in sorted(marked - found):
    print("no complaint about", *missed)
for wrong in sorted(found - marked):
    print("unexpected complaint", *wrong)
if not marked or marked != found or done.returncode != 1:
    sys.exit(f"exit code {done.returncode}, {len(found)} of {len(marked)} complaints\n"
             f"{done.stdout}{done.stderr}")
