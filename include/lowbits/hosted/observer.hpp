// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Watches the values of one tensor over many runs and says which range its codes should cover. The
// result depends only on the values and their order.

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include <lowbits/core/fp.hpp>
#include <lowbits/hosted/float_model.hpp>

namespace lowbits::inline LOWBITS_ABI {

struct value_range {
  float lowest = 0;
  float highest = 0;
  constexpr bool operator==(const value_range&) const = default;
};

/// A rule that finds ranges. see() is called once per tensor and run; values that are NaN or
/// infinite are not for it to judge: it leaves them out.
class range_observer {
public:
  virtual ~range_observer() = default;
  virtual void see(std::span<const float> values) = 0;
  /// {0, 0} before the first finite value.
  virtual value_range range() const = 0;
};
using observer_factory = std::function<std::unique_ptr<range_observer>()>;

/// The smallest and the largest value: nothing that was seen is cut off.
class min_max_observer final : public range_observer {
public:
  void see(std::span<const float> values) override {
    for (float v : values) {
      if (!fp::is_finite(v)) continue;
      if (!any_) range_ = {v, v};
      any_ = true;
      range_ = {smaller(range_.lowest, v), larger(range_.highest, v)};
    }
  }
  value_range range() const override { return range_; }

private:
  value_range range_{};
  bool any_ = false;
};

inline std::unique_ptr<range_observer> make_min_max_observer() {
  return std::make_unique<min_max_observer>();
}

/// Which element of a weight tensor belongs to which output channel: depthwise weights have the
/// channels innermost, all others outermost.
struct weight_axis {
  size_t channels = 1;
  size_t depth = 1;  ///< weights of one channel
  bool innermost = false;

  static weight_axis of(const float_node& n) {
    const auto channels = static_cast<size_t>(channels_of(n));
    return {channels, n.weights.size() / channels, n.kind == op_kind::depthwise};
  }
  constexpr size_t at(size_t channel, size_t k) const noexcept {
    return innermost ? k * channels + channel : channel * depth + k;
  }
};

/// The range of each output channel's weights.
inline std::vector<value_range> channel_ranges(const float_node& n) {
  const weight_axis axis = weight_axis::of(n);
  std::vector<value_range> ranges(n.weights.empty() ? 0 : axis.channels);
  for (size_t c = 0; c < ranges.size(); ++c) {
    min_max_observer o;
    for (size_t k = 0; k < axis.depth; ++k) o.see({&n.weights[axis.at(c, k)], 1});
    ranges[c] = o.range();
  }
  return ranges;
}

}  // namespace lowbits
