#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""lowbits inspect: text, JSON and the drawing of recorded models.

With LOWBITS_RENEW_GOLDEN set, expected/ is written instead of compared."""
import json
import os
import unittest
import xml.etree.ElementTree as xml
from pathlib import Path

from support import NETWORKS, ToolTest, main, recorded

EXPECTED = Path(__file__).parent / "expected"


class Inspect(ToolTest):
    def compare(self, name, text):
        if os.environ.get("LOWBITS_RENEW_GOLDEN"):
            (EXPECTED / name).write_text(text)
        self.assertEqual(text, (EXPECTED / name).read_text())

    def test_text(self):
        for name in ("int8_residual", "uint8_branches", "hybrid"):
            with self.subTest(name):
                self.compare(name + ".txt", self.ok("inspect", NETWORKS / f"{name}.tflite"))

    def test_drawing(self):
        path = self.folder / "drawing.svg"
        self.ok("inspect", NETWORKS / "int8_residual.tflite", "--svg", path)
        self.compare("int8_residual.svg", path.read_text())

    def test_boxes_do_not_overlap(self):
        for model in sorted(NETWORKS.glob("*.tflite")):
            with self.subTest(model.name):
                path = self.folder / "drawing.svg"
                self.ok("inspect", model, "--svg", path)
                picture = xml.parse(path).getroot()
                width, height = int(picture.get("width")), int(picture.get("height"))
                boxes = [tuple(int(box.get(k)) for k in ("x", "y", "width", "height"))
                         for box in picture.iter("{http://www.w3.org/2000/svg}rect") if box.get("x")]
                nodes = json.loads(self.ok("inspect", model, "--json"))["layers"]
                self.assertEqual(len(boxes), len(nodes))
                for i, (x, y, w, h) in enumerate(boxes):
                    self.assertTrue(x >= 0 and y >= 0 and x + w <= width and y + h <= height)
                    for a, b, c, d in boxes[:i]:
                        self.assertTrue(x + w < a or a + c < x or y + h < b or b + d < y)

    def test_drawing_too_large(self):
        count = 1000  # layer i reads the input over i rows
        layers = [f"BinaryOp l{i} 2 1 x{i} x0 x{i + 1} 0=0" for i in range(count)]
        model = self.folder / "long.param"
        model.write_text("\n".join(["7767517", f"{count + 1} {count + 1}", "Input in 0 1 x0 0=4", *layers, ""]))
        (self.folder / "long.bin").write_bytes(b"")
        picture = self.folder / "long.svg"
        self.ok("inspect", model)
        self.refused(1, "inspect", model, "--svg", picture, says=["--svg", "200000 rows"])
        self.assertFalse(picture.exists())

    def test_storage(self):
        text = self.ok("inspect", NETWORKS / "int8_residual.tflite", "--storage")
        for word in ("entropy", "plain", "coded", "index", "sparse", "smallest", "compressed"):
            self.assertIn(word, text)
        layers = json.loads(self.ok("inspect", NETWORKS / "int8_residual.tflite", "--storage", "--json"))["layers"]
        stored = [l["storage"] for l in layers if "storage" in l]
        self.assertGreater(len(stored), 2)
        for s in stored:
            self.assertEqual(s["plain"], s["codes"] + 12)
            self.assertLessEqual(s["entropy"], s["coded"])

    def test_json(self):
        case = recorded("int8_residual")
        j = json.loads(self.ok("inspect", NETWORKS / "int8_residual.tflite", "--json"))
        self.assertEqual(j["format"], "TFLite")
        self.assertEqual(j["file_bytes"], (NETWORKS / "int8_residual.tflite").stat().st_size)
        self.assertEqual([(p["name"], p["shape"], p["type"]) for p in j["inputs"]],
                         [(t["name"], t["shape"], t["dtype"]) for t in case["inputs"]])
        operations = {}
        for layer in j["layers"]:
            if "operation" in layer:
                operations[layer["operation"]["index"]] = layer["operation"]["kind"]
        self.assertEqual([operations[i] for i in sorted(operations)], case["nodes"])
        self.assertEqual(sum(layer["macs"] for layer in j["layers"]), j["macs"])
        self.assertEqual(sum(layer["constant_bytes"] for layer in j["layers"]), j["weight_bytes"])
        # 3x3x3 taps to 5x4x8, 3x3 to 5x4x8, 8 to 5x4x8, 8 to 5
        self.assertEqual(j["macs"], 4320 + 1440 + 1280 + 40)

    def test_floats_are_noted(self):
        ends = self.ok("inspect", NETWORKS / "int8_float_edges.tflite")
        self.assertRegex(ends, r"note: floats at the ends: '\w+")
        self.assertNotIn("with floats", ends)
        bilinear = self.ok("inspect", NETWORKS.parent / "resize_bilinear" / "uint8_up_half.tflite")
        self.assertRegex(bilinear, r"note: 1 node computes with floats: 'output'; ")
        self.assertIn("bilinear in floats", bilinear)
        self.assertNotIn("with floats", self.ok("inspect", NETWORKS / "int8_residual.tflite"))


if __name__ == "__main__":
    main()
