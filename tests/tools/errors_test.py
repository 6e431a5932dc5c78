#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Every way to misuse the program ends with one sentence, its exit code, and no half-written file."""
from support import NETWORKS, ToolTest, main, npy, run

MODEL = NETWORKS / "int8_residual.tflite"
SHAPE = [1, 9, 8, 3]
COUNT = 9 * 8 * 3


class Errors(ToolTest):
    def test_command_line(self):
        for arguments, says in (((), "subcommand"), (("inspct", "x"), ""), (("inspect",), "FILE"),
                                (("inspect", MODEL, "--colour"), "--colour"), (("run", MODEL), "--input"),
                                (("emit", MODEL), "--output"), (("run", MODEL, "-i", "x", "--repeat", "-1"), "--repeat"),
                                (("run", MODEL, "-i", "x", "--black", "dark"), "--black")):
            with self.subTest(arguments):
                self.refused(2, *arguments, says=says)

    def test_help(self):
        for command in ("inspect", "run", "emit", "compare"):
            self.assertIn("Example", self.ok(command, "--help"))
        self.assertIn("Example", self.ok("--help"))
        self.assertRegex(self.ok("--version"), r"^lowbits \d+\.\d+\.\d+\n")

    def test_models(self):
        whole = MODEL.read_bytes()
        self.write("empty.tflite", b"")
        self.write("cut.tflite", whole[:-200])
        self.write("text.tflite", b"not a model at all, only text")
        self.write("notes.txt", b"")
        (self.folder / "folder.tflite").mkdir()
        for name, says in (("missing.tflite", "cannot be opened"), ("folder.tflite", "folder"), ("empty.tflite", "0 bytes"),
                           ("cut.tflite", "damaged"), ("text.tflite", "TFL3"), ("notes.txt", ".tflite, .onnx, .param"),
                           ("noending", ".tflite")):
            path = self.folder / name
            x = self.folder / "x.bin"
            for command in (("inspect", path), ("emit", path, "-o", self.folder / "o.hpp"), ("run", path, "-i", x),
                            ("compare", path, MODEL, "-i", x), ("compare", MODEL, path, "-i", x)):
                with self.subTest(f"{name} {command[0]}"):
                    self.refused(1, *command, says=[says, name])
        self.assertFalse([p for p in self.folder.iterdir() if p.name.startswith("o.")])

    def test_shapes(self):
        for text in ("x", "=3", "x=", "x=0", "x=1,,2", "x=-1", "x=99999999999", "x=1a"):
            with self.subTest(text):
                self.refused(1, "inspect", MODEL, "--shape", text, says="--shape")
        self.refused(1, "inspect", MODEL, "--shape", "x=1", says="states all its shapes")

    def input_refused(self, name, content, *says):
        with self.subTest(name):
            if content is not None:
                self.write(name, content)
            self.refused(1, "run", MODEL, "--input", self.folder / name, says=[name, *says])

    def test_inputs(self):
        floats = npy([0.0] * COUNT, "f4", SHAPE)
        self.input_refused("missing.npy", None, "cannot be opened")
        self.input_refused("x.txt", b"1 2 3", "extension of an input")
        self.input_refused("short.bin", bytes(COUNT - 1), str(COUNT - 1), f"exactly {COUNT} bytes")
        self.input_refused("long.bin", bytes(COUNT + 1), f"exactly {COUNT} bytes")
        self.input_refused("empty.npy", b"", "does not begin")
        self.input_refused("magic.npy", b"PK\x03\x04" + floats, "does not begin")
        self.input_refused("version.npy", floats[:6] + b"\x09" + floats[7:], "version is 9")
        self.input_refused("header.npy", floats[:20], "ends in its header")
        self.input_refused("elements.npy", floats[:-1], "fewer elements")
        self.input_refused("huge.npy", npy([0.0], "f4", [1 << 20, 1 << 20]), "fewer elements")
        self.input_refused("larger.npy", npy([0.0], "f4", [1 << 62, 4]), "too large")
        self.input_refused("columns.npy", npy([0.0] * COUNT, "f4", SHAPE, order=True), "column-major")
        self.input_refused("shape.npy", npy([0.0] * COUNT, "f4", [1, 8, 9, 3]), "[1, 8, 9, 3]", "[1, 9, 8, 3]")
        self.input_refused("few.npy", npy([0.0], "f4", [1]), "[1, 9, 8, 3]")
        self.input_refused("type.npy", npy([0] * COUNT, "u1", SHAPE), "uint8", "int8")
        self.input_refused("wide.npy", npy([0] * COUNT, "i4", SHAPE), "int32")
        self.input_refused("complex.npy", floats.replace(b"<f4", b"<c8"), "'<c8'")
        self.input_refused("big.npy", floats.replace(b"<f4", b">f4"), "'>f4'")
        self.input_refused("keys.npy", floats.replace(b"descr", b"desc_"), "'descr'")
        self.input_refused("tuple.npy", floats.replace(b"(1, 9", b"(x, 9"), "not a tuple of numbers")
        version = run("--version").stdout
        self.input_refused("noise.png", b"\x89PNG\r\n\x1a\n" + bytes(50),
                           "cannot be read" if "pictures as inputs: yes" in version else "libstb-dev")
        self.input_refused("noise.wav", b"RIFF" + bytes(50),
                           "cannot be read" if "sound as inputs: yes" in version else "libsndfile1-dev")
        if "pictures as inputs: yes" in version:
            self.input_refused("small.pgm", b"P5 2 2 255\n" + bytes(4), "2 x 2 pixels instead of 8 x 9")

    def test_number_of_inputs(self):
        x = self.write("x.bin", bytes(COUNT))
        self.refused(1, "run", MODEL, "-i", x, "-i", x, says=["1 input", "2 files"])
        branches = NETWORKS / "uint8_branches.tflite"
        self.refused(1, "run", branches, "-i", f"first={x}", "-i", f"first={x}", says="given twice")

    def test_options_of_run(self):
        x = self.write("x.bin", bytes(COUNT))
        self.refused(1, "run", MODEL, "-i", x, "--arch", "z80", says=["--arch z80", "generic"])
        self.refused(1, "run", MODEL, "-i", x, "--labels", self.folder / "no.txt", says="no.txt")
        self.refused(1, "run", MODEL, "-i", x, "--dump", self.folder / "no/folder", says="cannot be made")
        file = self.write("file", b"")
        self.refused(1, "run", MODEL, "-i", x, "--dump", file, says="cannot be made")

    def test_outputs(self):
        for name in ("no/o.hpp", "no/o.svg"):
            path = self.folder / name
            command = ("emit", MODEL, "-o", path) if name.endswith("hpp") else ("inspect", MODEL, "--svg", path)
            self.refused(1, *command, says=["does not exist", "make it first"])
        self.refused(1, "emit", MODEL, "-o", self.folder, says="folder")
        for space in ("3d", "a b", "class", "std", "a-b", "a__b", "_a"):
            self.refused(1, "emit", MODEL, "-o", self.folder / "o.hpp", "--namespace", space, says="namespace")
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_old_file_survives(self):
        header = self.write("o.hpp", b"// mine\n")
        self.refused(1, "emit", self.write("cut.tflite", MODEL.read_bytes()[:-200]), "-o", header)
        self.assertEqual(header.read_bytes(), b"// mine\n")
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["cut.tflite", "o.hpp"])

    def test_damaged_models(self):
        """Bytes changed here and there: an answer or a sentence, never a crash."""
        whole = bytearray(MODEL.read_bytes())
        x = 12345
        for k in range(60):
            damaged = bytearray(whole)
            for _ in range(1 + k % 4):
                x = (x * 1664525 + 1013904223) % (1 << 32)
                damaged[x % len(damaged)] = x >> 24
            path = self.write("damaged.tflite", bytes(damaged))
            p = run("inspect", path)
            self.assertIn(p.returncode, (0, 1), k)
            if p.returncode == 1:
                self.assertRegex(p.stderr, r"^lowbits: .+; .+\n$")


if __name__ == "__main__":
    main()
