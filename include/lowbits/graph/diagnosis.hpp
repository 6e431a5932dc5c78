// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A refused graph as one compile error.

#include <lowbits/op/error.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// A builder's verdict as one compile error: each line is false for one code only. The compiler
/// prints E, with the names of the nodes and both scales, next to the sentence.
template <graph_error E>
struct diagnosis {
#define LOWBITS_GRAPH_ERROR(code_name, sentence)                                                   \
  static_assert(E.code != graph_errc::code_name, sentence);
#include <lowbits/op/errors.inc>
#undef LOWBITS_GRAPH_ERROR
  static constexpr bool passed = E.code == graph_errc::ok;
};

}  // namespace lowbits
