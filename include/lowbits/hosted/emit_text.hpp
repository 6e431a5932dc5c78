// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// C++ source as text: literals that read back exactly, arrays, identifiers, lines of at most 100
// columns. Independent of the locale; an array's line breaks do not depend on its values' digits, so
// that one changed value changes one line.

#include <charconv>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <lowbits/core/fp.hpp>
#include <lowbits/hosted/joined.hpp>
#include <lowbits/quant/qtype.hpp>

namespace lowbits::inline LOWBITS_ABI::emit {

inline constexpr size_t columns = 100;

/// 0x7f800000u
inline std::string hexadecimal(uint64_t bits) {
  char text[20];
  return joined("0x", std::string(text, std::to_chars(text, text + sizeof text, bits, 16).ptr), "u");
}
/// The shortest decimal that reads back as x, for example 0.0625f; infinity and NaN from their bits.
inline std::string literal(float x) {
  if (!fp::is_finite(x)) return joined("lb::fp::from_bits(", hexadecimal(fp::to_bits(x)), ")");
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, x).ptr;
  std::string s(text, end);
  if (s.find_first_of(".e") == std::string::npos) s += ".0";
  return s + "f";
}
inline std::string literal(double x) {
  if ((fp::to_bits(x) & fp::infinity_bits64) == fp::infinity_bits64) return joined("lb::fp::from_bits64(", hexadecimal(fp::to_bits(x)), ")");
  char text[40];
  std::string s(text, std::to_chars(text, text + sizeof text, x).ptr);
  return s.find_first_of(".e") == std::string::npos ? s + ".0" : s;
}

/// q8, u4, narrow<q8>: a format as a type, behind lb::.
inline std::string type_name(const qformat& f) {
  const std::string plain = joined(f.is_signed ? "lb::q" : "lb::u", int{f.bits});
  return f.is_narrow ? joined("lb::narrow<", plain, ">") : plain;
}

/// A comment, whatever is in the text; a long one continues on further lines.
inline std::string comment(std::string_view text) {
  std::string line = text.empty() ? "//" : "// ", done;
  for (char c : text) {
    line += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    const size_t space = line.rfind(' ');
    if (line.size() < columns || space < columns / 2) continue;
    done.append(line, 0, space).append("\n");
    line = joined("//   ", line.substr(space + 1));
  }
  return joined(done, line, line.back() == '\\' ? ".\n" : "\n");  // it would swallow the next line
}

/// A text between quotation marks.
inline std::string quoted(std::string_view text) {
  std::string s = "\"";
  for (char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') s += '\\';
    if (code >= ' ') s += c;
    else
      s.append({'\\', '0', static_cast<char>('0' + code / 8), static_cast<char>('0' + code % 8)});
  }
  return s + "\"";
}

/// head, items joined by ", ", tail: as much on a line as fits; later lines are indented.
inline std::string filled(std::string_view head, const std::vector<std::string>& items,
                          std::string_view tail, size_t indent, size_t width = columns) {
  std::string text(head);
  size_t used = head.size();
  for (size_t i = 0; i < items.size(); ++i) {
    const std::string item = joined(items[i], i + 1 == items.size() ? tail : ",");
    const size_t gap = i == 0 ? 0 : 1;
    if (used + gap + item.size() > width + (item.back() == '\n' ? 1 : 0)) {
      text.append("\n").append(indent, ' ');
      used = indent;
    } else {
      text.append(gap, ' ');
      used += gap;
    }
    text += item;
    used += item.size();
  }
  return text;
}

/// LOWBITS_FLASH inline constexpr <type> <name>[<count>] = {...}; in aligned rows; width is the room
/// that a value of the type may need.
inline std::string array(std::string_view type, std::string_view name,
                         const std::vector<std::string>& values, size_t width) {
  for (const std::string& v : values) width = larger(width, v.size());  // where a float is not finite
  const size_t row = (columns - 1) / (width + 2);
  std::string text =
      joined("LOWBITS_FLASH inline constexpr ", type, " ", name, "[", values.size(), "] = {\n");
  for (size_t i = 0; i < values.size(); ++i) {
    const std::string& v = values[i];
    const bool first = i % row == 0, end = i % row == row - 1 || i + 1 == values.size();
    text.append(first ? "  " : " ").append(v.size() < width ? width - v.size() : 0, ' ').append(v);
    text.append(i + 1 == values.size() ? "" : ",").append(end ? "\n" : "");
  }
  return text + "};\n";
}

template <class T>
std::string number_array(std::string_view type, std::string_view name, std::span<const T> values,
                         size_t width) {
  std::vector<std::string> items;
  for (T v : values) {
    if constexpr (std::is_same_v<T, float>) items.push_back(literal(v));
    else items.push_back(std::to_string(v));
  }
  return array(type, name, items, width);
}

/// A stream of bits.
inline std::string byte_array(std::string_view name, std::span<const uint8_t> bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::vector<std::string> items;
  for (uint8_t b : bytes) items.push_back({'0', 'x', digits[b >> 4], digits[b & 15]});
  return array("std::uint8_t", name, items, 4);
}

/// Makes identifiers of node names, of up to 40 characters. The result never starts with a digit or an underscore, has no
/// two underscores in a row, and is different for different names.
class identifiers {
public:
  std::string make(std::string_view name) {
    std::string id;
    for (char c : name) {
      if (id.size() == longest) break;
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'),
                 digit = c >= '0' && c <= '9';
      if (digit && id.empty()) id = "n";
      if (letter || digit) id += c;
      else if (!id.empty() && id.back() != '_') id += '_';
    }
    while (!id.empty() && id.back() == '_') id.pop_back();
    if (id.empty()) id = "node";
    std::string unique = id;
    for (int n = 2; !used_.insert(unique).second; ++n) unique = joined(id, "_", n);
    return unique;
  }

private:
  static constexpr size_t longest = 40;
  std::set<std::string> used_;
};

}  // namespace lowbits::emit
