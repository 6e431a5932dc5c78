// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A quantized network made at run time: the same builder that programs fill at compile time, the
// arrays it points to, and what was noticed on the way.

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include <lowbits/hosted/model_error.hpp>
#include <lowbits/hosted/quantize_weights.hpp>
#include <lowbits/hosted/stored_graph.hpp>
#include <lowbits/pack/packed_view.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Things that cost accuracy or hint at a mistake. Nothing of this kind happens without a note.
enum class finding : uint8_t {
  dead_tensor,   ///< zero for every sample
  dead_channel,  ///< an output channel that is zero for every sample
  dead_weights,  ///< an output channel whose weights are all zero
  saturated,     ///< values outside the range of the codes
  raised_scale,  ///< a weight scale made coarser so that the bias fits
  held_bias,     ///< a bias beyond 32 bits
};

struct quantization_note {
  finding what{};
  std::string node{};
  std::string text{};  ///< a sentence with the numbers
};

/// How well the weights of a layer are represented, scales before correct.hpp.
struct layer_summary {
  std::string node{};
  int bits = 8;
  size_t weights = 0;
  size_t clipped = 0;
  double signal = 0, noise = 0;  ///< sums of squares
};

class quantized_model : public stored_graph {
public:
  using stored_graph::keep;

  /// Keeps the codes (packed unless they have 8 or 16 bits) and scales for as long as this object lives.
  weight_data keep(const quantized_weights& w) {
    weight_data d{.format = w.format, .scales = keep(w.scales), .scale_count = w.scales.size()};
    if (w.format.bits == 8) {
      d.storage = weight_storage::s8;
      d.s8 = keep(std::vector<int8_t>(w.codes.begin(), w.codes.end()));
      d.length = w.codes.size();
    } else if (w.format.bits == 16) {
      d.storage = weight_storage::s16;
      d.s16 = keep(w.codes);
      d.length = w.codes.size();
    } else {
      std::vector<uint8_t> bytes(packed_bytes(w.codes.size(), w.format.bits));
      for (size_t i = 0; i < w.codes.size(); ++i)
        detail::store_code(bytes.data(), i, w.format.bits, w.format.encode(w.codes[i]));
      d.storage = weight_storage::packed;
      d.length = bytes.size();
      d.packed = keep(std::move(bytes));
    }
    return d;
  }
  /// One bias per channel; `wide` ones have 64 bits, others must fit in 32.
  bias_data keep(const std::vector<int64_t>& bias, bool wide) {
    bias_data d;
    d.length = bias.size();
    d.is_wide = wide;
    if (wide) d.s64 = keep(bias);
    else d.s32 = keep(std::vector<int32_t>(bias.begin(), bias.end()));
    return d;
  }

  std::vector<quantization_note> notes{};
  std::vector<layer_summary> layers{};
};

/// One line per layer with weights, and one per note; for terminals and the heads of files.
inline std::vector<std::string> summary(const quantized_model& q) {
  std::vector<std::string> lines;
  for (const layer_summary& l : q.layers) {
    char numbers[120];
    const double sqnr = l.noise > 0 ? 10 * std::log10(l.signal / l.noise) : 0;
    std::snprintf(numbers, sizeof numbers, ": %zu weights in %d bits, SQNR %.1f dB, %zu clipped",
                  l.weights, l.bits, sqnr, l.clipped);
    lines.push_back(l.node + numbers);
  }
  for (const quantization_note& n : q.notes)
    lines.push_back(joined("note: ", n.node, ": ", n.text));
  return lines;
}

}  // namespace lowbits
