// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// MaxPool, AveragePool, GlobalAveragePool.

#include <lowbits/hosted/onnx/product.hpp>

namespace lowbits::inline LOWBITS_ABI::onnx {

inline pool_options pool_of(const window& w) {
  pool_options o{.kernel = w.kernel, .stride = w.stride, .pad = w.pad};
  o.pad.bottom += w.behind.bottom;
  o.pad.right += w.behind.right;
  return o;
}

/// The largest of a few: x at each tap of the kernel, side by side.
inline edge dilated_max(importer& m, edge x, const window& w) {
  auto& g = m.graph();
  m.require(int64_t{w.kernel.h} * w.kernel.w <= 64, "the dilated pool has more than 64 taps", "use a smaller one");
  const tensor_desc d = g.desc(x);
  const padding all = pool_of(w).pad;
  if (all.top + all.bottom + all.left + all.right != 0) {
    pad_options o{.before = {0, all.top, all.left, 0}, .after = {0, all.bottom, all.right, 0}};
    o.value = d.kind == element::reals ? pad_value(std::numeric_limits<float>::lowest()) : pad_value(d.format.lowest());
    x = g.pad(m.name("padded"), x, o);
  }
  edge best;
  for (int i = 0; i < w.kernel.h; ++i)
    for (int j = 0; j < w.kernel.w; ++j) {
      const slice_options o{.begin = {0, i * w.dilation.h, j * w.dilation.w, 0},
                            .extent = {d.shape.extent[0], w.out_h, w.out_w, d.shape.extent[3]},
                            .step = {1, w.stride.h, w.stride.w, 1}};
      const edge tap = g.slice(m.name("tap"), x, o);
      best = best.node < 0 ? tap : g.maximum(m.name(), best, tap, {.out = d.params, .out_format = d.format});
      m.check_graph();
    }
  return best;
}

/// Codes are compared as they are: a larger code is a larger number.
inline void max_pool(importer& m) {
  m.expect(1, 1);
  value& x = m.input(0);
  check_image(m, x);
  const window w = read_window(m, x.shape, {}, true);
  const bool has_codes = !x.is_float() || (x.later == nullptr && x.has_codes());
  const edge in = has_codes ? image_codes(m, x) : image_reals(m, x);
  if (!has_codes) m.stays_float("what it reads is not quantized");
  const bool is_dilated = w.dilation.h != 1 || w.dilation.w != 1;
  const stored s{{}, is_dilated ? dilated_max(m, in, w) : m.graph().max_pool(m.name(), in, pool_of(w))};
  m.check_graph();
  value& y = m.define(0, x.type, window_output(x.shape, w, x.extent(1)));
  (has_codes ? y.codes : y.reals) = s;
  m.record(y.name, 0);
}

/// The mean of codes, in 16 bits with 1/128 of their step, so that the one rounding that counts is the last.
inline edge fine_average(importer& m, edge x, const pool_options& o, const target& t) {
  const tensor_desc d = m.graph().desc(x);
  auto& g = m.graph();
  if (is_byte(d.format)) x = g.requantize(m.name("fine"), x, {.out = {d.params.scale / 128.0f, 0}, .out_format = {16, true}});
  const edge y = g.average_pool(m.name("average"), x, o);
  return g.requantize(m.name(), y, {.out = t.params, .out_format = t.format, .fused = t.fused});
}

inline void average_pool(importer& m) {
  m.expect(1, 1);
  value& x = m.input(0);
  m.require_floats({&x});
  check_image(m, x);
  const window w = read_window(m, x.shape, {}, true);
  const bool counts_pads = m.integer("count_include_pad", 0) != 0 && w.has_pads;
  pool_options o = pool_of(w);
  // Padding that counts is written around the image; what ceil_mode adds never counts.
  if (counts_pads) o.pad = w.behind;
  const auto padded = [&m, w, counts_pads](edge e) {
    if (!counts_pads) return e;
    return m.graph().pad(m.name("padded"), e, {.before = {0, w.pad.top, w.pad.left, 0}, .after = {0, w.pad.bottom, w.pad.right, 0}});
  };
  const bool is_whole = (!w.has_pads || counts_pads) && w.behind.bottom + w.behind.right == 0;
  // Every mean is over the same number of elements: a depthwise layer whose weights are all alike.
  const bool is_small = o.kernel.h <= 8 && o.kernel.w <= 8 && x.extent(1) <= 16384;
  const bool is_dilated = w.dilation.h != 1 || w.dilation.w != 1;
  m.require(!is_dilated || (is_whole && is_small), "the dilated pool has padding that does not count, or is very large", "use dilations of 1");
  const size_t taps = static_cast<size_t>(o.kernel.h) * static_cast<size_t>(o.kernel.w);
  depthwise_options sums{.kernel = o.kernel, .stride = o.stride, .dilation = w.dilation, .policy = rounding::even_float};
  sums.weights.length = static_cast<size_t>(x.extent(1)) * taps;
  settle(m, x);
  const int index = m.index();
  auto d = std::make_shared<deferred>();
  d->kind = m.kind();
  d->as_codes = [&m, &x, o, sums, taps, padded, is_whole, is_small, is_dilated, index](const target& t) -> stored {
    if (x.later != nullptr || !x.has_codes()) return {};
    const visit here(m, index);
    const edge in = padded(image_codes(m, x));
    const tensor_desc in_desc = m.graph().desc(in);
    edge e;
    if (is_dilated || (is_byte(in_desc.format) && is_byte(t.format) && is_whole && is_small)) {
      depthwise_options ones = sums;
      ones.weights.storage = weight_storage::s8;
      ones.weights.s8 = m.keep(std::vector<int8_t>(ones.weights.length, 1));
      ones.weights.scale = 1.0f / static_cast<float>(taps);
      e = with_types(m, {in}, t, false, true, [&](const std::vector<edge>& from, const target& inner) {
        ones.out = inner.params;
        ones.out_format = inner.format;
        ones.fused = inner.fused;
        return m.graph().depthwise(m.name(), from[0], ones);
      });
    } else {
      e = fine_average(m, in, o, t);
    }
    m.check_graph();
    m.record(m.output_name(0), -1);
    return {{}, e};
  };
  d->as_reals = [&m, &x, o, sums, taps, padded, is_dilated, index]() -> stored {
    const visit here(m, index);
    m.stays_float("what reads or makes its tensors is not quantized");
    const edge in = padded(image_reals(m, x));
    edge e;
    if (is_dilated) {
      depthwise_options parts = sums;
      parts.weights.storage = weight_storage::f32;
      parts.weights.f32 = m.keep(std::vector<float>(parts.weights.length, 1.0f / static_cast<float>(taps)));
      e = m.graph().depthwise(m.name(), in, parts);
    } else {
      e = m.graph().average_pool(m.name(), in, o);
    }
    m.check_graph();
    m.record(m.output_name(0), 0);
    return {{}, e};
  };
  m.define(0, data_type::FLOAT, window_output(x.shape, w, x.extent(1))).later = std::move(d);
}

inline void global_average_pool(importer& m) {
  m.expect(1, 1);
  value& x = m.input(0);
  m.require_floats({&x});
  check_image(m, x);
  shape_list shape(x.shape.size(), 1);
  shape[0] = x.extent(0);
  shape[1] = x.extent(1);
  settle(m, x);
  const int index = m.index();
  auto d = std::make_shared<deferred>();
  d->kind = m.kind();
  const auto back = [&m, shape](edge e) {
    e = m.graph().reshape(m.name("shape"), e, list_of(shape));
    m.check_graph();
    m.record(m.output_name(0), -1);
    return stored{e, {}};
  };
  d->as_codes = [&m, &x, index, back](const target& t) -> stored {
    if (x.later != nullptr || !x.has_codes()) return {};
    const visit here(m, index);
    return back(with_types(m, {image_codes(m, x)}, t, false, false, [&](const std::vector<edge>& in, const target& inner) {
      return m.graph().global_mean(m.name(), in[0], {.out = inner.params, .out_format = inner.format, .fused = inner.fused});
    }));
  };
  d->as_reals = [&m, &x, index, back]() -> stored {
    const visit here(m, index);
    m.stays_float("what reads or makes its tensors is not quantized");
    return back(m.graph().global_mean(m.name(), image_reals(m, x), {}));
  };
  m.define(0, data_type::FLOAT, shape).later = std::move(d);
}

}  // namespace lowbits::onnx
