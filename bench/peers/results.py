# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Timings: reading what the programs print, keeping them as CSV, condensing turns.

A line of CSV is: bench, impl, case, median us, best us, worst us, GOPS, GB/s, samples, note. It is what the peers'
programs print; the output of Google Benchmark is brought into the same form.
"""
import csv
import json
from dataclasses import dataclass
from statistics import median

COLUMNS = "bench impl case us best_us worst_us gops gbps n note".split()


@dataclass
class Timing:
    bench: str
    impl: str
    case: str
    us: float
    best_us: float
    worst_us: float
    gops: float = 0.0
    gbps: float = 0.0
    n: int = 0
    note: str = ""

    @property
    def share(self):
        """The part of the ceiling that was reached, or None."""
        return float(self.note[6:]) if self.note.startswith("share=") else None


def parse_peer(text):
    """The timings a peer's program printed; lines of other kinds are passed over."""
    found = []
    for line in csv.reader(text.splitlines()):
        try:
            bench, impl, case = line[:3]
            us, best, worst, gops, gbps, n = (float(x) for x in line[3:9])
        except ValueError:  # a headline, a failure, a remark
            continue
        found.append(Timing(bench, impl, case, us, best, worst, gops, gbps, int(n), ",".join(line[9:])))
    return found


def parse_own(text, suffix=""):
    """The timings in Google Benchmark's JSON; names are <bench>/<case>/<arch>.

    The peers report the lowest of three windows' medians, which forgives a disturbance; repetitions are put into three
    windows and condensed in the same way.
    """
    runs = {}
    for run in json.loads(text)["benchmarks"]:
        if run.get("run_type") != "iteration":
            continue
        if run.get("error_occurred"):
            raise ValueError(f"{run['name']}: {run['error_message']}")
        runs.setdefault(run["name"], []).append(run)
    found = []
    for name, samples in runs.items():
        bench, case, arch = (name.split("/") + ["", ""])[:3]
        us = [s["real_time"] * {"ns": 1e-3, "us": 1.0, "ms": 1e3, "s": 1e6}[s["time_unit"]] for s in samples]
        size = (len(us) + 2) // 3
        windows = sorted(median(us[i:i + size]) for i in range(0, len(us), size))
        middle = min(range(len(us)), key=lambda i: abs(us[i] - windows[0]))
        def rate(key): return samples[middle].get(key, 0.0) * us[middle] / windows[0]
        note = f"share={rate('share'):.4f}" if "share" in samples[0] else ""
        found.append(Timing(bench, f"lowbits-{arch}{suffix}", case, windows[0], min(us), windows[-1], rate("GOPS"),
                            rate("GB/s"), len(us), note))
    return found


def write_csv(path, timings):
    with open(path, "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(COLUMNS)
        for t in timings:
            out.writerow([t.bench, t.impl, t.case, f"{t.us:.4f}", f"{t.best_us:.4f}", f"{t.worst_us:.4f}",
                          f"{t.gops:.3f}", f"{t.gbps:.3f}", t.n, t.note])


def condense(timings):
    """{(impl, case): Timing}: of the same case in several turns the lower median."""
    turns = {}
    for t in timings:
        turns.setdefault((t.impl, t.case), []).append(t)
    return {key: sorted(all_, key=lambda t: t.us)[(len(all_) - 1) // 2] for key, all_ in turns.items()}
