// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Products of floats and weights in codes: weight_only/f32_s<bits>pc_<rows>x<cols>x<depth>/<arch> with a scale per column, and
// ..g32 with one for each 32 codes. `share` is the part of the rate of separate products and sums on registers, for a
// single row of the rate at which packed weights can be read.

#include "support.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>

#include <lowbits/kernel/weight_only_gemm.hpp>

namespace {

namespace lb = lowbits;
using namespace bench;

struct product_size {
  int rows, cols, depth;
};
constexpr product_size sizes[] = {{1, 4096, 4096}, {1, 1024, 1024}, {4, 4096, 4096}, {8, 4096, 4096}, {32, 4096, 4096}, {128, 4096, 4096}};

template <class Q>
struct weight_only_case {
  lb::weight_only_gemm<Q> product;
  std::vector<uint8_t> stream;
  std::vector<float> x, scales, y;
  aligned_bytes packed, scratch;

  weight_only_case(const product_size& s, int group, lb::arch_id arch)
      : product({.rows = s.rows, .cols = s.cols, .depth = s.depth}, {.group = group}, arch),
        stream(random_codes<uint8_t>(lb::bytes_for<Q>(static_cast<size_t>(s.cols) * static_cast<size_t>(s.depth)))),
        x(random_reals(static_cast<size_t>(s.rows) * static_cast<size_t>(s.depth))),
        scales(static_cast<size_t>(s.cols) * static_cast<size_t>(group == 0 ? 1 : s.depth / group), 0.01f),
        y(static_cast<size_t>(s.rows) * static_cast<size_t>(s.cols)), packed(product.packed_bytes()), scratch(product.scratch_bytes()) {
    const lb::packed_view<Q> w(stream.data(), static_cast<size_t>(s.cols) * static_cast<size_t>(s.depth));
    if (product.pack(w, {.scales = scales}, packed.span()) != lb::status::ok) std::abort();
    run();
    for (size_t i = 0; i < y.size(); i += y.size() / 100 + 1) {
      const lb::gemm_shape one{.rows = 1, .cols = 1, .depth = s.depth};
      const auto depth = static_cast<size_t>(s.depth), r = i / static_cast<size_t>(s.cols), c = i % static_cast<size_t>(s.cols);
      const auto code = [&](size_t k) { return w[c * depth + k]; };
      struct column {
        decltype(code) at;
        int operator[](size_t k) const { return at(k); }
      };
      float expected = 0;
      const float scale = scales[0];
      lb::ref::weight_only_gemm(one, group, &x[r * depth], column{code}, {.scales = {&scale, 1}}, &expected);
      if (y[i] != expected) std::fprintf(stderr, "wrong result %zu\n", i), std::abort();
    }
  }
  void run() {
    if (product.run(x.data(), packed.span(), y.data(), scratch.span()) != lb::status::ok) std::abort();
  }
};

template <class Q>
void add(int group, const char* arch_name, lb::arch_id arch, double ceiling) {
  for (const product_size& s : sizes) {
    const std::string name = "weight_only/f32_s" + std::to_string(static_cast<int>(Q::bits)) + (group == 0 ? "pc" : "g" + std::to_string(group)) + "_" +
                             std::to_string(s.rows) + "x" + std::to_string(s.cols) + "x" + std::to_string(s.depth) + "/" + arch_name;
    benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
      auto& c = prepared(name, [&] { return std::make_unique<weight_only_case<Q>>(s, group, arch); });
      const double products = double{1} * s.rows * s.cols * s.depth;
      const double bytes = double{1} * s.cols * s.depth * (Q::bits / 8.0 + (group == 0 ? 0.0 : 4.0 / group));
      time_work(state, {2 * products, bytes}, s.rows == 1 ? 0 : ceiling, read_ceiling(static_cast<size_t>(bytes)), [&] { c.run(); });
    })->Unit(benchmark::kMicrosecond);
  }
}

const bool registered = [] {
  add_controls();
  [&]<class... Archs>(lb::type_list<Archs...>) {
    const auto one = [&]<class Arch>(Arch) {
      using own = lb::arch_for<Arch, lb::prims::gemm_reals>;
      if (!lb::is_usable<Arch>() || !lb::has_prim<lb::prims::gemm_reals, Arch> || !std::is_same_v<own, Arch>) return;
      constexpr lb::arch_id id = lb::arch_id_of<Arch>;
      const double ceiling = ceiling_of(std::string(Arch::name) + ", floats");
      add<lb::q4>(0, Arch::name, id, ceiling);
      add<lb::q4>(32, Arch::name, id, ceiling);
      add<lb::q1>(0, Arch::name, id, ceiling);
      add<lb::q2>(0, Arch::name, id, ceiling);
      add<lb::q3>(0, Arch::name, id, ceiling);
      add<lb::q5>(0, Arch::name, id, ceiling);
      add<lb::q8>(0, Arch::name, id, ceiling);
      add<lb::q12>(0, Arch::name, id, ceiling);
      add<lb::q16>(0, Arch::name, id, ceiling);
    };
    (one(Archs{}), ...);
  }(lb::all_archs{});
  return true;
}();

}  // namespace
