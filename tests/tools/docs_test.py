#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The outputs in docs/tool.md are those of the program. Bytes and times are not compared: they depend on
the processor and the version."""
import re
import shutil
import subprocess

from support import ToolTest, main, options

BLOCK = re.compile(r"^```console\n\$ lowbits (.*?)\n(.*?)^```$", re.M | re.S)


def portable(text):
    text = re.sub(r"(?m)^(time|arena|weights) .*$", r"\1", text)
    text = re.sub(r": [0-9,]+ bytes, namespace", ": # bytes, namespace", text)
    return re.sub(r" on \w+\n", " on #\n", text)


class Docs(ToolTest):
    def test_outputs(self):
        example = self.folder / "example"
        shutil.copytree(options.source / "examples/tflite", example)
        page = (options.source / "docs/tool.md").read_text()
        blocks = BLOCK.findall(page)
        self.assertGreaterEqual(len(blocks), 3)
        for arguments, output in blocks:
            with self.subTest(arguments):
                p = subprocess.run([options.tool.resolve(), *arguments.split()], cwd=example, capture_output=True, text=True)
                self.assertEqual(p.returncode, 0, p.stderr)
                self.assertEqual(portable(p.stdout), portable(output))

    def test_header_lines(self):
        self.ok("emit", options.source / "examples/tflite/residual.tflite", "-o", self.folder / "residual.hpp")
        page = (options.source / "docs/tool.md").read_text()
        lines = re.search(r"```text\n(//.*?)```", page, re.S).group(1)
        self.assertIn(lines, (self.folder / "residual.hpp").read_text())

    def test_drawing(self):
        self.ok("inspect", options.source / "examples/tflite/residual.tflite", "--svg", self.folder / "drawing.svg")
        self.assertEqual((self.folder / "drawing.svg").read_text(),
                         (options.source / "docs/images/tool_inspect.svg").read_text())


if __name__ == "__main__":
    main()
