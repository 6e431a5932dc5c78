// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Operations that only move elements, and the user's own, as steps.

#include <lowbits/core/bytes.hpp>
#include <lowbits/kernel/transpose.hpp>
#include <lowbits/op/step.hpp>
#include <lowbits/ref/shape_ops.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Marks a node that does nothing when the model runs.
struct no_step {};

struct copy_data {
  size_t bytes = 0;
};

/// A reshape moves nothing when it shares its input's buffer; as a model output it is a copy.
struct reshape_step {
  static constexpr step_needs needs(const copy_data&) noexcept { return {}; }
  static void run(const void* data, const step_io& io) noexcept {
    if (io.in[0] == io.out) return;
    copy_elements(elements<unsigned char>(io.in[0]), elements<unsigned char>(io.out),
                  static_cast<const copy_data*>(data)->bytes);
  }
};

/// The output is `rows` rows; each is the inputs' rows of run[k] bytes one after another.
struct concat_data {
  size_t rows = 0;
  int count = 0;
  size_t run[max_inputs]{};
};

struct concat_step {
  static constexpr step_needs needs(const concat_data&) noexcept { return {}; }
  static void run(const void* data, const step_io& io) noexcept {
    const auto& d = *static_cast<const concat_data*>(data);
    unsigned char* out = elements<unsigned char>(io.out);
    for (size_t r = 0; r < d.rows; ++r) {
      for (int k = 0; k < d.count; ++k) {  // an input that was written in place is already there
        copy_elements(elements<unsigned char>(io.in[k]) + r * d.run[k], out, d.run[k]);
        out += d.run[k];
      }
    }
  }
};

struct move_data {
  tensor_shape in{}, out{};
  int list[2][max_rank]{};  ///< pad: before; transpose: axes; slice: begin and step
  int fill = 0;             ///< pad: the zero point, or another code
  float real_fill = 0;      ///< the same for floats
};

template <op_kind Kind, class T>
struct move_step {
  static constexpr step_needs needs(const move_data&) noexcept { return {}; }
  static void run(const void* data, const step_io& io) noexcept {
    const auto& d = *static_cast<const move_data*>(data);
    const T* x = elements<T>(io.in[0]);
    T* y = elements<T>(io.out);
    if constexpr (Kind == op_kind::pad)
      ref::pad(d.in, x, d.list[0], fill<T>(d), d.out, y);
    else if constexpr (Kind == op_kind::transpose) kernel::transpose(d.in, x, d.list[0], d.out, y);
    else ref::slice(d.in, x, d.list[0], d.list[1], d.out, y);
  }

private:
  template <class Element>
  static Element fill(const move_data& d) noexcept {
    if constexpr (std::is_same_v<Element, float>) return d.real_fill;
    else return static_cast<Element>(d.fill);
  }
};

struct custom_data {
  custom_run run = nullptr;
  const void* user = nullptr;
  size_t scratch_bytes = 0;
  tensor_desc out{};
  tensor_desc in[max_inputs]{};
};

struct custom_step {
  static constexpr step_needs needs(const custom_data& d) noexcept { return {0, d.scratch_bytes}; }
  static void run(const void* data, const step_io& io) noexcept {
    const auto& d = *static_cast<const custom_data*>(data);
    d.run({io.in, d.in, io.out, &d.out, io.scratch, d.user});
  }
};

template <class Graph>
constexpr concat_data make_concat_data(const Graph& g, const node& n) noexcept {
  concat_data d{1, n.in_count, {}};
  for (int a = 0; a < n.axis; ++a) d.rows *= static_cast<size_t>(n.out.shape.extent[a]);
  for (int k = 0; k < n.in_count; ++k) d.run[k] = g[n.in[k]].out.bytes() / d.rows;
  return d;
}

constexpr move_data make_move_data(const node& n, const tensor_desc& x) noexcept {
  move_data d{x.shape, n.out.shape, {}, n.has_fill ? n.fill : n.out.params.zero_point,
              n.has_fill ? static_cast<float>(n.parameter) : 0.0f};
  for (int a = 0; a < max_rank; ++a) {
    d.list[0][a] = n.list[0][a];
    d.list[1][a] = n.list[2][a];
  }
  return d;
}

}  // namespace lowbits
