// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A quantization recipe as one type: scheme<q4, per_group<32>>, scheme<q8, per_axis<0>, affine>.

#include <type_traits>

#include <lowbits/quant/granularity.hpp>
#include <lowbits/quant/qparams.hpp>
#include <lowbits/quant/quantize.hpp>

namespace lowbits::inline LOWBITS_ABI {

template <quantized_type Q, class Granularity = per_tensor, class Params = symmetric>
struct scheme {
  static_assert(std::is_same_v<Params, affine> || std::is_same_v<Params, symmetric> || std::is_same_v<Params, pow2>,
                "lowbits: scheme: Params is not a kind of parameters; use affine, symmetric or pow2");
  using q = Q;
  using granularity = Granularity;
  using params = Params;

  /// The parameters of a group whose elements lie in [lowest, highest].
  static constexpr Params fit(float lowest, float highest) noexcept {
    if constexpr (std::is_same_v<Params, affine>) {
      return affine_from_range<Q>(lowest, highest);
    } else {
      // As bits, NaN is larger than every number: it comes through to a scale of 1.
      const float largest = fp::from_bits(larger(fp::magnitude_bits(lowest), fp::magnitude_bits(highest)));
      if constexpr (std::is_same_v<Params, pow2>) return pow2_from_magnitude<Q>(largest);
      else return symmetric{scale_from_magnitude<Q>(largest)};
    }
  }
};

template <class S>
concept quantization_scheme = requires {
  typename S::q;
  typename S::granularity;
  typename S::params;
};

}  // namespace lowbits
