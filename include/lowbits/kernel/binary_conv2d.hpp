// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Convolution of signs with signs for direct use: the bits under the window are copied side by side, a block of output
// positions at a time, and multiplied as rows of binary_gemm.
//
//   lb::binary_conv2d<lb::sign_bits> conv({.conv = shape, .pads_with_ones = false});
//   conv.pack(w, bias, packed);                                      // packed_bytes(), aligned to 64
//   conv.run(x, packed, {thresholds}, y, scratch);                   // scratch_bytes()
//
// lowbits.hpp includes this header only where LOWBITS_BINARY is defined.

#include <lowbits/kernel/binary_gemm.hpp>
#include <lowbits/kernel/gather.hpp>
#include <lowbits/ref/binary_conv2d.hpp>

namespace lowbits::inline LOWBITS_ABI {

namespace kernel {

/// Rows [first, first + n) of the implicit matrix.
inline void binary_windows(const binary_conv2d_shape& s, const uint8_t* x, int first, int n, uint32_t* to, ptrdiff_t words) noexcept {
  const conv2d_shape& conv = s.conv;
  const int in_image = conv.out_h * conv.out_w, taps = conv.window.taps(), in_line = conv.window.kernel_w;
  const ptrdiff_t bytes = conv.in_c / 8;
  output_position at{first / in_image, first % in_image / conv.out_w, first % conv.out_w};
  for (int r = 0; r < n; ++r, to += words, at.next(conv)) {
    if (words == 0) continue;
    to[words - 1] = 0;
    auto* line = reinterpret_cast<uint8_t*>(to);
    for (int tap = 0; tap < taps; tap += in_line) {
      const ptrdiff_t from = s.source(at.b, at.oh, at.ow, tap), last = s.source(at.b, at.oh, at.ow, tap + in_line - 1);
      if (conv.window.dilation_w == 1 && from >= 0 && last >= 0) {  // neighbouring taps lie side by side
        copy_elements(x + from, line, static_cast<size_t>(in_line * bytes));
        line += in_line * bytes;
        continue;
      }
      for (int j = 0; j < in_line; ++j, line += bytes) {
        const ptrdiff_t one = s.source(at.b, at.oh, at.ow, tap + j);
        if (one >= 0) copy_elements(x + one, line, static_cast<size_t>(bytes));
        else fill_elements(line, static_cast<uint8_t>(s.pads_with_ones ? 0xff : 0), static_cast<size_t>(bytes));
      }
    }
  }
}

}  // namespace kernel

/// See ref::binary_conv2d. Rq is sign_bits, a requantizer, raw_accumulator<int32_t> or float_output.
template <class Rq>
class binary_conv2d {
public:
  using Y = typename Rq::output::storage;

  /// For the strongest architecture of this processor, or the one named. Asks the processor.
  explicit binary_conv2d(const binary_conv2d_shape& shape, arch_id arch = select_arch()) noexcept : s_(shape), product_(shape.product(), arch) {}

  /// Why pack and run would refuse: a shape that is not is_valid(), or what binary_gemm::error says.
  status error() const noexcept { return product_.error(); }
  size_t packed_bytes() const noexcept { return product_.packed_bytes(); }
  size_t scratch_bytes() const noexcept { return product_.scratch_bytes(); }
  /// As binary_gemm::pack.
  status pack(const uint8_t* w, const int32_t* bias, std::span<unsigned char> packed) const noexcept { return product_.pack(w, bias, packed); }
  /// As binary_gemm::run.
  status run(const uint8_t* x, std::span<const unsigned char> packed, const Rq& rq, Y* y, std::span<unsigned char> scratch) const noexcept {
    return product_.run_rows([&](int first, int n, uint32_t* to, ptrdiff_t words) { kernel::binary_windows(s_, x, first, n, to, words); },
                             packed, rq, y, scratch);
  }

private:
  binary_conv2d_shape s_;
  binary_gemm<Rq> product_;
};

}  // namespace lowbits
