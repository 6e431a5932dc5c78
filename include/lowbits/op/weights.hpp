// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Constant operands of layers, bound by pointer to arrays that live in flash.

#include <type_traits>

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

/// The scales of weights: an array with one per output channel, or one set of parameters for all.
struct weight_scales {
  const float* each = nullptr;
  size_t count = 0;
  affine all{};

  template <size_t Channels>
  constexpr weight_scales(const float (&scales)[Channels]) noexcept  // NOLINT: it is an argument
      : each(scales), count(Channels) {}
  constexpr weight_scales(const affine& p) noexcept : all(p) {}     // NOLINT
  constexpr weight_scales(const symmetric& p) noexcept : all(p) {}  // NOLINT
  constexpr weight_scales(const pow2& p) noexcept : all(p) {}       // NOLINT
};

namespace detail {

template <class Element>
using full_type = std::conditional_t<std::is_same_v<Element, int8_t>, q8,
                                     std::conditional_t<std::is_same_v<Element, uint8_t>, u8, q16>>;

constexpr weight_data with_scales(weight_data w, const weight_scales& s) noexcept {
  w.scales = s.each;
  w.scale_count = s.count;
  w.scale = s.all.scale;
  w.zero_point = s.all.zero_point;
  return w;
}

}  // namespace detail

/// Weights in a plain array of int8_t, uint8_t or int16_t. Q is their number type, by default all
/// codes that an element can hold.
template <class Q = void, class Element, size_t N>
constexpr weight_data weights(const Element (&codes)[N], const weight_scales& scales) noexcept {
  static_assert(std::is_same_v<Element, int8_t> || std::is_same_v<Element, uint8_t> ||
                    std::is_same_v<Element, int16_t>,
                "lowbits: weights: the array's elements are not int8_t, uint8_t or int16_t; choose "
                "one of them");
  using type = std::conditional_t<std::is_void_v<Q>, detail::full_type<Element>, Q>;
  static_assert(
      std::is_same_v<typename type::storage, Element>,
      "lowbits: weights: Q is stored in another element type than the array's; change one");
  weight_data w{.length = N, .format = qformat::of<type>()};
  if constexpr (std::is_same_v<Element, int8_t>) w.s8 = codes;
  else if constexpr (std::is_same_v<Element, uint8_t>) w.u8 = codes;
  else w.s16 = codes;
  return detail::with_scales(w, scales);
}

/// Weights as a bit stream of Q::bits per weight: bytes, or an array that the compiler packed.
template <quantized_type Q, size_t Bytes>
constexpr weight_data packed_weights(const uint8_t (&bytes)[Bytes],
                                     const weight_scales& scales) noexcept {
  return detail::with_scales({.packed = bytes, .length = Bytes, .format = qformat::of<Q>()},
                             scales);
}
template <quantized_type Q, size_t N>
constexpr weight_data packed_weights(const packed_array<Q, N>& codes,
                                     const weight_scales& scales) noexcept {
  return packed_weights<Q>(codes.bytes, scales);
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
