// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Runs a float model on sample data and notes what quantization needs to know about each tensor:
// its range, and which values and channels are ever active.

#include <lowbits/hosted/float_executor.hpp>
#include <lowbits/hosted/observer.hpp>
#include <lowbits/hosted/progress.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// One tensor per input of the model.
using sample = std::vector<float_tensor>;

/// What was seen of one node's output.
struct tensor_facts {
  value_range range{};
  uint64_t values = 0;
  uint64_t not_finite = 0;  ///< NaN or infinite
  uint64_t not_zero = 0;
  std::vector<uint64_t> channel_not_zero{};  ///< nodes with weights only

  bool is_dead() const noexcept { return not_zero == 0; }
  void count(const float_tensor& y) {
    values += y.size();
    for (size_t k = 0; k < y.size(); ++k) {
      const unsigned alive = fp::is_zero(y[k]) ? 0 : 1;
      not_zero += alive;
      not_finite += fp::is_finite(y[k]) ? 0u : 1u;
      if (!channel_not_zero.empty()) channel_not_zero[k % channel_not_zero.size()] += alive;
    }
  }
};

struct calibration {
  std::vector<tensor_facts> nodes;  ///< as the model's nodes
  size_t samples = 0;
};

inline calibration calibrate(const float_model& m, std::span<const sample> samples,
                             const observer_factory& make = make_min_max_observer,
                             const progress& report = {}) {
  if (samples.empty())
    refuse("calibrate", "there are no samples", "give some inputs that look like those in use");
  calibration c{std::vector<tensor_facts>(m.size()), samples.size()};
  std::vector<std::unique_ptr<range_observer>> observers;
  for (size_t i = 0; i < m.size(); ++i) {
    const float_node& n = m[static_cast<int>(i)];
    observers.push_back(make());
    if (has_weights(n.kind))
      c.nodes[i].channel_not_zero.resize(static_cast<size_t>(channels_of(n)));
  }

  for (size_t s = 0; s < samples.size(); ++s) {
    const std::vector<float_tensor> values = run(m, samples[s]);
    for (size_t i = 0; i < m.size(); ++i) {
      observers[i]->see(values[i]);
      c.nodes[i].count(values[i]);
    }
    if (report) report("calibrating", s + 1, samples.size());
  }
  for (size_t i = 0; i < m.size(); ++i) c.nodes[i].range = observers[i]->range();
  return c;
}

}  // namespace lowbits
