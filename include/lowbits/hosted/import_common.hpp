// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What the importers of all formats do alike: read a file, turn the builder's sentences into their own, read
// 16-bit floats, concatenate more tensors than a node takes.

#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <lowbits/core/fp.hpp>
#include <lowbits/graph/builder.hpp>
#include <lowbits/hosted/model_error.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// The bytes of a file; errors name the importer.
inline std::vector<unsigned char> read_model_file(std::string_view importer, const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) refuse(joined(importer, ": ", path), "the file cannot be opened", "check the path");
  std::vector<unsigned char> bytes(std::istreambuf_iterator<char>(in), {});
  if (in.bad()) refuse(joined(importer, ": ", path), "the file cannot be read", "check the disk");
  return bytes;
}

/// "lowbits: builder: what; cure" in parts, with the numbers of the error behind `what`.
struct builder_sentence {
  std::string what{};
  std::string_view cure = "correct the model";

  explicit builder_sentence(const graph_error& e) {
    std::string_view text = to_string(e.code);
    for (int k = 0; k < 2; ++k)
      if (const size_t colon = text.find(": "); colon != text.npos) text.remove_prefix(colon + 2);
    const size_t end = text.find("; ");
    what = text.substr(0, end);
    if (e.expected != 0 || e.found != 0) what += joined(" (expected ", e.expected, ", found ", e.found, ")");
    if (end != text.npos) cure = text.substr(end + 2);
  }
};

/// The float with these bits of a 16-bit one: exact.
constexpr float half_to_float(uint32_t h) noexcept {
  const uint32_t sign = (h & 0x8000u) << 16, exponent = h >> 10 & 31u, fraction = h & 0x3ffu;
  if (exponent == 31) return fp::from_bits(sign | fp::infinity_bits | fraction << 13);
  if (exponent != 0) return fp::from_bits(sign | (exponent + 112) << 23 | fraction << 13);
  const float magnitude = fp::product(static_cast<float>(fraction), 0x1p-24f);
  return sign != 0 ? -magnitude : magnitude;
}

/// concat(list, is_last) for at most max_inputs edges at a time, until one is left.
template <class Concat>
edge concat_in_groups(std::vector<edge> parts, const Concat& concat) {
  for (;;) {
    const bool is_last = parts.size() <= max_inputs;
    std::vector<edge> next;
    for (size_t at = 0; at < parts.size(); at += max_inputs) {
      edge_list list;
      for (size_t k = at; k < parts.size() && k < at + max_inputs; ++k) list.value[list.count++] = parts[k];
      next.push_back(list.count == 1 && !is_last ? list.value[0] : concat(list, is_last));
    }
    if (is_last) return next[0];
    parts = std::move(next);
  }
}

}  // namespace lowbits
