// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// One operation as it runs: a function, its constant data, and where its operands are now.

#include <lowbits/op/node.hpp>

namespace lowbits::inline LOWBITS_ABI {

struct step_io {
  const void* in[max_inputs]{};
  void* out = nullptr;
  const unsigned char* packed = nullptr;  ///< this step's prepared weights, or null
  const unsigned char* blob = nullptr;    ///< where external weights are
  unsigned char* scratch = nullptr;
};

using step_run = void (*)(const void* data, const step_io& io) noexcept;
using step_pack = void (*)(const void* data, const unsigned char* blob, unsigned char* packed) noexcept;

struct step {
  step_run run = nullptr;    ///< null: nothing to do (an input, an alias)
  step_pack pack = nullptr;  ///< null: runs from the weights as they are
  const void* data = nullptr;
};

/// What a step needs on one architecture.
struct step_needs {
  size_t packed_bytes = 0;
  size_t scratch_bytes = 0;
};

/// element: the C++ type of the elements. codes: the number type that stands for all with that storage.
template <class Codes, class Element = typename Codes::storage>
struct stored_as {
  using codes = Codes;
  using element = Element;
};
template <number_type T>
struct number_types : stored_as<q8> {};
template <>
struct number_types<number_type::u8> : stored_as<u8> {};
template <>
struct number_types<number_type::q16> : stored_as<q16> {};
template <>
struct number_types<number_type::u16> : stored_as<u16> {};
template <>
struct number_types<number_type::q32> : stored_as<q32> {};
template <>
struct number_types<number_type::real> : stored_as<q8, float> {};

/// The tag of a rounding policy that is a constant.
template <rounding Policy>
using rounding_tag = std::conditional_t<
    Policy == rounding::single, round_single,
    std::conditional_t<
        Policy == rounding::double_gemmlowp, round_double_gemmlowp,
        std::conditional_t<
            Policy == rounding::tflite_int64, round_tflite_int64,
            std::conditional_t<Policy == rounding::even_float, round_even_float,
                               std::conditional_t<Policy == rounding::away_float, round_away_float,
                                                  std::conditional_t<Policy == rounding::away_bias, round_away_bias,
                                                                     round_shift_glow>>>>>>;

template <class T>
const T* elements(const void* p) noexcept {
  return static_cast<const T*>(p);
}
template <class T>
T* elements(void* p) noexcept {
  return static_cast<T*>(p);
}

}  // namespace lowbits
