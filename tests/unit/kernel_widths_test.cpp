// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Weights and activations of 1 to 16 bits in all 256 pairs through the kernels of every architecture: products
// for direct use, convolutions, depthwise ones and products of two activations give the reference's bytes, for codes
// at the ends of each width. The widths are data; what differs in type is only what holds the codes.

#include "support/kernel_archs.hpp"

#include <string>

#include <lowbits/kernel/conv2d.hpp>
#include <lowbits/kernel/depthwise.hpp>
#include <lowbits/kernel/matmul.hpp>
#include <lowbits/kernel/prepared_gemm.hpp>
#include <lowbits/ref/conv2d.hpp>

#include "support/kernel_operands.hpp"

namespace {

using namespace kernel_operands;

/// Codes of a signed width, the ends often, or nothing but the lowest.
template <class T>
std::vector<T> codes_of(int bits, int n, naive::random_numbers& random, bool extreme = false) {
  const lb::qformat q{static_cast<uint8_t>(bits)};
  std::vector<T> v(static_cast<std::size_t>(n));
  for (T& c : v) {
    const int draw = extreme ? 0 : random.in(0, 9);
    c = static_cast<T>(draw == 0 ? q.lowest() : draw == 1 ? q.highest() : random.in(q.lowest(), q.highest()));
    if (q.is_binary() && c == 0) c = 1;
  }
  return v;
}
int zero_of(int bits, naive::random_numbers& random) {
  const lb::qformat q{static_cast<uint8_t>(bits)};
  return random.in(0, 2) == 0 ? 0 : random.in(q.lowest(), q.highest());
}

/// What a pair of storage types needs, and one buffer for each operand.
template <class X, class W>
struct operands {
  using Acc = std::conditional_t<sizeof(X) + sizeof(W) == 2, int32_t, int64_t>;
  using Rq = lb::requantizer<lb::q16, lb::round_single>;
  naive::random_numbers& random;
  int x_bits, w_bits;
  std::vector<X> x;
  std::vector<W> w;
  std::vector<Acc> bias;
  int x_zero;
  Rq rq;

  operands(naive::random_numbers& r, int a, int b, int xs, int ws, int channels, int depth, bool extreme = false)
      : random(r), x_bits(a), w_bits(b), x(codes_of<X>(a, xs, r, extreme)), w(codes_of<W>(b, ws, r, extreme)), x_zero(zero_of(a, r)) {
    for (int c = 0; c < channels; ++c) bias.push_back(r.in(-999, 999));
    double largest = depth;
    for (int i = 2; i < a + b; ++i) largest *= 2;
    rq = {lb::fixed_multiplier::from(r.in(1, 8) * 8192.0 / largest), {r.in(-99, 99), -32768, 32767}};
  }
  std::string text(const char* what, const char* arch) const {
    return std::string(arch) + ": " + what + ", weights of " + std::to_string(w_bits) + ", activations of " + std::to_string(x_bits) + " bits: ";
  }
};

void expect_equal(const std::string& what, const std::vector<int16_t>& got, const std::vector<int16_t>& want) {
  const std::string wrong = difference(got.data(), want);
  if (!wrong.empty()) FAIL_CHECK(what, wrong);
}

struct aligned {
  std::vector<unsigned char> bytes;
  explicit aligned(std::size_t n) : bytes(n + 64) {}
  unsigned char* get() { return bytes.data() + (64 - reinterpret_cast<std::uintptr_t>(bytes.data()) % 64) % 64; }
};

template <class Kernel, class Shape, class O, class Reference>
void check_layer(const char* what, const char* arch, const Shape& s, std::size_t outputs, const O& o, bool prepares, Reference reference) {
  std::vector<int16_t> want(outputs), y(outputs);
  reference(s, o.x.data(), o.x_zero, o.w.data(), 0, o.bias.data(), o.rq, want.data());
  aligned packed(Kernel::packed_bytes(s)), scratch(Kernel::scratch_bytes(s));
  CHECK_MESSAGE((Kernel::packed_bytes(s) != 0) == prepares, o.text(what, arch));
  Kernel::pack(s, o.w.data(), o.bias.data(), o.x_zero, packed.get());
  Kernel::run(s, o.x.data(), o.x_zero, o.w.data(), 0, o.bias.data(), Kernel::packed_bytes(s) != 0 ? packed.get() : nullptr, o.rq, y.data(), scratch.get());
  expect_equal(o.text(what, arch), y, want);
}

template <class Arch, class X, class W>
void check_pair(int a, int b, naive::random_numbers& random) {
  using O = operands<X, W>;
  using Acc = typename O::Acc;
  using Rq = typename O::Rq;
  const char* const arch = Arch::name;
  constexpr bool bytes = sizeof(Acc) == 4;
  constexpr bool has_product = bytes ? lb::has_prim<lb::prims::gemm, Arch> : lb::has_prim<lb::prims::gemm_words, Arch>;
  for (const bool extreme : {false, true}) {  // also as deep as 32 bits do not hold the sums of
    const lb::gemm_shape s{.rows = random.in(1, 7), .cols = 19, .depth = extreme ? 1030 : 67};
    const O o(random, a, b, s.rows * s.depth, s.cols * s.depth, s.cols, s.depth, extreme);
    const int w_zero = zero_of(b, random);
    std::vector<int16_t> want(static_cast<std::size_t>(s.rows * s.cols)), y(want.size());
    lb::ref::gemm<Acc>(s, o.x.data(), o.x_zero, o.w.data(), w_zero, o.bias.data(), o.rq, want.data());
    const lb::gemm<X, Rq, W> product(s, lb::arch_id_of<Arch>);
    aligned packed(product.packed_bytes()), scratch(product.scratch_bytes());
    REQUIRE(product.pack(o.w.data(), w_zero, o.bias.data(), o.x_zero, {packed.get(), product.packed_bytes()}) == lb::status::ok);
    REQUIRE(product.run(o.x.data(), {packed.get(), product.packed_bytes()}, o.rq, y.data(), {scratch.get(), product.scratch_bytes()}) == lb::status::ok);
    expect_equal(o.text("gemm", arch), y, want);
  }
  {
    const lb::conv2d_shape s{.in_h = 4, .in_w = 5, .in_c = 3, .out_h = 4, .out_w = 5, .out_c = 9, .window = {.kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1}};
    const O o(random, a, b, 60, 9 * 27, 9, 27);
    check_layer<lb::kernel::conv2d<Arch, X, const W*, Acc, Rq>>("conv2d", arch, s, 180, o, has_product, [](const auto&... p) { lb::ref::conv2d<Acc>(p...); });
  }
  {
    const lb::depthwise_shape s{.in_h = 4, .in_w = 6, .in_c = 18, .out_h = 4, .out_w = 6, .window = {.kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1}};
    const O o(random, a, b, 24 * 18, 9 * 18, 18, 9);
    constexpr bool prepares = bytes ? lb::has_prim<lb::prims::depthwise, Arch> : lb::has_prim<lb::prims::depthwise_words, Arch>;
    check_layer<lb::kernel::depthwise<Arch, X, const W*, Acc, Rq>>("depthwise", arch, s, 24 * 18, o, prepares, [](const auto&... p) { lb::ref::depthwise<Acc>(p...); });
  }
  {
    const lb::matmul_shape s{.rows = 3, .depth = 33, .cols = 18};
    const O o(random, a, b, 99, 33 * 18, 0, 33);
    const int w_zero = zero_of(b, random);
    std::vector<int16_t> want(54), y(54);
    lb::ref::matmul<Acc>(s, o.x.data(), o.x_zero, o.w.data(), w_zero, o.rq, want.data());
    using kernel = lb::kernel::matmul<Arch, X, W, Acc, Rq>;
    aligned scratch(kernel::scratch_bytes(s));
    kernel::run(s, o.x.data(), o.x_zero, o.w.data(), w_zero, o.rq, y.data(), scratch.get());
    expect_equal(o.text("matmul", arch), y, want);
  }
}

/// Packed weights of Q with activations of every width, as layers of one row.
template <class Arch, class X, class Q>
void check_packed(naive::random_numbers& random, int first, int last) {
  using product = lb::gemm<X, lb::raw_accumulator<int64_t>, Q>;
  for (int a = first; a <= last; ++a) {
    const lb::gemm_shape s{.rows = random.in(1, 3), .cols = 17, .depth = 37};
    const auto x = codes_of<X>(a, s.rows * s.depth, random);
    const auto w = codes_of<int16_t>(Q::bits, s.cols * s.depth, random);
    std::vector<uint8_t> bytes(lb::bytes_for<Q>(w.size()));
    const lb::packed_span<Q> span(bytes.data(), w.size());
    for (std::size_t i = 0; i < w.size(); ++i) span[i] = w[i];
    const lb::packed_view<Q> view(bytes.data(), w.size());
    const int x_zero = zero_of(a, random);
    std::vector<int64_t> want(static_cast<std::size_t>(s.rows * s.cols)), y(want.size());
    lb::ref::gemm<int64_t>(s, x.data(), x_zero, w.data(), 0, static_cast<const int64_t*>(nullptr), lb::raw_accumulator<int64_t>{}, want.data());
    const product p(s, lb::arch_id_of<Arch>);
    aligned packed(p.packed_bytes()), scratch(p.scratch_bytes());
    REQUIRE(p.pack(view, 0, nullptr, x_zero, {packed.get(), p.packed_bytes()}) == lb::status::ok);
    REQUIRE(p.run(x.data(), {packed.get(), p.packed_bytes()}, {}, y.data(), {scratch.get(), p.scratch_bytes()}) == lb::status::ok);
    const std::string wrong = difference(y.data(), want);
    if (!wrong.empty()) FAIL_CHECK(std::string(Arch::name), ": packed weights of ", static_cast<int>(Q::bits), ", activations of ", a, " bits: ", wrong);
  }
}

}  // namespace

TEST_CASE("widths: all pairs through the kernels of every architecture") {
  kernel_archs::for_each([]<class Arch>(Arch) {
    naive::random_numbers random(1);
    for (int a = 1; a <= 16; ++a)
      for (int b = 1; b <= 16; ++b) {
        if (kernel_archs::is_slow && (a + b) % 5 != 0) continue;
        if (a <= 8 && b <= 8) check_pair<Arch, int8_t, int8_t>(a, b, random);
        else if (a <= 8) check_pair<Arch, int8_t, int16_t>(a, b, random);
        else if (b <= 8) check_pair<Arch, int16_t, int8_t>(a, b, random);
        else check_pair<Arch, int16_t, int16_t>(a, b, random);
      }
  });
}

TEST_CASE("widths: packed weights with 9- to 16-bit activations") {
  kernel_archs::for_each([]<class Arch>(Arch) {
    naive::random_numbers random(2);
    check_packed<Arch, int16_t, lb::q1>(random, 9, 16);
    check_packed<Arch, int16_t, lb::q3>(random, 9, 16);
    check_packed<Arch, int16_t, lb::q7>(random, 9, 16);
    check_packed<Arch, int16_t, lb::q9>(random, 9, 16);
    check_packed<Arch, int16_t, lb::q13>(random, 9, 16);
    check_packed<Arch, int8_t, lb::q11>(random, 1, 8);
  });
}
