// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The constants of a .onnx file as numbers, with everything about them checked.

#include <cstring>

#include <lowbits/hosted/onnx/file.hpp>
#include <lowbits/op/infer.hpp>

namespace lowbits::inline LOWBITS_ABI::onnx {

using data_type = schema::TensorProto;  ///< for its enumerators: data_type::INT8

inline std::string type_name(int t) {
  return schema::TensorProto_DataType_IsValid(t)
      ? schema::TensorProto_DataType_Name(static_cast<schema::TensorProto_DataType>(t))
      : joined("number ", t);
}

/// Bits of one element of the types that constants may have; 0 for the others.
constexpr int bits_of(int t) noexcept {
  switch (t) {
    case data_type::UINT2:
    case data_type::INT2: return 2;
    case data_type::UINT4:
    case data_type::INT4: return 4;
    case data_type::UINT8:
    case data_type::INT8:
    case data_type::BOOL: return 8;
    case data_type::UINT16:
    case data_type::INT16:
    case data_type::FLOAT16: return 16;
    case data_type::FLOAT:
    case data_type::INT32: return 32;
    case data_type::INT64:
    case data_type::DOUBLE: return 64;
    default: return 0;
  }
}
constexpr bool is_real(int t) noexcept {
  return t == data_type::FLOAT || t == data_type::FLOAT16 || t == data_type::DOUBLE;
}
constexpr bool is_signed(int t) noexcept {
  return t == data_type::INT2 || t == data_type::INT4 || t == data_type::INT8 || t == data_type::INT16 ||
      t == data_type::INT32 || t == data_type::INT64;
}
/// Types that quantized tensors have.
constexpr bool is_code(int t) noexcept { return !is_real(t) && t != data_type::BOOL && bits_of(t) >= 2 && bits_of(t) <= 16; }
constexpr qformat format_of(int t) noexcept { return {static_cast<uint8_t>(bits_of(t)), is_signed(t)}; }

using shape_list = std::vector<int>;

inline size_t count_of(const shape_list& shape) noexcept {
  size_t n = 1;
  for (const int e : shape) n *= static_cast<size_t>(e);
  return n;
}
inline std::string text_of(const shape_list& shape) {
  std::string s = "[";
  for (size_t a = 0; a < shape.size(); ++a) s += joined(a != 0 ? ", " : "", shape[a]);
  return s + "]";
}

/// Numbers known at import: reals for the float types, integers for all others (64-bit ones are held at
/// the ends of 32 bits).
struct constant {
  int type = data_type::FLOAT;
  shape_list shape{};
  std::vector<float> reals{};
  std::vector<int32_t> integers{};

  size_t count() const noexcept { return count_of(shape); }
};

/// Elements of a tensor's raw bytes.
template <class T, class Out>
void copy_raw(const std::string& raw, std::vector<Out>& out) {
  for (size_t i = 0; i < out.size(); ++i) {
    T v;
    std::memcpy(&v, raw.data() + i * sizeof(T), sizeof(T));
    if constexpr (std::is_same_v<T, int64_t>) out[i] = saturate<int32_t>(v);
    else out[i] = static_cast<Out>(v);
  }
}

/// The shape alone: each extent from 1 on, and their product below 2^31. `fail` is f(what, cure).
template <class Dims, class Fail>
shape_list checked_shape(const Dims& dims, const Fail& fail, bool may_be_empty = false) {
  shape_list shape;
  if (dims.size() > max_rank) fail(joined("has ", dims.size(), " axes"), "use tensors of up to 6 axes");
  int64_t count = 1;
  for (const int64_t e : dims) {
    if (e < 0 || (e == 0 && !may_be_empty)) fail(joined("has an extent of ", e), "give extents from 1 on");
    if (e > highest_of<int32_t> || count * e > highest_of<int32_t>) fail("has more than 2^31 - 1 elements", "split it");
    count *= e;
    shape.push_back(static_cast<int>(e));
  }
  return shape;
}

/// Everything about a constant is checked before memory for it is taken.
template <class Fail>
constant decode(const schema::TensorProto& t, const Fail& fail) {
  constant c;
  c.type = t.data_type();
  const int bits = bits_of(c.type);
  if (t.data_location() == schema::TensorProto_DataLocation_EXTERNAL || t.external_data_size() != 0)
    fail("is stored in another file", "save the model as one file");
  if (t.has_segment()) fail("is stored in segments", "export the model again");
  if (t.string_data_size() != 0 || bits == 0)
    fail(joined("has the type ", type_name(c.type)), "use float, int64, int32 or a type of 2 to 16 bits");
  c.shape = checked_shape(t.dims(), fail, true);
  const size_t n = c.count(), stored = static_cast<size_t>(bits) * n;
  const int forms = (t.has_raw_data() && !t.raw_data().empty() ? 1 : 0) + (t.float_data_size() != 0 ? 1 : 0) +
      (t.int32_data_size() != 0 ? 1 : 0) + (t.int64_data_size() != 0 ? 1 : 0) + (t.double_data_size() != 0 ? 1 : 0) +
      (t.uint64_data_size() != 0 ? 1 : 0);
  if (forms > 1) fail("has its data in two forms at once", "export the model again");
  const auto expect = [&](size_t found, size_t needed) {
    if (found != needed) fail(joined("has ", found, " entries of data instead of ", needed), "export the model again");
  };

  if (t.has_raw_data() && forms != 0 && !t.raw_data().empty()) {
    const std::string& raw = t.raw_data();
    if (raw.size() != (stored + 7) / 8)
      fail(joined("has ", raw.size(), " bytes of data instead of ", (stored + 7) / 8), "export the model again");
    if (is_real(c.type)) c.reals.resize(n);
    else c.integers.resize(n);
    switch (c.type) {
      case data_type::FLOAT: copy_raw<float>(raw, c.reals); break;
      case data_type::DOUBLE: copy_raw<double>(raw, c.reals); break;
      case data_type::FLOAT16:
        copy_raw<uint16_t>(raw, c.reals);
        for (float& v : c.reals) v = half_to_float(static_cast<uint16_t>(v));
        break;
      case data_type::INT8: copy_raw<int8_t>(raw, c.integers); break;
      case data_type::UINT8:
      case data_type::BOOL: copy_raw<uint8_t>(raw, c.integers); break;
      case data_type::INT16: copy_raw<int16_t>(raw, c.integers); break;
      case data_type::UINT16: copy_raw<uint16_t>(raw, c.integers); break;
      case data_type::INT32: copy_raw<int32_t>(raw, c.integers); break;
      case data_type::INT64: copy_raw<int64_t>(raw, c.integers); break;
      default:
        for (size_t i = 0; i < n; ++i) {
          const size_t at = i * static_cast<size_t>(bits);
          const auto byte = static_cast<unsigned char>(raw[at / 8]);
          c.integers[i] = format_of(c.type).decode(static_cast<uint32_t>(byte >> at % 8) & ((1u << bits) - 1u));
        }
    }
  } else if (c.type == data_type::FLOAT) {
    expect(static_cast<size_t>(t.float_data_size()), n);
    c.reals.assign(t.float_data().begin(), t.float_data().end());
  } else if (c.type == data_type::DOUBLE) {
    expect(static_cast<size_t>(t.double_data_size()), n);
    for (const double v : t.double_data()) c.reals.push_back(static_cast<float>(v));
  } else if (c.type == data_type::INT64) {
    expect(static_cast<size_t>(t.int64_data_size()), n);
    for (const int64_t v : t.int64_data()) c.integers.push_back(saturate<int32_t>(v));
  } else if (bits < 8) {
    expect(static_cast<size_t>(t.int32_data_size()), (stored + 7) / 8);
    for (size_t i = 0; i < n; ++i) {
      const size_t at = i * static_cast<size_t>(bits);
      const auto byte = static_cast<uint32_t>(t.int32_data(static_cast<int>(at / 8)));
      c.integers.push_back(format_of(c.type).decode(byte >> at % 8 & ((1u << bits) - 1u)));
    }
  } else {
    expect(static_cast<size_t>(t.int32_data_size()), n);
    for (const int32_t v : t.int32_data()) {
      if (c.type == data_type::FLOAT16) {
        c.reals.push_back(half_to_float(static_cast<uint16_t>(v)));
        continue;
      }
      if (is_code(c.type) && (v < format_of(c.type).lowest() || v > format_of(c.type).highest()))
        fail(joined("has the value ", v, ", which is outside of its type"), "export the model again");
      c.integers.push_back(v);
    }
  }
  return c;
}

}  // namespace lowbits::onnx
