# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs a model with LiteRT, in a process of its own because some refusals end the process.

With another version of it in another environment: `Other` starts this file there as a server.
"""

import multiprocessing
import os
import pickle
import re
import subprocess
import sys
from importlib.metadata import version

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
from ai_edge_litert import interpreter as litert  # noqa: E402

VERSION = version("ai-edge-litert")
RESOLVERS = {
    "reference": litert.OpResolverType.BUILTIN_REF,
    "default": litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
}


class Refused(Exception):
    """The runtime does not run this model; the text is its message."""


def _work(pipe, model, fed, resolver, wanted) -> None:
    try:
        net = litert.Interpreter(model_content=model, num_threads=1,
                                 experimental_op_resolver_type=RESOLVERS[resolver],
                                 experimental_preserve_all_tensors=True)
        net.allocate_tensors()
        for index, data in fed.items():
            net.set_tensor(index, data)
        net.invoke()
        pipe.send({i: np.array(net.get_tensor(i)) for i in wanted})
    except Exception as e:  # whatever it is, it belongs in the record
        pipe.send(" ".join(str(e).split()))


def answer(model: bytes, fed: dict, resolver: str, wanted) -> dict | str:
    """Values of the tensors `wanted` by tensor index, or the words of a refusal."""
    context = multiprocessing.get_context("fork")
    mine, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, model, fed, resolver, wanted))
    process.start()
    theirs.close()
    try:
        got = mine.recv()
    except EOFError:
        got = None
    process.join()
    if got is None:
        return f"the process ended with code {process.exitcode}"
    if isinstance(got, str):  # numbers in brackets may be an address or a float's bits
        return re.sub(r" \(-?\d+ != -?\d+\)", "", got).replace(".Node", ". Node")
    return got


def run(model: bytes, fed: dict, resolver: str, wanted) -> dict:
    """As `answer`, with an exception for a refusal."""
    got = answer(model, fed, resolver, wanted)
    if isinstance(got, str):
        raise Refused(got)
    return got


def details(model: bytes) -> dict:
    """Tensor indices of a model's inputs and outputs."""
    net = litert.Interpreter(model_content=model,
                             experimental_op_resolver_type=RESOLVERS["reference"])
    return {"inputs": [d["index"] for d in net.get_input_details()],
            "outputs": [d["index"] for d in net.get_output_details()]}


class Other:
    """The LiteRT of another Python interpreter."""

    def __init__(self, python: str):
        self.process = subprocess.Popen([python, __file__], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.version = pickle.load(self.process.stdout)

    def answer(self, *job) -> dict | str:
        """`answer` over there."""
        pickle.dump(job, self.process.stdin)
        self.process.stdin.flush()
        return pickle.load(self.process.stdout)


def serve() -> None:
    """Answers jobs from the standard input until it ends."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what the runtime prints
    pickle.dump(VERSION, out)
    out.flush()
    while True:
        try:
            job = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(answer(*job), out)
        out.flush()


if __name__ == "__main__":
    serve()
