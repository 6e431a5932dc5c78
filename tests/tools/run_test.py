#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""lowbits run: outputs and layers equal what other runtimes recorded; every kind of input file."""
import json
import re
import struct
import unittest
import zlib

from support import NETWORKS, SHARED, TYPES, ToolTest, main, npy, recorded, run


def values(tensor):
    raw = bytes.fromhex(tensor["data"])
    letter = TYPES[tensor["dtype"]]
    return struct.unpack(f"<{len(raw) // struct.calcsize(letter)}{letter}", raw)


def png(width, height, channels, pixels):
    """A PNG file of 8-bit pixels, rows unfiltered."""
    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    rows = b"".join(b"\0" + bytes(pixels[y * width * channels:(y + 1) * width * channels]) for y in range(height))
    colour = {1: 0, 3: 2, 4: 6}[channels]
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def wav(samples, channels=1):
    body = struct.pack(f"<{len(samples)}h", *samples)
    form = struct.pack("<HHIIHH", 1, channels, 16000, 32000 * channels, 2 * channels, 16)
    return (b"RIFF" + struct.pack("<I", 36 + len(body)) + b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" +
            struct.pack("<I", len(body)) + body)


class Run(ToolTest):
    def test_recorded_networks(self):
        for name in ("int8_residual", "uint8_branches", "int16_residual", "int4_pooled", "uint8_old_file"):
            with self.subTest(name):
                case = recorded(name)
                got = self.dump(name, NETWORKS / f"{name}.tflite", *self.inputs_of(case))
                for tensor in case["results"][0]["outputs"] + case["inner"]:
                    self.assertEqual(got[tensor["name"]][2], values(tensor), tensor["name"])
                    self.assertEqual(list(got[tensor["name"]][1]), tensor["shape"])

    def test_other_formats(self):
        version = run("--version").stdout
        for name, folder, group, ending in (("ONNX", "onnx_ops", "network", ".onnx"), ("ncnn", "ncnn_ops", "int8", ".param")):
            if f"{name} ({ending}): yes" not in version:
                continue
            data = NETWORKS.parent.parent / folder
            ran = 0
            for case in json.loads((data / f"{group}.json").read_text())["cases"]:
                if "network" not in group + case["name"] or not case["name"].startswith(("qdq", "network_codes")):
                    continue
                model = next(f for f in case["files"] if f.endswith(ending))
                with self.subTest(model):
                    got = self.dump(case["name"], data / model, *self.inputs_of(case))
                    for tensor in case["results"][0]["outputs"]:
                        letters, _, numbers = got[tensor["name"]]
                        self.assertEqual(len(numbers), len(values(tensor)))
                        worst = max(abs(a - b) for a, b in zip(numbers, values(tensor)))
                        # Softmax may be one code off: 1/255.
                        self.assertLessEqual(worst, 0.004 if letters == "f4" else 1)
                    ran += 1
            self.assertGreater(ran, 0, name)

    def layers_with(self, name, *arguments):
        return self.dump(name, NETWORKS / "int8_residual.tflite", *arguments)

    def test_input_files(self):
        case = recorded("int8_residual")
        image = case["inputs"][0]
        codes, shape = values(image), image["shape"]
        want = self.layers_with("bin", *self.inputs_of(case))
        scale, zero = 0.0731, -5
        floats = [scale * (q - zero) for q in codes]
        for version in (1, 2):
            f = self.write("f.npy", npy(floats, "f4", shape, version=version))
            self.assertEqual(self.layers_with(f"f{version}", "-i", f), want)
        d = self.write("d.npy", npy(floats, "f8", shape[1:]))  # extents of 1 do not matter
        self.assertEqual(self.layers_with("d", "-i", d), want)
        i = self.write("i.npy", npy(codes, "i1", shape))
        self.assertEqual(self.layers_with("i", "-i", i), want)
        if "pictures as inputs: yes" in run("--version").stdout:
            picture = self.write("p.png", png(8, 9, 3, [q + 128 for q in codes]))
            self.assertEqual(self.layers_with("p", "-i", picture), want)
            black = (-128 - zero) * scale
            self.assertEqual(self.layers_with("p2", "-i", picture, f"--black={black}", f"--white={black + 255 * scale}"), want)

    def test_sound(self):
        if "sound as inputs: yes" not in run("--version").stdout:
            self.skipTest("this build reads no sound")
        count = 9 * 8 * 3
        samples = [(k * 2749) % 65536 - 32768 for k in range(count)]
        mono = self.write("mono.wav", wav(samples))
        floats = self.write("floats.npy", npy([s / 32768 for s in samples], "f4", [1, 9, 8, 3]))
        want = self.layers_with("floats", "-i", floats)
        self.assertEqual(self.layers_with("mono", "-i", mono), want)
        both = [s for x in samples for s in (x, x)]
        self.assertEqual(self.layers_with("stereo", "-i", self.write("stereo.wav", wav(both, 2))), want)

    def test_quantization_of_floats(self):
        # Ties go to even, what is too large to the ends, NaN to the zero point.
        step = struct.unpack("<f", struct.pack("<f", 0.0731))[0]
        numbers = [1e30, -1e30, float("inf"), float("-inf"), float("nan"), 0.0, step, -step] + [0.0] * (9 * 8 * 3 - 8)
        path = self.write("x.npy", npy(numbers, "f4", [1, 9, 8, 3]))
        got = self.layers_with("x", "-i", path)["image"][2]
        self.assertEqual(got[:9], (127, -128, 127, -128, -5, -5, -4, -6, -5))

    def test_printed(self):
        case = recorded("int8_residual")
        labels = self.write("labels.txt", "ant\nbee\ncat\ndog\nelk\n")
        out = self.ok("run", NETWORKS / "int8_residual.tflite", *self.inputs_of(case), "--labels", labels, "--top", 2)
        best = sorted(((v, -i) for i, v in enumerate(values(case["results"][0]["outputs"][0]))), reverse=True)
        rows = re.findall(r"^ +(\d) +([-0-9.e]+)  (\w+)$", out, re.M)
        self.assertEqual([(int(i), float(v), label) for i, v, label in rows],
                         [(-i, float(f"{(v + 128) / 256:.6g}"), "ant bee cat dog elk".split()[-i]) for v, i in best[:2]])
        self.assertRegex(out, r"time +[0-9.]+  ms, median of 10 runs; best [0-9.]+")
        self.assertNotIn("time", self.ok("run", NETWORKS / "int8_residual.tflite", *self.inputs_of(case), "--repeat", 0))

    def test_every_architecture(self):
        case = recorded("int8_residual")
        known = re.search(r"best one \(([^)]+)\)", re.sub(r"\s+", " ", run("run", "--help", arch="").stdout)).group(1)
        want = self.layers_with("generic", *self.inputs_of(case))
        for arch in known.split(", "):
            folder = self.folder / arch
            p = run("run", NETWORKS / "int8_residual.tflite", *self.inputs_of(case), "--arch", arch, "--dump", folder, arch="")
            self.assertIn(f"on {arch}\n", p.stdout)
            for file in (self.folder / "generic").iterdir():
                self.assertEqual(file.read_bytes(), (folder / file.name).read_bytes(), f"{arch} {file.name}")
        self.assertTrue(want)

    @unittest.skipUnless(SHARED and (SHARED / "golden/kws").is_dir(), "the published models are not here")
    def test_keyword(self):
        folder = SHARED / "golden/kws"
        index = json.loads((folder / "index.json").read_text())
        labels = self.write("labels.txt", "\n".join(index["class_names"]))
        sample = next(s for s in index["samples"] if s["kind"] == "real")
        out = self.ok("run", folder / index["model"], "--input", folder / sample["name"] / "in.bin", "--labels", labels, arch="")
        first = re.search(r"^ +(\d+) +[0-9.]+  (\w+)$", out, re.M)
        self.assertEqual(int(first.group(1)), sample["golden_argmax"])
        self.assertEqual(first.group(2), "on")


if __name__ == "__main__":
    main()
