// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// From a float model and its calibration to a quantized model:
//
//   const lb::calibration c = lb::calibrate(model, samples);
//   const lb::quantized_model q = lb::quantize_model(model, c, samples, {.weight_bits = 4});
//
// Layers are taken in order. Each one is run on the samples as it will be, its inputs and weights
// being rounded, and its scales and biases are corrected by the result. Every kind of node a float
// model can have becomes an integer operation: no part is left in floats.

#include <cmath>

#include <lowbits/hosted/activation_params.hpp>
#include <lowbits/hosted/correct.hpp>
#include <lowbits/hosted/padding_of.hpp>
#include <lowbits/hosted/quantized_model.hpp>

namespace lowbits::inline LOWBITS_ABI {

class model_quantizer {
public:
  model_quantizer(const float_model& m, const calibration& c, std::span<const sample> samples,
                  const quantization_recipe& r, const progress& report)
      : source_(m), facts_(c), samples_(samples), recipe_(r), report_(report), simulated_(m),
        desc_(choose_parameters(m, c, r)) {
    if (simulates() && samples.empty())
      refuse("quantize_model", "there are no samples to correct scales and biases with",
             "give samples, or set fit_scales and correct_bias to false");
    for (const sample& s : samples) check_inputs(m, s);
  }

  quantized_model run() {
    exact_.resize(source_.size());
    rounded_.resize(source_.size());
    last_use_ = last_uses();
    for (int i = 0; i < static_cast<int>(source_.size()); ++i) {
      check_range(i);
      append(i);
      require_ok(result_.graph().error());
      if (report_) report_("quantizing", static_cast<size_t>(i) + 1, source_.size());
    }
    for (int i : source_.outputs()) result_.graph().output({i});
    require_ok(result_.graph().verdict());
    return std::move(result_);
  }

private:
  const affine& params(int i) const { return desc_[static_cast<size_t>(i)].params; }
  const tensor_facts& facts(int i) const { return facts_.nodes[static_cast<size_t>(i)]; }
  void note(finding what, int i, const std::string& text) {
    result_.notes.push_back({what, source_[i].name, text});
  }

  void check_range(int i) {
    const float_node& n = source_[i];
    const tensor_desc& d = desc_[static_cast<size_t>(i)];
    if (facts(i).is_dead())
      note(finding::dead_tensor, i,
           joined("the output is zero for all ", facts_.samples, " samples"));
    if (n.kind == op_kind::softmax) return;
    const auto real = [&](int code) {
      return static_cast<double>(code - d.params.zero_point) * static_cast<double>(d.params.scale);
    };
    const double low = real(d.format.lowest()), high = real(d.format.highest()),
                 half = 0.5 * static_cast<double>(d.params.scale);
    const value_range& seen = facts(i).range;
    if (static_cast<double>(seen.lowest) < low - half ||
        static_cast<double>(seen.highest) > high + half)
      note(finding::saturated, i,
           joined("values from ", short_text(static_cast<double>(seen.lowest)), " to ",
                  short_text(static_cast<double>(seen.highest)), " exceed the codes' ",
                  short_text(low), " to ", short_text(high)));
  }

  // ---- layers with weights

  /// The weights of node i as codes, with scales that let its bias fit in 32 bits.
  quantized_weights weights_of(int i) {
    const float_node& n = source_[i];
    const float in = params(n.in[0]).scale;
    std::vector<float> floors;
    if (!has_wide_bias())
      for (float b : n.bias)
        floors.push_back(
            fp::quotient(fp::quotient(fp::from_bits(fp::magnitude_bits(b)), in), 1073741824.0f));
    quantized_weights w = quantize_weights(n, recipe_.weight_bits, floors);
    float coarsest = 0;
    for (float s : w.scales) coarsest = larger(coarsest, s);
    for (size_t c : w.dead) {
      w.scales[c] = coarsest > 0 ? coarsest : 1.0f;  // only the bias uses it
      if (c < floors.size()) w.scales[c] = larger(w.scales[c], floors[c]);
      note(finding::dead_weights, i, joined("all weights of output channel ", c, " are zero"));
    }
    for (size_t c : w.raised)
      note(finding::raised_scale, i,
           joined("channel ", c, " has tiny weights and a large bias; its weights become coarser"));
    for (size_t c = 0; c < facts(i).channel_not_zero.size(); ++c)
      if (facts(i).channel_not_zero[c] == 0 && !facts(i).is_dead())
        note(finding::dead_channel, i, joined("output channel ", c, " is zero for all samples"));
    result_.layers.push_back(
        {n.name, recipe_.weight_bits, w.codes.size(), w.clipped, w.signal, w.noise});
    return w;
  }
  bool fits_scales() const { return recipe_.fit_scales && recipe_.weight_bits < 8; }
  bool simulates() const { return fits_scales() || recipe_.correct_bias; }
  bool is_wide() const { return recipe_.activation_bits > 8; }
  bool has_wide_bias() const { return is_wide() || recipe_.weight_bits > 8; }

  /// Replaces the simulated layer's weights by what the codes stand for.
  void simulate_weights(int i, const quantized_weights& w) {
    float_node& n = simulated_[i];
    const weight_axis axis = weight_axis::of(n);
    for (size_t c = 0; c < axis.channels; ++c)
      for (size_t k = 0; k < axis.depth; ++k)
        n.weights[axis.at(c, k)] =
            fp::product(static_cast<float>(w.codes[axis.at(c, k)]), w.scales[c]);
  }

  /// The bias of a layer as codes, moved by `shift`; outputs, the simulated ones in front of the
  /// activation, move with it.
  std::vector<int64_t> bias_of(int i, const quantized_weights& w, std::vector<double> shift,
                               sample_outputs& outputs) {
    const float_node& n = source_[i];
    const size_t channels = w.scales.size();
    std::vector<int64_t> codes(channels);
    for (size_t c = 0; c < channels; ++c) {
      const double before = n.bias.empty() ? 0.0 : static_cast<double>(n.bias[c]);
      const double step =
          static_cast<double>(params(n.in[0]).scale) * static_cast<double>(w.scales[c]);
      const double code = std::nearbyint((before + shift[c]) / step),
                   limit = has_wide_bias() ? 4e18 : 2147483647.0;
      if (std::fabs(code) > limit)
        note(finding::held_bias, i,
             joined("the bias of channel ", c, " exceeds its type by a factor of ",
                    short_text(std::fabs(code) / limit)));
      codes[c] = static_cast<int64_t>(clamp(code, -limit, limit));
      shift[c] = std::fma(static_cast<double>(codes[c]), step, -before);
    }
    for (float_tensor& y : outputs)
      for (size_t k = 0; k < y.size(); ++k)
        y[k] = static_cast<float>(static_cast<double>(y[k]) + shift[k % channels]);
    return codes;
  }

  // ---- the samples, as the integer network will see them

  /// [node][sample]; nodes that are read no more are empty.
  using all_values = std::vector<sample_outputs>;

  /// Node i's outputs in front of its activation, one per sample.
  sample_outputs outputs_of(const float_model& m, int i, const all_values& values) const {
    sample_outputs outputs;
    if (!simulates()) return outputs;
    const float_node& n = m[i];
    std::vector<const float_tensor*> in;
    for (size_t s = 0; s < samples_.size(); ++s) {
      if (n.kind == op_kind::input) {
        size_t k = 0;
        while (m.inputs()[k] != i) ++k;
        outputs.push_back(samples_[s][k]);
        continue;
      }
      in.clear();
      for (int k : n.in) in.push_back(&values[static_cast<size_t>(k)][s]);
      outputs.push_back(evaluate_linear(m, i, in));
    }
    return outputs;
  }
  /// Activates node i's outputs, rounds the simulated ones, and forgets what nobody reads any more.
  void finish(int i, sample_outputs exact, sample_outputs rounded) {
    const affine& p = params(i);
    for (float_tensor& y : exact) activate(source_[i].fused, y);
    for (float_tensor& y : rounded) {
      activate(source_[i].fused, y);
      for (float& v : y) v = is_wide() ? fake_quantize<q16>(v, p) : fake_quantize<q8>(v, p);
    }
    exact_[static_cast<size_t>(i)] = std::move(exact);
    rounded_[static_cast<size_t>(i)] = std::move(rounded);
    for (int k : source_[i].in)
      if (last_use_[static_cast<size_t>(k)] <= i) {
        exact_[static_cast<size_t>(k)].clear();
        rounded_[static_cast<size_t>(k)].clear();
      }
  }
  std::vector<int> last_uses() const {
    std::vector<int> last(source_.size(), -1);
    for (int i = 0; i < static_cast<int>(source_.size()); ++i)
      for (int k : source_[i].in) last[static_cast<size_t>(k)] = i;
    return last;
  }

  // ---- the integer graph: node i of the source is node i of the result

  void append(int i) {
    const float_node& n = source_[i];
    sample_outputs exact = outputs_of(source_, i, exact_), rounded;
    if (has_weights(n.kind)) {
      quantized_weights w = weights_of(i);
      const size_t channels = w.scales.size();
      simulate_weights(i, w);
      rounded = outputs_of(simulated_, i, rounded_);
      if (fits_scales()) {
        const std::vector<double> gain = output_gain(channels, exact, rounded);
        for (size_t c = 0; c < channels; ++c)
          w.scales[c] = static_cast<float>(static_cast<double>(w.scales[c]) * gain[c]);
        simulate_weights(i, w);
        rounded = outputs_of(simulated_, i, rounded_);
      }
      const std::vector<double> shift = recipe_.correct_bias
          ? bias_shift(n.fused, channels, exact, rounded)
          : std::vector<double>(channels);
      append_weighted(i, result_.keep(w), result_.keep(bias_of(i, w, shift, rounded), has_wide_bias()));
    } else {
      rounded = outputs_of(simulated_, i, rounded_);
      append_plain(i);
    }
    finish(i, std::move(exact), std::move(rounded));
  }

  padding pad_of(const float_node& n) const {
    return padding_of(n.window, image_extents::of(source_[n.in[0]].out), image_extents::of(n.out));
  }
  static extent2d kernel_of(const float_node& n) { return {n.window.kernel_h, n.window.kernel_w}; }
  static extent2d stride_of(const float_node& n) { return {n.window.stride_h, n.window.stride_w}; }
  static extent2d dilation_of(const float_node& n) {
    return {n.window.dilation_h, n.window.dilation_w};
  }

  void append_weighted(int i, const weight_data& w, const bias_data& b) {
    const float_node& n = source_[i];
    auto& g = result_.graph();
    const edge x{n.in[0]};
    if (n.kind == op_kind::conv2d)
      g.conv2d(n.name.c_str(), x,
               {.out_c = channels_of(n),
                .kernel = kernel_of(n),
                .stride = stride_of(n),
                .dilation = dilation_of(n),
                .pad = pad_of(n),
                .groups = n.groups,
                .weights = w,
                .bias = b,
                .out = params(i),
                .fused = n.fused,
                .ec = recipe_.ec});
    else if (n.kind == op_kind::depthwise)
      g.depthwise(n.name.c_str(), x,
                  {.kernel = kernel_of(n),
                   .stride = stride_of(n),
                   .dilation = dilation_of(n),
                   .pad = pad_of(n),
                   .multiplier = n.groups,
                   .weights = w,
                   .bias = b,
                   .out = params(i),
                   .fused = n.fused});
    else
      g.dense(n.name.c_str(), x,
              {.units = channels_of(n),
               .weights = w,
               .bias = b,
               .out = params(i),
               .fused = n.fused,
               .ec = recipe_.ec});
  }

  void append_plain(int i) {
    const float_node& n = source_[i];
    auto& g = result_.graph();
    const node_name name = n.name.c_str();
    const edge x{n.in.empty() ? 0 : n.in[0]}, y{n.in.size() < 2 ? 0 : n.in[1]};
    const output_options o{.out = params(i), .fused = n.fused};
    switch (n.kind) {
      case op_kind::input: g.input(name, desc_[static_cast<size_t>(i)]); return;
      case op_kind::add: g.add(name, x, y, {.out = o.out, .fused = o.fused}); return;
      case op_kind::sub: g.sub(name, x, y, {.out = o.out, .fused = o.fused}); return;
      case op_kind::mul: g.mul(name, x, y, {.out = o.out, .fused = o.fused}); return;
      case op_kind::minimum: g.minimum(name, x, y, o); return;
      case op_kind::maximum: g.maximum(name, x, y, o); return;
      case op_kind::max_pool:
        g.max_pool(name, x, {kernel_of(n), stride_of(n), pad_of(n), n.fused});
        return;
      case op_kind::average_pool:
        g.average_pool(name, x, {kernel_of(n), stride_of(n), pad_of(n), n.fused});
        return;
      case op_kind::global_mean:
        g.global_mean(name, x, {.out = o.out, .out_format = o.out_format, .fused = o.fused});
        return;
      case op_kind::requantize:
        g.requantize(name, x, {.out = o.out, .out_format = o.out_format, .fused = o.fused});
        return;
      case op_kind::softmax: g.softmax(name, x, {.beta = n.beta}); return;
      case op_kind::reshape: {
        axis_list extents;
        extents.count = n.out.shape.rank;
        for (int a = 0; a < extents.count; ++a) extents.value[a] = n.out.shape.extent[a];
        g.reshape(name, x, extents);
        return;
      }
      case op_kind::concat: {
        edge_list parts;
        for (int k : n.in) parts.value[parts.count++] = {k};
        g.concat(name, parts, n.axis);
        return;
      }
      default:
        refuse("quantize_model", joined("node '", n.name, "' has no integer form"),
               "replace it by operations of float_model");
    }
  }

  const float_model& source_;
  const calibration& facts_;
  std::span<const sample> samples_;
  const quantization_recipe& recipe_;
  const progress& report_;
  float_model simulated_;  ///< weights rounded, layer by layer
  std::vector<tensor_desc> desc_;
  all_values exact_, rounded_;  ///< as floats, and as the integers will have it
  std::vector<int> last_use_;
  quantized_model result_;
};

inline quantized_model quantize_model(const float_model& m, const calibration& c,
                                      std::span<const sample> samples,
                                      const quantization_recipe& recipe,
                                      const progress& report = {}) {
  return model_quantizer(m, c, samples, recipe, report).run();
}

}  // namespace lowbits
