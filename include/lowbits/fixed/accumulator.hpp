// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Accumulators that provably cannot overflow, chosen at compile time.

#include <type_traits>

#include <lowbits/quant/qtype.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// The largest |x - zero_point| for a code of q with any zero point q can hold; with a zero point of
/// zero (symmetric), the largest |x|.
constexpr int64_t largest_operand(const qformat& q, bool is_symmetric) noexcept {
  if (is_symmetric) return larger(static_cast<int64_t>(q.highest()), -static_cast<int64_t>(q.lowest()));
  return static_cast<int64_t>(q.highest()) - q.lowest();
}

/// How many products of operands up to a and b in magnitude fit in an accumulator that ends at
/// `limit`, when `reserved` of it is kept for the bias.
constexpr int64_t product_capacity(int64_t a, int64_t b, int64_t limit, int64_t reserved = 0) noexcept {
  return a == 0 || b == 0 ? highest_of<int64_t> : (limit - reserved) / (a * b);
}

namespace detail {

/// Capacity stands in the compiler's message beside the sentence.
template <int64_t Products, int64_t Capacity>
struct holds_products {
  static_assert(Products <= Capacity,
                "lowbits: accumulator: the dot product can overflow the accumulator; split it into blocks of at most "
                "Capacity products (the second number of this holds_products) or use int64_t");
  static constexpr bool value = true;
};

}  // namespace detail

/// int32 where Products products of |a| <= LargestA, |b| <= LargestB and a bias of at most 2^30 fit,
/// else int64, else one sentence.
template <int64_t LargestA, int64_t LargestB, size_t Products>
struct accumulator_for {
  static constexpr int64_t bias_share = int64_t{1} << 30;
  template <class Acc>
  static constexpr int64_t capacity = product_capacity(LargestA, LargestB, highest_of<Acc>, bias_share);
  static constexpr bool fits32 = static_cast<int64_t>(Products) <= capacity<int32_t>;
  static_assert(detail::holds_products<static_cast<int64_t>(Products), capacity<int64_t>>::value);
  using type = std::conditional_t<fits32, int32_t, int64_t>;
};

/// The narrowest accumulator for the dot product of Products codes of A (zero point anywhere) and
/// W (symmetric), with a bias.
template <quantized_type A, quantized_type W, size_t Products>
using accumulator =
    typename accumulator_for<largest_operand(qformat::of<A>(), false),
                             largest_operand(qformat::of<W>(), true), Products>::type;

/// Acc, or one sentence when Products products of A (zero point anywhere) and W (symmetric) could
/// overflow it.
template <class Acc, quantized_type A, quantized_type W, size_t Products>
struct proven_accumulator {
  static constexpr int64_t capacity =
      product_capacity(largest_operand(qformat::of<A>(), false), largest_operand(qformat::of<W>(), true),
                       highest_of<Acc>);
  static_assert(detail::holds_products<static_cast<int64_t>(Products), capacity>::value);
  using type = Acc;
};

}  // namespace lowbits
