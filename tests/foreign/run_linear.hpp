// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Convolutions, fully connected layers and matrix products through a backend: picks the types that a
// case describes with numbers.

#include <optional>
#include <stdexcept>
#include <string>

#include <lowbits/fixed/raw_accumulator.hpp>
#include <lowbits/pack/packed_view.hpp>

#include "foreign/cases.hpp"

namespace foreign {

template <class T>
std::vector<T> cast(const values& v) {
  std::vector<T> out;
  out.reserve(v.size() + 1);
  for (std::int64_t x : v) out.push_back(static_cast<T>(x));
  return out;
}
template <class T>
values uncast(const std::vector<T>& v) {
  return {v.begin(), v.end()};
}

/// Calls f with the type of an activation's codes.
template <class Function>
auto with_format(const lb::qformat& q, Function f) {
  if (q == lb::qformat::of<lb::q8>()) return f(lb::q8{});
  if (q == lb::qformat::of<lb::u8>()) return f(lb::u8{});
  if (q == lb::qformat::of<lb::q16>()) return f(lb::q16{});
  throw std::runtime_error("activations of " + std::to_string(q.bits) + " bits");
}

/// Calls f with the tag of a policy. A backend with `every_policy` is compiled for all of them, the
/// others for those that foreign cases use.
template <class Backend, class Function>
auto with_policy(lb::rounding policy, Function f) {
  if constexpr (requires { Backend::every_policy; }) {
    return lb::with_rounding(policy, f);
  } else {
    switch (policy) {
      case lb::rounding::double_gemmlowp: return f(lb::round_double_gemmlowp{});
      case lb::rounding::tflite_int64: return f(lb::round_tflite_int64{});
      case lb::rounding::even_float: return f(lb::round_even_float{});
      default: throw std::runtime_error("a policy that no foreign case uses");
    }
  }
}

template <class Rounding>
std::vector<typename Rounding::multiplier> multipliers(const rescaling& r) {
  if constexpr (std::is_same_v<typename Rounding::multiplier, lb::fixed_multiplier>) {
    return r.fixed;
  } else {
    std::vector<typename Rounding::multiplier> m;
    for (const lb::real& factor : r.factors) m.push_back(Rounding::multiplier::from(factor));
    return m;
  }
}

/// Calls f with the requantizer to codes of Q that r describes.
template <class Backend, class Q, class Function>
auto with_requantizer(const rescaling& r, Function f) {
  return with_policy<Backend>(r.policy, [&](auto tag) {
    using rounding = decltype(tag);
    const auto m = multipliers<rounding>(r);
    if (m.empty()) throw std::runtime_error("no multiplier for this policy");
    if (m.size() == 1) return f(lb::requantizer<Q, rounding>{m[0], r.stage});
    return f(lb::channel_requantizer<Q, rounding>{m.data(), r.stage});
  });
}

inline std::size_t output_count(const linear_case& c) {
  const lb::conv2d_shape& s = c.shape;
  const lb::depthwise_shape& d = c.depthwise;
  return c.op == linear_case::kind::depthwise
      ? static_cast<std::size_t>(d.batch * d.out_h * d.out_w * d.out_c())
      : static_cast<std::size_t>(s.batch * s.out_h * s.out_w * s.out_c);
}

template <class Backend, class X, class W, class Acc, class Rq>
std::optional<values> linear_typed(const linear_case& c, W w, const Rq& rq) {
  const std::vector<X> x = cast<X>(c.x);
  const std::vector<Acc> bias = cast<Acc>(c.bias);
  const Acc* b = c.bias.empty() ? nullptr : bias.data();
  std::vector<typename Rq::output::storage> y(output_count(c));
  const X* px = x.data();
  switch (c.op) {
    case linear_case::kind::conv2d:
      if constexpr (requires {
                      Backend::template conv2d<Acc>(c.shape, px, 0, w, 0, b, rq, y.data());
                    }) {
        Backend::template conv2d<Acc>(c.shape, px, c.x_zero, w, c.w_zero, b, rq, y.data());
        return uncast(y);
      }
      break;
    case linear_case::kind::transposed_conv2d:
      if constexpr (requires {
                      Backend::template transposed_conv2d<Acc>(c.shape, px, 0, w, 0, b, rq,
                                                               y.data());
                    }) {
        Backend::template transposed_conv2d<Acc>(c.shape, px, c.x_zero, w, c.w_zero, b, rq,
                                                 y.data());
        return uncast(y);
      }
      break;
    case linear_case::kind::depthwise:
      if constexpr (requires {
                      Backend::template depthwise<Acc>(c.depthwise, px, 0, w, 0, b, rq, y.data());
                    }) {
        Backend::template depthwise<Acc>(c.depthwise, px, c.x_zero, w, c.w_zero, b, rq, y.data());
        return uncast(y);
      }
      break;
  }
  return std::nullopt;
}

template <class Backend, class Q, class Acc, class W>
std::optional<values> linear_weights(const linear_case& c, W w) {
  using X = typename Q::storage;
  if (c.raw) return linear_typed<Backend, X, W, Acc>(c, w, lb::raw_accumulator<Acc>{});
  return with_requantizer<Backend, Q>(
      c.out, [&](const auto& rq) { return linear_typed<Backend, X, W, Acc>(c, w, rq); });
}

/// The weights as a pointer to bytes, or as a view of the file's own packed 4-bit codes.
template <class Backend, class Q, class Acc>
std::optional<values> linear_widths(const linear_case& c) {
  if constexpr (Q::is_signed && Q::bits == 8)
    if (c.w_format.bits == 4) {
      const lb::packed_view<lb::q4> packed(c.w_bytes.data(), c.w.size());
      if (c.w_bytes.size() != packed.size_bytes() || values(packed.begin(), packed.end()) != c.w)
        throw std::runtime_error("packed weights read differently");
      return linear_weights<Backend, Q, Acc>(c, packed);
    }
  using W = std::conditional_t<Q::is_signed, std::int8_t, std::uint8_t>;
  const std::vector<W> w = cast<W>(c.w);
  return linear_weights<Backend, Q, Acc>(c, w.data());
}

template <class Backend>
std::optional<values> run(const linear_case& c) {
  return with_format(c.x_format, [&](auto format) -> std::optional<values> {
    using Q = decltype(format);
    if (c.w_format.is_signed != Q::is_signed || c.w_format.bits > 8)
      throw std::runtime_error("weights of another kind");
    if constexpr (Q::bits > 8)
      if (c.wide_accumulator) return linear_widths<Backend, Q, std::int64_t>(c);
    return linear_widths<Backend, Q, std::int32_t>(c);
  });
}

template <class Backend, class Q, class Acc, class Rq>
std::optional<values> matmul_typed(const matmul_case& c, const Rq& rq) {
  using X = typename Q::storage;
  const auto x = cast<X>(c.x), w = cast<X>(c.w);
  const lb::matmul_shape& s = c.shape;
  std::vector<typename Rq::output::storage> y(
      static_cast<std::size_t>(s.batch(0) * s.batch(1) * s.rows * s.cols));
  if constexpr (requires {
                  Backend::template matmul<Acc>(s, x.data(), 0, w.data(), 0, rq, y.data());
                }) {
    Backend::template matmul<Acc>(s, x.data(), c.x_zero, w.data(), c.w_zero, rq, y.data());
    return uncast(y);
  }
  return std::nullopt;
}

template <class Backend>
std::optional<values> run(const matmul_case& c) {
  return with_format(c.format, [&](auto format) {
    using Q = decltype(format);
    using Acc = std::conditional_t<(Q::bits > 8), std::int64_t, std::int32_t>;
    if (c.raw) return matmul_typed<Backend, Q, Acc>(c, lb::raw_accumulator<Acc>{});
    return with_requantizer<Backend, Q>(
        c.out, [&](const auto& rq) { return matmul_typed<Backend, Q, Acc>(c, rq); });
  });
}

}  // namespace foreign
