// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What is known about a tensor on an edge of the graph: extents, element type, parameters.

#include <lowbits/core/shapes.hpp>
#include <lowbits/quant/qparams.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// codes: quantized numbers in 8-, 16- or 32-bit storage; reals: 32-bit floats.
enum class element : uint8_t { codes, reals };

struct tensor_desc {
  tensor_shape shape{};
  element kind = element::codes;
  qformat format{};
  affine params{};

  constexpr bool operator==(const tensor_desc&) const = default;
  constexpr size_t count() const noexcept { return shape.count(); }
  constexpr size_t element_bytes() const noexcept {
    return kind == element::reals ? sizeof(float) : format.storage_bytes();
  }
  constexpr size_t bytes() const noexcept { return count() * element_bytes(); }
  /// 32-bit codes.
  constexpr bool is_wide() const noexcept { return kind == element::codes && format.is_wide(); }
  /// Same element type, scale and zero point: codes can be copied from one to the other.
  constexpr bool same_numbers(const tensor_desc& o) const noexcept {
    return kind == o.kind && (kind == element::reals || (format == o.format && params == o.params));
  }
};

/// What a tensor's elements are in memory. Operations only see the storage; the range is in the output
/// stage.
enum class number_type : uint8_t { q8, u8, q16, u16, real, q32 };

constexpr bool is_byte(number_type t) noexcept { return t == number_type::q8 || t == number_type::u8; }
constexpr bool is_word(number_type t) noexcept { return t == number_type::q16 || t == number_type::u16; }

constexpr number_type number_type_of(const tensor_desc& d) noexcept {
  if (d.kind == element::reals) return number_type::real;
  if (d.format.bits <= 8) return d.format.is_signed ? number_type::q8 : number_type::u8;
  if (d.format.bits > 16) return number_type::q32;
  return d.format.is_signed ? number_type::q16 : number_type::u16;
}

/// tensor<q8, 32, 32, 3>({.scale = 1 / 128.f}): extents outermost first. Images are HWC or NHWC.
template <quantized_type Q, int... Extents>
constexpr tensor_desc tensor(const affine& params) noexcept {
  static_assert(sizeof...(Extents) >= 1 && sizeof...(Extents) <= max_rank,
                "lowbits: tensor: the number of extents is outside 1..6; merge axes");
  static_assert(((Extents >= 1) && ...),
                "lowbits: tensor: an extent is below 1; give positive extents");
  return {{sizeof...(Extents), {Extents...}}, element::codes, qformat::of<Q>(), params};
}

/// A tensor of 32-bit floats, for graphs that start with quantize or end with dequantize.
template <int... Extents>
constexpr tensor_desc real_tensor() noexcept {
  static_assert(sizeof...(Extents) >= 1 && sizeof...(Extents) <= max_rank,
                "lowbits: real_tensor: the number of extents is outside 1..6; merge axes");
  static_assert(((Extents >= 1) && ...),
                "lowbits: real_tensor: an extent is below 1; give positive extents");
  return {{sizeof...(Extents), {Extents...}}, element::reals, qformat{}, affine{}};
}

/// A tensor seen as an image: rank 3 is HWC (batch 1), rank 4 is NHWC.
struct image_extents {
  int batch = 1, h = 1, w = 1, c = 1;

  static constexpr bool fits(const tensor_desc& d) noexcept {
    return d.shape.rank == 3 || d.shape.rank == 4;
  }
  static constexpr image_extents of(const tensor_desc& d) noexcept {
    const int* e = d.shape.extent;
    return d.shape.rank == 4 ? image_extents{e[0], e[1], e[2], e[3]}
                             : image_extents{1, e[0], e[1], e[2]};
  }
  /// The same extents as a shape of the rank that `like` has.
  constexpr tensor_shape shape_like(const tensor_desc& like) const noexcept {
    if (like.shape.rank == 4) return {4, {batch, h, w, c}};
    return {3, {h, w, c}};
  }
};

/// A tensor seen as rows of vectors for a dense layer: ranks 1 and 3 are one row, otherwise the
/// first axis counts rows and the others are flattened.
struct row_extents {
  int rows = 1, columns = 1;

  static constexpr row_extents of(const tensor_desc& d) noexcept {
    const int count = static_cast<int>(d.count());
    if (d.shape.rank == 1 || d.shape.rank == 3 || d.shape.extent[0] == 0) return {1, count};
    return {d.shape.extent[0], count / d.shape.extent[0]};
  }
  static constexpr bool is_single(const tensor_desc& d) noexcept {
    return d.shape.rank == 1 || d.shape.rank == 3;
  }
};

}  // namespace lowbits
