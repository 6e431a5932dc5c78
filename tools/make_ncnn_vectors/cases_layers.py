# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Float layers. Values are multiples of 1/16, so that sums are exact in every order."""
import numpy as np

from model import Model, raw, tagged
from tensors import Tensor


def real_input(model, shape, reach=4.0, name="x"):
    return model.input(name, Tensor("float32", model.reals(name, shape, reach)))


def simple(name, about, kind, shapes, params=None, reach=4.0, weights=(), old_arrays=False):
    """One layer without weights of its own, or with given ones."""
    model = Model(name, about, old_arrays)
    bottoms = [real_input(model, s, reach, f"x{i}" if len(shapes) > 1 else "x") for i, s in enumerate(shapes)]
    return model.output(model.layer(kind, bottoms, "y", params, weights))


def inner_product(name, about, shape, outputs, bias=True, form="float32", params=None, old_arrays=False):
    """One InnerProduct."""
    model = Model(name, about, old_arrays)
    count = shape[-1] if len(shape) == 2 else int(np.prod(shape))
    w = model.reals("w", (outputs, count))
    weights = [tagged(w, form)] + ([raw(model.reals("b", (outputs,)))] if bias else [])
    real_input(model, shape)
    return model.output(model.layer("InnerProduct", "x", "y", {0: outputs, 1: int(bias), 2: w.size, **(params or {})},
                                    weights))


def convolution(name, about, shape, w_shape, kind="Convolution", group=1, bias=True, form="float32", params=None,
                old_arrays=False):
    """Any of the four convolutions; w_shape [O, C / group, KH, KW]."""
    model = Model(name, about, old_arrays)
    w = model.reals("w", w_shape)
    numbers = {0: w_shape[0], 1: w_shape[3]}
    if w_shape[2] != w_shape[3]:
        numbers[11] = w_shape[2]
    numbers.update({5: int(bias), 6: w.size})
    if group > 1:
        numbers[7] = group
    weights = [tagged(w, form)] + ([raw(model.reals("b", (w_shape[0],)))] if bias else [])
    real_input(model, shape)
    return model.output(model.layer(kind, "x", "y", {**numbers, **(params or {})}, weights))


ACTIVATIONS = {"relu": (1, []), "leaky": (2, [0.125]), "clip": (3, [-1.5, 2.0]), "sigmoid": (4, []), "mish": (5, []),
               "hardswish": (6, [0.1666667, 0.5])}


def fused(name):
    kind, numbers = ACTIVATIONS[name]
    return {9: kind, 10: numbers} if numbers else {9: kind}


def _inner_product():
    yield inner_product("innerproduct", "with a bias", (11,), 5)
    yield inner_product("innerproduct_no_bias", "bias left out", (11,), 5, False)
    yield inner_product("innerproduct_rows", "two dimensions: every row for itself", (3, 8), 5)
    yield inner_product("innerproduct_flattens", "three dimensions become one", (3, 2, 4), 5)
    for form in ("float16", "float32_tagged", "table"):
        yield inner_product(f"innerproduct_{form}", "weights stored in another form", (7,), 3, form=form)
    for name in ACTIVATIONS:
        yield inner_product(f"innerproduct_{name}", "activation inside the layer", (7,), 6, params=fused(name))
    yield inner_product("innerproduct_clip_old_array", "array in the old notation", (7,), 6, params=fused("clip"),
                        old_arrays=True)


def _convolution():
    x, w = (3, 6, 7), (4, 3, 3, 3)
    make = convolution
    yield make("convolution", "with a bias", x, w)
    yield make("convolution_no_bias", "bias left out", x, w, bias=False)
    yield make("convolution_pad", "one pad for all sides", x, w, params={4: 1})
    yield make("convolution_pads", "four different pads", x, w, params={4: 1, 14: 0, 15: 2, 16: 1})
    yield make("convolution_pad_value", "padding is not 0", x, w, params={4: 1, 18: 0.5})
    yield make("convolution_same_upper", "pads -233", x, (4, 3, 2, 4), params={3: 2, 4: -233})
    yield make("convolution_same_lower", "pads -234", x, (4, 3, 2, 4), params={4: -234})
    yield make("convolution_strides", "two different strides", x, w, params={3: 2, 13: 3})
    yield make("convolution_dilations", "two different dilations", (2, 8, 9), (3, 2, 3, 2), params={2: 3, 12: 2})
    yield make("convolution_1x1", "pointwise", (5, 3, 4), (6, 5, 1, 1))
    yield make("convolution_float16", "weights as float16, an odd number", (3, 4, 4), (1, 3, 3, 3), form="float16")
    for name in ("relu", "leaky", "clip", "hardswish"):
        yield make(f"convolution_{name}", "activation inside the layer", x, w, params=fused(name))
    depthwise = "ConvolutionDepthWise"
    yield make("convolutiondepthwise", "one group per channel", (5, 6, 5), (5, 1, 3, 3), depthwise, 5, params={4: 1})
    yield make("convolutiondepthwise_multiplier", "two results per channel", (3, 5, 5), (6, 1, 3, 3), depthwise, 3)
    yield make("convolutiondepthwise_groups", "two groups", (4, 5, 5), (6, 2, 3, 2), depthwise, 2,
               params={3: 2, 4: 1, **fused("relu")})
    yield make("convolutiondepthwise_float16", "weights as float16", (3, 5, 5), (3, 1, 3, 3), depthwise, 3,
               form="float16")
    y, v = (3, 4, 5), (4, 3, 3, 3)
    turned = "Deconvolution"
    yield make("deconvolution", "with a bias", y, v, turned)
    yield make("deconvolution_stride", "stride 2, pad 1", y, v, turned, params={3: 2, 4: 1})
    yield make("deconvolution_output_pad", "one more row and column", y, v, turned, params={3: 2, 4: 1, 18: 1})
    yield make("deconvolution_pads", "four different pads, no bias", y, v, turned, bias=False,
               params={3: 2, 13: 3, 4: 1, 14: 0, 15: 0, 16: 2})
    yield make("deconvolution_dilations", "dilated, Relu inside", y, (2, 3, 2, 3), turned,
               params={2: 2, 12: 3, **fused("relu")})
    yield make("deconvolution_same_upper", "pads -233 and a given size", y, v, turned,
               params={3: 2, 4: -233, 20: 10, 21: 8})
    yield make("deconvolution_float16", "weights as float16", y, v, turned, form="float16")
    yield make("deconvolutiondepthwise", "one group per channel", y, (3, 1, 3, 3), "DeconvolutionDepthWise", 3,
               params={3: 2})
    yield make("deconvolutiondepthwise_groups", "two groups", (4, 4, 3), (6, 2, 2, 2), "DeconvolutionDepthWise", 2)


def _elements():
    x = (3, 4, 5)
    yield simple("relu", "negative to 0", "ReLU", [x])
    yield simple("relu_leaky", "slope 1/8", "ReLU", [x], {0: 0.125})
    yield simple("clip", "two limits", "Clip", [x], {0: -1.5, 1: 2.0})
    yield simple("clip_above", "only an upper limit", "Clip", [x], {1: 2.0})
    yield simple("sigmoid", "to 8 on both sides", "Sigmoid", [(5, 9)], reach=8.0)
    yield simple("tanh", "to 4 on both sides", "TanH", [(5, 9)])
    yield simple("dropout", "the input as it is", "Dropout", [(7,)])
    for number, op in enumerate(("add", "sub", "mul", "div", "max", "min")):
        if op != "div":
            yield simple(f"binaryop_{op}", "equal shapes", "BinaryOp", [x, x], {0: number})
        scalar = {0: number, 1: 1, 2: 0.5}
        yield simple(f"binaryop_{op}_scalar", "with a number", "BinaryOp", [x], scalar)
    yield simple("binaryop_rsub_scalar", "a number minus the input", "BinaryOp", [x], {0: 7, 1: 1, 2: 1.0})
    yield simple("binaryop_add_row", "a vector as wide as a row", "BinaryOp", [(4, 5), (5,)], {0: 0})
    yield simple("binaryop_mul_channels", "[C, 1, 1] on the right", "BinaryOp", [x, (3, 1, 1)], {0: 2})
    yield simple("binaryop_add_channel_vector", "a vector with one number per channel", "BinaryOp", [x, (3,)], {0: 0})
    yield simple("eltwise_prod", "three inputs", "Eltwise", [x, x, x], {0: 0}, 2.0)
    yield simple("eltwise_sum", "two inputs", "Eltwise", [x, x], {0: 1})
    yield simple("eltwise_sum_coefficients", "a number per input", "Eltwise", [x, x], {0: 1, 1: [0.5, -2.0]})
    yield simple("eltwise_max", "two inputs", "Eltwise", [x, x], {0: 2})


def _shapes():
    x = (3, 4, 5)
    yield simple("concat", "channels", "Concat", [x, (2, 4, 5)])
    yield simple("concat_rows", "axis 1", "Concat", [x, (3, 1, 5)], {0: 1})
    yield simple("concat_negative", "axis -1", "Concat", [x, (3, 4, 2)], {0: -1})
    yield simple("reshape_vector", "to one dimension", "Reshape", [x], {0: 60})
    yield simple("reshape_remaining", "-1", "Reshape", [x], {0: 10, 1: -1})
    yield simple("reshape_keep", "0 keeps an extent", "Reshape", [x], {0: 0, 1: 2, 2: -1})
    yield simple("flatten", "to one dimension", "Flatten", [x])
    yield simple("permute_hwc", "channels last", "Permute", [x], {0: 3})
    yield simple("softmax_vector", "one dimension", "Softmax", [(10,)], {0: 0, 1: 1}, 8.0)
    for axis in (0, 1, 2, -1):
        label = f"softmax_axis_{axis}".replace("-", "minus")
        yield simple(label, "three dimensions", "Softmax", [(3, 4, 5)], {0: axis, 1: 1}, 8.0)
    model = Model("split", "one blob for two layers")
    real_input(model, (2, 3))
    model.layer("Split", "x", ["x_0", "x_1"])
    model.layer("ReLU", "x_0", "r")
    yield model.output(model.layer("BinaryOp", ["r", "x_1"], "y", {0: 2}))


def _pools():
    x = (2, 7, 6)
    for number, name in enumerate(("max", "average")):
        def make(suffix, about, params, name=name, number=number):
            return simple(f"pooling_{name}{suffix}", about, "Pooling", [x], {0: number, **params})
        yield make("", "extents rounded up", {1: 3, 2: 2})
        yield make("_valid", "extents rounded down", {1: 3, 2: 2, 5: 1})
        yield make("_same_upper", "padding SAME", {1: 3, 11: 2, 2: 2, 5: 2})
        yield make("_same_lower", "padding SAME, more in front", {1: 3, 11: 2, 2: 2, 5: 3})
        yield make("_pads", "four different pads", {1: 3, 2: 2, 3: 1, 13: 0, 14: 1, 15: 2, 5: 1})
        yield make("_global", "one number per channel", {4: 1})
        yield make("_adaptive", "a given size", {7: 1, 8: 4, 18: 3})
    yield simple("pooling_average_include_pad", "padding counts", "Pooling", [x], {0: 1, 1: 3, 2: 2, 3: 1, 5: 1, 6: 1})
    yield simple("padding", "four sides, a value", "Padding", [x], {0: 1, 1: 0, 2: 2, 3: 1, 4: 0, 5: 0.25})


def _channels():
    """Layers with numbers per channel of their own."""
    def make(kind, shape, name, about, labels, params, low=0.5, high=2.0):
        model = Model(name, about)
        blocks = [raw(model.scales(label, shape[0], low, high) * (1 if label != "mean" else 0.5)) for label in labels]
        real_input(model, shape)
        return model.output(model.layer(kind, "x", "y", params, blocks))
    statistics = ("slope", "mean", "variance", "bias")
    yield make("BatchNorm", (3, 4, 5), "batchnorm", "three dimensions", statistics, {0: 3, 1: 0.001})
    yield make("BatchNorm", (4, 5), "batchnorm_rows", "two dimensions", statistics, {0: 4})
    yield make("BatchNorm", (6,), "batchnorm_vector", "one dimension", statistics, {0: 6})
    yield make("Scale", (3, 4, 5), "scale", "factors only", ("scale",), {0: 3})
    yield make("Scale", (4, 5), "scale_bias", "factors and biases", ("scale", "bias"), {0: 4, 1: 1})
    yield make("PReLU", (3, 4, 5), "prelu", "a slope per channel", ("slope",), {0: 3})
    yield simple("prelu_one", "one slope", "PReLU", [(3, 4)], {0: 1}, weights=[raw([0.25])])


def _curves():
    x = (3, 4, 5)
    yield simple("hardswish", "slope and offset", "HardSwish", [x], {0: 0.1666667, 1: 0.5})
    yield simple("hardswish_default", "without parameters", "HardSwish", [x])
    yield simple("hardsigmoid", "slope and offset", "HardSigmoid", [x], {0: 0.25, 1: 0.5})
    yield simple("swish", "x / (1 + exp(-x))", "Swish", [x])
    yield simple("mish", "to 30 on both sides", "Mish", [x], reach=30.0)
    yield simple("elu", "slope 0.5", "ELU", [x], {0: 0.5})
    yield simple("clip_six", "0 to 6", "Clip", [x], {0: 0.0, 1: 6.0}, 8.0)
    yield simple("dropout_scale", "times a half", "Dropout", [x], {0: 0.5})
    yield simple("noop", "nothing", "Noop", [(7,)])


def _more_shapes():
    x = (6, 4, 5)
    def cut(name, about, shape, tops, params):
        model = Model(name, about)
        real_input(model, shape)
        names = [f"y{i}" for i in range(tops)]
        model.layer("Slice", "x", names, params)
        return model.output(*names)
    yield cut("slice", "three equal pieces", x, 3, {0: [-233, -233, -233]})
    yield cut("slice_sizes", "stated sizes and the rest", x, 3, {0: [1, 2, -233]})
    yield cut("slice_axis", "columns", x, 2, {0: [2, 3], 1: 2})
    yield cut("slice_vector", "negative axis", (7,), 2, {0: [3, -233], 1: -1})
    for order in (1, 2, 4, 5):
        yield simple(f"permute_{order}", f"order {order}", "Permute", [x], {0: order})
    yield simple("permute_rows", "two dimensions", "Permute", [(3, 4)], {0: 1})
    yield simple("reshape_image", "one dimension to three", "Reshape", [(60,)], {0: 5, 1: 4, 2: -1})
    yield simple("shufflechannel", "two groups", "ShuffleChannel", [x], {0: 2})
    yield simple("shufflechannel_reverse", "the way back", "ShuffleChannel", [x], {0: 2, 1: 1})
    yield simple("padding_channels", "channels in front and behind", "Padding", [(2, 3, 3)], {5: 0.5, 7: 1, 8: 2})
    yield simple("padding_vector", "one dimension", "Padding", [(5,)], {2: 1, 3: 2, 5: -1.0})
    y = (2, 3, 4)
    yield simple("interp_nearest", "twice the size", "Interp", [y], {0: 1, 1: 2.0, 2: 2.0})
    yield simple("interp_nearest_size", "a stated size", "Interp", [y], {0: 1, 3: 5, 4: 7})
    yield simple("interp_bilinear", "a stated size", "Interp", [y], {0: 2, 3: 7, 4: 6})
    yield simple("interp_bilinear_scale", "factors", "Interp", [y], {0: 2, 1: 2.0, 2: 1.5})
    yield simple("interp_bilinear_corners", "corners meet", "Interp", [y], {0: 2, 3: 5, 4: 7, 6: 1})
    yield simple("interp_vector", "numbers become images", "Interp", [(3,)], {0: 1, 3: 2, 4: 3})
    yield simple("interp_rows", "two dimensions", "Interp", [(3, 4)], {0: 2, 3: 3, 4: 8})
    yield convolution("convolution1d", "stride 2, pad 1", (3, 9), (4, 3, 1, 3), "Convolution1D", params={3: 2, 4: 1})
    yield convolution("convolution1d_dilated", "dilated, Relu inside", (2, 11), (3, 2, 1, 3), "Convolution1D", bias=False,
                      params={2: 2, **fused("relu")})
    yield convolution("convolution_stride_same", "SAME, kernel as large as the stride", (2, 7, 6), (3, 2, 2, 2),
                      params={3: 2, 4: -233})
    yield convolution("deconvolution_same_lower", "pads -234 and a given size", (2, 3, 4), (3, 2, 3, 3), "Deconvolution",
                      params={3: 2, 4: -234, 20: 8, 21: 6})
    yield convolution("deconvolutiondepthwise_multiplier", "two results per channel, leaky", (2, 3, 3), (4, 1, 2, 2),
                      "DeconvolutionDepthWise", 2, params={3: 2, 18: 1, **fused("leaky")})


def _behind_images():
    """Layers that meet an image as a convolution leaves it."""
    def split_input(name, about):
        model = Model(name, about)
        real_input(model, (3, 4, 5))
        model.layer("Split", "x", ["x_0", "x_1"])
        for top, bottom in (("a", "x_0"), ("b", "x_1")):
            w = model.reals(top, (4, 3, 1, 1))
            model.layer("Convolution", bottom, top, {0: 4, 1: 1, 6: w.size}, [tagged(w)])
        return model
    def pair(name, about, kind, params=None):
        model = split_input(name, about)
        return model.output(model.layer(kind, ["a", "b"], "y", params))
    yield pair("images_concat", "channels", "Concat")
    yield pair("images_concat_columns", "axis 2", "Concat", {0: 2})
    yield pair("images_add", "sum", "BinaryOp", {0: 0})
    yield pair("images_rdiv", "quotient the other way round", "BinaryOp", {0: 8})
    yield pair("images_eltwise", "sum with factors", "Eltwise", {0: 1, 1: [0.5, -1.0]})
    def single(name, about, kind, params=None, weights=()):
        model = Model(name, about)
        real_input(model, (3, 4, 5))
        w = model.reals("w", (4, 3, 1, 1))
        model.layer("Convolution", "x", "a", {0: 4, 1: 1, 6: w.size}, [tagged(w)])
        return model.output(model.layer(kind, "a", "y", params, weights))
    yield single("image_softmax", "over channels", "Softmax", {0: 0, 1: 1})
    yield single("image_flatten", "the order of elements is that of channels first", "Flatten")
    yield single("image_permute", "channels last", "Permute", {0: 3})
    yield single("image_shufflechannel", "two groups", "ShuffleChannel", {0: 2})
    yield single("image_padding", "all axes", "Padding", {0: 1, 2: 2, 5: 1.0, 7: 1})
    yield single("image_prelu", "a slope per channel", "PReLU", {0: 4}, [raw([0.5, 0.25, -1.0, 2.0])])
    yield single("image_scale", "a factor per channel", "Scale", {0: 4}, [raw([0.5, 0.25, -1.0, 2.0])])
    yield single("image_reshape", "rows of channels", "Reshape", {0: 20, 1: 4})
    yield single("image_hardswish", "as it is", "HardSwish", {0: 0.25, 1: 0.5})
    model = Model("image_slice", "channels in two pieces, joined the other way round")
    real_input(model, (3, 4, 5))
    w = model.reals("w", (4, 3, 1, 1))
    model.layer("Convolution", "x", "a", {0: 4, 1: 1, 6: w.size}, [tagged(w)])
    model.layer("Slice", "a", ["b", "c"], {0: [1, -233]})
    yield model.output(model.layer("Concat", ["c", "b"], "y"))
    model = Model("image_innerproduct", "an image flattened by the layer")
    real_input(model, (3, 4, 5))
    w = model.reals("w", (2, 3, 1, 1))
    model.layer("Convolution", "x", "a", {0: 2, 1: 1, 6: w.size}, [tagged(w)])
    v = model.reals("v", (3, 40), 0.5)
    yield model.output(model.layer("InnerProduct", "a", "y", {0: 3, 2: v.size}, [tagged(v)]))


def cases():
    yield from _inner_product()
    yield from _convolution()
    yield from _elements()
    yield from _shapes()
    yield from _pools()
    yield from _channels()
    yield from _curves()
    yield from _more_shapes()
    yield from _behind_images()
