// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Weights as one array element per code, as run-time models want them.

#include <lowbits/hosted/model_error.hpp>
#include <lowbits/hosted/runtime_graph.hpp>
#include <lowbits/pack/packed_view.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Gives every node of g with coded, packed or unsigned weights an int8_t or int16_t array with the same
/// weights, and returns the owners of the arrays. Unsigned bytes become signed ones with the zero point
/// moved along. Coded weights that are damaged throw model_error.
inline std::vector<std::shared_ptr<const void>> unpack_weights(runtime_graph& g) {
  std::vector<std::shared_ptr<const void>> owners;
  const auto keep = [&]<class T>(node& n, std::vector<T> codes, weight_storage storage, const T* weight_data::*at) {
    auto kept = std::make_shared<const std::vector<T>>(std::move(codes));
    n.weights.storage = storage;
    n.weights.*at = kept->data();
    n.weights.length = kept->size();
    owners.push_back(std::move(kept));
  };
  for (int i = 0; i < g.node_count(); ++i) {
    node& n = g[i];
    // The exact form gives the bits of the 16-bit layer, which run-time models have code for.
    if (n.ec == error_compensation::exact) n.ec = error_compensation::none;
    if (n.weights.is_coded()) {
      weight_data& c = n.weights;
      auto kept = std::make_shared<std::vector<int16_t>>(c.coded_count);  // room for either size of elements
      const status s = c.expand(c.coded, c.coded_bytes, kept->data(), c.coded_count);
      if (s != status::ok) refuse("unpack_weights", joined("the coded weights of node '", n.name, "': ", to_string(s)), "code them again");
      c.coded_bytes = 0;
      c.s16 = kept->data();
      c.s8 = reinterpret_cast<const int8_t*>(kept->data());
      c.u8 = c.packed = reinterpret_cast<const uint8_t*>(kept->data());
      owners.push_back(std::move(kept));
    }
    const weight_data w = n.weights;
    if (w.storage == weight_storage::u8) {
      std::vector<int8_t> codes(w.length);
      for (size_t k = 0; k < codes.size(); ++k) codes[k] = static_cast<int8_t>(w.u8[k] - 128);
      n.weights.zero_point -= 128;
      n.weights.format = {8, true, false};
      keep(n, std::move(codes), weight_storage::s8, &weight_data::s8);
    } else if (w.is_packed()) {
      const size_t count = w.length * 8 / w.format.bits;
      // Codes that fill their storage have no room for a sign.
      const bool is_full = !w.format.is_signed && (w.format.bits == 8 || w.format.bits == 16);
      const int shift = is_full ? 1 << (w.format.bits - 1) : 0;
      const auto code = [&](size_t k) { return w.format.decode(detail::load_code(w.packed, k, w.format.bits)) - shift; };
      n.weights.zero_point -= shift;
      // Prepared weights that meet floats have the bits they came with.
      const bool is_narrow = n.dynamic == dynamic_definition::weight_only && !is_full;
      if (w.format.bits <= 8) {
        std::vector<int8_t> codes(count);
        for (size_t k = 0; k < count; ++k) codes[k] = static_cast<int8_t>(code(k));
        if (!is_narrow) n.weights.format = {8, true, false};
        keep(n, std::move(codes), weight_storage::s8, &weight_data::s8);
      } else {
        std::vector<int16_t> codes(count);
        for (size_t k = 0; k < count; ++k) codes[k] = static_cast<int16_t>(code(k));
        if (!is_narrow) n.weights.format = {16, true, false};
        keep(n, std::move(codes), weight_storage::s16, &weight_data::s16);
      }
    }
  }
  return owners;
}

}  // namespace lowbits
