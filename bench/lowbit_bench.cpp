// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Matrix products and a convolution with weights of 1 to 8 bits, kept at that width (trits: five weights in a byte):
// lowbit/<bits>b_<rows>x<cols>x<depth>/<arch>, signed 8-bit codes to 32-bit sums, by the public call, and lowbit/<bits>b_<layer>/<arch>, to
// signed 8-bit codes. For products `bytes_us` is the time this processor takes to read the same packed weights, measured in the same
// process, `products_us` that of the multiply instructions on registers, and `over_bound` the time over the longer of both.

#include "support.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>

#include <lowbits/kernel/conv2d.hpp>
#include <lowbits/kernel/trit_gemm.hpp>

namespace {

namespace lb = lowbits;
using namespace bench;

struct product_size {
  int rows, cols, depth;
};
constexpr product_size sizes[] = {{1, 4096, 4096}, {1, 1024, 1024}, {1, 256, 256}, {2, 4096, 4096}, {4, 4096, 4096},
                                  {8, 4096, 4096}, {8, 1024, 1024}, {16, 4096, 4096}, {32, 1024, 1024}, {128, 4096, 4096},
                                  {512, 1024, 1024}};

/// The bit stream as the weights; 8 bits are bytes.
template <class W>
struct lowbit_case {
  using product_type = lb::gemm<int8_t, lb::raw_accumulator<int32_t>, W>;
  product_type product;
  std::vector<uint8_t> stream;
  std::vector<int8_t> x;
  std::vector<int32_t> y;
  aligned_bytes packed, scratch;

  lowbit_case(const product_size& s, lb::arch_id arch)
      : product({.rows = s.rows, .cols = s.cols, .depth = s.depth}, arch),
        stream(random_codes<uint8_t>(static_cast<size_t>(s.cols) * static_cast<size_t>(s.depth))),
        x(random_codes<int8_t>(static_cast<size_t>(s.rows) * static_cast<size_t>(s.depth))),
        y(static_cast<size_t>(s.rows) * static_cast<size_t>(s.cols)), packed(product.packed_bytes()), scratch(product.scratch_bytes()) {
    if (product.pack(weights(), 0, nullptr, 0, packed.span()) != lb::status::ok) std::abort();
    run();
    for (size_t i = 0; i < y.size(); i += y.size() / 100 + 1) {
      int64_t sum = 0;
      const auto depth = static_cast<size_t>(s.depth), r = i / static_cast<size_t>(s.cols), c = i % static_cast<size_t>(s.cols);
      for (size_t k = 0; k < depth; ++k) sum += int64_t{x[r * depth + k]} * weights()[c * depth + k];
      if (y[i] != sum) std::fprintf(stderr, "wrong result %zu\n", i), std::abort();
    }
  }
  typename product_type::weights_type weights() const {
    if constexpr (std::is_integral_v<W>) return reinterpret_cast<const W*>(stream.data());
    else return {stream.data(), static_cast<size_t>(product.shape().cols) * static_cast<size_t>(product.shape().depth)};
  }
  void run() {
    if (product.run(x.data(), packed.span(), {}, y.data(), scratch.span()) != lb::status::ok) std::abort();
  }
};

/// 3x3, 64 channels of 56 x 56.
template <class Arch, class W>
struct lowbit_layer {
  using Rq = lb::channel_requantizer<lb::q8, lb::round_single>;
  using kernel = lb::kernel::conv2d<Arch, int8_t, W, int32_t, Rq>;
  static constexpr lb::conv2d_shape shape{.in_h = 56, .in_w = 56, .in_c = 64, .out_h = 56, .out_w = 56, .out_c = 64,
                                          .window = {.kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1}};
  std::vector<uint8_t> stream = random_codes<uint8_t>(64 * 576);
  std::vector<int8_t> x = random_codes<int8_t>(64 * 56 * 56), y = std::vector<int8_t>(64 * 56 * 56);
  std::vector<int32_t> bias = std::vector<int32_t>(64, 100);
  std::vector<lb::fixed_multiplier> factors = std::vector<lb::fixed_multiplier>(64, lb::fixed_multiplier::from(1e-3));
  aligned_bytes packed{kernel::packed_bytes(shape)}, scratch{kernel::scratch_bytes(shape)};

  lowbit_layer() {
    kernel::pack(shape, weights(), bias.data(), 5, packed.data());
    run();
  }
  W weights() const {
    if constexpr (std::is_pointer_v<W>) return reinterpret_cast<W>(stream.data());
    else return {stream.data(), 64 * 576};
  }
  void run() {
    kernel::run(shape, x.data(), 5, weights(), 0, bias.data(), packed.data(), Rq{factors.data(), {3, -128, 127}}, y.data(), scratch.data());
  }
};

/// Reading them takes this many seconds.
double read_seconds([[maybe_unused]] const aligned_bytes& weights) {
#if LOWBITS_BUILD_X86
  const size_t n = weights.span().size() / 512 * 512;
  if (lb::is_usable<lb::arch::avx2>()) return 1 / best_rate([&] { read_all(weights.data(), n); });
#endif
  return 0;
}

template <class W, class Arch>
void add_layer(int bits, Arch) {
  const std::string name = "lowbit/" + std::to_string(bits) + "b_conv3x3_64_56/" + Arch::name;
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
    auto& c = prepared(name, [] { return std::make_unique<lowbit_layer<Arch, W>>(); });
    time_work(state, {2.0 * 56 * 56 * 64 * 576, 8.0 * 576 * bits}, multiply_ceiling<Arch>(), 0, [&] { c.run(); });
  })->Unit(benchmark::kMicrosecond);
}
template <class W, class Arch>
void add(double bits, const std::string& width, Arch) {
  constexpr lb::arch_id arch = lb::arch_id_of<Arch>;
  for (const product_size& s : sizes) {
    const std::string name = "lowbit/" + width + "_" + std::to_string(s.rows) + "x" + std::to_string(s.cols) + "x" +
                             std::to_string(s.depth) + "/" + Arch::name;
    benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
      auto& c = prepared(name, [&] { return std::make_unique<lowbit_case<W>>(s, arch); });
      const double products = 2.0 * s.rows * s.cols * s.depth, bytes = double{1} * s.cols * s.depth * bits / 8;
      const double reading = read_seconds(c.packed), multiplying = products / multiply_ceiling<Arch>();
      time_work(state, {products, bytes}, 0, 0, [&] { c.run(); });
      state.counters["bytes_us"] = reading * 1e6;
      state.counters["products_us"] = multiplying * 1e6;
      state.counters["over_bound"] = products * 1e-9 / state.counters["GOPS"] / (reading > multiplying ? reading : multiplying);
    })->Unit(benchmark::kMicrosecond);
  }
}

const bool registered = [] {
  add_controls();
  [&]<class... Archs>(lb::type_list<Archs...>) {
    const auto one = [&]<class Arch>(Arch) {
      if (!lb::is_usable<Arch>() || !lb::kernel::keeps_bits<Arch, lb::packed_view<lb::q4>>()) return;
      add<lb::q1>(1, "1b", Arch{});
      add<lb::trits>(1.6, "trits", Arch{});
      add<lb::q2>(2, "2b", Arch{});
      add<lb::q3>(3, "3b", Arch{});
      add<lb::q4>(4, "4b", Arch{});
      add<lb::q5>(5, "5b", Arch{});
      add<lb::q6>(6, "6b", Arch{});
      add<lb::q7>(7, "7b", Arch{});
      add<int8_t>(8, "8b", Arch{});
      if constexpr (lb::kernel::keeps_bits<Arch, lb::packed_view<lb::q4>>()) {
        add_layer<lb::packed_view<lb::q2>>(2, Arch{});
        add_layer<lb::packed_view<lb::q4>>(4, Arch{});
        add_layer<const int8_t*>(8, Arch{});
      }
    };
    (one(Archs{}), ...);
  }(lb::all_archs{});
  return true;
}();

}  // namespace
