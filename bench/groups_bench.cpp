// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Matrix products whose weights have a factor for each group along the depth: groups/<bits>b<group>_<factors>_<rows>x<cols>x<depth>
// /<arch>, 8-bit codes with a scale for each row to floats, by the public call. GB/s is the rate at which weights and
// factors pass, `share` its part of what this processor reads from the cache they lie in, measured in the same process.

#include "support.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <lowbits/kernel/grouped_gemm.hpp>

namespace {

namespace lb = lowbits;
using namespace bench;

struct product_size {
  int rows, cols, depth, group;
};

template <class Q, class Factor>
struct groups_case {
  using product_type = lb::grouped_gemm<int8_t, Q, Factor>;
  product_type product;
  std::vector<uint8_t> stream;
  std::vector<int8_t> x;
  std::vector<Factor> factors;
  std::vector<float> row_scales, y;
  aligned_bytes packed, scratch;

  groups_case(const product_size& s, lb::arch_id arch)
      : product({.rows = s.rows, .cols = s.cols, .depth = s.depth}, {.group = s.group}, arch),
        stream(random_codes<uint8_t>(static_cast<size_t>(s.cols) * static_cast<size_t>(s.depth) / 8 * Q::bits)),
        x(random_codes<int8_t>(static_cast<size_t>(s.rows) * static_cast<size_t>(s.depth))), row_scales(static_cast<size_t>(s.rows), 0.01f),
        y(static_cast<size_t>(s.rows) * static_cast<size_t>(s.cols)), packed(product.packed_bytes()), scratch(product.scratch_bytes()) {
    for (size_t i = 0; i < static_cast<size_t>(s.cols) * static_cast<size_t>(lb::ceil_div(s.depth, s.group)); ++i) {
      if constexpr (std::is_same_v<Factor, uint8_t>) factors.push_back(static_cast<uint8_t>(i % 255 + 1));
      else if constexpr (std::is_same_v<Factor, float>) factors.push_back(static_cast<float>(i % 255 + 1) * 0.01f);
      else factors.push_back(lb::half::nearest(static_cast<float>(i % 255 + 1) * 0.01f));
    }
    const lb::packed_view<Q> w{stream.data(), static_cast<size_t>(s.cols) * static_cast<size_t>(s.depth)};
    if (product.pack(w, factors.data(), nullptr, packed.span()) != lb::status::ok) std::abort();
    run();
    const lb::gemm_shape last{.rows = 1, .cols = 1, .depth = s.depth};
    float expected = 0;
    const size_t groups = factors.size() / static_cast<size_t>(s.cols);
    lb::ref::grouped_gemm(last, x.data() + x.size() - static_cast<size_t>(s.depth), 0,
                          [&] { std::vector<int> v; for (size_t k = w.size() - static_cast<size_t>(s.depth); k < w.size(); ++k) v.push_back(w[k]); return v; }(), 0,
                          lb::group_factors<Factor>{factors.data() + factors.size() - groups, s.group, 0}, nullptr,
                          lb::float_output{.row_scales = row_scales.data()}, &expected);
    if (std::memcmp(&expected, &y.back(), sizeof expected) != 0) std::fprintf(stderr, "wrong result\n"), std::abort();
  }
  void run() {
    if (product.run(x.data(), packed.span(), {.row_scales = row_scales.data()}, y.data(), scratch.span()) != lb::status::ok) std::abort();
  }
};

template <class Q, class Factor>
void add(const char* arch_name, lb::arch_id arch, const product_size& s) {
  const std::string kind = std::is_same_v<Factor, uint8_t> ? "int" : sizeof(Factor) == 2 ? "half" : "float";
  const std::string name = "groups/" + std::to_string(Q::bits) + "b" + std::to_string(s.group) + "_" + kind + "_" + std::to_string(s.rows) + "x" +
                           std::to_string(s.cols) + "x" + std::to_string(s.depth) + "/" + arch_name;
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
    auto& c = prepared(name, [&] { return std::make_unique<groups_case<Q, Factor>>(s, arch); });
    const double weights = double{1} * s.cols * s.depth, bytes = weights * Q::bits / 8 + weights / s.group * sizeof(Factor);
    time_work(state, {2 * s.rows * weights, bytes}, 0, read_ceiling(static_cast<size_t>(bytes)), [&] { c.run(); });
  })->Unit(benchmark::kMicrosecond);
}

template <class Q, class Factor>
void add_sizes(const char* name, lb::arch_id arch) {
  for (const int rows : {1, 2, 4, 8, 128}) add<Q, Factor>(name, arch, {rows, 4096, 4096, 32});
  for (const int group : {16, 64, 128, 256}) add<Q, Factor>(name, arch, {1, 4096, 4096, group});
}

const bool registered = [] {
  add_controls();
  [&]<class... Archs>(lb::type_list<Archs...>) {
    const auto one = [&]<class Arch>(Arch) {
      if (!lb::is_usable<Arch>() || !lb::has_prim<lb::prims::gemm_groups, Arch>) return;
      constexpr lb::arch_id id = lb::arch_id_of<Arch>;
      add_sizes<lb::q1, lb::half>(Arch::name, id);
      add_sizes<lb::q2, lb::half>(Arch::name, id);
      add_sizes<lb::q2, uint8_t>(Arch::name, id);
      add_sizes<lb::q3, uint8_t>(Arch::name, id);
      add_sizes<lb::q4, float>(Arch::name, id);
      add_sizes<lb::q4, lb::half>(Arch::name, id);
      add_sizes<lb::q4, uint8_t>(Arch::name, id);
      add_sizes<lb::q8, lb::half>(Arch::name, id);
    };
    (one(Archs{}), ...);
  }(lb::all_archs{});
  return true;
}();

}  // namespace
