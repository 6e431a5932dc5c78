// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Weights in fewer bytes than their bits (pack/coded_codes.hpp). prepare() expands them, one layer after
// the other; there is no run without it.
//
//   constexpr std::int8_t w[10 * 64] = {/* ... */};
//   LOWBITS_FLASH constexpr auto coded_w = lb::coded<lb::q4, w>;           // pack/coded_array.hpp
//   ... .weights = lb::coded_weights(coded_w, w_scale)

#include <lowbits/op/weights.hpp>
#include <lowbits/pack/coded_codes.hpp>

namespace lowbits::inline LOWBITS_ABI {

namespace detail {

template <quantized_type Q>
inline status expand_codes(const uint8_t* bytes, size_t size, void* to, size_t count) noexcept {
  return decode_codes({bytes, size}, qformat::of<Q>(), static_cast<typename Q::storage*>(to), count);
}

}  // namespace detail

/// `count` codes of Q in an array of any kind that decode_codes() reads.
template <quantized_type Q, size_t Bytes>
constexpr weight_data coded_weights(size_t count, const uint8_t (&bytes)[Bytes], const weight_scales& scales) noexcept {
  return detail::with_scales({.storage = detail::element_storage<Q>(),
                              .coded = bytes,
                              .coded_bytes = Bytes,
                              .expand = &detail::expand_codes<Q>,
                              .length = count,
                              .format = qformat::of<Q>()},
                             scales);
}
template <quantized_type Q, size_t Count, size_t Bytes>
constexpr weight_data coded_weights(const coded_array<Q, Count, Bytes>& codes, const weight_scales& scales) noexcept {
  return coded_weights<Q>(Count, codes.bytes, scales);
}

/// The same in a blob: `bytes` bytes, `offset` behind its start.
template <quantized_type Q>
constexpr weight_data external_coded_weights(size_t count, size_t bytes, size_t offset, const weight_scales& scales) noexcept {
  return detail::with_scales({.storage = detail::element_storage<Q>(),
                              .coded_bytes = bytes,
                              .expand = &detail::expand_codes<Q>,
                              .is_external = true,
                              .offset = offset,
                              .length = count,
                              .format = qformat::of<Q>()},
                             scales);
}

}  // namespace lowbits
