# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Layers on int8 codes and the networks made of them."""
import numpy as np

import formulas
from cases_layers import ACTIVATIONS, fused, real_input
from model import Model, raw, tagged
from tensors import Tensor, random_codes

X_SCALE = 31.75  # 127 / 4: inputs reach 4


def _weights(model, shape, count, form, label="w"):
    """Codes, scales, and the block of the file; form float32 leaves the rounding to the loader."""
    scale = model.scales(label + " scale", count, 90.0, 250.0)
    if form == "float32":
        reals = model.reals(label, shape, 0.6, None)
        spread = np.repeat(scale, shape[0] // count).reshape((-1,) + (1,) * (len(shape) - 1))
        return formulas.quantize(reals, spread), scale, tagged(reals)
    codes = model.codes(label, shape)
    return codes, scale, tagged(codes, "int8")


def inner_product(name, about, shape, outputs, bias=True, form="int8", act=None, zero_scale=False):
    """InnerProduct with int8 weights and float input and output."""
    model = Model(name, about)
    x = model.reals("x", shape, 4.4, None)
    model.input("x", Tensor("float32", x))
    count = shape[-1] if len(shape) == 2 else x.size
    w, scale, block = _weights(model, (outputs, count), outputs, form)
    if zero_scale:
        scale[0] = 0.0
    b = model.reals("b", (outputs,), 2.0) if bias else None
    params = {0: outputs, 1: int(bias), 2: w.size, 8: 2, **(fused(act) if act else {})}
    blocks = [block] + ([raw(b)] if bias else []) + [raw(scale), raw([X_SCALE])]
    kind, numbers = ACTIVATIONS[act] if act else (0, [])
    if kind not in (4, 5):
        codes = formulas.quantize(x, X_SCALE).reshape(-1, count).astype(np.int64)
        sums = (codes @ w.astype(np.int64).T).T
        y = formulas.rescale(sums, X_SCALE, scale, b, kind, numbers).T
        model.expected = [Tensor("float32", y if len(shape) == 2 else y.reshape(-1))]
    return model.output(model.layer("InnerProduct", "x", "y", params, blocks))


def add_convolution(model, x_codes, x_scale, bottom, top, w_shape, term, group=1, bias=True, form="int8", act=None,
                    strides=(1, 1), dilations=(1, 1), pads=(0, 0, 0, 0), auto=None, top_scale=None, label="w"):
    """Appends an int8 convolution; returns what the formula says comes out."""
    out, _, kh, kw = w_shape
    depthwise = group > 1
    count = 1 if term in (2, 102) and depthwise else group if depthwise else out
    w, scale, block = _weights(model, w_shape, count, form, label)
    b = model.reals(label + " b", (out,), 2.0) if bias else None
    params = {0: out, 1: kw, 11: kh, 2: dilations[1], 12: dilations[0], 3: strides[1], 13: strides[0]}
    if auto:
        params[4] = {"upper": -233, "lower": -234}[auto]
        (top_pad, bottom_pad), (left, right) = (
            formulas.same_pads(x_codes.shape[1 + i], (kh, kw)[i], strides[i], dilations[i], auto == "lower")
            for i in (0, 1))
        pads = (top_pad, left, bottom_pad, right)
    else:
        params.update({14: pads[0], 4: pads[1], 16: pads[2], 15: pads[3]})
    params.update({5: int(bias), 6: w.size})
    if depthwise:
        params[7] = group
    params[8] = term
    params.update(fused(act) if act else {})
    blocks = [block] + ([raw(b)] if bias else []) + [raw(scale), raw([x_scale])]
    blocks += [raw([top_scale])] if term > 100 else []
    model.layer("ConvolutionDepthWise" if depthwise else "Convolution", bottom, top, params, blocks)
    sums = formulas.convolution(x_codes, w, group, strides, dilations, pads)
    kind, numbers = ACTIVATIONS[act] if act else (0, [])
    y = formulas.rescale(sums, x_scale, np.repeat(scale, out // count), b, kind, numbers)
    return formulas.quantize(y, top_scale) if term > 100 else y


def convolution(name, about, shape, w_shape, term=2, **how):
    """One int8 convolution with float input; a term above 100 gives codes."""
    model = Model(name, about)
    x = model.reals("x", shape, 4.4, None)
    model.input("x", Tensor("float32", x))
    top_scale = 9.0 if term > 100 else None
    y = add_convolution(model, formulas.quantize(x, X_SCALE), X_SCALE, "x", "y", w_shape, term,
                        top_scale=top_scale, **how)
    model.expected = [Tensor("int8" if term > 100 else "float32", y)]
    return model.output("y")


def _products():
    yield inner_product("innerproduct", "a scale per output", (19,), 5)
    yield inner_product("innerproduct_no_bias", "bias left out", (19,), 5, False)
    yield inner_product("innerproduct_rows", "two dimensions: every row for itself", (3, 16), 5)
    yield inner_product("innerproduct_flattens", "three dimensions become one", (3, 2, 4), 5)
    yield inner_product("innerproduct_float_weights", "float weights, rounded while loading", (19,), 5, form="float32")
    yield inner_product("innerproduct_zero_scale", "a weight scale of 0: only the bias is left", (19,), 5,
                        zero_scale=True)
    for act in ("relu", "leaky", "clip", "sigmoid"):
        yield inner_product(f"innerproduct_{act}", "activation inside the layer", (19,), 8, act=act)


def _convolutions():
    x, w = (3, 6, 7), (4, 3, 3, 3)
    make = convolution
    yield make("convolution", "a scale per output", x, w)
    yield make("convolution_term_1", "another number for the same", x, w, 1)
    yield make("convolution_term_102", "codes come out", x, w, 102)
    yield make("convolution_term_101", "codes come out", x, w, 101)
    yield make("convolution_no_bias", "bias left out", x, w, bias=False)
    yield make("convolution_float_weights", "float weights, rounded while loading", x, w, form="float32")
    yield make("convolution_pads", "four different pads", x, w, pads=(1, 2, 0, 1))
    yield make("convolution_same_upper", "pads -233, stride 2", x, (4, 3, 2, 4), strides=(2, 2), auto="upper")
    yield make("convolution_same_lower", "pads -234", x, (4, 3, 2, 4), auto="lower")
    yield make("convolution_dilated", "strides and dilations", (2, 9, 10), (3, 2, 3, 2), strides=(1, 2),
               dilations=(2, 3))
    yield make("convolution_1x1", "pointwise", (16, 3, 4), (8, 16, 1, 1))
    for act in ("relu", "leaky", "clip", "hardswish"):
        yield make(f"convolution_{act}", "activation inside the layer", x, w, act=act)
    yield make("convolution_relu_102", "activation, then codes", x, w, 102, act="relu")
    for term in (1, 2, 101, 102):
        yield make(f"depthwise_term_{term}", "a scale per group" if term % 100 == 1 else "one scale for all",
                   (5, 6, 5), (5, 1, 3, 3), term, group=5, pads=(1, 1, 1, 1))
    yield make("depthwise_stride_relu", "stride 2", (8, 7, 7), (8, 1, 3, 3), 1, group=8, strides=(2, 2), act="relu")
    yield make("depthwise_float_weights", "float weights, rounded while loading", (5, 6, 5), (5, 1, 3, 3), 1, group=5,
               form="float32")
    yield make("groups_term_1", "two groups", (4, 5, 5), (6, 2, 3, 3), 1, group=2)


def _single():
    for name, shape, count in (("quantize", (3, 4, 5), 1), ("quantize_channels", (3, 4, 5), 3),
                               ("quantize_rows", (4, 6), 4), ("quantize_vector", (9,), 1)):
        model = Model(name, "one scale" if count == 1 else "a scale per outermost index")
        x = model.reals("x", shape, 5.0, None)
        scale = model.scales("s", count, 20.0, 40.0)
        model.input("x", Tensor("float32", x))
        model.expected = [Tensor("int8", formulas.quantize(x, scale.reshape((-1,) + (1,) * (len(shape) - 1))
                                                           if count > 1 else scale))]
        yield model.output(model.layer("Quantize", "x", "y", {0: count}, [raw(scale)]))
    model = Model("quantize_ties", "halves go away from zero; -128 is not used")
    x = np.array([-200, -127.5, -127, -2.5, -1.5, -0.5, -0.25, 0, 0.25, 0.5, 1.5, 2.5, 126.5, 127.5], np.float32) / 4
    model.input("x", Tensor("float32", x))
    model.expected = [Tensor("int8", formulas.quantize(x, 4.0))]
    yield model.output(model.layer("Quantize", "x", "y", {0: 1}, [raw([4.0])]))

    def sums(model, shape):
        tensor = random_codes(model.name + " x", "int32", shape, -20000, 20000)
        model.input("x", tensor)
        return tensor.array

    for name, shape, scales, biases in (("dequantize", (3, 4, 5), 1, 0), ("dequantize_channels", (3, 4, 5), 3, 3),
                                        ("dequantize_rows", (4, 6), 4, 1), ("dequantize_vector", (9,), 1, 1)):
        model = Model(name, f"int32 to float; {scales} scale(s), {biases} bias(es)")
        x = sums(model, shape)
        scale, bias = model.scales("s", scales, 0.0005, 0.002), model.reals("b", (biases,), 3.0)
        around = (-1,) + (1,) * (len(shape) - 1)
        y = x.astype(np.float32) * scale.reshape(around if scales > 1 else (1,))
        y = y + bias.reshape(around if biases > 1 else (1,)) if biases else y
        model.expected = [Tensor("float32", y)]
        yield model.output(model.layer("Dequantize", "x", "y", {0: scales, 1: biases},
                                       [raw(scale)] + ([raw(bias)] if biases else [])))
    for name, shape, counts, act in (("requantize", (3, 4, 5), (1, 1, 0), None),
                                     ("requantize_channels", (3, 4, 5), (3, 3, 3), None),
                                     ("requantize_relu", (3, 4, 5), (3, 1, 3), "relu"),
                                     ("requantize_leaky", (4, 6), (4, 1, 4), "leaky"),
                                     ("requantize_clip", (9,), (1, 1, 1), "clip")):
        model = Model(name, "int32 to codes" + (", activation between" if act else ""))
        x = sums(model, shape)
        scale_in, scale_out = model.scales("i", counts[0], 0.0002, 0.0004), model.scales("o", counts[1], 20.0, 40.0)
        bias = model.reals("b", (counts[2],), 1.0)
        kind, numbers = ACTIVATIONS[act] if act else (0, [])
        around = (-1,) + (1,) * (len(shape) - 1)
        y = x.astype(np.float32) * scale_in.reshape(around)
        y = formulas.activation(y + bias.reshape(around) if counts[2] else y, kind, numbers)
        model.expected = [Tensor("int8", formulas.quantize(y, scale_out.reshape(around)))]
        params = dict(zip((0, 1, 2), counts))
        params.update({3: kind, 4: numbers} if numbers else {3: kind} if kind else {})
        yield model.output(model.layer("Requantize", "x", "y", params,
                                       [raw(scale_in), raw(scale_out)] + ([raw(bias)] if counts[2] else [])))


def _network(name, about, fused_codes):
    """Convolution, depthwise, pointwise, pool, inner product; codes or floats between them."""
    model = Model(name, about)
    x = model.reals("x", (3, 10, 9), 4.0, None)
    model.input("x", Tensor("float32", x))
    codes, scale = formulas.quantize(x, X_SCALE), X_SCALE
    layers = (("a", (8, 3, 3, 3), 1, (2, 2), (1, 1, 1, 1), 7.0), ("b", (8, 1, 3, 3), 8, (1, 1), (1, 1, 1, 1), 9.0),
              ("c", (12, 8, 1, 1), 1, (1, 1), (0, 0, 0, 0), None))
    bottom = "x"
    for top, shape, group, strides, pads, following in layers:
        into_codes = fused_codes and following
        term = (101 if into_codes else 1) if group > 1 else (102 if into_codes else 2)
        y = add_convolution(model, codes, scale, bottom, top, shape, term, group, act="relu", strides=strides,
                            pads=pads, top_scale=following if into_codes else None, label=top)
        if following:
            codes, scale = (y if into_codes else formulas.quantize(y, following)), following
        bottom = top
    model.layer("Pooling", "c", "p", {0: 1, 4: 1})
    w, w_scale, block = _weights(model, (5, 12), 5, "int8", "d")
    model.layer("InnerProduct", "p", "d", {0: 5, 1: 1, 2: w.size, 8: 2},
                [block, raw(model.reals("d b", (5,))), raw(w_scale), raw([11.0])])
    return model.output(model.layer("Softmax", "d", "y", {0: 0, 1: 1}))


def _float_network():
    model = Model("network_float", "convolution, pool, inner product and softmax in float")
    real_input(model, (2, 8, 8))
    model.layer("Convolution", "x", "a", {0: 6, 1: 3, 4: 1, 5: 1, 6: 108, 9: 1},
                [tagged(model.reals("a", (6, 2, 3, 3)), "float16"), raw(model.reals("a b", (6,)))])
    model.layer("Pooling", "a", "p", {0: 0, 1: 2, 2: 2})
    model.layer("InnerProduct", "p", "d", {0: 5, 1: 1, 2: 480},
                [tagged(model.reals("d", (5, 96), 0.25)), raw(model.reals("d b", (5,)))])
    return model.output(model.layer("Softmax", "d", "y", {0: 0, 1: 1}))


def cases():
    yield from _products()
    yield from _convolutions()
    yield from _single()
    yield _network("network_codes", "codes between the convolutions (terms 102 and 101)", True)
    yield _network("network_floats", "floats between the convolutions (terms 2 and 1)", False)
    yield _float_network()
