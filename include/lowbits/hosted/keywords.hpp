// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Words that emitted code cannot use as names.

#include <algorithm>
#include <string_view>

#include <lowbits/config.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// A word of C or C++, or one that compilers and their headers may define as a macro.
constexpr bool is_keyword(std::string_view s) noexcept {
  constexpr std::string_view words[] = {
      "alignas", "alignof", "and", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "break", "case", "catch", "char",
      "char16_t", "char32_t", "char8_t", "class", "co_await", "co_return", "co_yield", "compl", "concept", "const",
      "const_cast", "consteval", "constexpr", "constinit", "continue", "decltype", "default", "delete", "do", "double",
      "dynamic_cast", "else", "enum", "explicit", "export", "extern", "false", "float", "for", "friend", "goto", "if",
      "inline", "int", "linux", "long", "mutable", "namespace", "new", "noexcept", "not", "not_eq", "nullptr", "operator",
      "or", "or_eq", "private", "protected", "public", "register", "reinterpret_cast", "requires", "restrict", "return",
      "short", "signed", "sizeof", "static", "static_assert", "static_cast", "struct", "switch", "template", "this",
      "thread_local", "throw", "true", "try", "typedef", "typeid", "typename", "typeof", "union", "unix", "unsigned",
      "using", "virtual", "void", "volatile", "wchar_t", "while", "xor", "xor_eq", "NULL"};
  return std::find(std::begin(words), std::end(words), s) != std::end(words);
}

}  // namespace lowbits
