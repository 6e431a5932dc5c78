// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A tensor of a .tflite file as values: shape, type, quantization, and the bytes of a constant.

#include <cstring>

#include <lowbits/hosted/tflite/file.hpp>
#include <lowbits/op/infer.hpp>

namespace lowbits::inline LOWBITS_ABI::tflite {

using schema::TensorType;

struct tensor {
  int index = 0;
  std::string name{};
  TensorType type = TensorType::FLOAT32;
  std::vector<int> shape{};  ///< as the file has it; a scalar has no extents
  size_t count = 1;          ///< elements
  std::vector<float> scales{};
  std::vector<int64_t> zero_points{};
  int axis = 0;  ///< of the scales, where there is more than one
  bool is_variable = false;
  std::span<const unsigned char> bytes{};  ///< empty: not a constant

  bool is_constant() const noexcept { return !bytes.empty(); }
  bool is_float() const noexcept { return type == TensorType::FLOAT32; }
  bool is_quantized() const noexcept { return !scales.empty(); }
  int rank() const noexcept { return static_cast<int>(shape.size()); }
  int extent(int a) const noexcept { return shape[static_cast<size_t>(a)]; }
  std::string type_name() const { return schema::EnumNameTensorType(type); }
};

/// Bits of one element; 0 for types that have no size.
constexpr int bits_of(TensorType t) noexcept {
  switch (t) {
    case TensorType::INT2: return 2;
    case TensorType::INT4:
    case TensorType::UINT4: return 4;
    case TensorType::INT8:
    case TensorType::UINT8:
    case TensorType::BOOL: return 8;
    case TensorType::INT16:
    case TensorType::UINT16:
    case TensorType::FLOAT16:
    case TensorType::BFLOAT16: return 16;
    case TensorType::FLOAT32:
    case TensorType::INT32:
    case TensorType::UINT32: return 32;
    case TensorType::INT64:
    case TensorType::UINT64:
    case TensorType::FLOAT64: return 64;
    default: return 0;
  }
}

/// The verifier does not look at the alignment of elements of 8 bytes.
inline int64_t wide_element(const flatbuffers::Vector<int64_t>& v, uint32_t i) noexcept {
  int64_t value;
  std::memcpy(&value, v.Data() + i * sizeof value, sizeof value);
  return flatbuffers::EndianScalar(value);
}

inline constexpr size_t longest_name = 400;  ///< of tensors; the rest is dropped

/// Tensor i of the file, with everything checked that does not depend on its use. `where` names the
/// operator that asks.
inline tensor read_tensor(const model_file& file, int i, const std::string& where) {
  const auto& all = *file.graph().tensors();
  if (i < 0 || static_cast<uint32_t>(i) >= all.size())
    file.fail(joined("tensor ", i, " does not exist"), "export the model again", where);
  const schema::Tensor& t = *all.Get(static_cast<uint32_t>(i));
  tensor out{.index = i, .name = joined("tensor_", i)};
  if (t.name() != nullptr && t.name()->size() != 0)
    out.name = t.name()->str().substr(0, longest_name);
  const auto fail = [&](std::string_view what, std::string_view cure) {
    file.fail(joined("tensor ", i, " '", out.name.substr(0, 80), "' ", what), cure, where);
  };

  out.type = t.type();
  out.is_variable = t.is_variable();
  if (t.sparsity() != nullptr) fail("is sparse", "densify the model");
  if (t.shape() != nullptr) {
    if (t.shape()->size() > max_rank)
      fail(joined("has ", t.shape()->size(), " axes"), "use tensors of up to 6 axes");
    for (const int extent : *t.shape()) {
      if (extent < 1) fail(joined("has an extent of ", extent), "export it with fixed extents from 1 on");
      if (out.count > static_cast<size_t>(highest_of<int32_t>) / static_cast<size_t>(extent))
        fail("has more than 2^31 - 1 elements", "split it");
      out.count *= static_cast<size_t>(extent);
      out.shape.push_back(extent);
    }
  }

  if (const schema::QuantizationParameters* const q = t.quantization()) {
    if (q->details_type() != schema::QuantizationDetails::NONE)
      fail("is quantized in blocks or in a way of its own", "quantize it per tensor or channel");
    const uint32_t scales = q->scale() != nullptr ? q->scale()->size() : 0;
    const uint32_t zeros = q->zero_point() != nullptr ? q->zero_point()->size() : 0;
    if (zeros > 1 && zeros != scales)
      fail(joined("has ", scales, " scales and ", zeros, " zero points"), "export it again");
    for (uint32_t k = 0; k < scales; ++k) {
      const float s = q->scale()->Get(k);
      if (!fp::is_positive(s)) fail(joined("has a scale (number ", k, ") that is zero, negative, infinite or NaN"),
                                    "quantize the model again");
      out.scales.push_back(s);
    }
    for (uint32_t k = 0; k < (scales != 0 ? zeros : 0); ++k)
      out.zero_points.push_back(wide_element(*q->zero_point(), k));
    out.axis = q->quantized_dimension();
    if (out.scales.size() > 1 &&
        (out.axis < 0 || out.axis >= out.rank() ||
         static_cast<size_t>(out.extent(out.axis)) != out.scales.size()))
      fail(joined("has ", scales, " scales, but not along axis ", out.axis), "export it again");
  }

  out.bytes = file.buffer(t.buffer());
  if (out.is_constant()) {
    const int bits = bits_of(out.type);
    if (bits == 0) fail(joined("has the type ", out.type_name()), "use numbers");
    const size_t needed = (out.count * static_cast<size_t>(bits) + 7) / 8;
    if (out.bytes.size() != needed)
      fail(joined("has ", out.bytes.size(), " bytes of data instead of ", needed), "export it again");
  }
  return out;
}

/// The elements of a constant.
template <class T>
std::vector<T> elements_of(const tensor& t) {
  std::vector<T> v(t.count);
  std::memcpy(v.data(), t.bytes.data(), t.count * sizeof(T));
  return v;
}

inline tensor_shape shape_of(const std::vector<int>& extents) noexcept {
  if (extents.empty()) return {1, {1}};
  tensor_shape s;
  for (const int e : extents) s.extent[s.rank++] = e;
  return s;
}

}  // namespace lowbits::tflite
