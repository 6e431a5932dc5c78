// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Matrix products with weights of 1 to 8 bits, kept at that width: lowbit/<bits>b_<rows>x<cols>x<depth>/<arch> (trits: five
// weights in a byte), signed 8-bit codes to 32-bit sums, by the public call. GB/s is the rate at which packed weights pass, `share` its part of what
// this processor reads from the cache they lie in, measured in the same process.

#include "support.hpp"

#include <cstdio>
#include <cstdlib>

#include <lowbits/kernel/trit_gemm.hpp>

namespace {

namespace lb = lowbits;
using namespace bench;

struct product_size {
  int rows, cols, depth;
};
constexpr product_size sizes[] = {{1, 4096, 4096}, {1, 1024, 1024}, {1, 256, 256}, {2, 4096, 4096}, {4, 4096, 4096},
                                  {8, 4096, 4096}, {8, 1024, 1024}, {32, 1024, 1024}, {128, 4096, 4096}};

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

template <class W>
void add(double bits, const std::string& width, const char* arch_name, lb::arch_id arch) {
  for (const product_size& s : sizes) {
    const std::string name = "lowbit/" + width + "_" + std::to_string(s.rows) + "x" + std::to_string(s.cols) + "x" +
                             std::to_string(s.depth) + "/" + arch_name;
    benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
      auto& c = prepared(name, [&] { return std::make_unique<lowbit_case<W>>(s, arch); });
      const double products = double{1} * s.rows * s.cols * s.depth, bytes = double{1} * s.cols * s.depth * bits / 8;
      time_work(state, {2 * products, bytes}, 0, read_ceiling(static_cast<size_t>(bytes)), [&] { c.run(); });
    })->Unit(benchmark::kMicrosecond);
  }
}

const bool registered = [] {
  add_controls();
  [&]<class... Archs>(lb::type_list<Archs...>) {
    const auto one = [&]<class Arch>(Arch) {
      if (!lb::is_usable<Arch>() || !lb::kernel::keeps_bits<Arch, lb::packed_view<lb::q4>>()) return;
      constexpr lb::arch_id id = lb::arch_id_of<Arch>;
      add<lb::q1>(1, "1b", Arch::name, id);
      add<lb::trits>(1.6, "trits", Arch::name, id);
      add<lb::q2>(2, "2b", Arch::name, id);
      add<lb::q3>(3, "3b", Arch::name, id);
      add<lb::q4>(4, "4b", Arch::name, id);
      add<lb::q5>(5, "5b", Arch::name, id);
      add<lb::q6>(6, "6b", Arch::name, id);
      add<lb::q7>(7, "7b", Arch::name, id);
      add<int8_t>(8, "8b", Arch::name, id);
    };
    (one(Archs{}), ...);
  }(lb::all_archs{});
  return true;
}();

}  // namespace
