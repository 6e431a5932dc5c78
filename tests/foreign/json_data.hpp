// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Reading the optional data folder. LOWBITS_SHARED_DIR is its path, or empty.

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include <nlohmann/json.hpp>

#include "foreign/cases.hpp"

namespace foreign {

using nlohmann::json;

inline std::string data_folder() {
  return std::string(LOWBITS_SHARED_DIR).empty() ? "" : LOWBITS_SHARED_DIR "/data/";
}

/// True when the folder is configured and has `what`; a configured folder without it is an error
/// that the test reports.
inline bool data_configured() { return !data_folder().empty(); }

inline std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}
inline json read_json(const std::string& path) { return json::parse(read_text(path)); }

/// Numbers of a JSON array.
inline values integers(const json& array) {
  values v;
  for (const auto& x : array) v.push_back(x.get<std::int64_t>());
  return v;
}
inline reals floats(const json& array) {
  reals v;
  for (const auto& x : array) v.push_back(static_cast<float>(x.get<double>()));
  return v;
}
inline values read_csv(const std::string& path) {
  values v;
  const std::string text = read_text(path);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(",\n", at), text.size());
    if (end > at && text.find_first_of("-0123456789", at) < end)
      v.push_back(std::stoll(text.substr(at, end - at)));
    at = end + 1;
  }
  return v;
}
/// Little-endian integers of 1, 2, 4 or 8 bytes.
inline values read_raw(const std::string& path, std::size_t bytes) {
  const std::string text = read_text(path);
  values v(text.size() / bytes);
  for (std::size_t i = 0; i < v.size(); ++i) {
    std::uint64_t u = 0;
    for (std::size_t b = 0; b < bytes; ++b)
      u |= std::uint64_t{static_cast<unsigned char>(text[i * bytes + b])} << (8 * b);
    const unsigned up = static_cast<unsigned>(64 - 8 * bytes);
    v[i] = static_cast<std::int64_t>(u << up) >> up;
  }
  return v;
}

inline lb::tensor_shape tensor_shape_of(const values& extents) {
  lb::tensor_shape s;
  for (std::int64_t e : extents) s.extent[s.rank++] = static_cast<int>(e);
  return s;
}

}  // namespace foreign
