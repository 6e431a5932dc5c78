// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What the desktop tools throw: one sentence that names the node, what is wrong and the cure.

#include <stdexcept>
#include <string>

#include <lowbits/hosted/joined.hpp>
#include <lowbits/op/error.hpp>

namespace lowbits::inline LOWBITS_ABI {

class model_error : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

/// "lowbits: <where>: <what is wrong>; <what to do>"
[[noreturn]] inline void refuse(std::string_view where, std::string_view what,
                                std::string_view cure) {
  throw model_error(joined("lowbits: ", where, ": ", what, "; ", cure));
}

/// Throws the sentence of a graph error with the names and numbers it is about.
inline void require_ok(const graph_error& e) {
  if (e.code == graph_errc::ok) return;
  std::string text = joined(to_string(e.code), " (node '", e.node, "'");
  if (e.left.length() != 0) text += joined(", input '", e.left, "'");
  if (e.right.length() != 0) text += joined(" and '", e.right, "'");
  if (e.expected != 0 || e.found != 0)
    text += joined(", expected ", e.expected, ", found ", e.found);
  throw model_error(text + ")");
}

}  // namespace lowbits
