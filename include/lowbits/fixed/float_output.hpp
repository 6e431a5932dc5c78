// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Accumulators to real numbers: what follows a product of quantized operands where the next operation
// is a float one, or where the activations were quantized row by row as they came (dynamic
// quantization).

#include <lowbits/core/fp.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// y = float(acc - row_zeros[row] * weight_sums[channel]) * (row_scales[row] * scales[channel])
///     + bias[channel]
/// Every float operation is rounded on its own, the integer ones wrap. Takes the place of a
/// requantizer. Null stands for scales of 1, zero points of 0 and no bias; weight_sums (the sum of a
/// channel's weights, each less the weights' zero point) go with row_zeros.
struct float_output {
  struct output {
    using storage = float;
  };
  const float* scales = nullptr;          ///< [channels]
  const float* bias = nullptr;            ///< [channels]
  const float* row_scales = nullptr;      ///< [rows]
  const int32_t* row_zeros = nullptr;     ///< [rows]
  const int32_t* weight_sums = nullptr;   ///< [channels]

  constexpr float operator()(int32_t acc, size_t row, size_t channel) const noexcept {
    if (row_zeros != nullptr)
      acc = static_cast<int32_t>(static_cast<uint32_t>(acc) - static_cast<uint32_t>(row_zeros[row]) * static_cast<uint32_t>(weight_sums[channel]));
    return scaled(static_cast<float>(acc), row, channel);
  }
  /// Sums of 64 bits, for operands of more than 8.
  constexpr float operator()(int64_t acc, size_t row, size_t channel) const noexcept {
    if (row_zeros != nullptr) acc -= int64_t{row_zeros[row]} * weight_sums[channel];
    return scaled(static_cast<float>(acc), row, channel);
  }
  /// For operations without rows: row 0.
  template <class Acc>
  constexpr float operator()(Acc acc, size_t channel) const noexcept { return (*this)(acc, 0, channel); }

private:
  constexpr float scaled(float sum, size_t row, size_t channel) const noexcept {
    const float row_scale = row_scales != nullptr ? row_scales[row] : 1.0f;
    const float scale = fp::product(row_scale, scales != nullptr ? scales[channel] : 1.0f);
    const float y = fp::product(sum, scale);
    return bias != nullptr ? fp::sum(y, bias[channel]) : y;
  }
};

/// What an output stage makes of an accumulator: most do not look at the row.
template <class Rq, class Acc>
constexpr auto output_of(const Rq& rq, Acc acc, size_t row, size_t channel) noexcept {
  if constexpr (requires { rq(acc, row, channel); }) return rq(acc, row, channel);
  else return rq(acc, channel);
}

}  // namespace lowbits
