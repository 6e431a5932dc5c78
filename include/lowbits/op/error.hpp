// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Why a graph was refused: the first error a builder met, as a value. model<> turns it into one
// static_assert sentence; run-time users ask to_string.

#include <lowbits/core/fixed_string.hpp>
#include <lowbits/op/tensor_desc.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Up to 62 characters; a longer name is refused.
using node_name = fixed_string<64>;

enum class graph_errc : uint8_t {
  ok,
#define LOWBITS_GRAPH_ERROR(code, sentence) code,
#include <lowbits/op/errors.inc>
#undef LOWBITS_GRAPH_ERROR
};

/// The error and what it is about. Structural, so that the compiler prints the names and numbers.
struct graph_error {
  graph_errc code = graph_errc::ok;
  node_name node{};   ///< the node that was refused
  node_name left{};   ///< its first input
  node_name right{};  ///< its second input, where there is one
  float left_scale = 0;
  float right_scale = 0;
  int expected = 0;  ///< for counts: what the layer needs
  int found = 0;     ///< and what it was given

  constexpr bool operator==(const graph_error&) const = default;
};

constexpr const char* to_string(graph_errc code) noexcept {
#if defined(LOWBITS_NO_STRINGS)
  static_cast<void>(code);
  return "";
#else
  switch (code) {
    case graph_errc::ok: return "ok";
#define LOWBITS_GRAPH_ERROR(code, sentence)                                                        \
  case graph_errc::code:                                                                           \
    return sentence;
#include <lowbits/op/errors.inc>
#undef LOWBITS_GRAPH_ERROR
  }
  return "?";
#endif
}

}  // namespace lowbits
