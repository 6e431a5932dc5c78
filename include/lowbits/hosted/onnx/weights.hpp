// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Weights and biases of layers: from the file's order and types to the graph's.

#include <lowbits/hosted/onnx/codes.hpp>
#include <lowbits/pack/layout.hpp>

namespace lowbits::inline LOWBITS_ABI::onnx {

struct layer_weights {
  weight_data data{};
  bool needs_wide = false;  ///< only 16-bit activations go with them
};

/// Weights in the order of axes `axes`; `channels` is the axis of the output channels in the file. Empty
/// where the graph has no such weights: blocks, or scales along another axis.
inline bool can_be_weights(const quantized_constant& q, int channels) noexcept {
  return is_code(q.codes->type) && q.block == 0 && (q.is_per_tensor() || q.axis == channels);
}
inline layer_weights weights_of(importer& m, const quantized_constant& q, const std::vector<int>& axes, float alpha = 1.0f) {
  layer_weights out;
  weight_data& w = out.data;
  const int type = q.codes->type;
  const qformat f = format_of(type);
  if (q.is_per_tensor()) {
    w.scale = fp::product(q.scales[0], alpha);
  } else {
    std::vector<float> scales;
    for (const float s : q.scales) scales.push_back(fp::product(s, alpha));
    w.scale_count = scales.size();
    w.scales = m.keep(std::move(scales));
  }
  std::vector<int32_t> codes = q.codes->integers;
  bool same_zero = true;
  for (const int z : q.zeros) same_zero = same_zero && z == q.zeros[0];
  int zero = q.zeros[0], lowest = f.lowest(), highest = f.highest();
  if (!same_zero) {
    lowest = highest = zero = 0;
    for (size_t i = 0; i < codes.size(); ++i) {
      codes[i] -= q.zeros[q.scale_of(i)];
      lowest = smaller(lowest, codes[i]);
      highest = larger(highest, codes[i]);
    }
  } else if (f.bits >= 8 && !f.is_signed) {
    const int middle = 1 << (f.bits - 1);
    for (int32_t& c : codes) c -= middle;
    lowest -= middle;
    highest -= middle;
    zero -= middle;
  }
  codes = permuted(codes, q.codes->shape, axes);
  w.zero_point = zero;
  if (f.bits < 8 && same_zero) {
    w.storage = weight_storage::packed;
    w.format = f;
    std::vector<uint8_t> bytes(packed_bytes(codes.size(), f.bits), 0);
    for (size_t i = 0; i < codes.size(); ++i) {
      const size_t at = i * f.bits;
      bytes[at / 8] = static_cast<uint8_t>(bytes[at / 8] | f.encode(codes[i]) << at % 8);
    }
    w.length = bytes.size();
    w.packed = m.keep(std::move(bytes));
  } else if (lowest >= -128 && highest <= 127) {
    w.storage = weight_storage::s8;
    w.format = {8, true};
    w.length = codes.size();
    w.s8 = m.keep(std::vector<int8_t>(codes.begin(), codes.end()));
  } else {
    m.require(lowest >= -32768 && highest <= 32767, "16-bit weights have a zero point per channel", "make them symmetric");
    w.storage = weight_storage::s16;
    w.format = {16, true};
    w.length = codes.size();
    w.s16 = m.keep(std::vector<int16_t>(codes.begin(), codes.end()));
    out.needs_wide = true;
  }
  return out;
}

/// The same weights with the axes of another shape; `axis` is that of the scales then.
inline quantized_constant with_view(const quantized_constant& q, const shape_list& shape, int axis) {
  quantized_constant out = q;
  constant c = *q.codes;
  c.shape = shape;
  out.codes = std::make_shared<const constant>(std::move(c));
  out.axis = axis;
  return out;
}

/// The weights as floats, in the same order.
inline weight_data real_weights(importer& m, const value& w, const shape_list& shape, const std::vector<int>& axes, float alpha = 1.0f) {
  std::vector<float> v = permuted(reals_of(w), shape, axes);
  if (alpha != 1.0f)
    for (float& x : v) x = fp::product(x, alpha);
  const size_t n = v.size();
  return {.storage = weight_storage::f32, .f32 = m.keep(std::move(v)), .length = n};
}

/// True where a layer on floats multiplies by the codes as they are; `channels` is the axis of its output channels.
inline bool can_stay_codes(const value& w, int channels, float alpha) {
  if (w.quantized == nullptr || !can_be_weights(*w.quantized, channels)) return false;
  for (const float s : w.quantized->scales)
    if (!fp::is_positive(fp::product(s, alpha))) return false;
  if (format_of(w.quantized->codes->type).bits < 16) return true;
  for (const int z : w.quantized->zeros)
    if (z != w.quantized->zeros[0]) return false;  // 17 bits
  return true;
}

/// A bias in units of the accumulator: from int32 codes whose scale is that unit as they are, from other
/// numbers the nearest. Of one number for all channels as many as there are channels.
inline std::vector<int64_t> bias_codes(importer& m, const value& b, const weight_data& w, float x_scale, float beta, int channels) {
  const std::vector<float> reals = reals_of(b);
  std::vector<int64_t> out;
  for (size_t c = 0; c < static_cast<size_t>(channels); ++c) {
    const size_t i = reals.size() == 1 ? 0 : c;
    const double unit = static_cast<double>(x_scale) * static_cast<double>(w.scale_of(c));
    if (b.quantized != nullptr && beta == 1.0f) {
      const double own = static_cast<double>(b.quantized->scales[b.quantized->scale_of(i)]);
      if (own > unit * 0.999999 && own < unit * 1.000001) {
        out.push_back(int64_t{b.quantized->codes->integers[i]} - b.quantized->zeros[b.quantized->scale_of(i)]);
        continue;
      }
    }
    const double steps = static_cast<double>(reals[i]) * static_cast<double>(beta) / unit;
    m.require(steps > -1e15 && steps < 1e15, "a bias is not finite, or far beyond what its layer can sum", "quantize the model again");
    out.push_back(static_cast<int64_t>(steps < 0 ? steps - 0.5 : steps + 0.5));
  }
  return out;
}
/// With 32 bits where they suffice. `wide` is set where they do not.
inline bias_data bias_of(importer& m, const std::vector<int64_t>& codes, bool& wide) {
  bias_data b;
  if (codes.empty()) return b;
  b.length = codes.size();
  for (const int64_t c : codes) b.is_wide = b.is_wide || c < lowest_of<int32_t> || c > highest_of<int32_t>;
  wide = wide || b.is_wide;
  if (b.is_wide) b.s64 = m.keep(codes);
  else b.s32 = m.keep(std::vector<int32_t>(codes.begin(), codes.end()));
  return b;
}
inline bias_data real_bias(importer& m, const value* b, float beta, int channels) {
  bias_data out;
  if (b == nullptr) return out;
  std::vector<float> v = reals_of(*b);
  if (v.size() == 1) v.assign(static_cast<size_t>(channels), v[0]);
  for (float& x : v) x = fp::product(x, beta);
  out.length = v.size();
  out.is_real = true;
  out.f32 = m.keep(std::move(v));
  return out;
}

}  // namespace lowbits::onnx
