// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What a tensor of a .onnx file is while it is imported. Operators between DequantizeLinear and
// QuantizeLinear know how their output is quantized only when the latter comes; until then they are
// deferred. ONNX images are [n][c][h][w], those of the graph [n][h][w][c]: a tensor may have either
// form, and gets the other one where an operator asks for it.

#include <functional>
#include <memory>

#include <lowbits/hosted/onnx/tensor.hpp>
#include <lowbits/op/imported_ops.hpp>

namespace lowbits::inline LOWBITS_ABI::onnx {

/// A tensor in the graph: `plain` has the axes of the file; `image` is [n][h][w][c] of a file's [n][c][h][w],
/// or [n][1][l][c] of its [n][c][l]. An edge without a node is not there (yet).
struct stored {
  edge plain{}, image{};
  bool is_there() const noexcept { return plain.node >= 0 || image.node >= 0; }
  edge any() const noexcept { return plain.node >= 0 ? plain : image; }
};

/// Which scale element i of a tensor has: one per index of an axis, or per block of them.
inline imported::scale_index scale_index_of(const shape_list& shape, int axis, int block) noexcept {
  imported::scale_index s{1, static_cast<size_t>(shape[static_cast<size_t>(axis)]), static_cast<size_t>(block)};
  for (size_t a = static_cast<size_t>(axis) + 1; a < shape.size(); ++a) s.inner *= static_cast<size_t>(shape[a]);
  return s;
}

/// A constant behind DequantizeLinear: codes and what they stand for.
struct quantized_constant {
  std::shared_ptr<const constant> codes{};
  std::vector<float> scales{};
  std::vector<int> zeros{};  ///< as many as scales
  int axis = 0;              ///< of the scales, where there is more than one
  int block = 0;             ///< elements along the axis that share a scale; 0: all have the index's own

  bool is_per_tensor() const noexcept { return scales.size() == 1; }
  /// Which scale element i has.
  size_t scale_of(size_t i) const noexcept {
    return is_per_tensor() ? 0 : scale_index_of(codes->shape, axis, block)(i);
  }
};

/// How QuantizeLinear wants a result.
struct target {
  qformat format{};
  affine params{};
  activation fused = activation::none;
};

/// The real number that goes into a chain, to the one that comes out.
using real_map = std::function<float(float)>;

struct value;

/// An operator whose node is not made yet.
struct deferred {
  /// The result as codes; nothing there where that is not possible.
  std::function<stored(const target&)> as_codes{};
  /// The result as floats.
  std::function<stored()> as_reals{};
  /// The same operator with a bias for each output channel, which counts on the axis channel_axis.
  std::function<std::shared_ptr<deferred>(const value& bias)> with_bias{};
  int channel_axis = -1;
  /// Bounds behind the operator: Relu and Clip.
  float lowest = -std::numeric_limits<float>::infinity(), highest = std::numeric_limits<float>::infinity();
  /// Where it is one number to one number: from the codes of `base`.
  std::vector<real_map> chain{};
  stored base{};
  std::string kind{};  ///< of its last operator, for notes
};

/// A result of DynamicQuantizeLinear and of what is computed from it; see dynamic.hpp.
struct dynamic_value;

struct value {
  std::string name{};
  int type = data_type::FLOAT;
  shape_list shape{};

  std::shared_ptr<const constant> known{};
  std::shared_ptr<const quantized_constant> quantized{};  ///< type is FLOAT
  stored codes{};  ///< where the type is FLOAT, the codes behind DequantizeLinear
  stored reals{};
  std::shared_ptr<deferred> later{};
  std::shared_ptr<dynamic_value> dynamic{};
  value* flattened = nullptr;  ///< all axes of this image but the first in one, and not made yet

  int rank() const noexcept { return static_cast<int>(shape.size()); }
  int extent(int a) const noexcept { return shape[static_cast<size_t>(a)]; }
  size_t count() const noexcept { return count_of(shape); }
  bool is_constant() const noexcept { return known != nullptr || quantized != nullptr; }
  bool is_float() const noexcept { return type == data_type::FLOAT; }
  /// A float tensor that an integer operator can read.
  bool has_codes() const noexcept {
    if (flattened != nullptr && !reals.is_there()) return flattened->has_codes();
    return is_float() && (codes.is_there() || (quantized != nullptr && quantized->is_per_tensor() && is_code(quantized->codes->type)));
  }
};

/// The real numbers of a constant.
inline std::vector<float> reals_of(const value& v) {
  if (v.known != nullptr) return v.known->reals;
  const quantized_constant& q = *v.quantized;
  std::vector<float> out(q.codes->count());
  for (size_t i = 0; i < out.size(); ++i) {
    const size_t s = q.scale_of(i);
    out[i] = fp::product(static_cast<float>(int64_t{q.codes->integers[i]} - q.zeros[s]), q.scales[s]);
  }
  return out;
}

}  // namespace lowbits::onnx
