#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Draws a roofline per kernel family from the timings of scripts/bench --peers.

usage: scripts/roofline.py [RAW_CSV [FOLDER]]   (build/peers/raw.csv, docs/images)

Across: operations per byte, every operand and result counted once. Up: operations per second. The roof is the smaller of
the multiply instruction's rate and the read bandwidth times the intensity, one slope for each level of memory; both were
measured in the process of the points. A filled point is ours, an open one the fastest peer of its row.
"""
import math
import sys
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bench" / "peers"))
import results  # noqa: E402
import rows  # noqa: E402
import table  # noqa: E402

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 460, 64, 20, 34, 46
FAMILIES = [  # file, title, architecture, control, which cases
    ("gemm_amx", "Matrix products, AMX", "amx", "tdpbusd_tiles",
     lambda case: case.startswith("s8s8s8q_") and case[8].isdigit()),
    ("conv_amx", "Convolutions, AMX", "amx", "tdpbusd_tiles", lambda case: case.startswith("s8s8s8q_rn")),
    ("gemm_avx512vnni", "Matrix products, AVX512-VNNI", "avx512vnni", "vpdpbusd_zmm",
     lambda case: case.startswith("s8s8s8q_") and case[8].isdigit()),
    ("gemm_avx2", "Matrix products, AVX2", "avx2", "vpmaddwd_vpaddd_ymm",
     lambda case: case.startswith("s8s8s8q_") and case[8].isdigit()),
    ("conv_avx512vnni", "Convolutions, AVX512-VNNI", "avx512vnni", "vpdpbusd_zmm",
     lambda case: case.startswith("s8s8s8q_rn")),
    ("depthwise_avx512vnni", "Depthwise convolutions, AVX512-VNNI", "avx512vnni", "vpdpbusd_zmm",
     lambda case: case.startswith("s8s8s8q_dw")),
    ("elementwise_avx512vnni", "Conversions and element-wise operations, AVX512-VNNI (operations: elements)", "avx512vnni",
     None, lambda case: "_n1" in case)]
COLOURS = {"L1": "#7a3", "L2": "#38a", "L3": "#a63", "memory": "#a38"}


def points(timings, arch, chosen):
    """[(label, operations per byte, our GOPS, the peer's GOPS or None)]"""
    peers = {(r.impl, r.case): r.against[0].peers for s in rows.sections() for r in s.rows if r.against}
    found = []
    for (impl, case), t in timings.items():
        if impl != f"lowbits-{arch}" or not chosen(case) or not t.gbps:
            continue
        peer = table.fastest(timings, peers.get((impl, case), []))
        label = case.removeprefix("s8s8s8q_")
        found.append((label, t.gops / t.gbps, t.gops, t.gops * t.us / peer.us if peer else None))
    return found


class Plot:
    """Both axes are logarithmic."""

    def __init__(self, title, x_range, y_range):
        self.x_range, self.y_range, self.parts = x_range, y_range, []
        self.text(WIDTH / 2, 20, title, "middle", 15)

    def x(self, value):
        low, high = map(math.log, self.x_range)
        return LEFT + (math.log(value) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def y(self, value):
        low, high = map(math.log, self.y_range)
        return HEIGHT - BOTTOM - (math.log(value) - low) / (high - low) * (HEIGHT - TOP - BOTTOM)

    def text(self, x, y, text, anchor="start", size=11, colour="#333", turned=False):
        turn = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turned else ""
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}"{turn}>'
                          f"{escape(text)}</text>")

    def line(self, x0, y0, x1, y1, colour, width=1.0):
        self.parts.append(f'<line x1="{self.x(x0):.1f}" y1="{self.y(y0):.1f}" x2="{self.x(x1):.1f}" y2="{self.y(y1):.1f}" '
                          f'stroke="{colour}" stroke-width="{width}"/>')

    def point(self, x, y, title, filled):
        style = 'fill="#136" stroke="#136"' if filled else 'fill="none" stroke="#c30"'
        self.parts.append(f'<circle cx="{self.x(x):.1f}" cy="{self.y(y):.1f}" r="3.5" {style}>'
                          f"<title>{escape(title)}</title></circle>")

    def axes(self):
        for name, (low, high), across in (("operations per byte", self.x_range, True), ("GOPS", self.y_range, False)):
            for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
                for value in (10.0 ** power, 2 * 10.0 ** power, 5 * 10.0 ** power):
                    if not low <= value <= high:
                        continue
                    if across:
                        self.line(value, self.y_range[0], value, self.y_range[1], "#eee")
                        self.text(self.x(value), HEIGHT - BOTTOM + 16, f"{value:g}", "middle")
                    else:
                        self.line(self.x_range[0], value, self.x_range[1], value, "#eee")
                        self.text(LEFT - 6, self.y(value) + 4, f"{value:g}", "end")
        self.text((WIDTH + LEFT) / 2, HEIGHT - 10, "operations per byte", "middle", 12)
        self.text(16, HEIGHT / 2, "GOPS", "middle", 12, turned=True)

    def svg(self):
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">\n'
                '<rect width="100%" height="100%" fill="white"/>\n' + "\n".join(self.parts) + "\n</svg>\n")


def draw(title, instruction, ceiling, bandwidths, measured):
    """ceiling: GOPS of the instruction or None; bandwidths: {level: GB/s}; measured: what points() gives."""
    xs = [p[1] for p in measured]
    ys = [y for p in measured for y in p[2:] if y] + ([ceiling] if ceiling else [])
    if len(set(xs)) == 1 or not ceiling:
        ys += [max(bandwidths.values()) * max(xs)] if bandwidths else []
    plot = Plot(title, (min(xs) / 1.6, max(xs) * 1.6), (min(ys) / 1.6, max(ys) * 1.6))
    plot.axes()
    low, high = plot.x_range
    for n, (level, gbps) in enumerate(bandwidths.items()):
        start = max(low, plot.y_range[0] / gbps)
        top = min(ceiling or math.inf, plot.y_range[1])
        end = min(high, top / gbps)
        if start < end:
            plot.line(start, start * gbps, end, end * gbps, COLOURS.get(level, "#888"), 1.5)
        # At the lower right, where there are no points.
        plot.text(WIDTH - RIGHT - 8, HEIGHT - BOTTOM - 60 + 14 * n, f"{level}: {gbps:.0f} GB/s", "end",
                  colour=COLOURS.get(level, "#888"))
    if ceiling:
        widest = max(bandwidths.values()) if bandwidths else math.inf
        plot.line(max(low, ceiling / widest), ceiling, high, ceiling, "#333", 1.5)
        plot.text(plot.x(high) - 4, plot.y(ceiling) - 5, f"{instruction}: {ceiling:.0f} GOPS", "end")
    labelled = []
    for label, x, ours, peer in sorted(measured, key=lambda p: -p[2]):
        if peer:
            plot.point(x, peer, f"{label}: fastest peer {peer:.4g} GOPS", False)
        plot.point(x, ours, f"{label}: {ours:.4g} GOPS", True)
        at = plot.x(x), plot.y(ours)
        if all(abs(at[0] - q[0]) > 90 or abs(at[1] - q[1]) > 11 for q in labelled):
            right = at[0] < WIDTH - 130
            plot.text(at[0] + (6 if right else -6), at[1] + 12, label, "start" if right else "end", 9)
            labelled.append(at)
    return plot.svg()


def draw_all(timings, folder):
    """Writes the pictures of what was measured; returns [(file, title)]."""
    timings = results.condense(timings)
    folder.mkdir(parents=True, exist_ok=True)
    controls = {t.case: t for t in timings.values() if t.bench == "control"}
    bandwidths = {case[5:]: t.gbps for case, t in controls.items() if case.startswith("read_")}
    written = []
    for name, title, arch, instruction, chosen in FAMILIES:
        measured = points(timings, arch, chosen)
        if measured:
            ceiling = controls[instruction].gops if instruction in controls else None
            written.append((f"roofline_{name}.svg", title))
            (folder / written[-1][0]).write_text(draw(title, instruction, ceiling, bandwidths, measured))
    return written


def main():
    raw = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "peers" / "raw.csv"
    draw_all(results.parse_peer(raw.read_text()), Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "docs" / "images")


if __name__ == "__main__":
    main()
