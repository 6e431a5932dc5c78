// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// From accumulators to output codes: rescale, add the zero point, clamp. The fused activation is a
// narrower clamp.
//
//   q = clamp(Rounding(acc * in_scale * weight_scale / out_scale) + zero_point, lowest, highest)

#include <span>

#include <lowbits/core/status.hpp>
#include <lowbits/fixed/rounding.hpp>
#include <lowbits/quant/qparams.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Activations that are only a clamp of the output, fused into whatever produces it.
enum class activation : uint8_t { none, relu, relu6, relu_n1_to_1 };

/// The codes an output may take: [lowest, highest].
struct code_range {
  int lowest = 0;
  int highest = 0;
  constexpr bool operator==(const code_range&) const = default;
};

/// The codes of q that stand for the reals an activation lets through. A bound's code is
/// zero_point + nearest(bound / scale), ties away from zero (TFLite's rule). The quotient is rounded
/// to float, but by integers: the float environment has no influence.
constexpr code_range clamp_codes(activation fused, const qformat& q, const affine& p) noexcept {
  const auto code = [&](float bound) {
    const float quotient = (real::from(fp::from_bits(fp::magnitude_bits(bound))) / real::from(p.scale)).to_float();
    const int64_t steps = fp::to_nearest<fp::tie::away_from_zero>(quotient);
    const int64_t c = (fp::is_negative(bound) ? -steps : steps) + p.zero_point;
    return static_cast<int>(clamp<int64_t>(c, q.lowest(), q.highest()));
  };
  switch (fused) {
    case activation::relu: return {code(0.0f), q.highest()};
    case activation::relu6: return {code(0.0f), code(6.0f)};
    case activation::relu_n1_to_1: return {code(-1.0f), code(1.0f)};
    case activation::none: break;
  }
  return {q.lowest(), q.highest()};
}

/// What happens behind the multiplier: the same for every channel of an output.
struct output_stage {
  int zero_point = 0;
  int lowest = -128;   ///< lowest and highest code after the fused activation
  int highest = 127;

  constexpr bool operator==(const output_stage&) const = default;
  static constexpr output_stage of(const qformat& q, const affine& p, activation fused = activation::none) noexcept {
    const code_range r = clamp_codes(fused, q, p);
    return {p.zero_point, r.lowest, r.highest};
  }
  /// rescaled + zero_point, clamped; cannot overflow for any rescaled.
  constexpr int operator()(int32_t rescaled) const noexcept {
    return clamp<int32_t>(rescaled, lowest - zero_point, highest - zero_point) + zero_point;
  }
};

/// One multiplier for the whole output.
template <quantized_type Out, rounding_policy Rounding = round_single>
struct requantizer {
  using output = Out;
  using policy = Rounding;
  typename Rounding::multiplier factor{};
  output_stage stage{};

  constexpr bool operator==(const requantizer&) const = default;
  constexpr typename Rounding::multiplier multiplier() const noexcept { return factor; }
  template <class Acc>
  constexpr typename Out::storage operator()(Acc acc, size_t /*channel*/ = 0) const noexcept {
    return static_cast<typename Out::storage>(stage(Rounding::apply(acc, factor)));
  }
};

/// One multiplier per output channel; the table outlives the object. Where all are equal, a mask of 0
/// makes one entry serve every channel, for code that does not read the table as a vector.
template <quantized_type Out, rounding_policy Rounding = round_single>
struct channel_requantizer {
  using output = Out;
  using policy = Rounding;
  const typename Rounding::multiplier* factors = nullptr;
  output_stage stage{};
  size_t mask = ~size_t{0};

  template <class Acc>
  constexpr typename Out::storage operator()(Acc acc, size_t channel) const noexcept {
    return static_cast<typename Out::storage>(stage(Rounding::apply(acc, factors[channel & mask])));
  }
};

/// The requantizer from in * weight accumulators to out codes, computed without floating point.
template <quantized_type Out, rounding_policy Rounding = round_single>
constexpr requantizer<Out, Rounding> make_requantizer(const affine& in, const affine& weight, const affine& out,
                                                      activation fused = activation::none) noexcept {
  return {Rounding::multiplier::from(scale_ratio(in.scale, weight.scale, out.scale)),
          output_stage::of(qformat::of<Out>(), out, fused)};
}

/// Multipliers for the channels of a weight tensor (weight_scales has 1 or factors.size() entries).
template <rounding_policy Rounding = round_single>
constexpr status make_multipliers(float in_scale, std::span<const float> weight_scales, float out_scale,
                                  std::span<typename Rounding::multiplier> factors) noexcept {
  if (weight_scales.size() != factors.size() && weight_scales.size() != 1) return status::wrong_size;
  if (!fp::is_positive(in_scale) || !fp::is_positive(out_scale)) return status::bad_value;
  for (float s : weight_scales)
    if (!fp::is_positive(s)) return status::bad_value;
  for (size_t i = 0; i < factors.size(); ++i) {
    const float w = weight_scales[weight_scales.size() == 1 ? 0 : i];
    factors[i] = Rounding::multiplier::from(scale_ratio(in_scale, w, out_scale));
  }
  return status::ok;
}

/// q[i] = rq(acc[i], i % channels).
template <class Acc, class Requantizer>
constexpr status requantize(std::span<const Acc> acc, const Requantizer& rq,
                            std::span<typename Requantizer::output::storage> q, size_t channels = 1) noexcept {
  if (acc.size() != q.size() || channels == 0 || acc.size() % channels != 0) return status::wrong_size;
  for (size_t i = 0; i < acc.size(); i += channels)
    for (size_t c = 0; c < channels; ++c) q[i + c] = rq(acc[i + c], c);
  return status::ok;
}

}  // namespace lowbits
