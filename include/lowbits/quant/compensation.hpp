// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Error compensation: an operand of the 16-bit class as two operands of 8 bits, a main one and a
// residual of it, so that products of bytes do the work of products of words.
//
//   real = scale * (256 * main + residual)      main_scale = 256 * scale
//
// The two codes together are a code of 16 bits, and that is how the operand is stored. There are two
// ways to take one apart:
//
//   exact     main = floor(code / 256), residual = the rest - 128: every code from -32768 to 32767
//   centred   main = nearest(code / 256), residual = the rest, in [-128, 127]: the residual is small
//             beside the main code and may be left out of a product; codes above 32639 are held there

#include <type_traits>

#include <lowbits/quant/quantize.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// How a layer with an operand of 9 to 16 bits multiplies.
enum class error_compensation : uint8_t {
  none,            ///< 16-bit operands as they are
  exact,           ///< two products of bytes, or four where both operands are split: the same numbers
  three_products,  ///< both operands are split, centred, and residual * residual is left out
};

inline constexpr int residual_steps = 256;  ///< of the residual scale in one of the main scale
inline constexpr int highest_centred = 127 * residual_steps + 127;

struct byte_parts {
  int8_t main = 0, residual = 0;
  constexpr bool operator==(const byte_parts&) const = default;
};
/// code = 256 * main + residual + 128, for every code of int16_t.
constexpr byte_parts split_exact(int code) noexcept {
  return {static_cast<int8_t>(code >> 8), static_cast<int8_t>((code & 255) - 128)};
}
/// code = 256 * main + residual up to highest_centred; a code above is held there.
constexpr byte_parts split_centred(int code) noexcept {
  const int held = smaller(code, highest_centred), main = (held + 128) >> 8;
  return {static_cast<int8_t>(main), static_cast<int8_t>(held - main * residual_steps)};
}

/// The parameters of a compensated operand. Made by covering(), its codes stay within 127 * 256 and
/// either way of splitting is exact.
struct compensated {
  float scale = 1.0f;  ///< of the residual, and of the two as one code

  /// Numbers up to +-largest. An infinite or NaN `largest`, and 0, give scale 1.
  static constexpr compensated covering(float largest) noexcept {
    if (!fp::is_positive(largest)) return {};
    return {detail::held_scale(fp::quotient(largest, static_cast<float>(127 * residual_steps)))};
  }
  constexpr float main_scale() const noexcept { return fp::product(scale, static_cast<float>(residual_steps)); }
  constexpr operator affine() const noexcept { return {scale, 0}; }  // NOLINT: of 16-bit codes
  constexpr bool operator==(const compensated&) const = default;

  /// The nearest code, within +-127 * 256; NaN gives 0.
  template <class Rounding = half_even>
  constexpr int16_t code(float x) const noexcept {
    return static_cast<int16_t>(clamp<int>(quantize<q16, Rounding>(x, *this), -127 * residual_steps, 127 * residual_steps));
  }
  template <class Rounding = half_even>
  constexpr byte_parts parts(float x) const noexcept { return split_centred(code<Rounding>(x)); }
  constexpr float value(const byte_parts& p) const noexcept {
    return dequantize<q16>(p.main * residual_steps + p.residual, *this);
  }
};

/// What brings 16-bit codes that Codes (a pointer, or a view with a number type q) gives into the range
/// of int16_t, when it is taken off.
template <class Codes>
inline constexpr int sixteen_bit_offset = [] {
  if constexpr (std::is_pointer_v<Codes>)
    return std::is_same_v<std::remove_cv_t<std::remove_pointer_t<Codes>>, uint16_t> ? 32768 : 0;
  else return std::is_same_v<typename Codes::q::storage, uint16_t> ? 32768 : 0;
}();

/// Reads one part of 16-bit codes as codes of 8 bits.
template <class Codes, bool IsCentred>
struct byte_part {
  using q = q8;
  Codes codes{};
  bool is_residual = false;

  /// The part of one code: of a zero point, for example.
  static constexpr int of(int code, bool is_residual) noexcept {
    const int word = code - sixteen_bit_offset<Codes>;
    const byte_parts p = IsCentred ? split_centred(word) : split_exact(word);
    return is_residual ? p.residual : p.main;
  }
  constexpr int operator[](size_t i) const noexcept { return of(codes[i], is_residual); }
};

/// Splits n codes; X is int16_t or uint16_t.
template <bool IsCentred, class X>
constexpr void split_codes(size_t n, const X* x, int8_t* main, int8_t* residual) noexcept {
#if LOWBITS_GNU
  using words = int16_t __attribute__((vector_size(16)));
  using bytes = int8_t __attribute__((vector_size(8)));
  constexpr auto flip = static_cast<int16_t>(sixteen_bit_offset<const X*> != 0 ? -32768 : 0);
  constexpr int16_t top = highest_centred;
  if (!std::is_constant_evaluated())
    for (; n >= 8; n -= 8, x += 8, main += 8, residual += 8) {
      words v;
      __builtin_memcpy(&v, x, sizeof v);
      v ^= flip;
      if constexpr (IsCentred) v = v < top ? v : (v ^ v) + top;
      const words shifted = IsCentred ? v + 128 : v, rest = IsCentred ? v : v ^ 128;
      const bytes high = __builtin_convertvector(shifted >> 8, bytes), low = __builtin_convertvector(rest, bytes);
      __builtin_memcpy(main, &high, sizeof high);
      __builtin_memcpy(residual, &low, sizeof low);
    }
#endif
  for (; n > 0; --n, ++x, ++main, ++residual) {
    const int code = *x - sixteen_bit_offset<const X*>;
    const byte_parts p = IsCentred ? split_centred(code) : split_exact(code);
    *main = p.main;
    *residual = p.residual;
  }
}

}  // namespace lowbits
