// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The primitives a processor may offer: what each one computes, exactly. arch/<isa>.hpp holds
// prim<prims::name, arch::tag>; kernel/prims.inc lists them. Everything else is written once, over
// these. Primitives see raw integers and pointers only. `Code` is int8_t or uint8_t. Nothing outside
// the stated ranges is read or written, and no pointer needs an alignment beyond its type's.

#include <lowbits/core/arch.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// The primitive Op on Arch; defined for the pairs listed in the table.
template <class Op, class Arch>
struct prim;

/// How a product with a fixed multiplier (mantissa, exponent) is rounded:
///   once   floor(x * mantissa * 2^(exponent - 31) + 1/2)               as round_single
///   twice  the high product, then the shift, each rounded              as round_double_gemmlowp
///   brief  once, with the mantissa rounded to 16 bits before           as round_tflite_int64
enum class rescale_rule : uint8_t { once, twice, brief };

/// Factors of output columns: pairs of int32_t (mantissa, exponent), one per column or one for all.
struct column_factors {
  const void* pairs;
  bool per_column;

  /// Those of column c on.
  constexpr column_factors from(int c) const noexcept {
    return {per_column ? static_cast<const int32_t*>(pairs) + 2 * ptrdiff_t{c} : pairs, per_column};
  }
};

/// code = clamp(rescaled, lowest - zero_point, highest - zero_point) + zero_point.
struct code_stage {
  int zero_point;
  int lowest;
  int highest;
};

/// One tap of a window while it slides: the code of channel c at position i is at[i * step + c].
template <class Code>
struct sliding_tap {
  const Code* at;
  ptrdiff_t step;
};

/// Columns of gathered codes and what they are multiplied with, see prims::depthwise.
template <class Weight>
struct depthwise_strip {
  const unsigned char* columns;  ///< output column i of strip k, term t: columns + k * strip_step + i * step + terms[t]
  ptrdiff_t strip_step, step;    ///< bytes
  const ptrdiff_t* terms;        ///< bytes
  int term_count;
  const Weight* w;
  ptrdiff_t w_step;  ///< weights from a term to the next
  const int32_t* start;
  int strips, rows, count, channels;  ///< strips, output rows (1 or 2) and columns of each; channels in the block
};

/// What prims::gemm_groups reads. A group is `length` eights, the last one what is left of them: 32 * length rows of weights. Or,
/// with length 1 and `repeats` 2, every eight is two groups, one after the other, each with 32 codes of x of its own.
struct group_operands {
  const int8_t* x;         ///< rows of 32 * eights * repeats codes, `stride` apart
  ptrdiff_t stride;
  const unsigned char* w;  ///< as in prims::gemm_bits, `eights` times 32 deep
  int twice;               ///< 0, or 1 for 1 bit
  int eights, length, repeats;
  int groups;              ///< of all eights
  const int32_t* offsets;  ///< [rows][groups]
  const int32_t* starts;   ///< [strips of columns][groups][16], or null: 0
  const void* factors;     ///< the same
  int shift;
};

/// A block of channels of an image, its windows and their weights, see prims::depthwise_window.
template <class Weight>
struct depthwise_image {
  const unsigned char* x;        ///< the block's first channel of input row 0, column 0
  const unsigned char* outside;  ///< a row of equal bytes for what is outside the image
  int shift;                     ///< 128 where codes are signed, 0 where they are not
  ptrdiff_t row, column;         ///< bytes from a row of x to the next, from a column to the next
  int in_h, in_w, top, left;     ///< the first output's window begins at input row top, column left
  int stride_h, stride_w, dilation_h;
  const Weight* w;
  const int32_t* start;
  int rows, out_h, out_w;  ///< output rows that have weights of their own (1 or 2), outputs
};

/// A regular grid of codes: row r, column c at at[r * row_step + c * col_step].
template <class Code>
struct code_grid {
  const Code* at;
  int rows, cols;
  ptrdiff_t row_step, col_step;
};

/// The parameters of a sum, see prims::sum.
struct sum_values {
  int x_zero, y_zero;
  int x_factor, y_factor;  ///< magnitudes below 2^15
  int shift;               ///< 1 to 31
  code_stage stage;

  /// Both factors as the words of a pair, and what is added to x * x_factor + y * y_factor before the shift.
  constexpr int factor_pair() const noexcept {
    return static_cast<int>(static_cast<uint32_t>(x_factor & 0xffff) | static_cast<uint32_t>(y_factor) << 16);
  }
  constexpr int offset() const noexcept { return (1 << (shift - 1)) - x_zero * x_factor - y_zero * y_factor; }
};
/// See prims::product.
struct product_values {
  int x_zero, y_zero;
  int mantissa, exponent;
  code_stage stage;
};
/// See prims::rescale.
struct rescale_values {
  int zero;
  int mantissa, exponent;
  code_stage stage;
};

/// Parameters of prims::sums_to_float; any pointer may be null.
struct float_stage {
  const float* scales;
  const float* bias;
  const float* row_scales;
  const int32_t* row_zeros;
  const int32_t* weight_sums;
};

namespace prims {

/// A tile of a product of codes and 8-bit weights. Code rows are first brought into a work area as
/// `element`s:
///   fetch(rows, n, x, x_step, to, to_step)
///       to[r * to_step + i] = x[r * x_step + i] + shift<Code> for r < rows, i < n
///   sum(x, n)                 x[0] + ... + x[n - 1] of elements, wrapping
///   run(m, n, steps, x, stride, w, start, acc)
///       acc[r * n + c] = start[c] + sum over k of x[r * stride + k] * weight(k, c)
/// in 32 bits, wrapping. 1 <= m <= rows; n is a multiple of col_step up to cols; 0 <= k < steps *
/// depth_step; weight(k, c) is w[(k / depth_step * n + c) * depth_step + k % depth_step]. A primitive with
/// depth_pad may read rows and weights on to the next multiple of depth_pad, where the weights are zero;
/// one with row_bytes is at its best with blocks of that many bytes of rows.
/// One with most_code_rows takes up to that many rows of codes as they are, when x points to the codes and a
/// last parameter `flip` of run, shift<Code>, says how they are to be changed. It reads whole steps.
struct gemm {};

/// A few rows of signed codes times weights of 1 to 7 bits, packed as by eights_layout in strips of 16 columns:
///   run<Bits>(m, n, groups, x, stride, w, twice, start, offsets, acc)
///       acc[r * n + c] = start[c] + offsets[r] + (sum over k < 32 * groups of x[r * stride + k] * number(k, c)) * 2^twice
/// in 32 bits, wrapping. n is a multiple of 16; number(k, c) is the unsigned one of row c, column k of the layout.
///   unpack<Bits>(n, groups, step, w, twice, minus, to)
///       to[(k / step * n + c) * step + k % step] = number(k, c) * 2^twice - minus
/// for c < n, k < 32 * groups: a panel as prims::gemm reads it, step being 2 or 4.
///   rows(n, padded, x, minus, to)    to[i] = x[i] - minus for i < n, 0 for n <= i < padded; gives the sum
/// x being what prims::gemm calls elements, uint8_t or int16_t, and padded a multiple of 32. With up to bits_for_all_rows bits,
/// run is no slower than prims::gemm of the same architecture where the weights do not stay in an L2 cache, and with up to l2_rows
/// rows where they do.
struct gemm_bits {};

/// The same with numbers 0, 1 and 2, five in a byte (headers of its own, kernel/trit_gemm.hpp includes them): run and unpack of
/// gemm_bits without the template argument, where k < 20 * groups, twice is 0, and number(k, c) is digit k % 20 / 4 of the byte
///   w[(c / 16 * groups + k / 20) * 64 + c % 16 * 4 + k % 4] = d0 + 3 * d1 + 9 * d2 + 28 * (d3 + 3 * d4)
struct gemm_trits {};

/// As gemm_bits with up to 8 bits (headers of its own, arch/groups.hpp), and a factor for each group of weights along the depth, see group_operands:
///   run<Bits, Factor>(m, n, s, start, acc, acc_stride)
///       acc[r * acc_stride + c] = start[c] + sum over g < s.groups, in turn, of part(r, c, g)
/// for c < n, a multiple of 16. With Sum(r, c, g) = s.offsets[r * s.groups + g] + s.starts[(c / 16 * s.groups + g) * 16 + c % 16]
/// + (sum over k in g of code(r, k) * number(k, c)) * 2^twice, and `factor` standing where starts does,
///   Factor float or half: acc is float, start is not looked at (0); part = float(Sum) * factor, rounded each
///   Factor uint8_t: acc is int32_t; part = (Sum * factor + 2^shift / 2) >> shift, wrapping; no start is 0
///   rows(n, x, minus, to, sums)    to[i] = x[i] - minus for i < n, 0 up to n made up to a multiple of 64;
///       sums[i] = to[16 * i] + ... + to[16 * i + 15]; minus is 0 or 128, x[i] a byte
///   finish(rows, cols, acc, acc_stride, stage, y, y_stride)    of real sums
///       y[r * y_stride + c] = acc[r * acc_stride + c] * (row_scales[r] * scales[c]) + bias[c], with null as in sums_to_float
struct gemm_groups {};

/// Any number of rows of bits times columns of bits (kernel/binary_gemm.hpp includes the headers):
///   run(m, n, words, x, stride, w, start, acc)
///       acc[r * n + c] = start[c] - 2 * (number of bits in which x[r * stride + i] and w[(c / 16 * words + i) * 16 + c % 16] differ, for all i < words)
/// wrapping; the words are uint32_t, n is a multiple of 16.
struct gemm_binary {};

/// A tile of a product of words, which hold codes of up to 16 bits, and weights of as many, exact. `Bytes` of a
/// weight are stored: one where it is in [-128, 127], else two. There is no alignment and no padding but to whole steps.
///   fetch(rows, n, x, x_step, to, to_step)
///       to[r * to_step + i] = x[r * x_step + i] + shift<Code>, in the range of int16_t, for r < rows, i < n
///   run<Bytes>(m, n, steps, x, stride, w, start, acc)
///       acc[r * n + c] = start[c] + sum over k of x[r * stride + k] * weight(k, c)
/// in 64 bits; acc may be start where m is 1. 1 <= m <= rows; n is a multiple of col_step up to cols; 0 <= k < steps * depth_step. weight(k, c) is
/// byte(Bytes - 1) * 256^(Bytes - 1) + (Bytes == 2 ? byte(0) : 0), where byte(b) is
/// w[((k / depth_step * Bytes + b) * n + c) * depth_step + k % depth_step], signed if b = Bytes - 1 and unsigned below.
struct gemm_words {};

/// Rows of floats times panels of weights of 1 to 16 bits, which core/real_layout.hpp describes; every operation is rounded on its own.
/// n is a multiple of col_step up to cols, m at least 1. `off` has room for codes.places() * n numbers.
///   run(codes, m, panel, x, stride, off, y, y_stride)
///       y[r * y_stride + c] = sum * scale + y[r * y_stride + c] for each block of the panel in turn, where sum is that over
///       the block's k in turn, from 0, of x[r * stride + k] * weight(k, c); m <= few_rows. Blocks end at every real_block
///       numbers of a group, and where the group ends.
///   unpack(codes, n, count, w, zeros, off, to)
///       to[k * n + c] = number - zeros[c], as floats, for the k of whole units that cover count
///   tile(m, n, count, x, stride, w, scales, y, y_stride)
///       y[r * y_stride + c] = sum * scales[c] + y[r * y_stride + c], sum over k < count of x[r * stride + k] * w[k * n + c]; m <= rows
struct gemm_reals {};

/// Any number of rows times any number of panels of weights, to 8-bit codes: what prims::gemm and
/// prims::requantize give together, for architectures that are faster when they do both.
///   run<Rule>(rows, n, used, steps, x, stride, w, start, factors, stage, y, y_stride, work, flip)
///       y[r * y_stride + c] = stage(rescaled(accumulator of row r and column c, factor of column c))
/// for r < rows, c < used <= n; x, stride, steps and flip as for prims::gemm; start has n numbers, and w the
/// panels of `cols` columns, the last one narrower, one behind the other. It may use `work`, cols numbers
/// for each row of a tile of prims::gemm, or for `rows` made up to a multiple of 16 if that is less.
struct gemm_codes {};

/// A matrix of accumulators to 8-bit codes:
///   run<Rule>(rows, cols, acc, acc_stride, factors, stage, y, y_stride)
///       y[r * y_stride + c] = stage(rescaled(acc[r * acc_stride + c], factor of column c))
/// Mantissas are 0 or in [2^30, 2^31), exponents in [-31, 30].
struct requantize {};

/// A matrix of 64-bit accumulators to codes of up to 16 bits, as requantize does it; Rule is once or brief:
///   run<Rule>(rows, cols, acc, acc_stride, factors, stage, y, y_stride)
struct requantize_wide {};

/// A matrix of accumulators to real numbers, every float operation rounded on its own:
///   run(rows, cols, acc, acc_stride, stage, y, y_stride)
///       y[r * y_stride + c] = float(acc[r * acc_stride + c] - row_zeros[r] * weight_sums[c])
///           * (row_scales[r] * scales[c]) + bias[c]
/// Null stands for scales of 1, zeros of 0 and no bias; the integer operations wrap. With one row y may be bias.
struct sums_to_float {};

/// A block of up to `lanes` channels of a depthwise convolution. First the codes of `depth` taps are
/// brought side by side, in columns of column_bytes each, as the processor multiplies them:
///   gather(taps, n, channels, to)
///       column i < n of `to` holds code(i, c, d) = taps[d].at[i * taps[d].step + c] + shift<Code>
/// With a multiplier, codes are copied to the lanes they belong to before that:
///   spread(from, step, second, n, order, to)
///       to[i * lanes + k] = from[i * step + (k < 16 ? 0 : second) + order[k]]
/// for i < n, k < lanes, order[k] < 16. It may read all of from[i * step + j], j < 16 and j - second < 16.
/// Then one or two output rows are made from each of some strips of columns:
///   sums(s, acc, acc_row, acc_step)
///       acc[r * acc_row + i * acc_step + c] = sum(r, i, c)
///   run<Rule>(s, factors, stage, y, y_row, y_step)
///       y[r * y_row + i * y_step + c] = stage(rescaled(sum(r, i, c), factor of channel c))
/// where r < s.strips * s.rows, i < s.count, c < s.channels <= lanes and, in 32 bits, wrapping, with the
/// columns of strip r / s.rows
///   sum(r, i, c) = s.start[place(c)] + sum over t < s.term_count, d < depth of code * weight(t, r % s.rows, c, d),
/// weight(t, r, c, d) being s.w[t * s.w_step + (r * lanes + place(c)) * depth + d], in [-128, 127].
/// Columns are aligned to 64 bytes. Mantissas and exponents are as in requantize.
struct depthwise {};

/// Sums of a block of up to `lanes` channels of a depthwise convolution of words, exact in 64 bits:
///   run<Bytes>(taps, pairs, n, channels, w, start, acc)
///       acc[i * lanes + c] = start[c] + sum over t < 2 * pairs of taps[t].at[i * taps[t].step + c] * weight(t, c)
/// for i < n, c < channels; the other numbers of acc, which has n * lanes, and of start, which has lanes, do not
/// matter. weight(t, c) is put together from its bytes as in gemm_words, byte(b) being
/// w[((t / 2 * Bytes + b) * lanes + place(c)) * 2 + t % 2].
struct depthwise_words {};

/// Outputs of a block of `lanes` channels of a depthwise convolution straight from the image, by windows of
/// three columns and rows, at a stride of one or two columns:
///   run<Rule>(v, factors, stage, y, y_row, y_step)
///       y[r * y_row + i * y_step + c] = stage(rescaled(sum(r, i, c), factor of channel c))
/// where r < v.out_h, i < v.out_w, c < lanes. With r's group of v.rows rows beginning at g = r - r % v.rows,
///   sum(r, i, c) = v.start[c] + sum over t < 3, d < 4 of code * weight(r % v.rows, t, d, c)
/// code being the byte plus v.shift, modulo 256, at row v.top + g * v.stride_h + d * v.dilation_h, column v.left + i * v.stride_w + t, and
/// weight(r, t, d, c) = v.w[(((2 * t + r) * 4 + d) / depth * lanes + c) * depth + d % depth], in [-128, 127],
/// and 0 where d - r is not 0, 1 or 2.
struct depthwise_window {};

/// out[i] = stage(((x[i] - x_zero) * x_factor + (y[i] - y_zero) * y_factor + 2^(shift-1)) >> shift):
///   run(n, x, y, values, out)
/// No sum leaves 32 bits. In this and the next ones out may be x or y; the code types are independent.
struct sum {};

/// out[i] = stage(rescaled((x[i] - x_zero) * (y[i] - y_zero), factor)):   run<Rule>(n, x, y, values, out)
struct product {};

/// out[i] = stage(rescaled(x[i] - zero, factor)), rounded once:   run(n, x, values, out)
struct rescale {};

/// out[i] = the smaller (or larger) of x[i] and y[i], held in [lowest, highest]:
///   run(n, x, y, take_larger, lowest, highest, out), all of one type
struct extremum {};

/// out[i] = x[i] held in [lowest, highest]:   run(n, x, lowest, highest, out), both of one type
struct clamp {};

/// out[i] = stage(x[i] / scale to the nearest integer, ties to even), NaN gives the zero point:
///   run(n, x, scale, stage, out)
struct quantize {};

/// out[i] = float(x[i] - zero) * scale:   run(n, x, zero, scale, out)
struct dequantize {};

/// ends[0] and ends[1] = the lowest and the highest of 0 and the finite ones of n numbers; a zero is
/// not negative:   run(n, x, ends)
struct finite_range {};

/// quantize on n numbers at x beside finite_range on n numbers at next, which the codes do not overlap:
///   run(n, x, scale, stage, out, next, ends)
struct quantize_and_range {};

/// out[i] = table[x[i]], table being 256 bytes:   run(n, x, table, out), all uint8_t; out may be x
struct lookup {};

/// y[c] = the largest code of the grid's channel c and `lowest`, at most `highest`:
///   run(grid, channels, lowest, highest, y)
struct window_max {};

/// y[c] = (s +- count / 2) / count held in [lowest, highest], where s is the sum of the grid's channel c,
/// count = rows * cols in [1, 32768], half the count has the sum's sign and the divisions truncate:
///   run(grid, channels, lowest, highest, y)
struct window_mean {};

/// y[c] = stage(rescaled(sum over i < positions of (x[i * channels + c] - zero), factor)), rounded once:
///   run(positions, channels, x, values, y)
/// The sums fit in 32 bits.
struct position_mean {};

}  // namespace prims

}  // namespace lowbits
