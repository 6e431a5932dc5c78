// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Products, convolutions and depthwise convolutions with 16-bit activations and weights of 8 or 16 bits, on
// every architecture this processor can run: int16/<types>_<case>/<arch>. s16s8s16q is requantized per column as
// TFLite does it, s16s16s64 gives exact sums of 64 bits. ec2, ec3 and ec4 are two, three and four products of bytes
// instead, with one rounding (docs/error_compensation.md).

#include <cmath>
#include <span>
#include <string>

#include "support.hpp"

#include <lowbits/kernel/compensated_gemm.hpp>
#include <lowbits/kernel/conv2d.hpp>
#include <lowbits/kernel/depthwise.hpp>
#include <lowbits/kernel/prepared_gemm.hpp>

namespace {

using namespace bench;
namespace lb = lowbits;

using codes16 = lb::channel_requantizer<lb::q16, lb::round_tflite_int64>;
using sums64 = lb::raw_accumulator<int64_t>;

template <class Rq>
Rq make_requantizer([[maybe_unused]] const std::vector<lb::fixed_multiplier>& factors) {
  if constexpr (std::is_same_v<Rq, sums64>) return {};
  else return {factors.data(), {0, -32768, 32767}};
}

/// A matrix product by the public call, without zero points.
template <class Arch, class W, class Rq>
struct product_case {
  using Y = typename Rq::output::storage;
  lb::gemm_shape s;
  lb::gemm<int16_t, Rq, W> product{s, lb::arch_id_of<Arch>};
  size_t m = static_cast<size_t>(s.rows), n = static_cast<size_t>(s.cols), k = static_cast<size_t>(s.depth);
  std::vector<int16_t> x = random_codes<int16_t>(m * k);
  std::vector<W> w = random_codes<W>(n * k);
  std::vector<int64_t> bias = std::vector<int64_t>(n, 100);
  std::vector<lb::fixed_multiplier> factors = std::vector<lb::fixed_multiplier>(n, lb::fixed_multiplier::from(0.5 / (static_cast<double>(sizeof(W) == 1 ? 128 : 32768) * std::sqrt(s.depth))));
  std::vector<Y> y = std::vector<Y>(m * n);
  aligned_bytes packed{product.packed_bytes()}, scratch{product.scratch_bytes()};
  bool is_wrong = false;

  explicit product_case(const lb::gemm_shape& shape) : s(shape) {
    is_wrong = product.pack(w.data(), 0, bias.data(), 0, packed.span()) != lb::status::ok;
    run();
    const Rq rq = make_requantizer<Rq>(factors);
    for (size_t i = 0; i < y.size(); i += y.size() / 100 + 1) {
      int64_t sum = 100;
      for (size_t j = 0; j < k; ++j) sum += int64_t{x[i / n * k + j]} * w[i % n * k + j];
      is_wrong = is_wrong || rq(sum, i % n) != y[i];
    }
  }
  void run() { is_wrong = product.run(x.data(), packed.span(), make_requantizer<Rq>(factors), y.data(), scratch.span()) != lb::status::ok || is_wrong; }
  work amount() const {
    return {2.0 * static_cast<double>(y.size()) * s.depth, static_cast<double>(x.size() * 2 + w.size() * sizeof(W) + y.size() * sizeof(Y))};
  }
};

/// The same by products of bytes. Three of them are close to the sum, and not compared.
template <class Arch, class W, lb::error_compensation How>
struct compensated_case {
  using Rq = lb::channel_requantizer<lb::q16>;
  int m, n, k;
  lb::compensated_gemm<int16_t, W, Rq, How> product{m, n, k, lb::arch_id_of<Arch>};
  size_t rows = static_cast<size_t>(m), cols = static_cast<size_t>(n), depth = static_cast<size_t>(k);
  std::vector<int16_t> x = random_codes<int16_t>(rows * depth);
  std::vector<W> w = random_codes<W>(cols * depth);
  std::vector<lb::fixed_multiplier> factors = std::vector<lb::fixed_multiplier>(cols, lb::fixed_multiplier::from(0.5 / (static_cast<double>(sizeof(W) == 1 ? 128 : 32768) * std::sqrt(k))));
  std::vector<int16_t> y = std::vector<int16_t>(rows * cols);
  aligned_bytes packed{product.packed_bytes()}, scratch{product.scratch_bytes()};
  bool is_wrong = false;

  compensated_case(int a, int b, int c) : m(a), n(b), k(c) {
    is_wrong = product.pack(w.data(), nullptr, packed.span()) != lb::status::ok;
    run();
    for (size_t i = 0; i < y.size() && How == lb::error_compensation::exact; i += y.size() / 100 + 1) {
      int64_t sum = 0;
      for (size_t j = 0; j < depth; ++j) sum += int64_t{x[i / cols * depth + j]} * w[i % cols * depth + j];
      is_wrong = is_wrong || rq()(sum, i % cols) != y[i];
    }
  }
  Rq rq() const { return {factors.data(), {0, -32768, 32767}}; }
  void run() { is_wrong = product.run(x.data(), packed.span(), rq(), y.data(), scratch.span()) != lb::status::ok || is_wrong; }
  work amount() const {
    return {2.0 * static_cast<double>(y.size()) * k, static_cast<double>(x.size() * 2 + w.size() * sizeof(W) + y.size() * 2)};
  }
};

/// A kernel of layers, with zero point 0.
template <class Kernel, class Shape, class W>
struct layer_case {
  Shape s;
  size_t out, depth, count;
  std::vector<int16_t> x = random_codes<int16_t>(static_cast<size_t>(s.in_h * s.in_w * s.in_c));
  std::vector<W> w = random_codes<W>(out * depth);
  std::vector<int64_t> bias = std::vector<int64_t>(out, 100);
  std::vector<lb::fixed_multiplier> factors = std::vector<lb::fixed_multiplier>(out, lb::fixed_multiplier::from(0.5 / (static_cast<double>(sizeof(W) == 1 ? 128 : 32768) * std::sqrt(static_cast<double>(depth)))));
  std::vector<int16_t> y = std::vector<int16_t>(count), plain = y;
  aligned_bytes packed{Kernel::packed_bytes(s)}, scratch{Kernel::scratch_bytes(s)};
  bool is_wrong = false;

  layer_case(const Shape& shape, int channels, int taps) : s(shape), out(static_cast<size_t>(channels)), depth(static_cast<size_t>(taps)), count(static_cast<size_t>(s.out_h * s.out_w * channels)) {
    Kernel::pack(s, w.data(), bias.data(), 0, packed.data());
    Kernel::run(s, x.data(), 0, w.data(), 0, bias.data(), nullptr, make_requantizer<codes16>(factors), plain.data(), scratch.data());
    run();
    is_wrong = y != plain;
  }
  void run() { Kernel::run(s, x.data(), 0, w.data(), 0, bias.data(), packed.data(), make_requantizer<codes16>(factors), y.data(), scratch.data()); }
  work amount() const {
    return {2.0 * static_cast<double>(y.size() * depth), static_cast<double>(2 * x.size() + w.size() * sizeof(W) + 2 * y.size())};
  }
};

template <class Arch, class Make>
void add(const std::string& name, Make make) {
  const std::string full = "int16/" + name + "/" + Arch::name;
  benchmark::RegisterBenchmark(full.c_str(), [full, make](benchmark::State& state) {
    auto& it = prepared(full, make);
    if (it.is_wrong) return state.SkipWithError("wrong results");
    // A product of words costs as much as two of bytes.
    time_work(state, it.amount(), multiply_ceiling<Arch>() / (Arch::name == std::string_view("avx512vnni") ? 2 : 1), 0, [&] { it.run(); });
  });
}

constexpr int products[][3] = {{512, 512, 512}, {256, 256, 256}, {1024, 1024, 1024}, {1, 1024, 1024}, {1, 4096, 4096}, {8, 1024, 1024}, {64, 1024, 1024}, {1, 64, 64}, {64, 64, 64}};

template <class Arch, class W, class Rq>
void add_products(const std::string& types) {
  for (const auto& [m, n, k] : products)
    add<Arch>(types + "_" + std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k), [m, n, k] {
      return std::make_unique<product_case<Arch, W, Rq>>(lb::gemm_shape{.rows = m, .cols = n, .depth = k});
    });
}
template <class Arch, class W, lb::error_compensation How>
void add_compensated(const std::string& types) {
  for (const auto& [m, n, k] : products)
    add<Arch>(types + "_" + std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k),
              [m, n, k] { return std::make_unique<compensated_case<Arch, W, How>>(m, n, k); });
}
template <class Arch, class W>
void add_layers(const std::string& types) {
  static constexpr lb::window2d window{.kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1};
  using conv = lb::kernel::conv2d<Arch, int16_t, const W*, int64_t, codes16>;
  for (const auto& [channels, size] : {std::pair{64, 56}, {16, 8}})
    add<Arch>(types + "_conv3x3_" + std::to_string(channels) + "_" + std::to_string(size), [channels, size] {
      return std::make_unique<layer_case<conv, lb::conv2d_shape, W>>(
          lb::conv2d_shape{.in_h = size, .in_w = size, .in_c = channels, .out_h = size, .out_w = size, .out_c = channels, .window = window}, channels, 9 * channels);
    });
  using depthwise = lb::kernel::depthwise<Arch, int16_t, const W*, int64_t, codes16>;
  if constexpr (lb::has_prim<lb::prims::depthwise_words, Arch>)
    for (const auto& [channels, size] : {std::pair{144, 56}, {384, 14}})
      add<Arch>(types + "_dw3x3_" + std::to_string(channels) + "_" + std::to_string(size), [channels, size] {
        return std::make_unique<layer_case<depthwise, lb::depthwise_shape, W>>(
            lb::depthwise_shape{.in_h = size, .in_w = size, .in_c = channels, .out_h = size, .out_w = size, .window = window}, channels, 9);
      });
}

const bool registered = [] {
  add_controls();
  [&]<class... Archs>(lb::type_list<Archs...>) {
    const auto one = []<class Arch>(Arch) {
      if (!lb::is_usable<Arch>()) return;
      add_products<Arch, int8_t, codes16>("s16s8s16q");
      add_products<Arch, int16_t, sums64>("s16s16s64");
      add_products<Arch, int16_t, codes16>("s16s16s16q");
      add_compensated<Arch, int8_t, lb::error_compensation::exact>("s16s8ec2");
      add_compensated<Arch, int16_t, lb::error_compensation::three_products>("s16s16ec3");
      add_compensated<Arch, int16_t, lb::error_compensation::exact>("s16s16ec4");
      add_layers<Arch, int8_t>("s16s8s16q");
      add_layers<Arch, int16_t>("s16s16s16q");
    };
    (one(Archs{}), ...);
  }(lb::all_archs{});
  return true;
}();

}  // namespace
