// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// NumPy's .npy files, format versions 1 to 3: one array, row-major, of integers or floats. The header
// is a Python literal, of which only the form that NumPy itself writes is read. Nothing is believed:
// sizes are checked against the bytes that are there before anything is allocated.
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

#include <bit>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <lowbits/hosted/model_error.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// kind is NumPy's letter: f (float), i, u (integers), b (bool).
struct npy_array {
  char kind = 'f';
  size_t element_bytes = 4;
  std::vector<size_t> shape{};
  std::vector<unsigned char> bytes{};  ///< row-major, little-endian

  size_t count() const noexcept { return element_bytes == 0 ? 0 : bytes.size() / element_bytes; }
  std::string type_name() const {
    const char* const name = kind == 'f' ? "float" : kind == 'i' ? "int" : kind == 'u' ? "uint" : "bool";
    return kind == 'b' ? name : joined(name, 8 * element_bytes);
  }
  /// Element i as a number; half floats are not read.
  double operator[](size_t i) const noexcept {
    const unsigned char* const at = bytes.data() + i * element_bytes;
    const auto as = [at]<class T>(T v) {
      std::memcpy(&v, at, sizeof v);
      return static_cast<double>(v);
    };
    if (kind == 'f') return element_bytes == 8 ? as(double{}) : as(float{});
    switch (element_bytes) {
      case 1: return kind == 'i' ? as(int8_t{}) : as(uint8_t{});
      case 2: return kind == 'i' ? as(int16_t{}) : as(uint16_t{});
      case 4: return kind == 'i' ? as(int32_t{}) : as(uint32_t{});
      default: return kind == 'i' ? as(int64_t{}) : as(uint64_t{});
    }
  }
};

namespace npy {

inline constexpr char magic[] = "\x93NUMPY";
inline constexpr size_t largest_rank = 32;

/// Reads the header's dictionary.
class header_text {
public:
  header_text(std::string_view text, std::string_view file) : text_(text), file_(file) {}

  [[noreturn]] void fail(std::string_view what) const {
    refuse(joined("read_npy: ", file_), what, "save the array again with numpy.save");
  }
  /// The text behind 'key':, blanks left out.
  std::string_view value(std::string_view key) const {
    const size_t at = text_.find(joined("'", key, "':"));
    if (at == text_.npos) fail(joined("the header does not have '", key, "'"));
    std::string_view rest = text_.substr(at + key.size() + 3);
    while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
    return rest;
  }
  std::string_view quoted(std::string_view key) const {
    const std::string_view v = value(key);
    const size_t end = v.empty() || v.front() != '\'' ? v.npos : v.find('\'', 1);
    if (end == v.npos) fail(joined("the header's '", key, "' is not a string"));
    return v.substr(1, end - 1);
  }
  std::vector<size_t> numbers(std::string_view key) const {
    std::string_view v = value(key);
    const size_t end = v.empty() || v.front() != '(' ? v.npos : v.find(')');
    if (end == v.npos) fail(joined("the header's '", key, "' is not a tuple"));
    v = v.substr(1, end - 1);
    std::vector<size_t> out;
    bool in_number = false;
    for (const char c : v) {
      if (c >= '0' && c <= '9') {
        if (!in_number) out.push_back(0);
        in_number = true;
        if (out.size() > largest_rank || out.back() > (size_t{1} << 40)) fail("the shape is too large");
        out.back() = 10 * out.back() + static_cast<size_t>(c - '0');
      } else if (c == ',' || c == ' ') {
        in_number = false;
      } else {
        fail(joined("the header's '", key, "' is not a tuple of numbers"));
      }
    }
    return out;
  }

private:
  std::string_view text_, file_;
};

}  // namespace npy

/// The array in `bytes`; file_name is for messages.
inline npy_array read_npy(std::span<const unsigned char> bytes, std::string_view file_name) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  npy::header_text nothing("", file_name);
  if (bytes.size() < 10 || !text.starts_with(npy::magic))
    refuse(joined("read_npy: ", file_name), "the file does not begin as .npy files do", "save the array with numpy.save");
  const int version = bytes[6];
  if (version < 1 || version > 3) nothing.fail(joined("the format version is ", version));
  const size_t start = version == 1 ? 10 : 12;
  if (bytes.size() < start) nothing.fail("the file ends in its header");
  size_t length = 0;
  for (size_t i = start; i-- > 8;) length = length << 8 | bytes[i];
  if (length > bytes.size() - start) nothing.fail("the file ends in its header");
  const npy::header_text header(text.substr(start, length), file_name);

  npy_array a;
  const std::string_view type = header.quoted("descr");
  const std::string_view letters = type.size() == 3 ? type : std::string_view("???");
  a.kind = letters[1];
  a.element_bytes = static_cast<size_t>(letters[2] - '0');
  const bool known = (a.kind == 'f' && (a.element_bytes == 4 || a.element_bytes == 8)) ||
      ((a.kind == 'i' || a.kind == 'u') && a.element_bytes <= 8 && std::has_single_bit(a.element_bytes)) ||
      (a.kind == 'b' && a.element_bytes == 1);
  if (!known || (letters[0] != '<' && letters[0] != '|' && letters[0] != '=' && a.element_bytes != 1))
    refuse(joined("read_npy: ", file_name), joined("the element type is '", type, "'"),
           "convert it to float32 or to little-endian integers");
  if (header.value("fortran_order").starts_with("True"))
    refuse(joined("read_npy: ", file_name), "the array is column-major", "save numpy.ascontiguousarray(x)");
  a.shape = header.numbers("shape");
  const size_t there = bytes.size() - start - length;
  size_t count = 1;
  for (const size_t extent : a.shape) {
    if (extent != 0 && count > there / extent) header.fail("the file has fewer elements than its shape");
    count *= extent;
  }
  if (count > there / a.element_bytes) header.fail("the file has fewer elements than its shape");
  const auto elements = bytes.subspan(start + length, count * a.element_bytes);
  a.bytes.assign(elements.begin(), elements.end());
  return a;
}

/// A whole .npy file, version 1.
inline std::vector<unsigned char> write_npy(const npy_array& a) {
  std::string shape;
  for (const size_t extent : a.shape) shape += joined(extent, ", ");
  if (a.shape.size() > 1) shape.resize(shape.size() - 2);
  else if (!shape.empty()) shape.pop_back();
  std::string header = joined("{'descr': '", a.element_bytes == 1 ? "|" : "<", std::string(1, a.kind), a.element_bytes,
                              "', 'fortran_order': False, 'shape': (", shape, "), }");
  const size_t total = round_up(10 + header.size() + 1, size_t{64});
  header.append(total - 10 - header.size() - 1, ' ').append("\n");
  std::vector<unsigned char> out(npy::magic, npy::magic + 6);
  for (const size_t b : {size_t{1}, size_t{0}, header.size() & 255, header.size() >> 8})
    out.push_back(static_cast<unsigned char>(b));
  out.insert(out.end(), header.begin(), header.end());
  out.insert(out.end(), a.bytes.begin(), a.bytes.end());
  return out;
}

}  // namespace lowbits
