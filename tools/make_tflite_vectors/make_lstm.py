#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Write tests/data/tflite_lstm.json: integer LSTMs of TFLite in plain numbers, and what LiteRT answers.

usage: make_lstm.py [--check]

Needs: pip install ai-edge-litert flatbuffers numpy. Weights and inputs derive from the names of the cases.
"""

import json
import sys
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "vector_data")]

import values  # noqa: E402
from net import Net  # noqa: E402
from runtime import VERSION, run  # noqa: E402

FILE = Path(__file__).resolve().parents[2] / "tests" / "data" / "tflite_lstm.json"
GATES = ("input", "forget", "cell", "output")


class Lstm:
    """One model: what is given as None in the lists of the operator is absent."""

    def __init__(self, name, batch, steps, inputs, units, outputs=0, coupled=False, peephole=False, norm=False,
                 time_major=False, cell_exponent=-11, cell_clip=0.0, proj_clip=0.0, h_zero=0, m_zero=0, x_zero=-7, wide=1.0):
        self.name, self.net = name, Net(f"lstm/{name}")
        self.case = {"name": name, "batch": batch, "steps": steps, "inputs": inputs, "units": units,
                     "outputs": outputs or units, "coupled": coupled, "time_major": time_major,
                     "cell_exponent": cell_exponent, "cell_clip": cell_clip, "proj_clip": proj_clip,
                     "x_scale": 1 / 64, "x_zero": x_zero, "h_scale": 1 / 128, "h_zero": h_zero}
        projected = outputs != 0
        outputs = outputs or units
        net, case = self.net, self.case
        case["m_scale"], case["m_zero"] = (0.0071, m_zero) if projected else (case["h_scale"], h_zero)
        shape = (steps, batch) if time_major else (batch, steps)
        x = net.input("input", "int8", (*shape, inputs), case["x_scale"], x_zero)
        case["x"] = net.fed[x].reshape(-1).tolist()

        def const(key, dtype, form, scale, bound):
            data = values.codes(f"lstm/{name}/{key}", form, -bound, bound)
            case[key] = {"scale": float(np.float32(scale)), "data": np.asarray(data).reshape(-1).tolist()}
            return net.const(key, dtype, data, scale)

        def per_gate(key, dtype, form, scale, bound, gates=GATES):
            return [-1 if coupled and g == "input" else
                    const(f"{key}_{g}", dtype, form, scale * (1 + 0.07 * i), bound) for i, g in enumerate(gates)]

        wx = per_gate("wx", "int8", (units, inputs), wide * 0.011, 127)
        wh = per_gate("wh", "int8", (units, outputs), wide * 0.013, 127)
        peepholes = [-1] * 3
        if peephole:
            peepholes = per_gate("peephole", "int16", (units,), 0.9 / 32768, 32767, ("input", "forget", "output"))
        bias_scale = 2**-10 * 1.3 / 32768 if norm else wide * 0.011 / 64
        biases = per_gate("bias", "int32", (units,), bias_scale, int(1.0 / bias_scale))
        norms = [-1] * 4
        if norm:
            norms = per_gate("norm", "int16", (units,), 1.3 / 32768, 32767)
        projection = [-1] * 2
        if projected:
            projection = [const("projection", "int8", (outputs, units), 0.009, 127),
                          const("projection_bias", "int32", (outputs,), 0.009 * case["m_scale"], 4000)]
        h = net.tensor("h", "int8", (batch, outputs), case["h_scale"], h_zero)
        c = net.tensor("c", "int16", (batch, units), 2.0**cell_exponent, 0)
        for state in (h, c):
            net.tensors[state]["is_variable"] = True
        inner = []
        for i, gate in enumerate(GATES):
            scale = 2.0**-12 if not norm else 0.0004 * (1 + 0.2 * i)
            case[f"inner_{gate}"] = float(np.float32(scale))
            inner.append(net.tensor(f"inner_{gate}", "int16", (0,), scale, 0))
        inner.append(net.tensor("inner_hidden", "int8", (0,), case["m_scale"], case["m_zero"]))
        y = net.output("output", "int8", (*shape, outputs), case["h_scale"], h_zero)
        net.op("UNIDIRECTIONAL_SEQUENCE_LSTM", [x, *wx, *wh, *peepholes, *biases, *projection, h, c, *norms], [y],
               "UnidirectionalSequenceLSTMOptions",
               {"fused_activation_function": "TANH", "cell_clip": cell_clip, "proj_clip": proj_clip, "time_major": time_major}, version=1)
        net.operators[-1]["intermediates"] = inner
        self.wanted = [y, h, c]

    def answered(self):
        """The case with the results of the reference kernels: outputs and what the state holds."""
        got = run(self.net.file(), self.net.fed, "reference", self.wanted)
        for key, index in zip(("y", "h", "c"), self.wanted):
            self.case[key] = got[index].reshape(-1).tolist()
        return self.case


def cases():
    """Every option alone and all together; sizes that are powers of two and others."""
    yield Lstm("plain", 2, 5, 7, 8, h_zero=3)
    yield Lstm("time_major", 3, 4, 5, 6, time_major=True)
    yield Lstm("coupled", 2, 5, 4, 8, coupled=True)
    yield Lstm("peephole", 2, 5, 4, 9, peephole=True)
    yield Lstm("clipped", 2, 9, 4, 8, cell_clip=1.5, wide=3.0)
    for exponent in (-9, -10, -12, -13, -14, -15):
        yield Lstm(f"cell_{-exponent}", 1, 6, 6, 5, cell_exponent=exponent, wide=2.0)
    yield Lstm("projection", 2, 5, 4, 8, outputs=5, h_zero=-4)
    yield Lstm("projection_clipped", 2, 5, 4, 8, outputs=6, proj_clip=0.5, wide=2.0)
    yield Lstm("norm_8", 2, 5, 6, 8, norm=True)
    yield Lstm("norm_7", 2, 5, 6, 7, norm=True)
    yield Lstm("norm_20", 1, 5, 6, 20, norm=True, coupled=True)
    yield Lstm("all", 2, 6, 5, 12, outputs=7, coupled=True, peephole=True, norm=True, cell_clip=4.0, proj_clip=0.9, h_zero=2)
    yield Lstm("all_but_coupled", 2, 6, 5, 16, outputs=7, peephole=True, norm=True, time_major=True)
    yield Lstm("peephole_by_time", 3, 4, 5, 12, outputs=7, peephole=True, time_major=True)
    yield Lstm("saturates", 1, 8, 16, 4, wide=30.0, cell_exponent=-15)


def text():
    entries = [json.dumps(lstm.answered()) for lstm in cases()]
    return '{"runtime": "ai-edge-litert ' + VERSION + ', reference kernels", "cases": [\n' + ",\n".join(entries) + "\n]}\n"


if __name__ == "__main__":
    made = text()
    if sys.argv[1:] == ["--check"]:
        sys.exit(f"{FILE}: differs; run {Path(__file__).name}" if FILE.read_text() != made else 0)
    FILE.write_text(made)
