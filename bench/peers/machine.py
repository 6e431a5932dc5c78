# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a reader must know about the machine a table was made on."""
import re
import subprocess

FLAGS = "sse4_1 avx2 avx_vnni avx512f avx512bw avx512_vnni avx512vbmi amx_int8".split()


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


def describe(lscpu, compiler):
    """One sentence of the facts in lscpu's output."""
    facts = dict(re.findall(r"^([^:\n]+):\s*(.*?)\s*$", lscpu, re.MULTILINE))
    flags = facts.get("Flags", "").split()
    caches = ", ".join(f"{name} {facts[name + ' cache'].split(' (')[0]}" for name in ("L1d", "L2", "L3")
                       if name + " cache" in facts)
    kind = f"family {facts.get('CPU family', '?')} model {facts.get('Model', '?')}"
    present = ", ".join(f for f in FLAGS if f in flags)
    absent = ", ".join(f for f in FLAGS if f not in flags)
    where = ", virtual machine" if "Hypervisor vendor" in facts else ""
    return (f"{facts.get('Model name', 'unknown processor')} ({kind}), {facts.get('CPU(s)', '?')} processors{where}; caches in all: "
            f"{caches}; has {present or 'none of ' + ', '.join(FLAGS)}" + (f"; lacks {absent}" if absent else "") +
            f". Compiler: {compiler}.")


def this_machine(compiler):
    version = (output_of(compiler, "--version").splitlines() or [compiler])[0]
    return describe(output_of("lscpu"), version)


def versions(start):
    """The peers' packages; `start` runs a command where they are installed."""
    packages = "libdnnl-dev libxnnpack-dev libruy-dev libgemmlowp-dev"
    found = output_of(str(start), f"dpkg-query -W -f '${{Package}} ${{Version}}\\n' {packages}").splitlines()
    return ", ".join(line.replace("-dev", "").replace("lib", "", 1).replace("dnnl", "oneDNN").replace("xnn", "XNN").replace("XNNpack", "XNNPACK") for line in found) or "unknown"
