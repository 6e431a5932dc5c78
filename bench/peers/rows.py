# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The rows of the table: which of our cases is held against which cases of the peers, and the bar for the ratio."""
from dataclasses import dataclass, field
from typing import List, Optional, Tuple


@dataclass
class Against:
    """The fastest of `peers` [(impl, case)], and the ratio we want to it (None: shown only)."""
    title: str
    peers: List[Tuple[str, str]]
    bar: Optional[float] = None


@dataclass
class Row:
    label: str
    impl: str
    case: str
    against: List[Against]          # the first one counts in the geometric mean
    share_bar: Optional[float] = None


@dataclass
class Section:
    title: str
    arch: str                       # ours; "" is any
    rows: List[Row] = field(default_factory=list)
    remark: str = ""
    needs: str = ""                 # what a processor without the architecture lacks
    in_mean: bool = True            # counts in the geometric mean


MAIN = """1x1024x1024 1x4096x4096 8x1024x1024 64x1024x1024 256x256x256 512x512x512 1024x1024x1024 2048x2048x2048
3136x64x576 784x128x1152 196x256x2304 49x512x4608 12544x32x27""".split()
SMALL = """2x1024x1024 4x1024x1024 16x1024x1024 32x1024x1024 33x1000x1000 1000x1000x1000 49x160x960 1x1000x2048 100x100x100
255x255x255 257x257x257 128x128x128 64x64x64 32x32x32 17x33x65 7x10x100 1x16x16 1x64x64 1x128x128 1x256x256
1x512x512""".split()
NATIVE = "256x256x256 1024x1024x1024 1x1024x1024 64x64x64 16x16x16".split()
CONV = """rn_3x3_64_56 rn_3x3_128_28 rn_3x3_256_14 rn_3x3_512_7 rn_1x1_256_64_56 rn_1x1_64_256_56
rn_7x7s2_3_64_224""".split()
DEPTHWISE = "dw_32_112 dw_64_112s2 dw_144_56 dw_192_28 dw_384_14 dw_960_7".split()

# Weights of few bits: ours, XNNPACK's types, bar, ggml's types, bar. A type of ggml meets ours of as many bits or fewer.
FEW_BITS = [(f"{ours}_{rows}x4096x4096", xnn, bars.get(rows), ggml, 1.8 if rows == 1 else None)
            for rows in (1, 8, 128)
            for ours, xnn, bars, ggml in (("4b", ["qc4w"], {1: 1.0, 8: 1.5}, []), ("2b", ["qc4w"], {8: 1.5}, ["TQ2_0"]),
                                          ("trits", [], {}, ["TQ1_0"]), ("1b", [], {}, ["Q1_0", "IQ1_S"]))]
GROUPS = [(f"{ours}_{rows}x4096x4096", xnn, None, [ggml], bar if rows == 1 else None)
          for rows in (1, 8, 128)
          for ours, xnn, ggml, bar in (("4b32_half", ["qb4w"], "Q4_0", 1.0), ("3b32_int", [], "Q3_K", 1.8), ("2b32_half", [], "Q2_K", 1.8))]
WORDS = {"512x512x512": 1.5, "64x1024x1024": None, "8x1024x1024": None, "1x1024x1024": None}  # bars

# Time per operation at most this multiple of that of 256x256x256.
ODD_BARS = {255: 1.3, 257: 1.6}

AMX_BARS = {"256x256x256": 1.2, "512x512x512": 1.0, "1024x1024x1024": 1.05, "2048x2048x2048": 1.1, "3136x64x576": 1.1,
            "784x128x1152": 1.05, "196x256x2304": 1.0, "49x512x4608": 1.25, "12544x32x27": 1.5, "255x255x255": 1.5,
            "257x257x257": 1.1, "1x1024x1024": 1.0, "2x1024x1024": 1.0, "4x1024x1024": 1.0, "8x1024x1024": 1.2,
            "16x1024x1024": 1.0, "64x1024x1024": 1.0}
MEMORY_BOUND = "1x4096x4096"  # 0.97 counts as level there


def conv_bars(case):
    """The bars without and with a zero point."""
    if "7x7" in case:
        return 1.25, 1.8
    return (1.05, 1.4) if "3x3" in case else (1.0, None)


def one_dnn(isa):
    return f"onednn-{isa}-t1"


def gemm(title, arch, isa, xnnpack, bar, needs=""):
    """s8 x s8, requantized to s8."""
    rows = []
    for shape in MAIN + SMALL:
        same = [(one_dnn(isa), f"s8s8s8q_{shape}")]
        if xnnpack:
            same.append((xnnpack, f"qs8_qc8w_{shape}"))
        if arch == "avx512vnni":
            same.append(("ruy-avx512-t1", f"s8s8s8q_{shape}"))
        goal = 0.97 if shape == MEMORY_BOUND else bar(shape)
        rows.append(Row(shape, f"lowbits-{arch}", f"s8s8s8q_{shape}", [
            Against("same types", same, goal), Against("u8s8→s32", [(one_dnn(isa), f"u8s8s32_{shape}")])]))
    return Section(title, arch, rows, needs=needs)


def exact_gemm():
    """AVX2 without VNNI, where the fastest peer saturates."""
    rows = []
    for shape in MAIN + SMALL:
        exact = [("ruy-avx2-t1", f"s8s8s8q_{shape}"), ("gemmlowp-t1", f"u8u8u8q_{shape}")]
        large = shape in ("512x512x512", "1024x1024x1024", "2048x2048x2048")
        rows.append(Row(shape, "lowbits-avx2", f"s8s8s8q_{shape}", [
            Against("exact peers", exact, 1.3), Against("oneDNN, inexact", [(one_dnn("AVX2"), f"s8s8s8q_{shape}")])],
            0.8 if large else None))
    return Section("Matrix product s8 x s8 → s8, AVX2 without VNNI", "avx2", rows,
                   "oneDNN's AVX2 path adds pairs of products in 16 bits, which saturate: a sum of 512 products 127 x 127, "
                   "8,258,048, comes out as 65,280 (oneDNN 3.12, s8 x s8 → s32). Ours and the exact peers' are right for "
                   "all codes; what that costs is the ratio to the right.")


def conv(title, arch, isa, xnnpack, bars=True, needs=""):
    rows = []
    for case in CONV:
        bar, zero_bar = conv_bars(case) if bars else (None, None)
        same = [(one_dnn(isa), f"s8s8s8_{case}")] + ([(xnnpack, f"qs8_qc8w_{case}")] if xnnpack else [])
        rows.append(Row(case, f"lowbits-{arch}", f"s8s8s8q_{case}", [Against("same types", same, bar)]))
        rows.append(Row(f"{case}, u8 with zero point", f"lowbits-{arch}", f"u8s8u8q_{case}",
                        [Against("same types", [(one_dnn(isa), f"u8s8u8zp_{case}")], zero_bar)]))
    return Section(title, arch, rows, needs=needs)


def depthwise(title, arch, isa, xnnpack, bars=True):
    rows = []
    for case in DEPTHWISE:
        same = [(one_dnn(isa), f"s8s8s8_{case}")] + ([(xnnpack, f"qs8_qc8w_{case}")] if xnnpack else [])
        int8 = same + [(one_dnn(isa), f"u8s8s8_{case}"), (one_dnn(isa), f"u8s8u8zp_{case}")]
        floats = [(one_dnn(isa), f"f32_{case}")] + ([(xnnpack, f"f32_{case}")] if xnnpack else [])
        rows.append(Row(case, f"lowbits-{arch}", f"s8s8s8q_{case}", [
            Against("same types", same, 2.0 if bars else None), Against("any int8", int8, 1.5 if bars else None),
            Against("float", floats, 1.0 if bars else None)]))
    return Section(title, arch, rows)


def elementwise(arch, isa, xnnpack):
    table = [  # ours, oneDNN's, XNNPACK's, bar
        ("quantize_f32_s8", "quant_f32_s8", "quant_f32_s8", 1.0),
        ("requantize_s32_s8_channel", "requant_s32_s8_perch", None, 2.0),
        ("requantize_s32_s8", "requant_s32_s8", None, 2.0),
        ("dequantize_s8_f32", "dequant_s8_f32", "dequant_s8_f32", 1.0),
        ("dynamic_row4096_f32_s8", None, "dynquant_f32_qd8_row4096", 1.2),
        ("dynamic_row512_f32_s8", None, "dynquant_f32_qd8_row512", 1.4),
        ("rescale_s8_s8", None, "requant_s8_s8", None)]
    rows = []
    for n in (1 << 14, 1 << 17):
        for ours, dnn, xnn, bar in table:
            peers = [(one_dnn(isa), f"{dnn}_n{n}")] if dnn else []
            peers += [(xnnpack, f"{xnn}_n{n}")] if xnn else []
            rows.append(Row(f"{ours} n={n}", f"lowbits-{arch}", f"{ours}_n{n}", [Against("same types", peers, bar)]))
    return Section("Conversions, data in L2", arch, rows)


def few_bits(title, cases):
    rows = []
    for ours, xnn, xnn_bar, ggml, ggml_bar in cases:
        shape = ours.rsplit("_", 1)[1]
        against = [Against("XNNPACK", [("xnnpack-noamx-t1", f"qd8_f32_{x}_{shape}") for x in xnn], xnn_bar)] if xnn else []
        if ggml:
            against.append(Against("ggml", [(f"ggml-auto-{kind}-t1", f"{g}_{shape}") for g in ggml for kind in ("CPU", "CPU_REPACK")],
                                   ggml_bar))
        rows.append(Row(ours, "lowbits-avx512vnni", ours, against))
    return Section(title, "avx512vnni", rows, "Ours are from 8-bit codes, in groups to floats; the peers' outputs are floats.", in_mean=False)


def sections():
    vnni, xnn = "AVX512_CORE_VNNI", "xnnpack-noamx-t1"
    one_call = [Row("16x16x16", f"lowbits-{arch}", "s8s8s8q_16x16x16",
                    [Against("XNNPACK", [(xnn, "qs8_qc8w_16x16x16")], bar), Against("oneDNN", [(one_dnn(vnni), "s8s8s8q_16x16x16")])])
                for arch, bar in (("avx512vnni", 1.0), ("avx2", None))]
    raw = Section("Matrix product s8 x s8 → s32, AVX512-VNNI", "avx512vnni", [
        Row(shape, "lowbits-avx512vnni", f"s8s8s32_{shape}",
            [Against("oneDNN u8s8→s32", [(one_dnn(vnni), f"u8s8s32_{shape}")])], 0.82 if shape == "384x384x384" else None)
        for shape in MAIN + ["384x384x384"]])
    product = gemm("Matrix product s8 x s8 → s8, AVX512-VNNI", "avx512vnni", vnni, xnn, lambda shape: 1.15)
    product.rows.append(Row("384x384x384", "lowbits-avx512vnni", "s8s8s8q_384x384x384", [], 0.77))
    o2 = Section("A plain -O2 build that dispatches, against -march=native", "avx512vnni", [
        Row(f"s8s8s8q_{shape}", "lowbits-avx512vnni", f"s8s8s8q_{shape}",
            [Against("-march=native", [("lowbits-avx512vnni-native", f"s8s8s8q_{shape}")], 0.95)])
        for shape in NATIVE])
    weight_only = Section("Floats times 4-bit codes, AVX-512", "avx512bw", [
        Row(case, "lowbits-avx512bw", case, [Against("oneDNN", [(one_dnn("DEFAULT"), case)], 1.0)])
        for case in (f"f32_s4{scales}_{rows}x4096x4096" for rows in (1, 8, 128) for scales in ("pc", "g32"))])
    words = Section("Words times bytes, AVX512-VNNI", "avx512vnni", [
        Row(shape, "lowbits-avx512vnni", f"s16s8s16q_{shape}", [Against("ruy", [("ruy-default-t1", f"s16a_s8w_s16q_{shape}")], bar)])
        for shape, bar in WORDS.items()], in_mean=False)
    return [
        gemm("Matrix product s8 x s8 → s8, AMX", "amx", "DEFAULT", "xnnpack-t1", AMX_BARS.get, "AMX"),
        conv("Convolution, AMX", "amx", "DEFAULT", "xnnpack-t1", needs="AMX"),
        product, raw, Section("One call", "avx512vnni", one_call),
        gemm("Matrix product s8 x s8 → s8, AVX-VNNI", "avxvnni", "AVX2_VNNI", None, lambda shape: 1.2, "AVX-VNNI"),
        exact_gemm(),
        conv("Convolution, AVX512-VNNI", "avx512vnni", vnni, xnn), conv("Convolution, AVX2", "avx2", "AVX2", None, bars=False),
        depthwise("Depthwise convolution, AVX512-VNNI", "avx512vnni", vnni, xnn),
        depthwise("Depthwise convolution, AVX2", "avx2", "AVX2", None, bars=False),
        elementwise("avx512vnni", vnni, xnn), weight_only, few_bits("Weights of few bits, AVX512-VNNI", FEW_BITS),
        few_bits("Weights with factors for groups of 32, AVX512-VNNI", GROUPS), words, o2]
