# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs a model with LiteRT, in a process of its own because some refusals end the process."""

import multiprocessing
import os
import re

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
from ai_edge_litert import interpreter as litert  # noqa: E402

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
                                 experimental_preserve_all_tensors=wanted is not None)
        net.allocate_tensors()
        for index, data in fed.items():
            net.set_tensor(index, data)
        net.invoke()
        indices = wanted or [d["index"] for d in net.get_output_details()]
        pipe.send({i: np.array(net.get_tensor(i)) for i in indices})
    except Exception as e:  # whatever it is, it belongs in the record
        pipe.send(" ".join(str(e).split()))


def run(model: bytes, fed: dict, resolver: str, wanted=None) -> dict:
    """Values of the outputs, or of the tensors `wanted`, by tensor index."""
    context = multiprocessing.get_context("fork")
    mine, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, model, fed, resolver, wanted))
    process.start()
    theirs.close()
    try:
        answer = mine.recv()
    except EOFError:
        answer = None
    process.join()
    if answer is None:
        raise Refused(f"the process ended with code {process.exitcode}")
    if isinstance(answer, str):  # numbers in brackets may be an address or a float's bits
        raise Refused(re.sub(r" \(-?\d+ != -?\d+\)", "", answer).replace(".Node", ". Node"))
    return answer


def details(model: bytes) -> dict:
    """Tensor indices of a model's inputs and outputs."""
    net = litert.Interpreter(model_content=model,
                             experimental_op_resolver_type=RESOLVERS["reference"])
    return {"inputs": [d["index"] for d in net.get_input_details()],
            "outputs": [d["index"] for d in net.get_output_details()]}
