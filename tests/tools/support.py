# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the tests of the program lowbits share: running it, files in NumPy's format, recorded models.

usage of a test: NAME_test.py --tool PROGRAM --source FOLDER [--shared FOLDER] [--compiler CXX @OPTIONS]
"""
import argparse
import ast
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--tool", type=Path, required=True)
parser.add_argument("--source", type=Path, required=True)
parser.add_argument("--shared", default="")
parser.add_argument("--compiler", nargs="+", default=[])
options, rest = parser.parse_known_args()

NETWORKS = options.source / "tests/data/tflite_ops/networks"
SHARED = Path(options.shared) / "data" if options.shared else None
TYPES = {"int8": "b", "uint8": "B", "int16": "h", "float32": "f", "i1": "b", "u1": "B", "i2": "h", "f4": "f", "i4": "i",
         "f8": "d"}


def run(*arguments, arch="generic"):
    """The finished program; its architecture is capped so that figures are the same everywhere."""
    environment = dict(os.environ, LOWBITS_MAX_ARCH=arch, LC_ALL="C")
    return subprocess.run([options.tool, *map(str, arguments)], capture_output=True, text=True, env=environment,
                          timeout=600)


def npy(values, letters, shape, order=False, version=1, magic=b"\x93NUMPY"):
    """A .npy file as bytes."""
    header = repr({"descr": "<" + letters, "fortran_order": order, "shape": tuple(shape)}).encode()
    header += b" " * (-(len(header) + 13) % 64) + b"\n"
    size = struct.pack("<H" if version == 1 else "<I", len(header))
    return magic + bytes([version, 0]) + size + header + struct.pack(f"<{len(values)}{TYPES[letters]}", *values)


def read_npy(path):
    """(letters, shape, values) of a .npy file of version 1."""
    raw = Path(path).read_bytes()
    assert raw[:8] == b"\x93NUMPY\x01\x00", path
    size, = struct.unpack_from("<H", raw, 8)
    header = ast.literal_eval(raw[10:10 + size].decode())
    assert (10 + size) % 64 == 0 and not header["fortran_order"], path
    letters = header["descr"][1:]
    body = raw[10 + size:]
    return letters, header["shape"], struct.unpack(f"<{len(body) // int(letters[1])}{TYPES[letters]}", body)


def recorded(name):
    """The case of networks.json: its inputs and what another runtime answered."""
    cases = json.loads((NETWORKS.parent / "networks.json").read_text())["cases"]
    return next(c for c in cases if c["name"] == name)


class ToolTest(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def ok(self, *arguments, **how):
        p = run(*arguments, **how)
        self.assertEqual(p.returncode, 0, p.stderr)
        return p.stdout

    def refused(self, code, *arguments, says=()):
        """One sentence on stderr, nothing on stdout."""
        p = run(*arguments)
        self.assertEqual(p.returncode, code, p.stdout + p.stderr)
        self.assertRegex(p.stderr, r"^lowbits: .+; .+\n$", "form of the sentence")
        self.assertEqual(p.stderr.count("\n"), 1, p.stderr)
        self.assertEqual(p.stdout, "")
        for text in [says] if isinstance(says, str) else says:
            self.assertIn(text, p.stderr)

    def inputs_of(self, case):
        """--input arguments with the recorded inputs of a case."""
        arguments = []
        for k, tensor in enumerate(case["inputs"]):
            path = self.write(f"in{k}.bin", bytes.fromhex(tensor["data"]))
            arguments += ["--input", f"{tensor['name']}={path}"]
        return arguments

    def dump(self, name, *arguments):
        """{tensor: (letters, shape, values)} of every layer."""
        folder = self.folder / name
        self.ok("run", *arguments, "--dump", folder, "--repeat", 0)
        return {layer["tensor"]: read_npy(folder / layer["file"])
                for layer in json.loads((folder / "layers.json").read_text())}


def main():
    sys.argv[1:] = rest
    unittest.main(verbosity=2)
