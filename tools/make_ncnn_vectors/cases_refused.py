# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Files that an importer must refuse with a sentence: one good model, damaged in one place each."""
import struct

import numpy as np

from model import END_OF_LAYER, LAYER_NUMBER, Model, raw, tagged
from tensors import Tensor


class Refused:
    """One damaged pair of files and what is wrong with it."""

    def __init__(self, name, about, param, weights, binary=False):
        self.name, self.about = name, about
        self.files = {name + (".param.bin" if binary else ".param"): param, name + ".bin": weights}


def good():
    """x - int8 Convolution - Pooling - InnerProduct - y."""
    model = Model("refused", "")
    model.input("x", Tensor("float32", np.zeros((3, 6, 6))))
    model.layer("Convolution", "x", "c", {0: 4, 1: 3, 4: 1, 5: 1, 6: 108, 8: 2, 9: 2, 10: [0.125]},
                [tagged(model.codes("w", (4, 3, 3, 3)), "int8"), raw(np.ones(4)), raw(np.full(4, 100.0)), raw([31.75])])
    model.layer("Pooling", "c", "p", {0: 1, 4: 1})
    model.layer("InnerProduct", "p", "y", {0: 5, 1: 0, 2: 20}, [tagged(model.reals("v", (5, 4)))])
    return model


def _text():
    model = good()
    text, weights = model.text().decode(), model.bin()

    def replaced(name, about, old, new):
        assert text.count(old) == 1, (name, old)
        return Refused(name, about, text.replace(old, new).encode(), weights)

    yield replaced("magic", "another magic number", "7767517\n", "7767518\n")
    yield replaced("counts_missing", "no line of counts", "\n4 4\n", "\n")
    yield replaced("layers_too_many", "more layers announced than there are", "\n4 4\n", "\n5 4\n")
    yield replaced("layers_negative", "a negative number of layers", "\n4 4\n", "\n-4 4\n")
    yield replaced("layers_huge", "2^31 - 1 layers announced", "\n4 4\n", "\n2147483647 4\n")
    yield replaced("blobs_too_few", "fewer blobs announced than are made", "\n4 4\n", "\n4 2\n")
    yield replaced("blobs_huge", "2^31 - 1 blobs announced", "\n4 4\n", "\n4 2147483647\n")
    yield replaced("layer_unknown", "a layer type that does not exist", "Pooling ", "Poolings ")
    yield replaced("layer_not_imported", "a layer type that is not imported", "Pooling ", "LSTM ")
    yield replaced("blob_unknown", "a layer reads what nobody makes", " 1 1 c p ", " 1 1 q p ")
    yield replaced("blob_twice", "two layers make the same blob", " 1 1 c p ", " 1 1 c c ")
    yield replaced("blob_cycle", "a layer reads its own result", " 1 1 c p ", " 1 1 p p ")
    yield replaced("bottoms_negative", "a negative number of inputs", " 1 1 c p ", " -1 1 c p ")
    yield replaced("bottoms_huge", "2^30 inputs", " 1 1 c p ", " 1073741824 1 c p ")
    yield replaced("name_long", "a name of 300 characters", " 1 1 c p ", " 1 1 c " + "p" * 300 + " ")
    yield replaced("param_number", "parameter 32", " 8=2", " 32=2")
    yield replaced("param_negative", "parameter -1", " 8=2", " -1=2")
    yield replaced("param_word", "a word where a number belongs", " 6=108", " 6=many")
    yield replaced("param_overflow", "a number beyond 32 bits", " 6=108", " 6=99999999999")
    yield replaced("param_empty", "nothing behind the equals sign", " 6=108", " 6=")
    yield replaced("array_negative", "an old array of negative length", " 10=1.250000e-01,", " -23310=-1,0.5")
    yield replaced("array_huge", "an old array of 2^31 - 1 numbers", " 10=1.250000e-01,", " -23310=2147483647,0.5")
    yield replaced("array_short", "an old array with fewer numbers than it says", " 10=1.250000e-01,", " -23310=3,0.5")
    yield replaced("slope_missing", "an activation without its number", " 10=1.250000e-01,", "")
    yield replaced("activation_unknown", "activation 99", " 9=2", " 9=99")
    yield replaced("kernel_zero", "a kernel of 0", " 0=4 1=3 4=1", " 0=4 1=0 4=1")
    yield replaced("stride_zero", "a stride of 0", " 0=4 1=3 4=1", " 0=4 1=3 3=0 4=1")
    yield replaced("dilation_beyond", "a dilated kernel larger than the image", " 0=4 1=3 4=1", " 0=4 1=3 2=9 4=1")
    yield replaced("pad_negative", "a pad that is neither SAME nor positive", " 0=4 1=3 4=1", " 0=4 1=3 4=-5")
    yield replaced("outputs_negative", "a negative number of channels", " 0=4 1=3 4=1", " 0=-4 1=3 4=1")
    yield replaced("weights_count", "weights that are no whole number of kernels", " 6=108", " 6=107")
    yield replaced("weights_channels", "weights for another number of input channels", " 6=108", " 6=72")
    yield replaced("weights_huge", "2^31 - 1 weights", " 6=108", " 6=2147483647")
    yield replaced("term_unknown", "int8 term 7", " 8=2", " 8=7")
    yield replaced("term_missing", "int8 weights without an int8 term", " 8=2", " 8=0")
    yield Refused("text_cut", "cut in the middle of a line", text[:len(text) - 12].encode(), weights)
    yield Refused("text_empty", "no bytes at all", b"", weights)
    yield Refused("text_not_text", "bytes that are no text", bytes(range(256)), weights)


def _weights():
    model = good()
    text, weights = model.text(), model.bin()

    def changed(name, about, at, new):
        return Refused(name, about, text, weights[:at] + new + weights[at + len(new):])

    scales = 4 + 108 + 16
    yield Refused("weights_cut", "one byte less than the layers want", text, weights[:-1])
    yield Refused("weights_empty", "no bytes at all", text, b"")
    yield changed("tag_float32", "a tag of floats in front of codes", 0, struct.pack("<I", 0))
    yield changed("tag_table", "a tag of a table that is not there", 0, struct.pack("<I", 5))
    for label, value in (("nan", np.nan), ("infinite", np.inf), ("negative", -100.0)):
        yield changed(f"scale_{label}", f"a weight scale that is {label}", scales, raw([value]))
    yield changed("scale_input_zero", "a scale of 0 for the input", scales + 16, raw([0.0]))


def _binary():
    model = good()
    content, weights = model.binary(), model.bin()

    def changed(name, about, word, value):
        new = content[:4 * word] + struct.pack("<i", value) + content[4 * word + 4:]
        return Refused(name, about, new, weights, True)

    words = np.frombuffer(content, "<i4").tolist()
    conv = words.index(END_OF_LAYER) + 1
    assert words[conv] == LAYER_NUMBER["Convolution"]
    array = words.index(-23310)
    yield changed("binary_magic", "another magic number", 0, 7767516)
    yield changed("binary_layers_huge", "2^31 - 1 layers announced", 1, 2**31 - 1)
    yield changed("binary_type", "a layer number that does not exist", conv, 9999)
    yield changed("binary_blob", "a blob number beyond the count", conv + 3, 77)
    yield changed("binary_blob_negative", "a negative blob number", conv + 3, -1)
    yield changed("binary_param_number", "parameter 99", conv + 5, 99)
    yield changed("binary_array_huge", "an array of 2^31 - 1 numbers", array + 1, 2**31 - 1)
    yield changed("binary_array_negative", "an array of negative length", array + 1, -2)
    yield Refused("binary_string_huge", "a string of 2^31 - 1 characters",
                  content[:4 * array] + struct.pack("<2i", -23410, 2**31 - 1) + content[4 * array + 8:], weights, True)
    yield Refused("binary_cut", "cut before the end of the last layer", content[:-4], weights, True)


def cases():
    yield from _text()
    yield from _weights()
    yield from _binary()
