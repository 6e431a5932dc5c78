// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Constant operands of layers, bound by pointer to arrays that live in flash.

#include <lowbits/pack/packed_array.hpp>
#include <lowbits/quant/qparams.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Quantized weights with one scale, or one per output channel. Made by weights() or
/// packed_weights(); the arrays must outlive the model.
struct weight_data {
  const int8_t* s8 = nullptr;  ///< exactly one of these four is set
  const uint8_t* u8 = nullptr;
  const int16_t* s16 = nullptr;
  const uint8_t* packed =
      nullptr;        ///< a bit stream of format.bits per weight (pack/packed_view.hpp)
  size_t length = 0;  ///< elements of the array (bytes when packed)
  qformat format{};
  const float* scales = nullptr;  ///< per channel, or null
  size_t scale_count = 0;
  float scale = 1.0f;  ///< used when scales is null
  int zero_point = 0;

  constexpr bool is_bound() const noexcept { return length != 0; }
  constexpr float scale_of(size_t channel) const noexcept {
    return scales != nullptr ? scales[channel] : scale;
  }
  /// Bytes that n weights take in this form.
  constexpr size_t bytes(size_t n) const noexcept {
    if (packed != nullptr) return packed_bytes(n, format.bits);
    return n * (s16 != nullptr ? 2 : 1);
  }
  /// True when the array holds exactly n weights.
  constexpr bool holds(size_t n) const noexcept {
    return packed != nullptr ? length == bytes(n) : length == n;
  }
};

/// Weights in plain arrays, symmetric with one scale per output channel.
template <quantized_type Q = q8, size_t N, size_t Channels>
constexpr weight_data weights(const int8_t (&codes)[N], const float (&scales)[Channels]) noexcept {
  return {.s8 = codes,
          .length = N,
          .format = qformat::of<Q>(),
          .scales = scales,
          .scale_count = Channels};
}
template <quantized_type Q = q16, size_t N, size_t Channels>
constexpr weight_data weights(const int16_t (&codes)[N], const float (&scales)[Channels]) noexcept {
  return {.s16 = codes,
          .length = N,
          .format = qformat::of<Q>(),
          .scales = scales,
          .scale_count = Channels};
}
/// One scale, and a zero point, for the whole tensor.
template <quantized_type Q = q8, size_t N>
constexpr weight_data weights(const int8_t (&codes)[N], const affine& p) noexcept {
  return {.s8 = codes,
          .length = N,
          .format = qformat::of<Q>(),
          .scale = p.scale,
          .zero_point = p.zero_point};
}
template <quantized_type Q = u8, size_t N>
constexpr weight_data weights(const uint8_t (&codes)[N], const affine& p) noexcept {
  return {.u8 = codes,
          .length = N,
          .format = qformat::of<Q>(),
          .scale = p.scale,
          .zero_point = p.zero_point};
}
template <quantized_type Q = q16, size_t N>
constexpr weight_data weights(const int16_t (&codes)[N], const affine& p) noexcept {
  return {.s16 = codes,
          .length = N,
          .format = qformat::of<Q>(),
          .scale = p.scale,
          .zero_point = p.zero_point};
}
/// Weights as a bit stream of Q::bits per weight.
template <quantized_type Q, size_t Bytes, size_t Channels>
constexpr weight_data packed_weights(const uint8_t (&bytes)[Bytes],
                                     const float (&scales)[Channels]) noexcept {
  return {.packed = bytes,
          .length = Bytes,
          .format = qformat::of<Q>(),
          .scales = scales,
          .scale_count = Channels};
}
template <quantized_type Q, size_t Bytes>
constexpr weight_data packed_weights(const uint8_t (&bytes)[Bytes], const affine& p) noexcept {
  return {.packed = bytes,
          .length = Bytes,
          .format = qformat::of<Q>(),
          .scale = p.scale,
          .zero_point = p.zero_point};
}

/// Codes that the compiler packed (pack/packed_array.hpp).
template <quantized_type Q, size_t N, size_t Channels>
constexpr weight_data packed_weights(const packed_array<Q, N>& codes,
                                     const float (&scales)[Channels]) noexcept {
  return packed_weights<Q>(codes.bytes, scales);
}
template <quantized_type Q, size_t N>
constexpr weight_data packed_weights(const packed_array<Q, N>& codes, const affine& p) noexcept {
  return packed_weights<Q>(codes.bytes, p);
}

/// Bias in units of input scale * weight scale; 64-bit ones come with int16 activations.
struct bias_data {
  const int32_t* s32 = nullptr;
  const int64_t* s64 = nullptr;
  size_t length = 0;

  constexpr bias_data() = default;
  template <size_t N>
  constexpr bias_data(const int32_t (&b)[N]) noexcept
      : s32(b), length(N) {}  // NOLINT: named by its field
  template <size_t N>
  constexpr bias_data(const int64_t (&b)[N]) noexcept : s64(b), length(N) {}  // NOLINT
  constexpr bool is_bound() const noexcept { return length != 0; }
  constexpr int64_t operator[](size_t i) const noexcept { return s64 != nullptr ? s64[i] : s32[i]; }
};

}  // namespace lowbits
