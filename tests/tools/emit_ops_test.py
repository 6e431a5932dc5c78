#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Headers of recorded models, one of each operator and form, in one program: they give what the foreign
runtimes gave. (That every recorded model can be emitted, the unit tests of the importers check.)"""
import json
import math
import os
import re
import struct
import subprocess

from support import NETWORKS, ToolTest, main, options, run

DATA = options.source / "tests/data"
# Forms that are nodes of their own in emitted headers, and what is left out because it is not exact.
ALWAYS = re.compile(r"(onnx_ops/quantize/(d?q_\w+_axis_0|d?q_uint8_axis_1_block3_partial|dynamic_random)"
                    r"|onnx_ops/integer/qconv_(u8_u8_per_channel|s8_weight_zero_point)"
                    r"|ncnn_ops/layers/(images_rdiv|pooling_\w+_adaptive))$")
LEFT_OUT = re.compile(r"tflite_ops/quantize/float32_to_\w+_ends|tflite_ops/softmax/int16_rank_2|onnx_ops/network/qdq_"
                      r"|onnx_ops/qdq/averagepool_same|onnx_ops/(float/reshape_allow_zero|quantize/d?q_(float16|int32|empty))"
                      r"|onnx_ops/integer/(matmul_integer|conv_integer)|tflite_ops/\w+/int32_|int16_to_int32"
                      r"|int8_fed_weights|int8_per_channel|refused/")

HEAD = """
#include <cstdio>
#include <utility>
#include <vector>
template <class Net, class Ready>
int answer(const Ready& ready) {
  alignas(lowbits::arena_alignment) static unsigned char arena[Net::arena_bytes];
  const auto run = [&]<std::size_t... I, std::size_t... O>(std::index_sequence<I...>, std::index_sequence<O...>) {
    std::vector<unsigned char> in[] = {std::vector<unsigned char>(Net::template input_desc<I>.bytes())...};
    std::vector<unsigned char> out[] = {std::vector<unsigned char>(Net::template output_desc<O>.bytes())...};
    for (auto& x : in)
      if (std::fread(x.data(), 1, x.size(), stdin) != x.size()) return 1;
    const lowbits::status s = ready.run(
        arena, std::span(reinterpret_cast<const typename Net::template input_type<I>*>(in[I].data()), Net::template input_desc<I>.count())...,
        std::span(reinterpret_cast<typename Net::template output_type<O>*>(out[O].data()), Net::template output_desc<O>.count())...);
    if (s != lowbits::status::ok) { std::fprintf(stderr, "%s\\n", lowbits::to_string(s)); return 2; }
    for (auto& y : out) std::fwrite(y.data(), 1, y.size(), stdout);
    return 0;
  };
  return run(std::make_index_sequence<Net::input_count>{}, std::make_index_sequence<Net::output_count>{});
}
int main() {
  int wrong = 0;
"""


def form(group, case):
    """What a case is an example of: one of each is compiled."""
    types = tuple(t["dtype"] for t in case["inputs"] + case["results"][0]["outputs"])
    weights = re.match(r"(hybrid|int4)|", case["name"]).group()
    return group, tuple(case["nodes"]), types, weights


def chosen():
    seen = set()
    for folder in ("tflite_ops", "onnx_ops", "ncnn_ops"):
        for index in sorted((DATA / folder).glob("*.json")):
            for case in json.loads(index.read_text()).get("cases", []):
                path = f"{folder}/{index.stem}/{case['name']}"
                if LEFT_OUT.search(path) or not case.get("results"):
                    continue
                key = form(index.stem, case)
                if key not in seen or ALWAYS.search(path):
                    seen.add(key)
                    yield path, case


def model_file(path):
    for end in (".tflite", ".onnx", ".param"):
        if (DATA / (path + end)).exists():
            return DATA / (path + end)
    raise FileNotFoundError(path)


def as_floats(tensor):
    """Numbers that the file has as 32-bit integers go in as floats (ncnn's sums)."""
    raw = bytes.fromhex(tensor["data"])
    if tensor["dtype"] != "int32":
        return raw
    values = struct.unpack(f"<{len(raw) // 4}i", raw)
    return struct.pack(f"<{len(values)}f", *values)


class EmitOps(ToolTest):
    def test_compiled(self):
        if not options.compiler:
            self.skipTest("no compiler")
        formats = set(re.findall(r"^ +(\w+) \(.*\): yes$", self.ok("--version").lower(), re.M))
        cases = [c for c in chosen() if c[0].split("_")[0] in formats]
        self.assertGreater(len(cases), 30)
        if "LOWBITS_LONG" not in os.environ:  # some with each compiler: time is short
            part = range(0, len(cases), 4) if "clang" in options.compiler[0] else range(1, len(cases), 2)
            cases = [c for k, c in enumerate(cases) if k in part or ALWAYS.search(c[0])]
        self.compare([(*c, "") for c in cases], "-DLOWBITS_STATIC", "-DLOWBITS_NO_XSIMD")

    def test_prepared(self):
        """Weights in the layout of each architecture that this processor has; the others' are not run."""
        if not options.compiler:
            self.skipTest("no compiler")
        cases = json.loads((NETWORKS.parent / "networks.json").read_text())["cases"]
        every = []
        for arch in ("avx2", "avxvnni", "avx512vnni", "amx"):
            usable = run("run", NETWORKS / "int8_residual.tflite", *self.inputs_of(cases[0]), "--arch", arch, arch=arch).returncode == 0
            for case in cases:
                if case["name"] in ("int8_residual", "uint8_branches", "int4_residual", "int16_pooled", "hybrid"):
                    path = f"tflite_ops/networks/{case['name']}"
                    if usable:
                        every.append((path, case, arch))
                    else:
                        self.ok("emit", model_file(path), "-o", self.folder / "other.hpp", "--arch", arch)
        if not every:
            self.skipTest("none of the architectures")
        self.compare(every)

    def compare(self, cases, *flags):
        """Emits, compiles and runs (path, case, arch), and compares with what is recorded."""
        head, body, stdin = [], [], b""
        for k, (path, case, arch) in enumerate(cases):
            how = ["--arch", arch] if arch else []
            header = self.folder / f"m{k}.hpp"
            self.ok("emit", model_file(path), "-o", header, "--namespace", f"m{k}", *how)
            head.append(f'#include "m{k}.hpp"\n')
            # Asymmetric dynamic layers have no layout of their own on any architecture.
            self.assertEqual(" prepared[" in header.read_text(), bool(arch) and "hybrid" not in path)
            net = f"lowbits::model<m{k}::make_net>"
            body.append(f"  wrong += answer<{net}>({net}::attach(m{k}::prepared));\n" if " prepared[" in header.read_text() else
                        f"  wrong += answer<{net}>({net}{{}});\n")
            stdin += b"".join(as_floats(t) for t in case["inputs"])
        source = self.write("main.cpp", "".join(head) + HEAD + "".join(body) + "  return wrong;\n}\n")
        program = self.folder / "all.out"
        built = subprocess.run([*options.compiler, "-w", "-O0", *flags, source, "-o", program], capture_output=True, text=True,
                               timeout=600)
        self.assertEqual(built.returncode, 0, built.stderr[:4000])
        p = subprocess.run([program], input=stdin, capture_output=True)
        self.assertEqual(p.returncode, 0)
        cases = [c[:2] for c in cases]
        at = 0
        for path, case in cases:
            for tensor in case["results"][0]["outputs"]:
                want = bytes.fromhex(tensor["data"])
                got = p.stdout[at:at + len(want)]
                at += len(want)
                with self.subTest(path):
                    self.same(got, want, tensor["dtype"])
        self.assertEqual(at, len(p.stdout))
        print(f"{len(cases)} models compiled", flush=True)

    def same(self, got, want, dtype):
        if dtype != "float32":
            return self.assertEqual(got.hex(), want.hex())
        self.assertEqual(len(got), len(want))
        count = len(want) // 4
        for a, b in zip(struct.unpack(f"<{count}f", got), struct.unpack(f"<{count}f", want)):
            if not (math.isnan(a) and math.isnan(b)) and a != b:
                self.assertLessEqual(abs(a - b), 5e-6 * max(1.0, abs(b)))


if __name__ == "__main__":
    main()
