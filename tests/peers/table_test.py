#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""bench/peers and scripts/roofline.py on recorded timings."""
import json
import re
import sys
import tempfile
import unittest
from pathlib import Path
from xml.etree import ElementTree

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "bench" / "peers"), str(ROOT / "scripts")]
import machine  # noqa: E402
import results  # noqa: E402
import roofline  # noqa: E402
import rows  # noqa: E402
import table  # noqa: E402
from rows import Against, Row, Section  # noqa: E402

VNNI, XNN = "onednn-AVX512_CORE_VNNI-t1", "xnnpack-noamx-t1"
OURS = "lowbits-avx512vnni"
EIGHT = "s8s8s8q_8x1024x1024"


def recorded():
    return results.parse_peer((HERE / "peer.csv").read_text()) + results.parse_own((HERE / "own.json").read_text())


def section(bar, share_bar=None):
    return Section("Products", "avx512vnni", [
        Row("8x1024x1024", OURS, EIGHT,
            [Against("same types", [(VNNI, EIGHT), (XNN, "qs8_qc8w_8x1024x1024")], bar)], share_bar)])


class Parsing(unittest.TestCase):
    def test_peers_lines_that_are_no_timings_are_passed_over(self):
        found = results.parse_peer((HERE / "peer.csv").read_text())
        self.assertEqual([t.us for t in found], [41.1, 44.0, 45.1, 43.1, 0.734])
        self.assertEqual(found[0].note, "brg_matmul:avx512_core_vnni pack_us=654")

    def test_repetitions_become_the_lowest_of_three_windows(self):
        ours = {t.case: t for t in results.parse_own((HERE / "own.json").read_text())}
        self.assertEqual((ours[EIGHT].us, ours[EIGHT].worst_us, ours[EIGHT].n), (38.0, 50.0, 3))
        self.assertAlmostEqual(ours[EIGHT].share, 0.95)
        self.assertEqual(ours["s8s8s8q_1x1024x1024"].us, 13.0)
        self.assertEqual(ours["vpdpbusd_zmm"].bench, "control")

    def test_six_repetitions_make_windows_of_two(self):
        runs = [{"name": "g/c/a", "run_type": "iteration", "real_time": ns, "time_unit": "ns"}
                for ns in (10000, 20000, 12000, 14000, 30000, 40000)]
        (found,) = results.parse_own(json.dumps({"benchmarks": runs}), "-x")
        self.assertEqual((found.us, found.best_us, found.impl), (13.0, 10.0, "lowbits-a-x"))

    def test_wrong_results_stop_everything(self):
        run = {"name": "g/c/a", "run_type": "iteration", "error_occurred": True, "error_message": "wrong results"}
        with self.assertRaisesRegex(ValueError, "g/c/a: wrong results"):
            results.parse_own(json.dumps({"benchmarks": [run]}))

    def test_the_middle_turn_counts(self):
        self.assertEqual(results.condense(recorded())[VNNI, EIGHT].us, 43.1)

    def test_csv_comes_back_as_it_was(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "raw.csv"
            results.write_csv(path, recorded())
            self.assertEqual(results.condense(results.parse_peer(path.read_text()))[OURS, EIGHT].share, 0.95)


class Writing(unittest.TestCase):
    def text(self, *sections):
        return table.markdown(results.condense(recorded()), sections, ["Introduction."])

    def test_the_fastest_peer_gives_the_ratio(self):
        text = self.text(section(1.1))
        self.assertIn("| 8x1024x1024 | 38 | 95 % | onednn-AVX512_CORE_VNNI | 43.1 | 1.13 | 1.10 |", text)
        self.assertIn("over the 1 rows with a bar: **1.13**", text)
        self.assertIn("| Products (1) | 1.13 | 1.13 | 1.13 |", text)
        self.assertRegex(text, r"Bars that are missed\n\nNone\.")

    def test_a_missed_bar_is_marked_and_listed(self):
        text = self.text(section(1.2, share_bar=0.97))
        self.assertIn("| **1.13** | 1.20 |", text)
        self.assertIn("- Products, 8x1024x1024, same types: 1.13, bar 1.20 (-5 %; 1.19 at the ceiling)", text)
        self.assertIn("95.0 % of the ceiling, bar 97 %", text)

    def test_near_the_bandwidth_a_little_less_will_do(self):
        ours, peer = "quantize_f32_s8_n16384", "quant_f32_s8_n16384"
        s = Section("Conversions", "avx512vnni", [Row(ours, OURS, ours, [Against("same types", [(XNN, peer)], 1.0)])])
        self.assertIn("| 0.99 | 0.97 |", self.text(s))

    def test_the_mean_is_over_rows_with_a_bar_against_other_libraries(self):
        ourselves = Section("Ourselves", "avx512vnni", [Row("a", OURS, EIGHT, [Against("x", [(OURS, EIGHT)], 0.9)])])
        text = self.text(section(None), ourselves)
        self.assertIn("| 1.13 |  |", text)
        self.assertNotIn("Geometric mean", text)

    def test_what_is_not_there_is_open(self):
        absent = Section("Tiles", "amx", [Row("a", "lowbits-amx", "a", [Against("x", [], 1.0)])], needs="AMX")
        alone = Section("Rest", "avx512vnni", [Row("1", OURS, "s8s8s8q_1x1024x1024", [Against("x", [(XNN, "none")], 1.0)]),
                                               Row("later", OURS, "later", [])])
        text = self.text(absent, alone)
        self.assertIn("- Tiles (1 rows): this processor has no AMX", text)
        self.assertIn("- Rest: not measured: later", text)
        self.assertIn("- Rest: no peer was measured for 1", text)

    def test_odd_sizes_are_held_by_operation(self):
        def timing(n, us): return results.Timing("gemm", "lowbits-a", f"s8s8s8q_{n}x{n}x{n}", us, us, us)
        timings = results.condense([timing(256, 100), timing(255, 100 * (255 / 256)**3 * 1.25), timing(257, 100 * (257 / 256)**3 * 1.75)])
        text = table.markdown(timings, [], [], (("a", "b"), {255: 1.3, 257: 1.6}))
        self.assertIn("| a | 1.25 | **1.75** |", text)
        self.assertIn("- Odd sizes, a, 257: 1.75 times as long, bar 1.60", text)
        self.assertIn("- Odd sizes, b: not measured", text)

    def test_only_what_is_between_the_markers_changes(self):
        first = table.replace_between("# Title\n", "one\n")
        self.assertTrue(first.startswith("# Title\n"))
        more = table.replace_between(first + "after\n", "two\n")
        self.assertEqual(more, (first + "after\n").replace("one\n", "two\n"))

    def test_every_row_names_a_case_once(self):
        seen = [(s.title, r.impl, r.case) for s in rows.sections() for r in s.rows]
        self.assertEqual(len(seen), len(set(seen)))

    def test_machine(self):
        text = machine.describe("Model name:   Some CPU\nCPU(s):  2\nL2 cache:  2 MiB (2 instances)\nFlags: avx2 fma\n", "cc 1")
        self.assertRegex(text, r"^Some CPU .* L2 2 MiB; has avx2; lacks .*amx_int8\. Compiler: cc 1\.$")


class Drawing(unittest.TestCase):
    def test_roofline(self):
        timings = results.condense(recorded())
        points = roofline.points(timings, "avx512vnni", lambda case: case.startswith("s8s8s8q_"))
        self.assertEqual([p[0] for p in points], ["8x1024x1024", "1x1024x1024"])
        self.assertAlmostEqual(points[0][3] / points[0][2], 38.0 / 43.1)
        svg = roofline.draw("A & B", "vpdpbusd", 470.0, {"L2": 114.6}, points)
        circles = ElementTree.fromstring(svg).findall(".//{http://www.w3.org/2000/svg}circle")
        self.assertEqual(len(circles), 3)
        for x, y in re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', svg):
            self.assertTrue(0 < float(x) < roofline.WIDTH and 0 < float(y) < roofline.HEIGHT, (x, y))


if __name__ == "__main__":
    unittest.main()
