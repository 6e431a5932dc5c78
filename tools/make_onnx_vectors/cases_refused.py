# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Files that an importer must refuse with a sentence: one good model, damaged in one place each."""
import numpy as np
from onnx import TensorProto, helper

from net import Net
from qdq import QdqNet
from tensors import Tensor, random_codes, random_reals


class Refused:
    """One damaged file and what is wrong with it."""

    def __init__(self, name, about, content):
        self.name, self.about, self.content = name, about, content


def good_dense():
    """Quantized dense layer: x -> Q -> DQ -> Gemm -> Q -> DQ -> y."""
    net = QdqNet("dense", "", "int8", 21)
    x = net.qdq(net.real_input("x", (2, 6)), 2.0)
    w = net.weights((4, 6), 0)
    return net.done(net.node("Gemm", [x, w, net.bias(x, w, 4)], "dense", transB=1), 3.0).model()


def good_conv():
    """Float convolution with every attribute written out."""
    net = Net("conv", "", 13)
    net.input("x", random_reals("refused x", (1, 4, 6, 6)))
    net.const("w", random_reals("refused w", (4, 2, 3, 3)))
    net.const("b", random_reals("refused b", (4,)))
    return net.output(net.node("Conv", ["x", "w", "b"], "y", group=2, pads=[1, 1, 1, 1], strides=[1, 1],
                               dilations=[1, 1], kernel_shape=[3, 3])).model()


def good_block():
    """Blocked weights."""
    net = QdqNet("block", "", opset=21)
    x = net.real_input("x", (2, 8))
    return net.output(net.node("MatMul", [x, net.weights((8, 3), 0, "int4", block=4)], "y")).model()


def constant(model, name):
    return next(t for t in model.graph.initializer if t.name == name)


def node(model, op):
    return next(n for n in model.graph.node if n.op_type == op)


def attribute(model, op, name):
    return next(a for a in node(model, op).attribute if a.name == name)


def damage(name, about, change, make=good_dense):
    """The good model after `change`."""
    model = make()
    change(model)
    return Refused(name, about, model.SerializeToString(deterministic=True))


def store(model, name, tensor):
    """Replaces a constant."""
    proto = helper.make_tensor(name, tensor.code, tensor.shape, tensor.packed(), raw=True)
    constant(model, name).CopyFrom(proto)


def external(model):
    tensor = constant(model, "w_2")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../weights.bin")


def sparse(model):
    tensor = constant(model, "w_2")
    values = helper.make_tensor("w_2", TensorProto.INT8, [1], [5])
    places = helper.make_tensor("w_2_places", TensorProto.INT64, [1], [2])
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, places, [4, 6]))
    model.graph.initializer.remove(tensor)


def subgraph(model):
    value = helper.make_tensor_value_info("z", TensorProto.FLOAT, [2, 6])
    branch = helper.make_graph([helper.make_node("Relu", ["x"], ["z"])], "branch", [], [value])
    model.graph.initializer.append(helper.make_tensor("which", TensorProto.BOOL, [], [True]))
    model.graph.node.insert(0, helper.make_node("If", ["which"], ["chosen"], then_branch=branch, else_branch=branch))
    model.graph.node[1].input[0] = "chosen"


def function(model):
    opsets = [helper.make_opsetid("", 21)]
    body = [helper.make_node("Add", ["a", "a"], ["b"])]
    model.functions.append(helper.make_function("mine", "Twice", ["a"], ["b"], body, opsets))
    model.opset_import.append(helper.make_opsetid("mine", 1))
    model.graph.node.insert(0, helper.make_node("Twice", ["x"], ["twice"], domain="mine"))
    model.graph.node[1].input[0] = "twice"


def foreign_domain(model):
    gemm = node(model, "Gemm")
    gemm.domain = "com.example"
    model.opset_import.append(helper.make_opsetid("com.example", 1))


def cycle(model):
    node(model, "Gemm").input[0] = "y"


def twice(model):
    model.graph.node.append(helper.make_node("Relu", ["x"], ["dense"]))


def other_zero_point(model):
    model.graph.initializer.append(helper.make_tensor("other", TensorProto.UINT8, [], [3]))
    node(model, "DequantizeLinear").input[2] = "other"


def _graphs():
    yield damage("external_data", "weights in another file, outside the folder", external)
    yield damage("sparse_initializer", "a sparse constant", sparse)
    yield damage("subgraph", "If", subgraph)
    yield damage("function", "a function of the model's own", function)
    yield damage("foreign_domain", "an operator of another domain", foreign_domain)
    yield damage("unknown_operator", "an operator that does not exist",
                 lambda m: setattr(node(m, "Gemm"), "op_type", "Gemmm"))
    yield damage("no_opset", "no operator set named", lambda m: m.ClearField("opset_import"))
    yield damage("no_graph", "no graph", lambda m: m.ClearField("graph"))
    yield damage("no_outputs", "a graph without outputs", lambda m: m.graph.ClearField("output"))
    yield damage("cycle", "a node that needs its own result", cycle)
    yield damage("made_twice", "two nodes with the same result", twice)
    yield damage("input_missing", "a node reads what nobody makes",
                 lambda m: node(m, "Gemm").input.__setitem__(0, "nothing"))
    yield damage("output_missing", "a graph output that nobody makes",
                 lambda m: setattr(m.graph.output[0], "name", "nothing"))
    yield damage("too_few_inputs", "a Gemm with one input", lambda m: node(m, "Gemm").input.__delitem__(slice(1, 3)))
    yield damage("too_many_outputs", "a Gemm with two results", lambda m: node(m, "Gemm").output.append("more"))
    yield damage("string_input", "a graph input of strings",
                 lambda m: setattr(m.graph.input[0].type.tensor_type, "elem_type", TensorProto.STRING))
    yield damage("sequence_input", "a graph input that is a sequence", lambda m: m.graph.input[0].type.CopyFrom(
        helper.make_sequence_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, [2, 6]))))
    yield damage("input_without_type", "a graph input without a type", lambda m: m.graph.input[0].ClearField("type"))
    yield damage("input_without_shape", "a graph input of unknown rank",
                 lambda m: m.graph.input[0].type.tensor_type.ClearField("shape"))
    yield damage("input_negative", "a graph input with a negative extent",
                 lambda m: setattr(m.graph.input[0].type.tensor_type.shape.dim[1], "dim_value", -6))
    yield damage("input_huge", "a graph input of 2^60 elements",
                 lambda m: setattr(m.graph.input[0].type.tensor_type.shape.dim[0], "dim_value", 2**60 // 6))


def _tensors():
    def dims(values):
        def change(model):
            del constant(model, "w_2").dims[:]
            constant(model, "w_2").dims.extend(values)
        return change

    def raw(size):
        def change(model):
            constant(model, "w_2").raw_data = bytes(size)
        return change

    def number(value):
        return lambda m: store(m, "scale_1", Tensor("float32", value))

    yield damage("raw_short", "fewer bytes than the shape wants", raw(23))
    yield damage("raw_long", "more bytes than the shape wants", raw(25))
    yield damage("raw_none", "no data", lambda m: constant(m, "w_2").ClearField("raw_data"))
    yield damage("both_forms", "raw and typed data at once", lambda m: constant(m, "w_2").int32_data.append(1))
    yield damage("dims_negative", "a negative extent", dims([-4, -6]))
    yield damage("dims_overflow", "extents whose product does not fit 64 bits", dims([2**33, 2**33]))
    yield damage("dims_huge", "2^40 elements and 24 bytes", dims([2**20, 2**20]))
    yield damage("segment", "a tensor in segments", lambda m: constant(m, "w_2").segment.CopyFrom(
        TensorProto.Segment(begin=0, end=1)))
    yield damage("type_unknown", "a type number nobody knows",
                 lambda m: setattr(constant(m, "w_2"), "data_type", 99))
    yield damage("type_complex", "a constant of complex numbers",
                 lambda m: setattr(constant(m, "w_2"), "data_type", TensorProto.COMPLEX64))
    for label, value in (("nan", np.nan), ("infinite", np.inf), ("zero", 0.0), ("negative", -0.25)):
        yield damage(f"scale_{label}", f"a scale that is {label}", number(value))
    yield damage("scale_per_channel_short", "three scales for four channels",
                 lambda m: store(m, "w_2_scale", Tensor("float32", [0.1, 0.2, 0.3])))
    yield damage("zero_point_type", "a uint8 zero point for int8 codes", other_zero_point)
    yield damage("zero_point_shape", "a zero point of shape [2] beside a single scale",
                 lambda m: store(m, "zero_point_1", Tensor("int8", [3, 4])))
    yield damage("axis", "an axis beyond the rank",
                 lambda m: [setattr(a, "i", 5) for n in m.graph.node for a in n.attribute if a.name == "axis"])
    yield damage("block_negative", "a negative block size",
                 lambda m: setattr(attribute(m, "DequantizeLinear", "block_size"), "i", -4), good_block)
    yield damage("block_shape", "a block size that does not give the scales' shape",
                 lambda m: setattr(attribute(m, "DequantizeLinear", "block_size"), "i", 2), good_block)


def _attributes():
    def conv(name, about, label, values):
        def change(model):
            there = attribute(model, "Conv", label)
            if isinstance(values, int):
                there.i = values
            else:
                del there.ints[:]
                there.ints.extend(values)
        return damage(name, about, change, good_conv)

    def as_float(model):
        there = attribute(model, "Conv", "pads")
        there.CopyFrom(helper.make_attribute("pads", 1.0))

    yield conv("conv_stride_zero", "a stride of 0", "strides", [0, 1])
    yield conv("conv_dilation_negative", "a negative dilation", "dilations", [1, -1])
    yield conv("conv_group_zero", "no groups", "group", 0)
    yield conv("conv_group", "groups that do not divide the channels", "group", 3)
    yield conv("conv_pads_count", "three pads for two axes", "pads", [1, 1, 1])
    yield conv("conv_pads_negative", "negative pads that leave nothing", "pads", [-9, 0, -9, 0])
    yield conv("conv_pads_huge", "pads of 2^62", "pads", [2**62, 2**62, 2**62, 2**62])
    yield conv("conv_kernel_shape", "kernel_shape is not that of the weights", "kernel_shape", [3, 5])
    yield conv("conv_kernel_beyond", "a dilated kernel larger than the image", "dilations", [9, 9])
    yield damage("conv_pads_type", "pads as a number", as_float, good_conv)
    yield damage("conv_bias_count", "three biases for four channels",
                 lambda m: store(m, "b", random_reals("refused b3", (3,))), good_conv)
    yield damage("conv_weights_rank", "weights of rank 3",
                 lambda m: store(m, "w", random_reals("refused w3", (4, 2, 3))), good_conv)
    yield damage("gemm_depth", "weights with another depth than x",
                 lambda m: store(m, "w_2", random_codes("refused w5", "int8", (4, 5))))


def _shapes():
    def small(name, about, op, shapes, constants=(), **attributes):
        net = Net(name, about, 13)
        net.checked = False
        inputs = [net.input(f"x{i}", random_reals(f"{name} {i}", s)) for i, s in enumerate(shapes)]
        inputs += [net.const(*c) for c in constants]
        return Refused(name, about, net.output(net.node(op, inputs, "y", **attributes)).model()
                       .SerializeToString(deterministic=True))

    yield small("add_shapes", "[2, 3] and [2, 4]", "Add", [(2, 3), (2, 4)])
    yield small("matmul_depth", "[2, 3] by [4, 2]", "MatMul", [(2, 3), (4, 2)])
    yield small("concat_extents", "[2, 3] and [3, 4] along axis 1", "Concat", [(2, 3), (3, 4)], axis=1)
    yield small("concat_axis", "axis 2 of two", "Concat", [(2, 3), (2, 3)], axis=2)
    yield small("reshape_count", "6 elements to 8", "Reshape", [(2, 3)], [("s", Tensor("int64", [2, 4]))])
    yield small("reshape_two_unknown", "-1 twice", "Reshape", [(2, 3)], [("s", Tensor("int64", [-1, -1]))])
    yield small("reshape_zero_beyond", "0 for an axis that is not there", "Reshape", [(2, 3)],
                [("s", Tensor("int64", [2, 3, 0]))])
    yield small("transpose_perm", "an axis twice", "Transpose", [(2, 3, 4)], perm=[0, 1, 1])
    yield small("softmax_axis", "axis -3 of two", "Softmax", [(2, 3)], axis=-3)
    yield small("pool_kernel", "a kernel larger than the image", "MaxPool", [(1, 1, 2, 2)], kernel_shape=[5, 5])


def _files():
    whole = good_dense().SerializeToString(deterministic=True)
    yield Refused("empty_file", "no bytes at all", b"")
    yield Refused("half_a_file", "cut in the middle", whole[:len(whole) // 2])
    yield Refused("length_beyond_end", "a length that points behind the end", whole[:-1] + b"\x7a\xff\xff\xff\x7f")
    yield Refused("not_protobuf", "a text", b"ONNX? No.\n" * 20)
    yield Refused("another_format", "the first bytes of a FlatBuffer of TFLite", b"\x1c\0\0\0TFL3" + bytes(56))


def cases():
    yield from _graphs()
    yield from _tensors()
    yield from _attributes()
    yield from _shapes()
    yield from _files()


def runtime_opinion(content):
    """Whether ONNX Runtime refuses the file too, while loading or running it."""
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        feeds = {i.name: np.zeros([d if isinstance(d, int) and d < 99 else 2 for d in i.shape], np.float32)
                 for i in session.get_inputs()}
        session.run(None, feeds)
    except Exception:
        return True
    return False
