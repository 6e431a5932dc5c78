#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Check what a firmware image contains.

usage: check_image.py NM OBJCOPY IMAGE [--absent TEXT]... [--present TEXT]...

No symbol of the heap, of exceptions or of run-time type information may be in it. Each --absent
TEXT must not, and each --present TEXT must occur in its bytes, as they would be flashed.
"""
import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

UNWANTED = re.compile(
    r"""_?_?(malloc|free|calloc|realloc|memalign)(_r)? | _sbrk(_r)?    # heap
      | _Z(nw|na|dl|da)\w+                                            # operator new, delete
      | __cxa_(throw|allocate_exception|begin_catch|guard_\w+|atexit) # exceptions, lazy starts
      | __gxx_personality\w* | _Unwind_\w+
      | _ZT[IS]\w+ | __dynamic_cast                                   # type information
    """, re.X)


def symbols(nm, image):
    done = subprocess.run([nm, image], check=True, capture_output=True, text=True)
    return [line.split()[-1] for line in done.stdout.splitlines() if line.strip()]


def flashed(objcopy, image):
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "image.bin")
        subprocess.run([objcopy, "-O", "binary", image, target], check=True)
        return target.read_bytes()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("nm")
    parser.add_argument("objcopy")
    parser.add_argument("image")
    parser.add_argument("--absent", action="append", default=[])
    parser.add_argument("--present", action="append", default=[])
    given = parser.parse_args()
    names, content = symbols(given.nm, given.image), flashed(given.objcopy, given.image)
    complaints = [f"has the symbol {name}" for name in names if UNWANTED.fullmatch(name)]
    complaints += [f"contains the text '{text}'" for text in given.absent if text.encode() in content]
    complaints += [f"lacks the text '{text}'" for text in given.present if text.encode() not in content]
    for complaint in complaints:
        print(f"{given.image}: {complaint}")
    print(f"{len(names)} symbols, {len(content)} bytes, {len(complaints)} complaints")
    sys.exit(bool(complaints) or not names)


main()
