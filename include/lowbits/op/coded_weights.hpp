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
  auto* const codes = static_cast<typename Q::storage*>(to);
  const status s = decode_codes({bytes, size}, qformat::of<Q>(), codes, count);
  // In place: a code is read before the byte it lies in is written.
  if (s == status::ok && expanded_storage(qformat::of<Q>()) == weight_storage::packed)
    pack<Q>(codes, 0, count, static_cast<uint8_t*>(to));
  return s;
}
template <quantized_type Q>
constexpr weight_data coded_form(size_t count) noexcept {
  constexpr weight_storage storage = expanded_storage(qformat::of<Q>());
  return {.storage = storage,
          .coded_count = count,
          .expand = &expand_codes<Q>,
          .length = storage == weight_storage::packed ? bytes_for<Q>(count) : count,
          .format = qformat::of<Q>()};
}

}  // namespace detail

/// `count` codes of Q in an array of any kind that decode_codes() reads.
template <quantized_type Q, size_t Bytes>
constexpr weight_data coded_weights(size_t count, const uint8_t (&bytes)[Bytes], const weight_scales& scales) noexcept {
  weight_data w = detail::coded_form<Q>(count);
  w.coded = bytes;
  w.coded_bytes = Bytes;
  return detail::with_scales(w, scales);
}
template <quantized_type Q, size_t Count, size_t Bytes>
constexpr weight_data coded_weights(const coded_array<Q, Count, Bytes>& codes, const weight_scales& scales) noexcept {
  return coded_weights<Q>(Count, codes.bytes, scales);
}

/// The same in a blob: `bytes` bytes, `offset` behind its start.
template <quantized_type Q>
constexpr weight_data external_coded_weights(size_t count, size_t bytes, size_t offset, const weight_scales& scales) noexcept {
  weight_data w = detail::coded_form<Q>(count);
  w.coded_bytes = bytes;
  w.is_external = true;
  w.offset = offset;
  return detail::with_scales(w, scales);
}

}  // namespace lowbits
