// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Constant operands of layers, bound by pointer to arrays that live in flash.

#include <type_traits>

#include <lowbits/core/half.hpp>
#include <lowbits/core/status.hpp>
#include <lowbits/pack/packed_array.hpp>
#include <lowbits/quant/compensation.hpp>
#include <lowbits/quant/qparams.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// The ends of a range of codes.
struct code_span {
  int lowest = 0, highest = 0;
};

/// Which array holds the weights. Asked instead of comparing pointers with null, which is not a
/// constant for every compiler option.
enum class weight_storage : uint8_t { none, s8, u8, s16, packed, f32 };

/// What weights of groups along the depth are multiplied with (ref/grouped_gemm.hpp).
enum class group_factor_kind : uint8_t { none, bytes, halves, reals };

/// A factor for each `group` inputs of a dense layer, [units][ceil(inputs / group)]; made from a constant array:
///   constexpr lb::weight_groups groups(32, factors);           // 16, or a multiple of 32; the last group may be short
///   ... .weights = lb::packed_weights<lb::q4>(w, w_scale).in_groups(groups)
/// A weight stands for code * factor * scale of its unit. Bytes, 0..255, keep the layer in integers; the sum of a group times
/// its factor is divided by 2^shift then, so that all of them stay in 32 bits, and the scale goes with the factor / 2^shift.
struct weight_groups {
  group_factor_kind kind = group_factor_kind::none;
  int group = 0, shift = 0;
  size_t count = 0;
  const uint8_t* bytes = nullptr;  ///< as kind says
  const half* halves = nullptr;
  const float* reals = nullptr;

  constexpr weight_groups() = default;
  constexpr weight_groups(int of, const uint8_t* factors, size_t n, int divide = 0) noexcept
      : kind(group_factor_kind::bytes), group(of), shift(divide), count(n), bytes(factors) {}
  constexpr weight_groups(int of, const half* factors, size_t n) noexcept
      : kind(group_factor_kind::halves), group(of), count(n), halves(factors) {}
  constexpr weight_groups(int of, const float* factors, size_t n) noexcept
      : kind(group_factor_kind::reals), group(of), count(n), reals(factors) {}
  template <class T, size_t N, class... Shift>
  constexpr weight_groups(int of, const T (&factors)[N], Shift... divide) noexcept : weight_groups(of, &factors[0], N, divide...) {}

  constexpr size_t factor_bytes() const noexcept { return kind == group_factor_kind::bytes ? 1 : kind == group_factor_kind::halves ? 2 : 4; }
  constexpr const void* data() const noexcept {
    if (kind == group_factor_kind::bytes) return bytes;
    if (kind == group_factor_kind::halves) return halves;
    return reals;
  }
};

/// Turns coded bytes into what weight_data::storage says; `to` has room for `count` elements, one byte or
/// two each, also where the result is a bit stream.
using weight_expand = status (*)(const uint8_t* bytes, size_t size, void* to, size_t count) noexcept;

/// Quantized weights with one scale, or one per output channel; or floats. Made by weights(),
/// packed_weights() or coded_weights() (op/coded_weights.hpp); the arrays must outlive the model.
struct weight_data {
  weight_storage storage = weight_storage::none;
  const int8_t* s8 = nullptr;  ///< one of these five is set, as storage says
  const uint8_t* u8 = nullptr;
  const int16_t* s16 = nullptr;
  const float* f32 = nullptr;
  const uint8_t* packed = nullptr;  ///< a bit stream of format.bits each (pack/packed_view.hpp)
  const uint8_t* coded = nullptr;   ///< instead of the array that storage names: bytes that become one
  size_t coded_bytes = 0, coded_count = 0;
  weight_expand expand = nullptr;
  bool is_external = false;         ///< in a blob (graph/blob.hpp) instead, `offset` bytes from its start
  bool is_prepared = false;         ///< only there in the layout of one architecture; is_external is set, too
  uint32_t digest = 0;              ///< of such weights as they were, see graph_contents
  size_t offset = 0;
  size_t length = 0;                ///< elements of the array (bytes when packed)
  qformat format{};
  const float* scales = nullptr;  ///< one per channel where scale_count is not 0
  size_t scale_count = 0;
  float scale = 1.0f;  ///< where scale_count is 0
  int zero_point = 0;
  bool is_grouped = false;
  const weight_groups* groups = nullptr;  ///< where is_grouped

  /// The same with a factor for each group; `g` outlives the model.
  constexpr weight_data in_groups(const weight_groups& g) const noexcept {
    weight_data w = *this;
    w.is_grouped = true;
    w.groups = &g;
    return w;
  }
  constexpr bool is_bound() const noexcept { return storage != weight_storage::none; }
  constexpr bool is_packed() const noexcept { return storage == weight_storage::packed; }
  /// The array is only there after prepare(). Its codes are all in the range of the format.
  constexpr bool is_coded() const noexcept { return coded_bytes != 0; }
  constexpr float scale_of(size_t channel) const noexcept {
    return scale_count == 0 ? scale : scales[scale_count == 1 ? 0 : channel];
  }
  /// What one step of a channel's sums stands for, beside the input's scale.
  constexpr float sum_scale(size_t channel) const noexcept {
    return is_grouped ? fp::product(scale_of(channel), static_cast<float>(1u << groups->shift)) : scale_of(channel);
  }
  /// Bytes that n weights take in this form, when they are expanded.
  constexpr size_t bytes(size_t n) const noexcept {
    return is_packed() ? packed_bytes(n, format.bits)
                       : n * (storage == weight_storage::f32 ? 4 : storage == weight_storage::s16 ? 2 : 1);
  }
  /// Bytes of the whole array as it is stored.
  constexpr size_t stored_bytes() const noexcept { return is_coded() ? coded_bytes : is_packed() ? length : bytes(length); }
  /// Its address; null where the weights are in a blob.
  constexpr const void* data() const noexcept {
    if (is_coded()) return coded;
    switch (storage) {
      case weight_storage::s8: return s8;
      case weight_storage::u8: return u8;
      case weight_storage::s16: return s16;
      case weight_storage::f32: return f32;
      case weight_storage::packed: return packed;
      case weight_storage::none: break;
    }
    return nullptr;
  }
  /// Elements of the array that n weights need, in the unit of length.
  constexpr size_t needed_length(size_t n) const noexcept { return is_packed() ? bytes(n) : n; }
  /// The lowest and highest code that the storage can hold, whatever the format promises: what
  /// proofs about sums go by.
  constexpr code_span storable() const noexcept {
    switch (is_coded() ? weight_storage::packed : storage) {
      case weight_storage::s8: return {-128, 127};
      case weight_storage::u8: return {0, 255};
      case weight_storage::s16: return {-32768, 32767};
      default: break;
    }
    if (format.is_binary()) return {-1, 1};
    return {format.is_signed ? -(1 << (format.bits - 1)) : 0, format.highest()};
  }
};

/// The scales of weights: an array with one per output channel, {array, zero_point} where their zero
/// point is not 0; or one set of parameters for all.
struct weight_scales {
  const float* each = nullptr;
  size_t count = 0;
  affine all{};

  template <size_t Channels>
  constexpr weight_scales(const float (&scales)[Channels], int zero_point = 0) noexcept  // NOLINT: it is an argument
      : each(scales), count(Channels), all{1.0f, zero_point} {}
  constexpr weight_scales(const affine& p) noexcept : all(p) {}     // NOLINT
  constexpr weight_scales(const symmetric& p) noexcept : all(p) {}  // NOLINT
  constexpr weight_scales(const pow2& p) noexcept : all(p) {}       // NOLINT
  constexpr weight_scales(const compensated& p) noexcept : all(p) {}  // NOLINT
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
  if constexpr (std::is_same_v<Element, int8_t>) w.s8 = codes, w.storage = weight_storage::s8;
  else if constexpr (std::is_same_v<Element, uint8_t>) w.u8 = codes, w.storage = weight_storage::u8;
  else w.s16 = codes, w.storage = weight_storage::s16;
  return detail::with_scales(w, scales);
}

/// Weights of a layer whose activations are floats.
template <size_t N>
constexpr weight_data weights(const float (&values)[N]) noexcept {
  return {.storage = weight_storage::f32, .f32 = values, .length = N};
}

/// Weights as a bit stream of Q::bits per weight: bytes, or an array that the compiler packed.
template <quantized_type Q, size_t Bytes>
constexpr weight_data packed_weights(const uint8_t (&bytes)[Bytes],
                                     const weight_scales& scales) noexcept {
  return detail::with_scales({.storage = weight_storage::packed,
                              .packed = bytes,
                              .length = Bytes,
                              .format = qformat::of<Q>()},
                             scales);
}
template <quantized_type Q, size_t N>
constexpr weight_data packed_weights(const packed_array<Q, N>& codes,
                                     const weight_scales& scales) noexcept {
  return packed_weights<Q>(codes.bytes, scales);
}

namespace detail {

/// What holds the codes of Q, one element each.
template <quantized_type Q>
constexpr weight_storage element_storage() noexcept {
  constexpr bool words = sizeof(typename Q::storage) == 2;
  static_assert(!words || Q::is_signed, "lowbits: external_weights: there is no storage for unsigned words; pack them");
  return words ? weight_storage::s16 : Q::is_signed ? weight_storage::s8 : weight_storage::u8;
}
/// What coded weights become: a bit stream where the kernels multiply at the width of the codes, and where
/// there is no other storage.
constexpr weight_storage expanded_storage(const qformat& f) noexcept {
  if (f.bits < 8 || (f.bits > 8 && !f.is_signed)) return weight_storage::packed;
  return f.bits > 8 ? weight_storage::s16 : f.is_signed ? weight_storage::s8 : weight_storage::u8;
}

}  // namespace detail

/// Weights that are not in the program but in a blob: `length` elements, `offset` bytes behind the
/// blob's start.
template <quantized_type Q>
constexpr weight_data external_weights(size_t length, size_t offset, const weight_scales& scales) noexcept {
  return detail::with_scales({.storage = detail::element_storage<Q>(),
                              .is_external = true,
                              .offset = offset,
                              .length = length,
                              .format = qformat::of<Q>()},
                             scales);
}
/// The same for a bit stream of `bytes` bytes.
template <quantized_type Q>
constexpr weight_data external_packed_weights(size_t bytes, size_t offset, const weight_scales& scales) noexcept {
  return detail::with_scales({.storage = weight_storage::packed,
                              .is_external = true,
                              .offset = offset,
                              .length = bytes,
                              .format = qformat::of<Q>()},
                             scales);
}

/// Weights that are only there in the layout of one architecture, in the buffer that model<>::attach gets
/// (emit_header with header_options::prepared writes both). digest: FNV-1a of the `length` elements.
template <quantized_type Q>
constexpr weight_data prepared_weights(size_t length, uint32_t digest, const weight_scales& scales) noexcept {
  weight_data w = external_weights<Q>(length, 0, scales);
  w.is_prepared = true;
  w.digest = digest;
  return w;
}

/// Bias in units of input scale * weight scale; 64-bit ones come with int16 activations, floats with
/// activations that are floats. The array is
/// constexpr: its values are part of the proof that no accumulator overflows.
struct bias_data {
  const int32_t* s32 = nullptr;
  const int64_t* s64 = nullptr;
  size_t length = 0;
  const float* f32 = nullptr;
  bool is_wide = false;  ///< s64 is set
  bool is_real = false;  ///< f32 is set

  constexpr bias_data() = default;
  template <size_t N>
  constexpr bias_data(const int32_t (&b)[N]) noexcept : s32(b), length(N) {}  // NOLINT: an argument
  template <size_t N>
  constexpr bias_data(const int64_t (&b)[N]) noexcept
      : s64(b), length(N), is_wide(true) {}  // NOLINT
  template <size_t N>
  constexpr bias_data(const float (&b)[N]) noexcept : length(N), f32(b), is_real(true) {}  // NOLINT
  constexpr bool is_bound() const noexcept { return length != 0; }
  constexpr int64_t operator[](size_t i) const noexcept { return is_wide ? s64[i] : s32[i]; }
};

}  // namespace lowbits
