# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs a model through ONNX Runtime and through onnx's reference evaluator."""
import collections
import os
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import helper
from onnx.reference import ReferenceEvaluator

from net import output_types
from tensors import BY_CODE, TYPES, Tensor

LEVELS = {"none": onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL,
          "all": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL}
BYTES = "__bytes"
onnxruntime.set_default_logger_severity(3)


def _with_bytes_at_the_border(model):
    """Python cannot pass 4- and 2-bit tensors to ONNX Runtime: Cast nodes carry them as bytes."""
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    for values, incoming in ((probe.graph.input, True), (probe.graph.output, False)):
        for value in values:
            code = value.type.tensor_type.elem_type
            dtype, inner, outer = BY_CODE[code], value.name, value.name + BYTES
            if TYPES[dtype][2] >= 8:
                continue
            byte_code = TYPES["uint8" if dtype[0] == "u" else "int8"][0]
            if incoming:
                probe.graph.node.insert(0, helper.make_node("Cast", [outer], [inner], to=code))
            else:
                probe.graph.node.append(helper.make_node("Cast", [inner], [outer], to=byte_code))
            value.name, value.type.tensor_type.elem_type = outer, byte_code
    return probe


def run_runtime(model, feeds, level):
    """Outputs of ONNX Runtime and the operators it ran."""
    probe = _with_bytes_at_the_border(model)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = LEVELS[level]
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    with tempfile.TemporaryDirectory() as folder:
        options.optimized_model_filepath = os.path.join(folder, "run.onnx")
        session = onnxruntime.InferenceSession(probe.SerializeToString(), options,
                                               providers=["CPUExecutionProvider"])
        ran = collections.Counter(n.op_type for n in onnx.load(options.optimized_model_filepath).graph.node)
    given = {i.name: feeds[i.name.removesuffix(BYTES)].array for i in session.get_inputs()}
    arrays = session.run(None, given)
    return [Tensor(t, a) for t, a in zip(output_types(model), arrays)], dict(sorted(ran.items()))


def run_reference(model, feeds):
    """Outputs of onnx's reference evaluator. It knows DequantizeLinear from set 19 on, whose nodes
    of sets 13 to 18 mean the same."""
    opset = model.opset_import[0].version
    if 13 <= opset < 19 and any(n.op_type == "DequantizeLinear" for n in model.graph.node):
        newer = onnx.ModelProto()
        newer.CopyFrom(model)
        newer.opset_import[0].version = 19
        model = newer
    given = {}
    for name, tensor in feeds.items():
        dtype = helper.tensor_dtype_to_np_dtype(tensor.code)
        given[name] = tensor.array.astype(dtype)
    arrays = ReferenceEvaluator(model).run(None, given)
    results = []
    for dtype, array in zip(output_types(model), arrays):
        array = np.asarray(array)
        results.append(Tensor(dtype, array.astype(TYPES[dtype][1])))
    return results

