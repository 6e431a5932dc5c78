# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""ADD, SUB, MUL, MINIMUM and MAXIMUM."""

import numpy as np

import values
from net import Net
from rounding import division_too, product_first, scales_in_contest

OPTIONS = {"ADD": "AddOptions", "SUB": "SubOptions", "MUL": "MulOptions",
           "MINIMUM": "MaximumMinimumOptions", "MAXIMUM": "MaximumMinimumOptions"}
# (scale, zero point) of left, right and output.
QUANT = {"int8": ((0.0431, -7), (0.0287, 13), (0.0522, 5)),
         "uint8": ((0.0431, 121), (0.0287, 141), (0.0522, 133)),
         "int16": ((0.000171, 0), (0.000113, 0), (0.000207, 0))}
PLAIN = (None, 0)


def binary(op, name, dtype, left, right, activation="NONE", constant=None, quant=None,
           pot=None, version=None, out_quant=None, reach=None, options=True):
    """One operator on shapes that may broadcast; `constant` is the side that is in the file.

    Codes are at most `reach` if that is given.
    """
    net = Net(f"{op.lower()}/{name}")
    quant = quant or QUANT.get(dtype, (PLAIN, PLAIN, PLAIN))
    if op == "MUL" and dtype in QUANT and quant is QUANT[dtype]:
        scale = {"int8": 0.0611, "uint8": 0.0611, "int16": 0.00073}[dtype]
        quant = (quant[0], quant[1], (scale, quant[2][1]))
    if op in ("MINIMUM", "MAXIMUM"):
        quant = (quant[0],) * 3
    quant = (*quant[:2], out_quant or quant[2])
    sides = []
    for side, shape, q in (("left", left, quant[0]), ("right", right, quant[1])):
        key = f"{net.key}/{side}"
        if dtype in ("int32", "int64"):
            data = values.codes(key, shape, -50000, 50000) // (300 if op == "MUL" else 1)
        elif dtype == "float32":
            data = values.reals(key, shape, -8, 8, 1 / 32)
        else:
            data = values.codes(key, shape, *((-reach, reach) if reach else values.RANGE[dtype]))
        add = net.const if side == constant else None
        sides.append(add(side, dtype, data, *q) if add
                     else net.input(side, dtype, shape, *q, data=data))
    shape = np.broadcast_shapes(tuple(left), tuple(right))
    fields = {} if op in ("MINIMUM", "MAXIMUM") else {"fused_activation_function": activation}
    if pot is not None:
        fields["pot_scale_int16"] = pot
    net.op(op, sides, [net.output("output", dtype, shape, *quant[2])],
           OPTIONS[op] if options else None, fields, version)
    return name, net


def contest_cases():
    """MUL of two columns of numbers; where the scales are combined otherwise one result differs."""
    for dtype, left, right, result in (("int8", 97, -101, -73), ("uint8", 93, 89, 67),
                                       ("int16", 20011, 1999, 9001)):
        for name, ways in (("product_of_scales", product_first), ("division", division_too)):
            net = Net(f"mul/{dtype}_{name}")
            *inputs, out = scales_in_contest(net.key, left * right, result, ways)
            zero = {"int8": 5, "uint8": 119}.get(dtype, 0)
            sides = [net.input(side, dtype, [7], s, zero, n + zero + np.arange(-3, 4) // 3 * 3)
                     for side, s, n in zip(("left", "right"), inputs, (left, right))]
            net.op("MUL", sides, [net.output("output", dtype, [7], out, zero)], "MulOptions")
            yield f"{dtype}_{name}", net


def arithmetic_cases(op):
    """Broadcasting in all forms for every type, activations, scales far apart."""
    general = {"ADD": 3, "SUB": 5}.get(op)  # version for int16 with any scales
    for dtype in ("int8", "uint8", "int16", "float32"):
        options = ({"pot": False, "version": general} if dtype == "int16" and general else {})

        def case(name, left, right, dtype=dtype, options=options, **more):
            return binary(op, f"{dtype}_{name}", dtype, left, right, **options, **more)

        yield case("same_shape", [1, 3, 4, 5], [1, 3, 4, 5])
        yield case("channel", [2, 3, 2, 7], [7])
        yield case("scalar_right", [2, 3, 5], [], constant="right")
        yield case("scalar_left", [1], [2, 3, 5])
        yield case("both_broadcast", [2, 1, 3, 1], [1, 4, 1, 5], activation="RELU")
        yield case("constant_right_relu6", [1, 2, 3, 8], [1, 1, 1, 8], constant="right",
                   activation="RELU6")
        yield case("relu_n1_to_1", [3, 17], [3, 17], activation="RELU_N1_TO_1")
        yield case("rank_5", [2, 1, 2, 3, 4], [2, 1, 3, 1])
    far = ((0.5, -128), (0.001, 127), (0.06, 100) if op == "MUL" else (0.49, -128))
    yield binary(op, "int8_scales_far_apart", "int8", [4, 16], [4, 16], quant=far)
    yield binary(op, "int8_saturates", "int8", [4, 16], [4, 16], out_quant=(0.021, 50))
    yield binary(op, "int8_equal_scales", "int8", [4, 16], [4, 16], quant=((0.05, 0),) * 3)
    yield binary(op, "uint8_zero_points_0_255", "uint8", [4, 16], [4, 16],
                 quant=((0.03, 0), (0.02, 255), (0.04, 128)))
    yield binary(op, "int8_constant_left", "int8", [1, 4, 3], [2, 4, 3], constant="left")
    yield binary(op, "int32_same_shape", "int32", [2, 7], [2, 7])
    if op == "MUL":
        yield from contest_cases()
        yield binary(op, "int8_multiplier_above_1", "int8", [4, 16], [4, 16],
                     reach=10,
                     quant=((0.9, 0), (1.3, 0), (1.1, 0)), version=3)
        yield binary(op, "int16_multiplier_above_1", "int16", [4, 16], [4, 16],
                     reach=150,
                     quant=((0.9, 0), (1.3, 0), (1.1, 0)))
    else:
        yield binary(op, "int16_power_of_two", "int16", [3, 16], [3, 16], pot=True,
                     quant=((2.0**-12, 0), (2.0**-14, 0), (2.0**-12, 0)))
        yield binary(op, "int16_power_of_two_left_finer", "int16", [3, 16], [3, 16], pot=True,
                     quant=((2.0**-15, 0), (2.0**-13, 0), (2.0**-13, 0)))
        yield binary(op, "int16_nearly_power_of_two", "int16", [3, 16], [3, 16], pot=True,
                     quant=((2.0**-12 * 1.0005, 0), (2.0**-14 * 0.9995, 0), (2.0**-12 * 0.9994, 0)),
                     activation="RELU6")
        yield binary(op, "int16_no_power_of_two", "int16", [3, 16], [3, 16], pot=True,
                     quant=((2.0**-12, 0), (2.0**-14, 0), (2.0**-12 * 1.0008, 0)))
        yield binary(op, "int16_without_options", "int16", [3, 16], [3, 16], options=False,
                     quant=((2.0**-12, 0), (2.0**-14, 0), (2.0**-12, 0)))
        yield binary(op, "int16_saturates", "int16", [3, 16], [3, 16], pot=False,
                     version=general, out_quant=(0.0001, 0))


def extremum_cases(op):
    """Every type, with and without broadcasting."""
    for dtype in ("int8", "uint8", "int16", "float32", "int32"):
        yield binary(op, f"{dtype}_same_shape", dtype, [2, 3, 5], [2, 3, 5])
        yield binary(op, f"{dtype}_broadcast", dtype, [2, 1, 3, 4], [2, 1, 4])
    yield binary(op, "int8_scalar", "int8", [3, 11], [], constant="right")
    yield binary(op, "int8_rank_5", "int8", [2, 1, 2, 3, 4], [1, 2, 1, 1, 4], version=3)
    net = Net(f"{op.lower()}/int8_differing_scales")
    a = net.input("left", "int8", [3, 11], 0.03, 5)
    b = net.input("right", "int8", [3, 11], 0.05, -9)
    net.op(op, [a, b], [net.output("output", "int8", [3, 11], 0.04, 3)], OPTIONS[op])
    yield "int8_differing_scales", net


CASES = {op: (lambda op=op: arithmetic_cases(op)) for op in ("ADD", "SUB", "MUL")}
CASES |= {op: (lambda op=op: extremum_cases(op)) for op in ("MINIMUM", "MAXIMUM")}
