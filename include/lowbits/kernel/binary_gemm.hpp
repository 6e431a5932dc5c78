// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A matrix product of signs for direct use: both operands are bits, and a product of 512 of them is an exclusive or and a
// count of bits. Weights are packed once for the processor at hand.
//
//   lb::binary_gemm<lb::sign_bits> product({.rows = m, .cols = n, .depth = k});
//   product.pack(w, bias, packed);                                   // packed_bytes(), aligned to 64
//   product.run(x, packed, {thresholds}, y, scratch);                // scratch_bytes()
//
// lowbits.hpp includes this header only where LOWBITS_BINARY is defined.

#include <bit>
#include <span>

#include <lowbits/arch/binary.hpp>
#include <lowbits/core/status.hpp>
#include <lowbits/kernel/finish.hpp>
#include <lowbits/kernel/prepared_gemm.hpp>
#include <lowbits/kernel/select.hpp>
#include <lowbits/ref/binary_gemm.hpp>

namespace lowbits::inline LOWBITS_ABI {

namespace kernel {

/// The layout of prepared weights: start values (bias + depth), then strips of 16 columns, [depth / 32][16] words of 32 bits.
/// Words lie as their four bytes do in the rows; bits behind the depth are 0 in both operands, so that they never differ.
struct binary_weights {
  static constexpr int strip = 16;
  int cols = 0, depth = 0;

  constexpr int words() const noexcept { return ceil_div(depth, 32); }
  constexpr int padded_cols() const noexcept { return round_up(cols, strip); }
  constexpr size_t start_bytes() const noexcept { return work_bytes(static_cast<size_t>(padded_cols()), sizeof(int32_t)); }
  constexpr size_t bytes() const noexcept { return start_bytes() + static_cast<size_t>(padded_cols()) * static_cast<size_t>(words()) * 4; }

  /// A row as whole words, wherever it lies.
  void read_row(const uint8_t* from, uint32_t* to) const noexcept {
    if (depth == 0) return;
    to[words() - 1] = 0;
    copy_elements(from, reinterpret_cast<uint8_t*>(to), static_cast<size_t>(ceil_div(depth, 8)));
    if (depth % 8 != 0) reinterpret_cast<uint8_t*>(to)[depth / 8] &= static_cast<uint8_t>((1u << depth % 8) - 1u);
  }
};

inline void plain_binary(int m, int n, int words, const uint32_t* x, ptrdiff_t stride, const uint32_t* w, const int32_t* start, int32_t* acc) noexcept {
  for (int r = 0; r < m; ++r, x += stride)
    for (int c = 0; c < n; ++c) {
      const uint32_t* const column = w + c / 16 * 16 * ptrdiff_t{words} + c % 16;
      uint32_t differ = 0;
      for (int i = 0; i < words; ++i) differ += static_cast<uint32_t>(std::popcount(x[i] ^ column[ptrdiff_t{16} * i]));
      acc[ptrdiff_t{r} * n + c] = static_cast<int32_t>(static_cast<uint32_t>(start[c]) - 2 * differ);
    }
}
using binary_run = void (*)(int m, int n, int words, const uint32_t* x, ptrdiff_t stride, const uint32_t* w, const int32_t* start, int32_t* acc) noexcept;
template <class Arch>
inline constexpr binary_run binary_run_of = [] {
  if constexpr (has_prim<prims::gemm_binary, Arch>) return &best_prim<prims::gemm_binary, Arch>::run;
  else return &plain_binary;
}();

/// Rows that pass over the weights together, and columns that are finished together.
struct binary_block {
  static constexpr int cols = 64;
  int rows;

  constexpr binary_block(const binary_weights& w, int all_rows) noexcept
      : rows(lowbits::clamp(32 * 1024 / larger(4 * w.words(), 1), 1, smaller(32, larger(all_rows, 1)))) {}
  constexpr size_t bytes(const binary_weights& w) const noexcept {
    return work_total(work_bytes(static_cast<size_t>(rows) * static_cast<size_t>(w.words()), 4) + work_bytes(static_cast<size_t>(rows) * cols, 4));
  }
};

template <class Y>
using sums_out = void (*)(int rows, int cols, const int32_t* acc, ptrdiff_t acc_stride, const void* rq, const output_place& at, Y* y, ptrdiff_t y_stride) noexcept;
/// What Rq makes of a tile of sums; `y` is where row 0 begins.
template <class Arch, class Rq, class Y>
void finish_binary(int rows, int cols, const int32_t* acc, ptrdiff_t acc_stride, const void* rq, const output_place& at, Y* y, ptrdiff_t y_stride) noexcept {
  const Rq& out = *static_cast<const Rq*>(rq);
  if constexpr (gives_bits<Rq>) {
    y += at.channel / 8;
    int32_t thresholds[binary_block::cols] = {};
    if (out.thresholds != nullptr) copy_elements(out.thresholds + at.channel, thresholds, static_cast<size_t>(cols));
    for (int r = 0; r < rows; ++r, acc += acc_stride, y += y_stride)
      for (int c = 0; c < cols; c += 8) {  // sums are there for whole strips
        const unsigned bits = lowbits::detail::eight_signs(acc + c, thresholds + c);
        y[c / 8] = static_cast<Y>(cols - c < 8 ? bits & ((1u << (cols - c)) - 1u) : bits);
      }
  } else {
    finish<Arch, Rq, Y>(rows, cols, acc, acc_stride, out, at, y + at.channel, y_stride);
  }
}

/// rows_at(first, n, to, words) writes rows [first, first + n) as whole words.
template <class Y, class RowsAt>
void binary_rows(const binary_run& run, const sums_out<Y>& finish, const binary_shape& s, const RowsAt& rows_at, const unsigned char* packed,
                 const void* rq, Y* y, ptrdiff_t y_step, unsigned char* scratch) noexcept {
  const binary_weights w{s.cols, s.depth};
  const binary_block block(w, s.rows);
  work_area area(scratch);
  const ptrdiff_t words = w.words();
  auto* const rows = area.take<uint32_t>(static_cast<size_t>(block.rows) * static_cast<size_t>(words));
  auto* const sums = area.take<int32_t>(static_cast<size_t>(block.rows) * binary_block::cols);
  const auto* const start = reinterpret_cast<const int32_t*>(packed);
  const auto* const panel = reinterpret_cast<const uint32_t*>(packed + w.start_bytes());
  for (int r = 0; r < s.rows; r += block.rows) {
    const int m = smaller(block.rows, s.rows - r);
    rows_at(r, m, rows, words);
    for (int c = 0; c < s.cols; c += binary_block::cols) {
      const int n = smaller(binary_block::cols, w.padded_cols() - c), used = smaller(n, s.cols - c);
      run(m, n, w.words(), rows, words, panel + c * words, start + c, sums);
      finish(m, used, sums, n, rq, {r, c}, y + r * y_step, y_step);
    }
  }
}

}  // namespace kernel

/// See ref::binary_gemm. Rq is sign_bits, a requantizer, raw_accumulator<int32_t> or float_output.
template <class Rq>
class binary_gemm {
public:
  using Y = typename Rq::output::storage;

  /// For the strongest architecture of this processor, or the one named. Asks the processor.
  explicit binary_gemm(const binary_shape& shape, arch_id arch = select_arch()) noexcept : s_(shape), arch_(arch) {
    constexpr int most = 1 << 30;  // what padding adds still fits in an int
    is_valid_ = s_.rows >= 0 && s_.cols >= 0 && s_.cols <= most && s_.depth >= 0 && s_.depth <= most;
    with_usable_arch(arch, [&]<class Arch>(Arch) {
      using finish_arch = arch_for<Arch, prims::requantize, prims::sums_to_float>;
      run_ = kernel::binary_run_of<Arch>;
      finish_ = &kernel::finish_binary<finish_arch, Rq, Y>;
    });
  }

  const binary_shape& shape() const noexcept { return s_; }
  /// Why pack and run would refuse: extents below 0, cols or depth above 2^30, or an architecture this processor or build has not.
  status error() const noexcept { return !is_valid_ ? status::bad_value : run_ == nullptr ? status::unsupported : status::ok; }
  size_t packed_bytes() const noexcept { return is_valid_ ? packed_alignment + layout().bytes() : 0; }
  size_t scratch_bytes() const noexcept { return is_valid_ ? kernel::binary_block(layout(), s_.rows).bytes(layout()) : 0; }

  /// w is cols rows of bits; bias has cols elements or is null.
  status pack(const uint8_t* w, const int32_t* bias, std::span<unsigned char> packed) const noexcept {
    if (error() != status::ok) return error();
    if (const status put = detail::put_header(header(), packed_bytes(), packed); put != status::ok) return put;
    const auto l = layout();
    auto* const start = reinterpret_cast<int32_t*>(packed.data() + packed_alignment);
    auto* const panel = packed.data() + packed_alignment + l.start_bytes();
    for (int c = 0; c < l.padded_cols(); ++c) {
      start[c] = c < s_.cols ? static_cast<int32_t>(static_cast<uint32_t>(s_.depth) + static_cast<uint32_t>(bias != nullptr ? bias[c] : 0)) : 0;
      auto* to = panel + (ptrdiff_t{c / 16} * 16 * l.words() + c % 16) * 4;
      for (int k = 0; k < 4 * l.words(); ++k) {
        const int left = s_.depth - 8 * k;
        const unsigned bits = c < s_.cols && left > 0 ? w[c * s_.w_row_step() + k] : 0u;
        to[k / 4 * 64 + k % 4] = static_cast<unsigned char>(left < 8 ? bits & ((1u << larger(left, 0)) - 1u) : bits);
      }
    }
    return status::ok;
  }

  /// x and y as the shape says, y overlapping nothing else. Weights that were packed for another shape are refused as foreign;
  /// the architecture may be another.
  status run(const uint8_t* x, std::span<const unsigned char> packed, const Rq& rq, Y* y, std::span<unsigned char> scratch) const noexcept {
    const auto rows_at = [&](int first, int n, uint32_t* to, ptrdiff_t words) {
      for (int i = 0; i < n; ++i) layout().read_row(x + (first + i) * s_.x_row_step(), to + i * words);
    };
    return run_rows(rows_at, packed, rq, y, scratch);
  }
  /// For rows that are made as they are needed: rows_at(first, n, to, words) writes rows [first, first + n), each as `words`
  /// words in the bytes' order, with zeros behind the depth.
  template <class RowsAt>
  status run_rows(const RowsAt& rows_at, std::span<const unsigned char> packed, const Rq& rq, Y* y, std::span<unsigned char> scratch) const noexcept {
    if (error() != status::ok) return error();
    packed_gemm_header h;
    if (const status got = detail::get_header(packed, h); got != status::ok) return got;
    if (h != header()) return status::foreign;
    if (packed.size() < packed_bytes() || scratch.size() < scratch_bytes()) return status::too_small;
    kernel::binary_rows<Y>(run_, finish_, s_, rows_at, packed.data() + packed_alignment, &rq, y, s_.y_row_step(gives_bits<Rq>), scratch.data());
    return status::ok;
  }

private:
  constexpr kernel::binary_weights layout() const noexcept { return {s_.cols, s_.depth}; }
  packed_gemm_header header() const noexcept { return {.types = 0x2'0000, .cols = s_.cols, .depth = s_.depth, .bytes = packed_bytes()}; }

  binary_shape s_;
  arch_id arch_;
  bool is_valid_ = false;
  kernel::binary_run run_ = nullptr;
  kernel::sums_out<Y> finish_ = nullptr;
};

}  // namespace lowbits
