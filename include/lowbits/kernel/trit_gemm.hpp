// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Products with weights -1, 0 and 1 that are stored five in a byte (pack/trits.hpp), and stay so when they are prepared.
// lowbits.hpp includes this header only where LOWBITS_TRITS is defined.
//
//   lb::gemm<int8_t, lb::channel_requantizer<lb::q8>, lb::trits> product({.rows = m, .cols = n, .depth = k});
//   product.pack({bytes, n * k}, 0, bias, x_zero, packed);           // the rest as in prepared_gemm.hpp

#include <lowbits/arch/trits.hpp>
#include <lowbits/kernel/prepared_gemm.hpp>
#include <lowbits/pack/trits.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

template <>
struct gemm_operand<trits> {
  using type = trit_view;
  static constexpr bool is_signed = true;
  static constexpr unsigned bits = 2;
};

}  // namespace lowbits::kernel
