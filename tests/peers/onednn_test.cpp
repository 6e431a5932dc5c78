// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// oneDNN beside our products in one thread: its 32-bit sums are ours where its arithmetic is exact, and
// its calls between ours (it sets the tile registers where there are any) change no bit of either.

#include "support/kernel_archs.hpp"

#include <dnnl.hpp>

#include <sstream>
#include <string>
#include <vector>

#include <lowbits/kernel/prepared_gemm.hpp>

#include "support/kernel_operands.hpp"

namespace {

using namespace kernel_operands;

template <class T>
constexpr auto data_type = std::is_same_v<T, uint8_t>  ? dnnl::memory::data_type::u8
                           : std::is_same_v<T, int8_t> ? dnnl::memory::data_type::s8
                                                       : dnnl::memory::data_type::s32;

/// y[m][n] = x[m][k] * w[k][n] by oneDNN.
template <class X>
class their_product {
public:
  their_product(const lb::gemm_shape& s, std::vector<X>& x, std::vector<int8_t>& w) : sums_(static_cast<std::size_t>(s.rows * s.cols)) {
    const dnnl::memory::desc xs = matrix<X>(s.rows, s.depth), ws = matrix<int8_t>(s.depth, s.cols),
                             ys = matrix<int32_t>(s.rows, s.cols);
#if DNNL_VERSION_MAJOR >= 3
    product_ = dnnl::matmul({engine_, xs, ws, ys});
#else
    product_ = dnnl::matmul({{xs, ws, ys}, engine_});
#endif
    x_ = dnnl::memory(xs, engine_, x.data());
    w_ = dnnl::memory(ws, engine_, w.data());
    y_ = dnnl::memory(ys, engine_, sums_.data());
  }
  const std::vector<int32_t>& operator()() {
    std::fill(sums_.begin(), sums_.end(), -1);
    product_.execute(stream_, {{DNNL_ARG_SRC, x_}, {DNNL_ARG_WEIGHTS, w_}, {DNNL_ARG_DST, y_}});
    stream_.wait();
    return sums_;
  }

private:
  template <class T>
  static dnnl::memory::desc matrix(int rows, int cols) {
    return {{rows, cols}, data_type<T>, dnnl::memory::format_tag::ab};
  }
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  dnnl::matmul product_;
  dnnl::memory x_, w_, y_;
  std::vector<int32_t> sums_;
};

template <class Arch, class X>
void check(const lb::gemm_shape& s, uint64_t seed) {
  naive::random_numbers random(seed);
  const auto size = [](int a, int b) { return static_cast<std::size_t>(a) * static_cast<std::size_t>(b); };
  auto x = codes<X>(size(s.rows, s.depth), random);
  auto w = codes<int8_t>(size(s.cols, s.depth), random);
  // Without VNNI oneDNN adds pairs of products in 16 bits: half the range on both sides.
  for (auto& v : w) v = static_cast<int8_t>(v / 2);
  for (auto& v : x) v = static_cast<X>(v / 2);
  std::vector<int8_t> w_by_depth(w.size());
  for (int c = 0; c < s.cols; ++c)
    for (int k = 0; k < s.depth; ++k) w_by_depth[size(k, s.cols) + static_cast<std::size_t>(c)] = w[size(c, s.depth) + static_cast<std::size_t>(k)];
  their_product<X> theirs(s, x, w_by_depth);

  const lb::gemm<X, lb::raw_accumulator<int32_t>> ours(s, lb::arch_id_of<Arch>);
  std::vector<unsigned char> packed(ours.packed_bytes() + 64), scratch(ours.scratch_bytes() + 64);
  const auto aligned = [](std::vector<unsigned char>& v, std::size_t n) {
    auto* p = v.data();
    while (reinterpret_cast<std::uintptr_t>(p) % 64 != 0) ++p;
    return std::span<unsigned char>(p, n);
  };
  const auto weights = aligned(packed, ours.packed_bytes());
  REQUIRE(ours.pack(w.data(), 0, nullptr, 0, weights) == lb::status::ok);
  std::vector<int32_t> first(size(s.rows, s.cols)), second(first.size());
  const auto run = [&](std::vector<int32_t>& y) {
    return ours.run(x.data(), weights, {}, y.data(), aligned(scratch, ours.scratch_bytes()));
  };
  REQUIRE(run(first) == lb::status::ok);
  const std::vector<int32_t> expected = theirs();
  REQUIRE(run(second) == lb::status::ok);
  const std::vector<int32_t> again = theirs();
  INFO("arch ", std::string(Arch::name), ", ", s.rows, "x", s.depth, " * ", s.cols);
  for (std::size_t i = 0; i < first.size(); ++i)
    if (first[i] != expected[i] || second[i] != expected[i] || again[i] != expected[i]) {
      FAIL_CHECK("sum ", i, ": ours ", first[i], " and ", second[i], ", theirs ", expected[i], " and ", again[i]);
      break;
    }
}

template <class X>
void check_all(uint64_t seed) {
  kernel_archs::for_each([&]<class Arch>(Arch) {
    for (const auto& [m, k, n] : {std::array{1, 64, 16}, {3, 100, 33}, {16, 64, 16}, {17, 65, 31}, {64, 256, 48}, {33, 1, 5}})
      check<Arch, X>({.rows = m, .cols = n, .depth = k}, seed++);
  });
}

}  // namespace

TEST_CASE("oneDNN: sums of s8 s8 between our calls") { check_all<int8_t>(1); }
TEST_CASE("oneDNN: sums of u8 s8 between our calls") { check_all<uint8_t>(2); }
