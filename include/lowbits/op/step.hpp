// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// One operation as it runs: a function, its constant data, and where its operands are now.

#include <lowbits/op/node.hpp>

namespace lowbits::inline LOWBITS_ABI {

struct step_io {
  const void* in[max_inputs]{};
  void* out = nullptr;
  const unsigned char* packed = nullptr;  ///< this step's prepared weights, or null
  unsigned char* scratch = nullptr;
};

using step_run = void (*)(const void* data, const step_io& io) noexcept;
using step_pack = void (*)(const void* data, unsigned char* packed) noexcept;

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

/// The type that stands for all formats with the same storage: operations only see the storage,
/// the range is in the output stage.
template <int Bits, bool IsSigned>
using storage_type = std::conditional_t<(Bits <= 8), std::conditional_t<IsSigned, q8, u8>,
                                        std::conditional_t<IsSigned, q16, u16>>;

/// The C++ type of a tensor's elements.
template <element Kind, int Bits, bool IsSigned>
using element_type = std::conditional_t<Kind == element::reals, float,
                                        typename storage_type<Bits, IsSigned>::storage>;

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
                                                  round_shift_glow>>>>>;

template <class T>
const T* elements(const void* p) noexcept {
  return static_cast<const T*>(p);
}
template <class T>
T* elements(void* p) noexcept {
  return static_cast<T*>(p);
}

}  // namespace lowbits
