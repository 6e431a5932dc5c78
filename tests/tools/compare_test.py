#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""lowbits compare: the figures equal those that this script computes from the dumped layers."""
import json
import math
import unittest

from support import NETWORKS, SHARED, ToolTest, main, npy, read_npy, recorded


def figures(a, b):
    n = len(a)
    noise = sum((x - y) ** 2 for x, y in zip(a, b))
    signal, other = sum(x * x for x in a), sum(y * y for y in b)
    return {"max": max(abs(x - y) for x, y in zip(a, b)), "mean": sum(abs(x - y) for x, y in zip(a, b)) / n,
            "rmse": math.sqrt(noise / n), "cosine": sum(x * y for x, y in zip(a, b)) / math.sqrt(signal * other),
            "sqnr_db": 10 * math.log10(signal / noise) if noise else None}


class Compare(ToolTest):
    def reals(self, name, model, arguments):
        """{node: real numbers} of every layer."""
        self.dump(name, model, *arguments)
        folder, out = self.folder / name, {}
        for layer in json.loads((folder / "layers.json").read_text()):
            values = read_npy(folder / layer["file"])[2]
            scale, zero = layer.get("scale", 1), layer.get("zero_point", 0)
            out[layer["name"]] = [scale * (v - zero) for v in values]
        return out

    def test_with_itself(self):
        case = recorded("int8_residual")
        model = NETWORKS / "int8_residual.tflite"
        out = self.ok("compare", model, model, *self.inputs_of(case))
        self.assertRegex(out, r"all \d+ tensors are equal")
        self.assertNotIn("note:", out)

    def test_figures(self):
        case = recorded("int8_residual")
        a, b = NETWORKS / "int8_residual.tflite", NETWORKS / "int16_residual.tflite"
        arguments = self.inputs_of(case)
        j = json.loads(self.ok("compare", a, b, *arguments, "--json"))
        left = self.reals("a", a, arguments)
        x = self.write("x.npy", npy(left["image"], "f4", case["inputs"][0]["shape"]))
        right = self.reals("b", b, ["-i", x])
        self.assertGreater(len(j["layers"]), 6)
        for layer in j["layers"]:
            want = figures(left[layer["name"]], right[layer["name"]])
            for key, value in want.items():
                with self.subTest(f"{layer['name']} {key}"):
                    if value is None:
                        self.assertIsNone(layer[key])
                    else:
                        self.assertAlmostEqual(layer[key], value, delta=1e-4 * max(1, abs(value)))
        text = self.ok("compare", a, b, *arguments)
        self.assertRegex(text, r"first difference: '\w+', by up to ")
        for row in ("file, bytes", "weights, bytes", "RAM (arena), bytes", "time, ms", "output 'classes': cosine "):
            self.assertIn(row, text)

    def test_other_networks(self):
        a, b = NETWORKS / "int8_residual.tflite", NETWORKS / "uint8_branches.tflite"
        self.refused(1, "compare", a, b, *self.inputs_of(recorded("int8_residual")), says="2 inputs instead of 1")

    @unittest.skipUnless(SHARED and (SHARED / "models").is_dir(), "the published models are not here")
    def test_float_and_int8(self):
        models = SHARED / "models"
        out = self.ok("compare", models / "kws_ref_model_float32.tflite", models / "kws_ref_model.tflite", "--input",
                      SHARED / "golden/kws/kws0/in.bin", "--repeat", 0)
        self.assertRegex(out, r"output 'Identity': cosine (1|0\.999\d*), ")
        self.assertNotIn("note:", out)


if __name__ == "__main__":
    main()
