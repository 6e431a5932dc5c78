// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Constant operands that are not weights: whole tensors, and functions as tables. Bound by pointer to
// arrays that outlive the model.

#include <lowbits/op/tensor_desc.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// The elements of a constant tensor, row-major.
struct constant_data {
  number_type type = number_type::q8;
  const void* data = nullptr;
  size_t length = 0;

  constexpr constant_data() = default;
  constexpr constant_data(number_type t, const void* at, size_t n) noexcept : type(t), data(at), length(n) {}
  template <size_t N>
  constexpr constant_data(const int8_t (&a)[N]) noexcept : constant_data(number_type::q8, a, N) {}  // NOLINT: an argument
  template <size_t N>
  constexpr constant_data(const uint8_t (&a)[N]) noexcept : constant_data(number_type::u8, a, N) {}  // NOLINT
  template <size_t N>
  constexpr constant_data(const int16_t (&a)[N]) noexcept : constant_data(number_type::q16, a, N) {}  // NOLINT
  template <size_t N>
  constexpr constant_data(const uint16_t (&a)[N]) noexcept : constant_data(number_type::u16, a, N) {}  // NOLINT
  template <size_t N>
  constexpr constant_data(const int32_t (&a)[N]) noexcept : constant_data(number_type::q32, a, N) {}  // NOLINT
  template <size_t N>
  constexpr constant_data(const float (&a)[N]) noexcept : constant_data(number_type::real, a, N) {}  // NOLINT
};

/// A function of one code: 256 storage bytes, one for each byte of the input; or for 16-bit codes 513
/// results at equal distances, see fixed/table.hpp.
struct function_table {
  const uint8_t* bytes = nullptr;
  const int16_t* words = nullptr;
  bool is_bound = false;

  constexpr function_table() = default;
  constexpr function_table(const uint8_t (&t)[256]) noexcept : bytes(t), is_bound(true) {}  // NOLINT: an argument
  constexpr function_table(const int16_t (&t)[513]) noexcept : words(t), is_bound(true) {}  // NOLINT
};

}  // namespace lowbits
