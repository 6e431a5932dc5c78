#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times our kernels and other libraries in turns on one core and writes the table of ratios.

scripts/bench --peers builds the programs and calls this. The peers are programs in a folder of their own (peers/ below
$LOWBITS_SHARED, or below ../shared) that are started by its script `in` and print CSV; where the folder or what it sets
up below $PEERS_ROOT (~/.cache/lowbits-peers) is missing, nothing is done.

A group of cases is measured as ours, peers, ours, peers, ... Every line goes to <out>/raw.csv; the figures of a table are
the lower median of the turns.
"""
import argparse
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import machine
import results
import rows
import table

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import roofline  # noqa: E402


@dataclass
class Group:
    """Cases that are measured together: our program and its filter, and the peers' command lines."""
    name: str
    arch: str        # the processor must have it
    program: str
    filter: str
    peers: list
    native: bool = False  # against our own program compiled with -march=native


def one_dnn(part, isa):
    return f"ONEDNN_MAX_CPU_ISA={isa} build/bench_onednn {part}"


def groups():
    found = [Group("controls", "generic", "gemm", "control/", [])]
    vnni = "AVX512_CORE_VNNI"
    for tiny, sizes in (("", rows.MAIN + ["384x384x384"]), ("TINY=1 ", rows.SMALL + ["16x16x16"])):
        name = "small" if tiny else "main"
        cases = f"_({'|'.join(sizes)})"
        def gemm(arch, types, *peers):
            found.append(Group(f"gemm {arch} {name}", arch, "gemm", f"gemm/({types}){cases}/{arch}$", [tiny + p for p in peers]))
        gemm("amx", "s8s8s8q", one_dnn("gemm", "DEFAULT"), "build/bench_xnnpack gemm")
        gemm("avx512vnni", "s8s8s8q|s8s8s32", one_dnn("gemm", vnni), "NOAMX=1 build/bench_xnnpack gemm")
        gemm("avxvnni", "s8s8s8q", one_dnn("gemm", "AVX2_VNNI"))
        gemm("avx2", "s8s8s8q", one_dnn("gemm", "AVX2"), "build/bench_ruy", "build/bench_gemmlowp")
    def other(program, part, arch, isa, *more):
        found.append(Group(f"{part} {arch}", arch, program, f"{program}/.*/{arch}$", [one_dnn(part, isa), *more]))
    found.append(Group("dispatch avx512vnni", "avx512vnni", "gemm", f"gemm/s8s8s8q_({'|'.join(rows.NATIVE)})/avx512vnni$", [],
                       native=True))
    other("conv", "conv", "amx", "DEFAULT", "build/bench_xnnpack conv")
    other("conv", "conv", "avx512vnni", vnni, "NOAMX=1 build/bench_xnnpack conv")
    other("conv", "conv", "avx2", "AVX2")
    other("elementwise", "elt", "avx512vnni", vnni, "NOAMX=1 build/bench_xnnpack elt")
    found.append(Group("weight-only avx512bw", "avx512bw", "weight_only", "weight_only/f32_s4(pc|g32)_(1|8|128)x4096x4096/avx512bw$",
                       [one_dnn("wdec", "DEFAULT")]))
    def vnni_only(name, program, cases, *peers):
        found.append(Group(f"{name} avx512vnni", "avx512vnni", program, f"{program}/({'|'.join(cases)})/avx512vnni$", list(peers)))
    def ggml(*types): return f"SMALL=1 TYPES={','.join(types)} build/bench_ggml auto"
    xnnpack = "NOAMX=1 build/bench_xnnpack lowbit"
    vnni_only("few-bits", "lowbit", [c for c, *_ in rows.FEW_BITS], xnnpack, ggml("TQ2_0", "TQ1_0", "Q1_0", "IQ1_S"))
    vnni_only("few-bits groups", "groups", [c for c, *_ in rows.GROUPS], xnnpack, ggml("Q4_0", "Q3_K", "Q2_K"))
    vnni_only("words", "int16", [f"s16s8s16q_{s}" for s in rows.WORDS], "build/bench_ruy16")
    return found


class Runner:
    def __init__(self, options, peers):
        self.options, self.peers = options, peers
        self.wrap = shlex.split(options.wrap)
        self.timings = []

    def run(self, command, **environment):
        done = subprocess.run(self.wrap + command, capture_output=True, text=True, env={**os.environ, **environment})
        if done.returncode != 0:
            print(f"bench: {shlex.join(command)} failed: {done.stderr.strip()[-300:]}", file=sys.stderr)
            return ""
        return done.stdout

    def ours(self, program, chosen, suffix=""):
        folder = self.options.native if suffix else self.options.bin
        text = self.run(["taskset", "-c", str(self.options.core), f"{folder}/{program}_bench", f"--benchmark_filter={chosen}",
                         f"--benchmark_min_time={self.options.seconds / 9:.4f}", "--benchmark_repetitions=9",
                         "--benchmark_format=json"])
        if text.lstrip().startswith("{"):
            self.timings += results.parse_own(text, suffix)

    def peer(self, command):
        text = self.run([str(self.peers / "in"), f"PIN={self.options.core} MIN_S={self.options.seconds} {command}"],
                        OMP_NUM_THREADS="1")
        self.timings += results.parse_peer(text)

    def group(self, group):
        for turn in range(self.options.turns):
            print(f"== {group.name}, turn {turn + 1}", file=sys.stderr)
            self.ours(group.program, group.filter)
            if group.native and self.options.native:
                self.ours(group.program, group.filter, "-native")
            for command in group.peers:
                self.peer(command)


def architectures(folder):
    """The architectures our programs can run on this processor."""
    names = subprocess.run([f"{folder}/gemm_bench", "--benchmark_list_tests=true"], capture_output=True, text=True,
                           check=True).stdout.split()
    return {name.split("/")[2] for name in names if name.startswith("gemm/")}


def introduction(options, commands, versions):
    return [
        f"Written by {commands} on one core of: {machine.this_machine(options.compiler)} Peers: {versions}.", "",
        "- Ours and the peers run in turns on the same core; figures are the lower median of the turns. Ours is a plain -O2 build that "
        "dispatches. Weights are prepared beforehand, activations are packed inside the timed call.",
        "- `of ceiling` is the part of the multiply instruction's rate on registers, for conversions of the cache's read "
        "bandwidth, measured in the same process.",
        "- The peer of a row is the fastest of those named in the column's title, with a requantized result unless it says s32.",
        "- Before a product or convolution of ours is timed, about a hundred of its results are compared with 64-bit sums. The "
        "peers' codes may differ from ours by one: oneDNN and XNNPACK multiply by float scales and round ties to even. "
        "Where definitions agree, in 32-bit sums, the test peers.onednn compares them."]


def main():
    shared = Path(os.environ.get("LOWBITS_SHARED", ROOT.parent / "shared"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", required=True, help="folder of our programs")
    parser.add_argument("--native", default="", help="folder of those compiled with -march=native")
    parser.add_argument("--compiler", default="g++")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "peers")
    parser.add_argument("--document", type=Path, default=ROOT / "docs" / "performance.md")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=0.08, help="per case and turn")
    parser.add_argument("--quick", action="store_true", help="one short turn; the document stays as it is")
    parser.add_argument("--wrap", default="", help="a command that runs each measurement, such as a lock")
    parser.add_argument("--only", default="", help="only groups whose name contains this; adds to the raw figures, is only printed where there are none")
    parser.add_argument("--table", action="store_true", help="measure nothing, write the table from the raw figures")
    options = parser.parse_args()
    if options.quick:
        options.turns, options.seconds = 1, 0.04

    options.out.mkdir(parents=True, exist_ok=True)
    raw = options.out / ("quick.csv" if options.quick else "raw.csv")
    part = bool(options.only) and not raw.exists()  # the document keeps its other tables
    raw = raw.with_name("part.csv") if part else raw
    log = raw.with_suffix(".commands")  # how the figures in raw were made
    timings = results.parse_peer(raw.read_text()) if raw.exists() and not part and (options.only or options.table) else []
    if not options.table:
        root = Path(os.environ.get("PEERS_ROOT", Path.home() / ".cache" / "lowbits-peers"))
        if not (shared / "peers" / "in").exists() or not (root / "sid" / "bench" / "build").exists():
            sys.exit(f"bench: the peers are not set up ({shared / 'peers'}, {root}); run their setup first")
        how = f"`scripts/bench --peers --turns {options.turns} --seconds {options.seconds}`\n"
        before = log.read_text() if log.exists() and options.only and not part else ""
        log.write_text(before if how in before else before + how)
        runner = Runner(options, shared / "peers")
        present = architectures(options.bin)
        for group in groups():
            if group.arch in present and options.only in group.name:
                runner.group(group)
                renewed = {(t.impl, t.case) for t in runner.timings}
                results.write_csv(raw, [t for t in timings if (t.impl, t.case) not in renewed] + runner.timings)
        timings = results.parse_peer(raw.read_text())

    head = introduction(options, ", ".join(log.read_text().split("\n")[:-1]), machine.versions(shared / "peers" / "in"))
    if not (options.quick or part):
        folder = options.document.parent / "images"
        head += ["", *(f"![{title}](images/{file})" for file, title in roofline.draw_all(timings, folder))]
    text = table.markdown(results.condense(timings), rows.sections(), head, (("amx", "avx512vnni", "avxvnni", "avx2"), rows.ODD_BARS))
    (options.out / "table.md").write_text(text)
    if options.quick or part:
        print(text)
    else:
        options.document.write_text(table.replace_between(options.document.read_text(), text))


if __name__ == "__main__":
    main()
