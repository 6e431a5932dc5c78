// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Runs a float_model. Windows, groups and padding are those of ref/, with double accumulators: a
// product of two floats is exact in double, so sums do not depend on contraction, and results are
// the same on every machine (softmax alone uses the C library's exp).

#include <algorithm>
#include <cmath>

#include <lowbits/hosted/float_model.hpp>
#include <lowbits/ref/conv2d.hpp>
#include <lowbits/ref/depthwise.hpp>
#include <lowbits/ref/eltwise.hpp>
#include <lowbits/ref/pool.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// The elements of one tensor, row-major.
using float_tensor = std::vector<float>;

/// The reals an activation lets through.
inline float activated(activation fused, float x) {
  switch (fused) {
    case activation::relu: return larger(x, 0.0f);
    case activation::relu6: return clamp(x, 0.0f, 6.0f);
    case activation::relu_n1_to_1: return clamp(x, -1.0f, 1.0f);
    case activation::none: break;
  }
  return x;
}
inline void activate(activation fused, float_tensor& x) {
  if (fused != activation::none)
    for (float& v : x) v = activated(fused, v);
}

namespace float_ops {

/// Floats as ref/ reads them: as doubles.
struct widened {
  const float* p;
  double operator[](size_t i) const noexcept { return static_cast<double>(p[i]); }
};
struct to_float {
  float operator()(double sum, size_t) const noexcept { return static_cast<float>(sum); }
};

/// Nodes with weights.
inline void run_weighted(const float_node& n, const tensor_desc& in, const float_tensor& x,
                         float* y) {
  const widened input{x.data()}, weights{n.weights.data()};
  const float* bias = n.bias.empty() ? nullptr : n.bias.data();
  if (n.kind == op_kind::dense) {
    const row_extents rows = row_extents::of(in);
    ref::conv2d<double>(dense_shape(rows.rows, rows.columns, channels_of(n)), input, 0, weights, 0,
                        bias, to_float{}, y);
    return;
  }
  const image_extents a = image_extents::of(in), b = image_extents::of(n.out);
  if (n.kind == op_kind::conv2d)
    ref::conv2d<double>(conv2d_shape{a.batch, a.h, a.w, a.c, b.h, b.w, b.c, n.window, n.groups},
                        input, 0, weights, 0, bias, to_float{}, y);
  else
    ref::depthwise<double>(depthwise_shape{a.batch, a.h, a.w, a.c, b.h, b.w, n.groups, n.window},
                           input, 0, weights, 0, bias, to_float{}, y);
}

inline void run_pool(const float_node& n, const tensor_desc& in, const float_tensor& x, float* y) {
  const image_extents a = image_extents::of(in), b = image_extents::of(n.out);
  const pool2d_shape s{a.batch, a.h, a.w, a.c, b.h, b.w, n.window};
  ref::for_pool_outputs(s, [&](int batch, int oh, int ow, int c) {
    double sum = 0;
    float best = 0;
    int count = 0;
    ref::for_window(s, x.data(), batch, oh, ow, c, [&](float v) {
      best = count == 0 ? v : larger(best, v);
      sum += static_cast<double>(v);
      ++count;
    });
    *y++ = n.kind == op_kind::max_pool ? best : count == 0 ? 0.0f : static_cast<float>(sum / count);
  });
}

inline void run_mean(const tensor_desc& in, const float_tensor& x, float* y) {
  const image_extents e = image_extents::of(in);
  const float* p = x.data();
  std::vector<double> sum(static_cast<size_t>(e.c));
  for (int b = 0; b < e.batch; ++b) {
    std::fill(sum.begin(), sum.end(), 0.0);
    for (int i = 0; i < e.h * e.w; ++i)
      for (double& s : sum) s += static_cast<double>(*p++);
    for (double s : sum) *y++ = static_cast<float>(s / (e.h * e.w));
  }
}

inline void run_binary(const float_node& n, const tensor_desc& a, const tensor_desc& b,
                       const float_tensor& x, const float_tensor& y, float* out) {
  ref::binary(
      a.shape, b.shape, x.data(), y.data(),
      [kind = n.kind](float u, float v) {
        switch (kind) {
          case op_kind::add: return u + v;
          case op_kind::sub: return u - v;
          case op_kind::mul: return u * v;
          case op_kind::minimum: return smaller(u, v);
          default: return larger(u, v);
        }
      },
      out);
}

inline void run_softmax(const float_node& n, const float_tensor& x, float* y) {
  const auto row = static_cast<size_t>(channels_of(n));
  std::vector<double> e(row);
  for (size_t first = 0; first < x.size(); first += row) {
    const float top = *std::max_element(x.data() + first, x.data() + first + row);
    double sum = 0;
    for (size_t i = 0; i < row; ++i)
      sum += e[i] = std::exp((static_cast<double>(x[first + i]) - static_cast<double>(top)) *
                             static_cast<double>(n.beta));
    for (size_t i = 0; i < row; ++i) *y++ = static_cast<float>(e[i] / sum);
  }
}

inline void run_concat(const float_model& m, const float_node& n,
                       std::span<const float_tensor* const> in, float* y) {
  size_t outer = 1;
  for (int a = 0; a < n.axis; ++a) outer *= static_cast<size_t>(n.out.shape.extent[a]);
  for (size_t o = 0; o < outer; ++o)
    for (size_t k = 0; k < in.size(); ++k) {
      const size_t run = m[n.in[k]].out.count() / outer;
      y = std::copy_n(in[k]->data() + o * run, run, y);
    }
}

}  // namespace float_ops

/// What node i makes of its inputs, before its fused activation.
inline float_tensor evaluate_linear(const float_model& m, int i,
                                    std::span<const float_tensor* const> in) {
  const float_node& n = m[i];
  float_tensor y(n.out.count());
  if (in.size() != n.in.size() || n.in.empty())
    refuse("float_executor", joined("node '", n.name, "' got ", in.size(), " inputs"),
           "give one tensor per input edge");
  const tensor_desc& x = m[n.in[0]].out;
  switch (n.kind) {
    case op_kind::conv2d:
    case op_kind::depthwise:
    case op_kind::dense: float_ops::run_weighted(n, x, *in[0], y.data()); break;
    case op_kind::max_pool:
    case op_kind::average_pool: float_ops::run_pool(n, x, *in[0], y.data()); break;
    case op_kind::global_mean: float_ops::run_mean(x, *in[0], y.data()); break;
    case op_kind::add:
    case op_kind::sub:
    case op_kind::mul:
    case op_kind::minimum:
    case op_kind::maximum:
      float_ops::run_binary(n, x, m[n.in[1]].out, *in[0], *in[1], y.data());
      break;
    case op_kind::softmax: float_ops::run_softmax(n, *in[0], y.data()); break;
    case op_kind::concat: float_ops::run_concat(m, n, in, y.data()); break;
    default: y = *in[0]; break;  // reshape, clamped
  }
  return y;
}

/// Throws unless there is one tensor of the right size per input of the model.
inline void check_inputs(const float_model& m, std::span<const float_tensor> inputs) {
  if (inputs.size() != m.inputs().size())
    refuse(
        "float_executor",
        joined("got ", inputs.size(), " tensors, but the model has ", m.inputs().size(), " inputs"),
        "give one per input, in the order of the input() calls");
  for (size_t k = 0; k < inputs.size(); ++k) {
    const float_node& n = m[m.inputs()[k]];
    if (inputs[k].size() != n.out.count())
      refuse("float_executor",
             joined("input '", n.name, "' got ", inputs[k].size(), " elements instead of ",
                    n.out.count()),
             "give exactly the tensor's elements, row-major");
  }
}

/// Every node's output, for one set of inputs.
inline std::vector<float_tensor> run(const float_model& m, std::span<const float_tensor> inputs) {
  check_inputs(m, inputs);
  std::vector<float_tensor> values(m.size());
  for (size_t k = 0; k < inputs.size(); ++k) values[static_cast<size_t>(m.inputs()[k])] = inputs[k];
  std::vector<const float_tensor*> in;
  for (int i = 0; i < static_cast<int>(m.size()); ++i) {
    if (m[i].kind == op_kind::input) continue;
    in.clear();
    for (int k : m[i].in) in.push_back(&values[static_cast<size_t>(k)]);
    float_tensor& y = values[static_cast<size_t>(i)];
    y = evaluate_linear(m, i, in);
    activate(m[i].fused, y);
  }
  return values;
}

}  // namespace lowbits
