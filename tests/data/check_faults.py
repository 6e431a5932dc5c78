#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check_index.py must notice a folder that was damaged.

usage: check_faults.py check_index.py FOLDER
"""
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path


def damaged(root):
    """Yields what was damaged, with the folder in that state."""
    group = next(p for p in sorted(root.glob("*.json")) if p.name != "index.json")
    files = json.loads(group.read_text())["cases"][0]["files"]  # none where models are elsewhere
    for path in (group, *(root / name for name in files)):
        content = path.read_bytes()
        path.write_bytes(content[:-2] + b"??")
        yield f"content of {path.name}"
        path.unlink()
        yield f"absence of {path.name}"
        path.write_bytes(content)
    (root / "stray.onnx").write_bytes(b"")
    yield "an unlisted file"


def main(script, folder):
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary) / "copy"
        shutil.copytree(folder, root)
        for what in damaged(root):
            if subprocess.run([sys.executable, script, root], capture_output=True).returncode == 0:
                print(f"not noticed: {what}")
                return 1
    print("every damage noticed")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
