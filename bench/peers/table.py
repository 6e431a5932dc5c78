# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The ratio table as Markdown, from condensed timings and the rows."""
import math

BEGIN, END = "<!-- peers: begin (scripts/bench --peers writes what follows) -->", "<!-- peers: end -->"


def fastest(timings, peers):
    found = [timings[key] for key in peers if key in timings]
    return min(found, key=lambda t: t.us) if found else None


def held_bar(bar, ours, peer, bandwidth_bound):
    """Where a peer is within 5 % of the bandwidth bound, 0.97 of the bar will do."""
    if bandwidth_bound and bar and ours.share:
        ceiling = ours.gbps / ours.share
        if ours.gbps * ours.us / peer.us >= 0.95 * ceiling:
            return 0.97 * bar
    return bar


def mean(ratios):
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def us(value):
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


class Table:
    """Collects lines, the ratios of the mean and the bars that were missed."""

    def __init__(self, timings):
        self.timings = timings
        self.lines, self.missed, self.open, self.unheld = [], [], [], []
        self.ratios = {}  # of the rows with a bar: {section: [...]}

    def section(self, section):
        measured = [r for r in section.rows if (r.impl, r.case) in self.timings]
        if not measured:
            why = f"this processor has no {section.needs}" if section.needs else "not measured"
            self.open.append(f"{section.title} ({len(section.rows)} rows): {why}")
            return
        titles = []
        for row in section.rows:
            titles += [a.title for a in row.against if a.title not in titles]
        self.lines += ["", f"### {section.title}", ""] + ([section.remark, ""] if section.remark else [])
        heads = ["case", "µs", "of ceiling"]
        for t in titles:
            heads += [f"{t}: fastest", "µs", "ratio", "bar"]
        self.lines += ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
        missing, self.unheld = [], []
        for row in section.rows:
            if row in measured:
                self.row(section, row, titles)
            else:
                missing.append(row.label)
        if missing:
            self.open.append(f"{section.title}: not measured: {', '.join(missing)}")
        if self.unheld:
            self.open.append(f"{section.title}: no peer was measured for {', '.join(self.unheld)}")

    def row(self, section, row, titles):
        ours = self.timings[row.impl, row.case]
        share = "" if ours.share is None else f"{100 * ours.share:.0f} %"
        label = row.label if row.impl == f"lowbits-{section.arch}" else f"{row.label}, {row.impl[8:]}"
        if row.share_bar:
            share += f" (bar {100 * row.share_bar:.0f} %)"
            if ours.share is not None and ours.share < row.share_bar:
                self.missed.append(f"{section.title}, {label}: {100 * ours.share:.1f} % of the ceiling, "
                                   f"bar {100 * row.share_bar:.0f} %")
        cells = [label, us(ours.us), share]
        for title in titles:
            against = next((a for a in row.against if a.title == title), None)
            peer = fastest(self.timings, against.peers) if against else None
            if peer is None:
                cells += ["", "", "", ""]
                if against and against.bar:
                    self.unheld.append(label)
                continue
            ratio = peer.us / ours.us
            if section.in_mean and against is row.against[0] and against.bar and not peer.impl.startswith("lowbits"):
                self.ratios.setdefault(section.title, []).append(ratio)
            bar = held_bar(against.bar, ours, peer, peer.bench == "elt")
            met = bar is None or ratio >= bar
            cells += [peer.impl.removesuffix("-t1"), us(peer.us), f"{ratio:.2f}" if met else f"**{ratio:.2f}**",
                      f"{bar:.2f}" if bar else ""]
            if not met:
                possible = f"; {ratio / ours.share:.2f} at the ceiling" if ours.share else ""
                self.missed.append(f"{section.title}, {label}, {title}: {ratio:.2f}, bar {bar:.2f} "
                                   f"({100 * (ratio / bar - 1):.0f} %{possible})")
        self.lines.append("| " + " | ".join(cells) + " |")

    def odd_sizes(self, archs, bars):
        """How much longer an operation takes in a product of n^3 than in one of 256^3."""
        measured = []
        for arch in archs:
            def per_operation(n): return self.timings[f"lowbits-{arch}", f"s8s8s8q_{n}x{n}x{n}"].us / n**3
            try:
                ratios = {n: per_operation(n) / per_operation(256) for n in bars}
            except KeyError:
                self.open.append(f"Odd sizes, {arch}: not measured")
                continue
            cells = [f"{r:.2f}" if r <= bars[n] else f"**{r:.2f}**" for n, r in ratios.items()]
            measured.append(f"| {arch} | " + " | ".join(cells) + " |")
            self.missed += [f"Odd sizes, {arch}, {n}: {r:.2f} times as long, bar {bars[n]:.2f}" for n, r in ratios.items() if r > bars[n]]
        if measured:
            self.lines += ["", "### Odd sizes: time per operation, that of 256x256x256 being 1", "",
                           "| architecture | " + " | ".join(f"{n}x{n}x{n} (at most {b})" for n, b in bars.items()) + " |",
                           "|---" * (1 + len(bars)) + "|", *measured]


def markdown(timings, sections, introduction, odd=((), {})):
    """odd: the arguments of odd_sizes."""
    table = Table(timings)
    for s in sections:
        table.section(s)
    table.odd_sizes(*odd)
    head = list(introduction)
    every = [r for ratios in table.ratios.values() for r in ratios]
    if every:
        head += ["", f"Geometric mean of the ratios to the first peer of a row, over the {len(every)} rows with a bar: "
                 f"**{mean(every):.2f}**. It hides how different the sections are:", "", "| rows | mean | lowest | highest |",
                 "|---|---|---|---|"]
        head += [f"| {title} ({len(r)}) | {mean(r):.2f} | {min(r):.2f} | {max(r):.2f} |" for title, r in table.ratios.items()]
    tail = ["", "### Bars that are missed", ""] + ([f"- {m}" for m in table.missed] or ["None."])
    tail += ["", "### Open rows", ""] + ([f"- {o}" for o in table.open] or ["None."])
    return "\n".join(head + table.lines + tail) + "\n"


def replace_between(text, new):
    """text with what is between the two marker lines replaced; they are appended where they are missing."""
    if BEGIN not in text:
        text = text.rstrip("\n") + f"\n\n{BEGIN}\n{END}\n"
    start, end = text.index(BEGIN) + len(BEGIN), text.index(END)
    return text[:start] + "\n" + new + text[end:]
