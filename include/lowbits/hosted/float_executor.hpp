// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Runs a float_model with the operations of ref/real_ops.hpp.

#include <algorithm>

#include <lowbits/hosted/float_model.hpp>
#include <lowbits/ref/eltwise.hpp>
#include <lowbits/ref/real_ops.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// The elements of one tensor, row-major.
using float_tensor = std::vector<float>;

inline void activate(activation fused, float_tensor& x) {
  if (fused != activation::none)
    for (float& v : x) v = real_range::of(fused)(v);
}

namespace float_ops {

/// Nodes with weights.
inline void run_weighted(const float_node& n, const tensor_desc& in, const float_tensor& x, float* y) {
  const float* bias = n.bias.empty() ? nullptr : n.bias.data();
  if (n.kind == op_kind::dense) {
    const row_extents rows = row_extents::of(in);
    return ref::real_conv2d(dense_shape(rows.rows, rows.columns, channels_of(n)), x.data(), n.weights.data(), bias, {}, y);
  }
  const image_extents a = image_extents::of(in), b = image_extents::of(n.out);
  if (n.kind == op_kind::conv2d)
    ref::real_conv2d({a.batch, a.h, a.w, a.c, b.h, b.w, b.c, n.window, n.groups}, x.data(), n.weights.data(), bias, {}, y);
  else
    ref::real_depthwise({a.batch, a.h, a.w, a.c, b.h, b.w, n.groups, n.window}, x.data(), n.weights.data(), bias, {}, y);
}

inline void run_pool(const float_node& n, const tensor_desc& in, const float_tensor& x, float* y) {
  const image_extents a = image_extents::of(in), b = image_extents::of(n.out);
  const pool2d_shape s{a.batch, a.h, a.w, a.c, b.h, b.w, n.window};
  if (n.kind == op_kind::max_pool) ref::real_pool<true>(s, x.data(), {}, y);
  else ref::real_pool<false>(s, x.data(), {}, y);
}

inline void run_mean(const tensor_desc& in, const float_tensor& x, float* y) {
  const image_extents e = image_extents::of(in);
  ref::real_mean(e.batch, e.h * e.w, e.c, x.data(), {}, y);
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
  const int depth = channels_of(n);
  ref::real_softmax(static_cast<int>(x.size()) / depth, depth, n.beta, x.data(), y);
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
