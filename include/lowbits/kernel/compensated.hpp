// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Convolutions and matrix products of 16-bit codes by the kernels for bytes (ref/compensation.hpp):
// each operand of more than 8 bits is split, each pair of parts multiplied into sums of 32 bits, and the
// sums are joined in 64. compensated_sum<How> names that where an accumulator stands elsewhere:
// conv2d_for<Arch, X, W, compensated_sum<How>, Rq>.

#include <lowbits/kernel/conv2d.hpp>
#include <lowbits/kernel/matmul.hpp>
#include <lowbits/kernel/transposed_conv2d.hpp>
#include <lowbits/kernel/word_gemm.hpp>
#include <lowbits/ref/compensation.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

template <error_compensation How>
struct compensated_sum {};

/// Products of parts: which part of x and of w (0: main, or all of a byte; 1: residual), and what one of
/// its units is worth.
struct part_product {
  uint8_t x, w;
  int32_t worth;
};
template <bool SplitsX, bool SplitsW, error_compensation How>
struct part_products {
  static_assert(SplitsX || SplitsW);
  static constexpr int count = !SplitsX || !SplitsW ? 2 : How == error_compensation::three_products ? 3 : 4;
  static constexpr part_product value[4] = {
      {0, 0, SplitsX && SplitsW ? 65536 : 256}, {SplitsX, !SplitsX, SplitsX && SplitsW ? 256 : 1}, {0, 1, 256}, {1, 1, 1}};
};

/// total[i] = start[i] + the products' sums, each times its worth.
template <class Products>
void join_products(int n, const int64_t* start, const int32_t* sums, size_t step, int64_t* total) noexcept {
  int i = 0;
#if LOWBITS_GNU
  using four = int32_t __attribute__((vector_size(16)));
  using wide = int64_t __attribute__((vector_size(32)));
  for (; i + 4 <= n; i += 4) {
    wide t;
    __builtin_memcpy(&t, start + i, sizeof t);
    for (int p = 0; p < Products::count; ++p) {
      four s;
      __builtin_memcpy(&s, sums + static_cast<size_t>(p) * step + i, sizeof s);
      t += __builtin_convertvector(s, wide) * Products::value[p].worth;
    }
    __builtin_memcpy(total + i, &t, sizeof t);
  }
#endif
  for (; i < n; ++i) {
    total[i] = start[i];
    for (int p = 0; p < Products::count; ++p) total[i] += int64_t{sums[static_cast<size_t>(p) * step + static_cast<size_t>(i)]} * Products::value[p].worth;
  }
}

/// Columns whose totals are held at a time.
inline constexpr int joined_columns = 256;

/// y[r][c] = what rq makes of start[c] + the products' sums at (r, c); start may be null.
template <class Arch, class Products, class Rq, class Y>
void finish_products(int64_t rows, int cols, const int64_t* start, const int32_t* sums, size_t step, const Rq& rq, Y* y) noexcept {
  static constexpr int64_t zeros[joined_columns] = {};
  int64_t total[joined_columns];
  for (int64_t r = 0; r < rows; ++r, sums += cols, y += cols)
    for (int c = 0; c < cols; c += joined_columns) {
      const int n = smaller(joined_columns, cols - c);
      join_products<Products>(n, start != nullptr ? start + c : zeros, sums + c, step, total);
      finish_wide<Arch, int64_t>(1, n, total, n, rq, {r, c}, y + c, n);
    }
}

/// Kernel is kernel::conv2d or transposed_conv2d; IsSpread says which.
template <template <class, class, class, class, class> class Kernel, bool IsSpread, class Arch, class X, class W,
          error_compensation How, class Rq>
struct compensated_conv {
  using Y = typename Rq::output::storage;
  static constexpr bool is_centred = How == error_compensation::three_products;
  static constexpr bool splits_x = sizeof(X) == 2, splits_w = !fits_byte<W>;
  using products = part_products<splits_x, splits_w, How>;
  using x_split = byte_part<const X*, is_centred>;
  using w_split = byte_part<W, is_centred>;
  using x_part = std::conditional_t<splits_x, int8_t, X>;
  using w_part = std::conditional_t<splits_w, w_split, W>;
  using pass = Kernel<Arch, x_part, w_part, int32_t, raw_accumulator<int32_t>>;
  static constexpr int w_parts = splits_w ? 2 : 1;

  /// Starts of the channels in 64 bits, then the packed weights of each part.
  static constexpr size_t packed_bytes(const conv2d_shape& s) noexcept {
    const size_t one = pass::packed_bytes(s);
    return one == 0 ? 0 : start_bytes(s) + w_parts * part_bytes(s);
  }
  static constexpr size_t scratch_bytes(const conv2d_shape& s) noexcept {
    if (packed_bytes(s) == 0) return 0;
    const block b(s);
    return work_total((splits_x ? 2 : 0) * work_bytes(b.x_count(s), 1) + products::count * b.sum_bytes(s)) +
        pass::scratch_bytes(b.shape(s, b.images, b.lines));
  }

  template <class Bias>
  static void pack(const conv2d_shape& s, const W& w, const Bias* bias, int x_zero, unsigned char* packed) noexcept {
    if (packed_bytes(s) == 0) return;
    auto* const starts = reinterpret_cast<int64_t*>(packed);
    const auto depth = static_cast<size_t>(s.depth());
    for (int c = 0; c < s.out_c; ++c) {
      starts[c] = bias != nullptr ? bias[c] : 0;
      // Weights are packed as for a zero point of 0: both parts of x share them.
      for (int p = 0; p < products::count; ++p) {
        const auto& product = products::value[p];
        const int zero = x_zero_of(x_zero, product.x);
        if (zero == 0) continue;
        const w_part part = part_of(w, product.w);
        int64_t sum = 0;
        for (size_t k = 0; k < depth; ++k) sum += part[static_cast<size_t>(c) * depth + k] - byte_shift<w_part>;
        starts[c] -= sum * zero * product.worth;
      }
    }
    for (int j = 0; j < w_parts; ++j)
      pass::pack(s, part_of(w, j), static_cast<const int32_t*>(nullptr), 0, weights(s, packed, j));
  }

  template <class Bias>
  static void run(const conv2d_shape& s, const X* x, int x_zero, const W& w, int w_zero, const Bias* bias,
                  const unsigned char* packed, const Rq& rq, Y* y, unsigned char* scratch) noexcept {
    if (packed == nullptr || packed_bytes(s) == 0) return run_plain(s, x, x_zero, w, w_zero, bias, rq, y);
    const block b(s);
    work_area area(scratch);
    const size_t image = static_cast<size_t>(s.in_h) * static_cast<size_t>(s.in_w) * static_cast<size_t>(s.in_c);
    auto* const main = area.take<int8_t>(splits_x ? b.x_count(s) : 0);
    auto* const residual = area.take<int8_t>(splits_x ? b.x_count(s) : 0);
    const size_t step = b.sum_bytes(s) / sizeof(int32_t);
    auto* const sums = area.take<int32_t>(step * products::count);
    auto* const rest = area.take<unsigned char>(0);
    for (int done = 0; done < s.batch; done += b.images) {
      const int images = smaller(b.images, s.batch - done);
      const X* const from = x + static_cast<size_t>(done) * image;
      if constexpr (splits_x) split_codes<is_centred>(static_cast<size_t>(images) * image, from, main, residual);
      for (int line = 0; line < s.out_h; line += b.lines) {
        const conv2d_shape t = b.shape(s, images, smaller(b.lines, s.out_h - line), line);
        for (int p = 0; p < products::count; ++p) {
          const auto& product = products::value[p];
          const x_part* part;
          if constexpr (splits_x) part = product.x != 0 ? residual : main;
          else part = from;
          pass::run(t, part, x_zero_of(x_zero, product.x), part_of(w, product.w), w_zero_of(w_zero, product.w),
                    static_cast<const int32_t*>(nullptr), weights(s, packed, product.w), raw_accumulator<int32_t>{},
                    sums + static_cast<size_t>(p) * step, rest);
        }
        finish_products<Arch, products>(positions(t), s.out_c, reinterpret_cast<const int64_t*>(packed), sums, step, rq, y);
        y += positions(t) * s.out_c;
      }
    }
  }

private:
  /// Images, or lines of one image's output, whose sums stay in a cache.
  struct block {
    int images = 1, lines;

    constexpr explicit block(const conv2d_shape& s) noexcept : lines(larger(s.out_h, 1)) {
      constexpr int64_t kept = 256 * 1024;
      const int64_t line = larger<int64_t>(int64_t{s.out_w} * s.out_c * products::count * 4, 1);
      const int64_t most = larger<int64_t>(kept / line, 1);
      if (most < lines) lines = static_cast<int>(most);
      else images = static_cast<int>(lowbits::clamp<int64_t>(most / lines, 1, larger(s.batch, 1)));
    }
    constexpr conv2d_shape shape(conv2d_shape s, int some_images, int some_lines, int first = 0) const noexcept {
      s.batch = some_images;
      s.out_h = some_lines;
      s.window.pad_top += IsSpread ? first : -first * s.window.stride_h;
      return s;
    }
    constexpr size_t x_count(const conv2d_shape& s) const noexcept {
      return static_cast<size_t>(images) * static_cast<size_t>(s.in_h) * static_cast<size_t>(s.in_w) * static_cast<size_t>(s.in_c);
    }
    constexpr size_t sum_bytes(const conv2d_shape& s) const noexcept {
      return work_bytes(static_cast<size_t>(images) * static_cast<size_t>(lines) * static_cast<size_t>(s.out_w) * static_cast<size_t>(s.out_c), 4);
    }
  };

  static constexpr size_t start_bytes(const conv2d_shape& s) noexcept { return work_bytes(static_cast<size_t>(s.out_c), sizeof(int64_t)); }
  static constexpr size_t part_bytes(const conv2d_shape& s) noexcept { return work_bytes(pass::packed_bytes(s), 1); }
  template <class Byte>
  static Byte* weights(const conv2d_shape& s, Byte* packed, int part) noexcept {
    return packed + start_bytes(s) + static_cast<size_t>(part) * part_bytes(s);
  }
  static constexpr w_part part_of(const W& w, int part) noexcept {
    if constexpr (splits_w) return {w, part != 0};
    else return static_cast<void>(part), w;
  }
  static constexpr int x_zero_of(int zero, int part) noexcept { return splits_x ? x_split::of(zero, part != 0) : zero; }
  static constexpr int w_zero_of(int zero, int part) noexcept {
    if constexpr (splits_w) return w_split::of(zero, part != 0);
    else return static_cast<void>(part), zero;
  }

  template <class Bias>
  static void run_plain(const conv2d_shape& s, const X* x, int x_zero, const W& w, int w_zero, const Bias* bias, const Rq& rq,
                        Y* y) noexcept {
    if constexpr (is_centred && IsSpread) ref::three_product_transposed_conv2d(s, x, x_zero, w, w_zero, bias, rq, y);
    else if constexpr (is_centred) ref::three_product_conv2d(s, x, x_zero, w, w_zero, bias, rq, y);
    else if constexpr (IsSpread) ref::transposed_conv2d<int64_t>(s, x, x_zero, w, w_zero, bias, rq, y);
    else ref::conv2d<int64_t>(s, x, x_zero, w, w_zero, bias, rq, y);
  }
};

template <class Arch, class X, class W, error_compensation How, class Rq>
struct compensated_matmul {
  using Y = typename Rq::output::storage;
  static constexpr bool is_centred = How == error_compensation::three_products;
  static constexpr bool splits_x = sizeof(X) == 2, splits_w = sizeof(W) == 2;
  using products = part_products<splits_x, splits_w, How>;
  using x_split = byte_part<const X*, is_centred>;
  using w_split = byte_part<const W*, is_centred>;
  using x_part = std::conditional_t<splits_x, int8_t, X>;
  using w_part = std::conditional_t<splits_w, int8_t, W>;
  using pass = matmul<Arch, x_part, w_part, int32_t, raw_accumulator<int32_t>>;
  static constexpr bool is_fast = pass::is_fast;

  static constexpr size_t scratch_bytes(const matmul_shape& s) noexcept {
    if constexpr (!is_fast) return static_cast<void>(s), 0;
    return work_total((splits_x ? 2 : 0) * work_bytes(x_count(s), 1) + (splits_w ? 2 : 0) * work_bytes(w_count(s), 1) +
                      work_bytes(products::count * y_count(s), 4)) +
        pass::scratch_bytes(one(s));
  }
  static void run(const matmul_shape& s, const X* x, int x_zero, const W* w, int w_zero, const Rq& rq, Y* y,
                  unsigned char* scratch) noexcept {
    if constexpr (is_fast) run_parts(s, x, x_zero, w, w_zero, rq, y, scratch);
    else if constexpr (is_centred) ref::three_product_matmul(s, x, x_zero, w, w_zero, rq, y);
    else ref::matmul<int64_t>(s, x, x_zero, w, w_zero, rq, y);
  }

private:
  /// One product of matrices.
  static constexpr matmul_shape one(matmul_shape s) noexcept {
    for (int i = 0; i < 2; ++i) s.x_batch[i] = s.w_batch[i] = 1;
    return s;
  }
  static constexpr size_t x_count(const matmul_shape& s) noexcept { return static_cast<size_t>(s.rows) * static_cast<size_t>(s.depth); }
  static constexpr size_t w_count(const matmul_shape& s) noexcept { return static_cast<size_t>(s.depth) * static_cast<size_t>(s.cols); }
  static constexpr size_t y_count(const matmul_shape& s) noexcept { return static_cast<size_t>(s.rows) * static_cast<size_t>(s.cols); }
  /// A part of a matrix: split into `parts` if its codes are words, else as it is.
  template <class Part, class T>
  static const Part* part_of(const T* codes, const int8_t* const (&parts)[2], int part) noexcept {
    if constexpr (sizeof(T) == 2) return static_cast<void>(codes), parts[part];
    else return static_cast<void>(parts), static_cast<void>(part), codes;
  }

  static void run_parts(const matmul_shape& s, const X* x, int x_zero, const W* w, int w_zero, const Rq& rq, Y* y,
                        unsigned char* scratch) noexcept {
    work_area area(scratch);
    int8_t* xs[2] = {};
    int8_t* ws[2] = {};
    for (auto*& p : xs) p = area.take<int8_t>(splits_x ? x_count(s) : 0);
    for (auto*& p : ws) p = area.take<int8_t>(splits_w ? w_count(s) : 0);
    const size_t step = y_count(s);
    auto* const sums = area.take<int32_t>(step * products::count);
    auto* const rest = area.take<unsigned char>(0);
    const int8_t* const x_parts[2] = {xs[0], xs[1]};
    const int8_t* const w_parts[2] = {ws[0], ws[1]};
    ptrdiff_t split = -1;
    for (int b0 = 0; b0 < s.batch(0); ++b0)
      for (int b1 = 0; b1 < s.batch(1); ++b1) {
        const ptrdiff_t w_matrix = ref::matmul_batch(s.w_batch, b0, b1);
        const X* const from = x + ref::matmul_batch(s.x_batch, b0, b1) * s.rows * s.depth;
        const W* const with = w + w_matrix * s.depth * s.cols;
        if constexpr (splits_x) split_codes<is_centred>(x_count(s), from, xs[0], xs[1]);
        if constexpr (splits_w)
          if (w_matrix != split) split_codes<is_centred>(w_count(s), with, ws[0], ws[1]);
        split = w_matrix;
        for (int p = 0; p < products::count; ++p) {
          const auto& product = products::value[p];
          pass::run(one(s), part_of<x_part>(from, x_parts, product.x), splits_x ? x_split::of(x_zero, product.x != 0) : x_zero,
                    part_of<w_part>(with, w_parts, product.w), splits_w ? w_split::of(w_zero, product.w != 0) : w_zero,
                    raw_accumulator<int32_t>{}, sums + static_cast<size_t>(p) * step, rest);
        }
        finish_products<Arch, products>(s.rows, s.cols, nullptr, sums, step, rq, y);
        y += step;
      }
  }
};

/// The kernels for an accumulator.
template <class Acc>
struct kernels_for {
  template <class Arch, class X, class W, class Rq>
  using conv2d = kernel::conv2d<Arch, X, W, Acc, Rq>;
  template <class Arch, class X, class W, class Rq>
  using transposed_conv2d = kernel::transposed_conv2d<Arch, X, W, Acc, Rq>;
  template <class Arch, class X, class W, class Rq>
  using matmul = kernel::matmul<Arch, X, W, Acc, Rq>;
};
template <error_compensation How>
struct kernels_for<compensated_sum<How>> {
  template <class Arch, class X, class W, class Rq>
  using conv2d = compensated_conv<kernel::conv2d, false, Arch, X, W, How, Rq>;
  template <class Arch, class X, class W, class Rq>
  using transposed_conv2d = compensated_conv<kernel::transposed_conv2d, true, Arch, X, W, How, Rq>;
  template <class Arch, class X, class W, class Rq>
  using matmul = compensated_matmul<Arch, X, W, How, Rq>;
};
template <class Arch, class X, class W, class Acc, class Rq>
using conv2d_for = typename kernels_for<Acc>::template conv2d<Arch, X, W, Rq>;
template <class Arch, class X, class W, class Acc, class Rq>
using transposed_conv2d_for = typename kernels_for<Acc>::template transposed_conv2d<Arch, X, W, Rq>;
template <class Arch, class X, class W, class Acc, class Rq>
using matmul_for = typename kernels_for<Acc>::template matmul<Arch, X, W, Rq>;

}  // namespace lowbits::kernel
