// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A convolution, depthwise convolution or matrix product ready to be timed: random codes, prepared
// weights, a bias and one factor per channel. Before it is timed, some of its results are compared with
// sums of 64 bits and products of doubles.

#include <cmath>
#include <span>
#include <string>

#include "support.hpp"

#include <lowbits/fixed/raw_accumulator.hpp>
#include <lowbits/kernel/conv2d.hpp>
#include <lowbits/kernel/depthwise.hpp>

namespace bench {

namespace lb = lowbits;

/// The position of tap t of output (b, oh, ow) among the input's positions; negative where it is padding.
template <class Shape>
ptrdiff_t tap_position(const Shape& s, ptrdiff_t position, int t) {
  const lb::window2d& w = s.window;
  const auto ow = static_cast<int>(position % s.out_w), oh = static_cast<int>(position / s.out_w % s.out_h);
  const ptrdiff_t b = position / s.out_w / s.out_h;
  const int ih = oh * w.stride_h - w.pad_top + t / w.kernel_w * w.dilation_h;
  const int iw = ow * w.stride_w - w.pad_left + t % w.kernel_w * w.dilation_w;
  if (ih < 0 || ih >= s.in_h || iw < 0 || iw >= s.in_w) return -1;
  return (b * s.in_h + ih) * s.in_w + iw;
}

/// x and w are arrays; the result is that of one output, without bias.
template <class X>
int64_t plain_sum(const lb::conv2d_shape& s, const X* x, int x_zero, const int8_t* w, ptrdiff_t position, int c) {
  int64_t sum = 0;
  for (int t = 0; t < s.window.taps(); ++t) {
    const ptrdiff_t at = tap_position(s, position, t);
    for (int k = 0; at >= 0 && k < s.in_c; ++k)
      sum += int64_t{x[at * s.in_c + k] - x_zero} * w[ptrdiff_t{c} * s.depth() + ptrdiff_t{t} * s.in_c + k];
  }
  return sum;
}
template <class X>
int64_t plain_sum(const lb::depthwise_shape& s, const X* x, int x_zero, const int8_t* w, ptrdiff_t position, int c) {
  int64_t sum = 0;
  for (int t = 0; t < s.window.taps(); ++t) {
    const ptrdiff_t at = tap_position(s, position, t);
    if (at >= 0) sum += int64_t{x[at * s.in_c + c / s.multiplier] - x_zero} * w[ptrdiff_t{t} * s.out_c() + c];
  }
  return sum;
}

inline int channels_of(const lb::conv2d_shape& s) { return s.out_c; }
inline int channels_of(const lb::depthwise_shape& s) { return s.out_c(); }
inline int depth_of(const lb::conv2d_shape& s) { return s.depth(); }
inline int depth_of(const lb::depthwise_shape& s) { return s.window.taps(); }

/// A kernel on an architecture as an object, with the shape it was made for.
template <template <class, class, class, class, class> class Operation, class Arch, class Shape, class X, class Rq>
struct kernel_call {
  using arch = Arch;
  using code = X;
  using requantizer = Rq;
  using kernel = Operation<Arch, X, const int8_t*, int32_t, Rq>;

  Shape shape;

  size_t packed_bytes() const { return kernel::packed_bytes(shape); }
  size_t scratch_bytes() const { return kernel::scratch_bytes(shape); }
  void pack(const int8_t* w, const int32_t* bias, int x_zero, std::span<unsigned char> packed) const {
    kernel::pack(shape, w, bias, x_zero, packed.data());
  }
  void run(const X* x, int x_zero, const int8_t* w, const int32_t* bias, std::span<const unsigned char> packed, const Rq& rq,
           typename Rq::output::storage* y, std::span<unsigned char> scratch) const {
    kernel::run(shape, x, x_zero, w, 0, bias, packed.data(), rq, y, scratch.data());
  }
};

template <class Call>
class weighted_case {
public:
  using X = typename Call::code;
  using Rq = typename Call::requantizer;
  using Y = typename Rq::output::storage;

  explicit weighted_case(const Call& call)
      : call_(call), x_(random_codes<X>(size(s_.batch, s_.in_h, s_.in_w, s_.in_c))),
        w_(random_codes<int8_t>(size(channels_of(s_), depth_of(s_)))), bias_(size(channels_of(s_)), 100),
        factors_(bias_.size()), y_(size(s_.batch, s_.out_h, s_.out_w, channels_of(s_))), packed_(call_.packed_bytes()),
        scratch_(call_.scratch_bytes()) {
    const double scale = 40.0 / (5400.0 * std::sqrt(depth_of(s_)));  // a result is then about +-40
    for (size_t i = 0; i < factors_.size(); ++i)
      factors_[i] = lb::fixed_multiplier::from(scale * (1 + 1e-3 * static_cast<double>(i % 7)));
    call_.pack(w_.data(), bias_.data(), x_zero, packed_.span());
    run();
    count_wrong_results();
  }

  void run() {
    call_.run(x_.data(), x_zero, w_.data(), bias_.data(), packed_.span(), requantizer(), y_.data(), scratch_.span());
  }
  work amount() const {
    return {2.0 * static_cast<double>(y_.size()) * depth_of(s_),
            static_cast<double>(x_.size() + w_.size() + y_.size() * sizeof(y_[0]))};
  }

  /// How many of the results that were looked at are not the nearest code.
  int wrong_results() const { return wrong_; }

private:
  static constexpr int x_zero = std::is_signed_v<X> ? 5 : 117;
  static constexpr bool is_raw = std::is_same_v<Rq, lb::raw_accumulator<int32_t>>;

  template <class... Extents>
  static size_t size(Extents... extents) { return (size_t{1} * ... * static_cast<size_t>(extents)); }

  static constexpr lb::output_stage stage() {
    if constexpr (is_raw) return {};
    else return {3, Rq::output::lowest, Rq::output::highest};
  }
  Rq requantizer() const {
    if constexpr (is_raw) return {};
    else return {factors_.data(), stage()};
  }
  /// Looks at about a hundred results.
  void count_wrong_results() {
    const size_t step = lb::larger<size_t>(y_.size() / 100, 1) | 1;
    for (size_t i = 0; i < y_.size(); i += step) {
      const int c = static_cast<int>(i % factors_.size());
      const auto position = static_cast<ptrdiff_t>(i / factors_.size());
      wrong_ += !is_right(100 + plain_sum(s_, x_.data(), x_zero, w_.data(), position, c), c, y_[i]);
    }
  }
  bool is_right(int64_t sum, int c, Y y) const {
    if constexpr (is_raw) {
      return sum == y;
    } else {
      const lb::fixed_multiplier& f = factors_[static_cast<size_t>(c)];
      const double real = static_cast<double>(sum) * std::ldexp(f.mantissa, f.exponent - 31) + stage().zero_point;
      const double inside = std::fmin(std::fmax(real, stage().lowest), stage().highest);
      return std::fabs(inside - y) <= 0.5 + 1e-6;
    }
  }

  Call call_;
  const decltype(Call::shape)& s_ = call_.shape;
  std::vector<X> x_;
  std::vector<int8_t> w_;
  std::vector<int32_t> bias_;
  std::vector<lb::fixed_multiplier> factors_;
  std::vector<Y> y_;
  aligned_bytes packed_, scratch_;
  int wrong_ = 0;
};

/// Registers <name>/<arch>; name is <group>/<case>.
template <class Call>
void add_call(const std::string& name, const Call& call) {
  const std::string full = name + "/" + Call::arch::name;
  benchmark::RegisterBenchmark(full.c_str(), [full, call](benchmark::State& state) {
    const double ceiling = multiply_ceiling<typename Call::arch>();
    auto& it = prepared(full, [&] { return std::make_unique<weighted_case<Call>>(call); });
    if (it.wrong_results() != 0) return state.SkipWithError("wrong results");
    time_work(state, it.amount(), ceiling, 0, [&] { it.run(); });
  });
}
template <template <class, class, class, class, class> class Operation, class Arch, class X, class Rq, class Shape>
void add_kernel(const std::string& name, const Shape& shape) {
  add_call(name, kernel_call<Operation, Arch, Shape, X, Rq>{shape});
}

using s8_codes = lb::channel_requantizer<lb::q8, lb::round_single>;
using u8_codes = lb::channel_requantizer<lb::u8, lb::round_single>;

/// Calls f(Arch{}) for every architecture this processor can run.
template <class Function>
void for_usable_archs(Function f) {
  [&]<class... Archs>(lb::type_list<Archs...>) { ((lb::is_usable<Archs>() ? f(Archs{}) : void()), ...); }(lb::all_archs{});
}

}  // namespace bench
