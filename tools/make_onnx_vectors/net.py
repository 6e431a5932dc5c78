# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A small model under construction: constants, nodes, and the inputs it is to be run with."""
import onnx
from onnx import helper, shape_inference

from tensors import BY_CODE, Tensor


class Net:
    """One case: a graph, its inputs' values and the runs wanted of it."""

    def __init__(self, name, about, opset, optimized=False):
        self.name, self.about, self.opset = name, about, opset
        self.optimized = optimized  # also run as the runtime rewrites it
        self.runtime = True  # False: ONNX Runtime has no such form, the reference evaluator runs it
        self.feeds, self.constants, self.nodes, self.results = {}, {}, [], []
        self.declared = {}
        self.checked = True  # False: the model is wrong on purpose, or ONNX's checker does not know a shape

    def input(self, name, tensor, shape=None):
        """A graph input and the value to run with; `shape` is what the model says where it differs."""
        self.feeds[name] = tensor
        self.declared[name] = tensor.shape if shape is None else shape
        return name

    def const(self, name, tensor, stored="raw"):
        """An initializer (stored "raw" or "typed") or a Constant node (stored "node")."""
        if stored == "node":
            self.nodes.append(helper.make_node("Constant", [], [name], name=name + "_node",
                                               value=tensor_proto(name, tensor, "raw")))
        else:
            self.constants[name] = (tensor, stored)
        return name

    def scalar(self, name, dtype, value):
        """A constant without dimensions."""
        return self.const(name, Tensor(dtype, value))

    def node(self, op, inputs, result=None, **attributes):
        """Appends a node with one result and returns the result's name."""
        result = result or f"{op.lower()}_{len(self.nodes)}"
        inputs = ["" if i is None else i for i in inputs]
        while inputs and not inputs[-1]:
            inputs.pop()
        self.nodes.append(helper.make_node(op, inputs, [result], name=f"{result}_node", **attributes))
        return result

    def nodes_of(self, op, inputs, results, **attributes):
        """Appends a node with several results."""
        self.nodes.append(helper.make_node(op, inputs, results, name=f"{results[0]}_node", **attributes))
        return results

    def output(self, *names):
        """Marks results as graph outputs."""
        self.results += names
        return self

    def model(self):
        """The finished model; types and shapes of the outputs come from ONNX's shape inference."""
        opsets = [helper.make_opsetid("", self.opset)]
        version = helper.find_min_ir_version_for(opsets)
        inputs = [helper.make_tensor_value_info(name, tensor.code, self.declared[name])
                  for name, tensor in self.feeds.items()]
        if version < 4:  # initializers are inputs too
            inputs += [helper.make_tensor_value_info(name, tensor.code, tensor.shape)
                       for name, (tensor, _) in self.constants.items()]
        graph = helper.make_graph(
            self.nodes, self.name, inputs, [onnx.ValueInfoProto(name=name) for name in self.results],
            [tensor_proto(name, *stored) for name, stored in self.constants.items()])
        model = helper.make_model(graph, opset_imports=opsets, ir_version=version,
                                  producer_name="lowbits make_onnx_vectors")
        if not self.checked:
            for output in model.graph.output:
                output.type.CopyFrom(helper.make_tensor_type_proto(onnx.TensorProto.FLOAT, None))
            return model
        inferred = shape_inference.infer_shapes(model, strict_mode=True)
        del model.graph.output[:]
        model.graph.output.extend(inferred.graph.output)
        onnx.checker.check_model(model)
        return model


def tensor_proto(name, tensor, stored):
    """A TensorProto with raw_data, or with the typed fields."""
    if stored == "raw":
        return helper.make_tensor(name, tensor.code, tensor.shape, tensor.packed(), raw=True)
    proto = onnx.TensorProto(name=name, data_type=tensor.code, dims=tensor.shape)
    if tensor.dtype == "float32":
        proto.float_data.extend(tensor.array.reshape(-1).tolist())
    elif tensor.dtype == "int64":
        proto.int64_data.extend(tensor.array.reshape(-1).tolist())
    elif tensor.bits < 8:
        proto.int32_data.extend(tensor.packed())
    elif tensor.dtype == "float16":
        proto.int32_data.extend(tensor.array.reshape(-1).view("uint16").tolist())
    else:
        proto.int32_data.extend(tensor.array.reshape(-1).tolist())
    return proto


def output_types(model):
    """Name of the element type per graph output."""
    return [BY_CODE[o.type.tensor_type.elem_type] for o in model.graph.output]
