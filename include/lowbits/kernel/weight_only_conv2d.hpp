// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Convolutions and dense layers of floats by weights in codes. Rows that do not lie in the image as they are multiplied are
// gathered, some at a time. Gives the bits of ref::weight_only_conv2d.

#include <lowbits/kernel/weight_only.hpp>
#include <lowbits/ref/weight_only_conv2d.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

/// What weights of a number format are stored as: number = (code + offset) / 2^twice.
struct real_format {
  real_layout at;
  int offset = 0;

  static constexpr real_format of(const qformat& f) noexcept {
    const bool twice = f.is_binary();
    return {{f.bits, twice}, twice ? 1 : f.is_signed ? 1 << (f.bits - 1) : 0};
  }
};

template <class Arch>
struct weight_only_conv2d {
  static constexpr real_product product(const conv2d_shape& s, const real_format& f) noexcept {
    const real_calls& calls = real_calls_of<Arch>;
    return {calls, {.at = f.at, .panel = calls.cols, .col_step = calls.col_step, .depth = s.depth(), .cols = s.group_out(),
                    .group = larger(s.depth(), 1), .groups = s.depth() > 0 ? 1 : 0, .zero_each = false}, {}};
  }
  /// Of each group of channels.
  static constexpr size_t group_bytes(const conv2d_shape& s, const real_format& f) noexcept {
    return work_bytes(product(s, f).w.bytes(), 1);
  }
  static constexpr size_t packed_bytes(const conv2d_shape& s, const real_format& f) noexcept {
    return static_cast<size_t>(s.groups) * group_bytes(s, f);
  }
  static constexpr size_t scratch_bytes(const conv2d_shape& s, const real_format& f) noexcept {
    const int rows = rows_at_once(s);
    const size_t gathered = is_in_place(s) ? 0 : static_cast<size_t>(rows) * static_cast<size_t>(s.depth());
    return work_total(work_bytes(gathered, sizeof(float)) + product(s, f).scratch_bytes(rows));
  }

  /// Codes are w[i], in the range of the format. scales and bias have out_c numbers, bias may be null.
  template <class W, class Scale>
  static void pack(const conv2d_shape& s, const real_format& f, const W& w, int zero, Scale&& scale, const float* bias, unsigned char* packed) noexcept {
    const real_weights to = product(s, f).w;
    for (int g = 0; g < s.groups; ++g) {
      const int first = g * s.group_out();
      to.pack([&](int c, int k) {
        const int code = w[static_cast<size_t>(ptrdiff_t{first + c} * s.depth() + k)];
        return static_cast<uint32_t>((code + f.offset) >> (f.at.twice ? 1 : 0)) & f.at.mask();
      }, [&](int c) { return bias != nullptr ? bias[first + c] : 0.0f; }, [&](int, int c) { return scale(first + c); },
         [&](int, int) { return f.offset + zero; }, packed + static_cast<size_t>(g) * group_bytes(s, f));
    }
  }

  static void run(const conv2d_shape& s, const real_format& f, const float* x, const unsigned char* packed, float* y, unsigned char* scratch) noexcept {
    real_product p = product(s, f);
    p.codes = real_codes(f.at);
    const bool in_place = is_in_place(s);
    const int64_t rows = all_rows(s);
    const int at_once = rows_at_once(s);
    work_area area(scratch);
    auto* const gathered = area.take<float>(in_place ? 0 : static_cast<size_t>(at_once) * static_cast<size_t>(s.depth()));
    auto* const rest = area.take<unsigned char>(0);
    for (int64_t r = 0; r < rows; r += at_once) {
      const auto n = static_cast<int>(smaller<int64_t>(at_once, rows - r));
      for (int g = 0; g < s.groups; ++g) {
        const unsigned char* const weights = packed + static_cast<size_t>(g) * group_bytes(s, f);
        float* const to = y + r * s.out_c + g * s.group_out();
        if (in_place) {
          p.run(n, 0, s.group_out(), x + r * s.in_c + g * s.group_in(), s.in_c, weights, to, s.out_c, rest);
        } else {
          gather(s, g, r, n, x, gathered);
          p.run(n, 0, s.group_out(), gathered, s.depth(), weights, to, s.out_c, rest);
        }
      }
    }
  }

private:
  static constexpr int64_t all_rows(const conv2d_shape& s) noexcept { return int64_t{s.batch} * s.out_h * s.out_w; }
  static constexpr int rows_at_once(const conv2d_shape& s) noexcept {
    return static_cast<int>(smaller<int64_t>(all_rows(s), real_product::most_rows));
  }
  /// Rows are pixels of the image, or of a dense layer.
  static constexpr bool is_in_place(const conv2d_shape& s) noexcept {
    const window2d& v = s.window;
    return v.taps() == 1 && v.stride_h == 1 && v.stride_w == 1 && v.pad_top == 0 && v.pad_left == 0 && s.out_h == s.in_h && s.out_w == s.in_w;
  }
  static void gather(const conv2d_shape& s, int group, int64_t first, int n, const float* x, float* to) noexcept {
    const window2d& v = s.window;
    const auto per_tap = static_cast<size_t>(s.group_in());
    for (int64_t r = first; r < first + n; ++r) {
      const auto ow = static_cast<int>(r % s.out_w), oh = static_cast<int>(r / s.out_w % s.out_h);
      const auto b = static_cast<ptrdiff_t>(r / s.out_w / s.out_h);
      for (int i = 0; i < v.kernel_h; ++i)
        for (int j = 0; j < v.kernel_w; ++j, to += per_tap) {
          const int h = oh * v.stride_h - v.pad_top + i * v.dilation_h, at = ow * v.stride_w - v.pad_left + j * v.dilation_w;
          if (h < 0 || h >= s.in_h || at < 0 || at >= s.in_w) fill_elements(to, 0.0f, per_tap);
          else copy_elements(x + ((b * s.in_h + h) * s.in_w + at) * s.in_c + ptrdiff_t{group} * s.group_in(), to, per_tap);
        }
    }
  }
};

}  // namespace lowbits::kernel
