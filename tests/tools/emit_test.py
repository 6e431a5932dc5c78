#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""lowbits emit: the header is the same every time, compiles, and computes what `lowbits run` does."""
import struct
import subprocess

from support import NETWORKS, SHARED, ToolTest, main, options, recorded

PROGRAM = """
#include "model.hpp"
#include <cstdio>
#include <utility>
#include <vector>
namespace lb = lowbits;
using net = lb::model<{space}::make_net>;
alignas(lb::arena_alignment) unsigned char arena[net::arena_bytes];
int main() {{
  const auto run = []<std::size_t... I, std::size_t... O>(std::index_sequence<I...>, std::index_sequence<O...>) {{
    std::vector<unsigned char> in[] = {{std::vector<unsigned char>(net::input_desc<I>.bytes())...}};
    std::vector<unsigned char> out[] = {{std::vector<unsigned char>(net::output_desc<O>.bytes())...}};
    for (auto& x : in)
      if (std::fread(x.data(), 1, x.size(), stdin) != x.size()) return 1;
    if (net::run(arena, std::span(reinterpret_cast<const net::input_type<I>*>(in[I].data()), net::input_desc<I>.count())...,
                 std::span(reinterpret_cast<net::output_type<O>*>(out[O].data()), net::output_desc<O>.count())...) !=
        lb::status::ok)
      return 2;
    for (auto& y : out) std::fwrite(y.data(), 1, y.size(), stdout);
    return 0;
  }};
  return run(std::make_index_sequence<net::input_count>{{}}, std::make_index_sequence<net::output_count>{{}});
}}
"""


C_PROGRAM = """
#include "model.h"
#include <stdio.h>
static unsigned char blob[{blob_bytes}] __attribute__((aligned(16)));
static unsigned char arena[65536] __attribute__((aligned(16)));
static int8_t x[INT8_RESIDUAL_INPUT_0_COUNT], y[INT8_RESIDUAL_OUTPUT_0_COUNT];
int main(void) {{
  if (int8_residual_arena_bytes() > sizeof arena) return 1;
  if (int8_residual_run(arena, sizeof arena, x, y) == 0) return 2;
  if (fread(blob, 1, sizeof blob, stdin) != sizeof blob || int8_residual_bind(blob, sizeof blob) != 0) return 3;
  if (fread(x, 1, sizeof x, stdin) != sizeof x || int8_residual_run(arena, sizeof arena, x, y) != 0) return 4;
  return fwrite(y, 1, sizeof y, stdout) != sizeof y;
}}
"""


class Emit(ToolTest):
    def test_same_text(self):
        for model in sorted(NETWORKS.glob("*.tflite")):
            with self.subTest(model.name):
                a, b = self.folder / "a.hpp", self.folder / "b.hpp"
                self.ok("emit", model, "-o", a)
                self.ok("emit", model, "-o", b, arch="")
                self.assertEqual(a.read_bytes(), b.read_bytes())
                self.assertIn(f"From {model.name} (TFLite, {model.stat().st_size} bytes)", a.read_text())
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["a.hpp", "b.hpp"])

    def test_namespace(self):
        header = self.folder / "a.hpp"
        self.ok("emit", NETWORKS / "int8_pooled.tflite", "-o", header)
        self.assertIn("namespace int8_pooled {", header.read_text())
        self.ok("emit", NETWORKS / "int8_pooled.tflite", "-o", header, "--namespace", "words")
        self.assertIn("namespace words {", header.read_text())
        model = self.write("float.tflite", (NETWORKS / "int8_pooled.tflite").read_bytes())
        self.ok("emit", model, "-o", header)
        self.assertIn("namespace float_model {", header.read_text())

    def test_integer_only(self):
        header = self.folder / "a.hpp"
        self.ok("emit", NETWORKS / "int8_pooled.tflite", "-o", header, "--integer-only")
        # Floats may come in and go out.
        self.ok("emit", NETWORKS / "int8_float_edges.tflite", "-o", header, "--integer-only")
        header.unlink()
        for model in (NETWORKS / "hybrid.tflite", NETWORKS.parent / "resize_bilinear" / "uint8_up_half.tflite"):
            self.refused(1, "emit", model, "-o", header, "--integer-only", says=["computes with floats", "quantize"])
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_runs(self):
        if not options.compiler:
            self.skipTest("no compiler")
        for name in ("int8_residual", "uint8_branches", "int8_float_edges"):
            with self.subTest(name):
                case = recorded(name)
                arguments = self.inputs_of(case)
                layers = self.dump(name, NETWORKS / f"{name}.tflite", *arguments)
                self.ok("emit", NETWORKS / f"{name}.tflite", "-o", self.folder / "model.hpp")
                source = self.write("main.cpp", PROGRAM.format(space=name))
                program = self.folder / f"{name}.out"
                warnings = ["-Wall", "-Wextra", "-Wconversion", "-Werror"]
                built = subprocess.run([*options.compiler, *warnings, "-O1", source, "-o", program], capture_output=True,
                                       text=True, timeout=600)
                self.assertEqual(built.returncode, 0, built.stderr)
                stdin = b"".join(bytes.fromhex(t["data"]) for t in case["inputs"])
                p = subprocess.run([program], input=stdin, capture_output=True, check=True)
                want = [t for t in case["results"][0]["outputs"]]
                if name == "int8_float_edges":  # floats: only what `run` gives is the same to the last bit
                    self.assertEqual(p.stdout, b"".join(struct.pack(f"<{len(v)}f", *v) for v in
                                                        (layers[t["name"]][2] for t in want)))
                else:
                    self.assertEqual(p.stdout.hex(), "".join(t["data"] for t in want))

    def test_blob_and_c(self):
        model, header, blob = NETWORKS / "int8_residual.tflite", self.folder / "model.hpp", self.folder / "model.bin"
        self.ok("emit", model, "-o", header, "--blob", blob, "--c-api", "--arch", "m4")
        self.assertEqual(sorted(p.name for p in self.folder.iterdir()), ["model.bin", "model.cpp", "model.h", "model.hpp"])
        self.assertIn("lb::external_weights<", header.read_text())
        first = blob.read_bytes()
        self.ok("emit", model, "-o", header, "--blob", blob)
        self.assertEqual(blob.read_bytes(), first)
        if not options.compiler:
            self.skipTest("no compiler")
        source = self.write("main.c", C_PROGRAM.format(blob_bytes=len(first)))
        program, objects = self.folder / "c.out", [self.folder / "main.o", self.folder / "model.o"]
        compiler = options.compiler[0]
        for command in ([compiler, "-x", "c", "-std=c99", "-Wall", "-Wextra", "-Werror", "-c", source, "-o", objects[0]],
                        [*options.compiler, "-Wall", "-Wextra", "-O1", "-c", self.folder / "model.cpp", "-o", objects[1]],
                        [compiler, *objects, "-o", program]):
            built = subprocess.run(command, capture_output=True, text=True, timeout=600)
            self.assertEqual(built.returncode, 0, built.stderr)
        case = recorded("int8_residual")
        p = subprocess.run([program], input=first + bytes.fromhex(case["inputs"][0]["data"]), capture_output=True, check=True)
        self.assertEqual(p.stdout.hex(), case["results"][0]["outputs"][0]["data"])

    def test_compress(self):
        header, blob = self.folder / "a.hpp", self.folder / "a.bin"
        self.refused(1, "emit", NETWORKS / "int8_residual.tflite", "-o", header, "--arch", "avx2", "--compress",
                     says=["--arch avx2", "--compress"])
        self.assertEqual(list(self.folder.iterdir()), [])
        if SHARED and (SHARED / "models/kws_ref_model.tflite").exists():
            model = SHARED / "models/kws_ref_model.tflite"
            self.ok("emit", model, "-o", header, "--blob", blob)
            plain = blob.stat().st_size
            self.ok("emit", model, "-o", header, "--blob", blob, "--compress", "--c-api")
            self.assertIn("lb::external_coded_weights<", header.read_text())
            self.assertIn("bound.prepare(packed)", header.read_text())
            self.assertIn("_prepare(void* packed", (self.folder / "a.h").read_text())
            self.assertLess(blob.stat().st_size, plain * 0.99)

    def test_arch(self):
        model, header = NETWORKS / "int8_residual.tflite", self.folder / "a.hpp"
        self.refused(1, "emit", model, "-o", header, "--arch", "m9", says=["--arch m9", "m0, m0plus", "avx2", "prepare"])
        self.refused(1, "emit", model, "-o", header, "--arch", "avx2", "--blob", self.folder / "b", says=["--arch avx2", "--blob"])
        self.assertEqual(list(self.folder.iterdir()), [])
        self.ok("emit", model, "-o", header, "--arch", "avx2", "--c-api")
        first = header.read_bytes()
        self.assertIn(b"lb::prepared_weights<", first)
        self.assertIn("::prepared)", (self.folder / "a.cpp").read_text())
        self.ok("emit", model, "-o", header, "--arch", "avx2", arch="")
        self.assertEqual(header.read_bytes(), first)
        # Where no layer has a layout of its own, the header is the usual one.
        model = options.source / "tests/data/tflite_ops/add/int8_same_shape.tflite"
        self.ok("emit", model, "-o", header, "--arch", "avx2")
        first = header.read_bytes()
        self.ok("emit", model, "-o", header)
        self.assertEqual(header.read_bytes(), first)


if __name__ == "__main__":
    main()
