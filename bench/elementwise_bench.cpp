// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Conversions and element-wise operations on 16K and 128K elements (128K floats and their codes fill most
// of an L2 cache of 1 MiB), on every architecture this processor can run:
// elementwise/<operation>_n<elements>/<arch>. The share is that of the cache's read bandwidth.

#include "weighted.hpp"

#include <new>
#include <string>

#include <lowbits/kernel/eltwise.hpp>
#include <lowbits/kernel/pool.hpp>
#include <lowbits/kernel/softmax.hpp>
#include <lowbits/kernel/transpose.hpp>
#if __has_include(<lowbits/kernel/dynamic_quantize.hpp>)
#include <lowbits/kernel/dynamic_quantize.hpp>
#define BENCH_DYNAMIC_QUANTIZE 1
#endif

namespace {

using namespace bench;

constexpr size_t sizes[] = {size_t{1} << 14, size_t{1} << 17};
constexpr size_t channels = 256;

/// On whole cache lines, as other libraries' arrays are where these are compared.
template <class T>
struct on_lines {
  using value_type = T;
  T* allocate(size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t{64})); }
  void deallocate(T* p, size_t) { ::operator delete(p, std::align_val_t{64}); }
  bool operator==(const on_lines&) const = default;
};
template <class T>
using array = std::vector<T, on_lines<T>>;

/// Registers f(n, x, y, out) on arrays of n codes or numbers.
template <class Arch, class X, class Out, class Function>
void add(const char* operation, int inputs, Function f) {
  struct arrays {
    array<X> x, y;
    array<Out> out;
  };
  for (const size_t n : sizes) {
    const std::string full = std::string("elementwise/") + operation + "_n" + std::to_string(n) + "/" + Arch::name;
    const double bytes = static_cast<double>(n) * static_cast<double>(static_cast<size_t>(inputs) * sizeof(X) + sizeof(Out));
    benchmark::RegisterBenchmark(full.c_str(), [=](benchmark::State& state) {
      auto& a = prepared(full, [&] {
        const auto fill = [n] {
          const auto aligned = [](const auto& v) { return array<X>(v.begin(), v.end()); };
          if constexpr (std::is_same_v<X, float>) return aligned(random_reals(n));
          else if constexpr (sizeof(X) == 4) return aligned(random_codes<int16_t>(n));
          else return aligned(random_codes<X>(n));
        };
        return std::make_unique<arrays>(arrays{fill(), fill(), array<Out>(n)});
      });
      const double ceiling = read_ceiling(static_cast<size_t>(bytes));
      time_work(state, {static_cast<double>(n), bytes}, 0, ceiling,
                [&] { f(n, a.x.data(), a.y.data(), a.out.data()); });
    });
  }
}

template <class Arch>
void add_conversions() {
  static constexpr lb::affine p{0.0078f, 3};
  static constexpr lb::output_stage stage{3, -128, 127};
  add<Arch, float, int8_t>("quantize_f32_s8", 1, [](size_t n, const float* x, const float*, int8_t* out) {
    lb::kernel::quantize<Arch>(n, x, p, stage, out);
  });
  add<Arch, int8_t, float>("dequantize_s8_f32", 1, [](size_t n, const int8_t* x, const int8_t*, float* out) {
    lb::kernel::dequantize<Arch>(n, x, p, out);
  });
  static const std::vector<lb::fixed_multiplier> factors(channels, lb::fixed_multiplier::from(0.002));
  add<Arch, int32_t, int8_t>("requantize_s32_s8_channel", 1, [](size_t n, const int32_t* x, const int32_t*, int8_t* out) {
    lb::kernel::finish<Arch>(static_cast<int>(n / channels), static_cast<int>(channels), x, channels,
                             s8_codes{factors.data(), stage}, {}, out, channels);
  });
  add<Arch, int32_t, int8_t>("requantize_s32_s8", 1, [](size_t n, const int32_t* x, const int32_t*, int8_t* out) {
    lb::kernel::finish<Arch>(static_cast<int>(n / channels), static_cast<int>(channels), x, channels,
                             lb::requantizer<lb::q8, lb::round_single>{factors[0], stage}, {}, out, channels);
  });
#ifdef BENCH_DYNAMIC_QUANTIZE
  const auto rows_of = [](auto columns) {
    return [columns](size_t n, const float* x, const float*, int8_t* out) {
      lb::affine parameters[sizes[1] / 512];
      lb::kernel::dynamic_quantize<Arch, lb::q8>(static_cast<int>(n / columns), columns, x, parameters, out);
      benchmark::DoNotOptimize(parameters);
    };
  };
  add<Arch, float, int8_t>("dynamic_row512_f32_s8", 1, rows_of(std::integral_constant<size_t, 512>{}));
  add<Arch, float, int8_t>("dynamic_row4096_f32_s8", 1, rows_of(std::integral_constant<size_t, 4096>{}));
#endif
}

template <class Arch>
void add_operations() {
  static constexpr lb::qformat q8 = lb::qformat::of<lb::q8>();
  static constexpr lb::affine a{0.02f, 3}, b{0.03f, -7}, c{0.05f, 1};
  add<Arch, int8_t, int8_t>("add_s8s8_s8", 2, [](size_t n, const int8_t* x, const int8_t* y, int8_t* out) {
    static constexpr auto sum = lb::make_sum(q8, a, q8, b, q8, c, lb::activation::none, false);
    lb::kernel::binary<Arch>(n, x, y, sum, out);
  });
  add<Arch, int8_t, int8_t>("multiply_s8s8_s8", 2, [](size_t n, const int8_t* x, const int8_t* y, int8_t* out) {
    static constexpr auto product = lb::make_product<lb::round_single>(q8, a, q8, b, q8, c, lb::activation::none);
    lb::kernel::binary<Arch>(n, x, y, product, out);
  });
  add<Arch, int8_t, int8_t>("rescale_s8_s8", 1, [](size_t n, const int8_t* x, const int8_t*, int8_t* out) {
    static constexpr auto rescale = lb::make_rescale(q8, a, q8, b, lb::activation::none);
    lb::kernel::rescale<Arch>(n, x, rescale, out);
  });
  add<Arch, int8_t, int8_t>("lookup_s8_s8", 1, [](size_t n, const int8_t* x, const int8_t*, int8_t* out) {
    static const auto table = random_codes<uint8_t>(256);
    lb::kernel::lookup<Arch>(n, x, table.data(), out);
  });
  const auto windows = [](auto run) {  // 3x3 with a border, so that there are as many results
    return [run](size_t n, const int8_t* x, const int8_t*, int8_t* out) {
      const int side = n == sizes[0] ? 16 : 32;
      const lb::pool2d_shape shape{.in_h = side, .in_w = side, .channels = static_cast<int>(n) / (side * side),
                                   .out_h = side, .out_w = side,
                                   .window = {.kernel_h = 3, .kernel_w = 3, .pad_top = 1, .pad_left = 1}};
      run(shape, x, lb::code_range{-128, 127}, out);
    };
  };
  add<Arch, int8_t, int8_t>("max_pool_3x3_s8", 1, windows([](auto... a) { lb::kernel::max_pool<Arch>(a...); }));
  add<Arch, int8_t, int8_t>("average_pool_3x3_s8", 1, windows([](auto... a) { lb::kernel::average_pool<Arch>(a...); }));
  add<Arch, int8_t, int8_t>("global_mean_s8_s8", 1, [](size_t n, const int8_t* x, const int8_t*, int8_t* out) {
    static constexpr auto mean = lb::make_mean(q8, a, q8, b, 64, lb::activation::none);
    lb::kernel::global_mean<Arch>(1, 64, static_cast<int>(n / 64), x, mean, out);
  });
  const auto softmax_rows = [](auto columns) {
    return [columns](size_t n, const int8_t* x, const int8_t*, int8_t* out) {
      static constexpr auto p = lb::make_softmax(q8, a, 1.0f, q8);
      const int rows = static_cast<int>(n / columns), depth = static_cast<int>(columns());
      if constexpr (std::is_same_v<Arch, lb::arch::generic>) lb::ref::softmax(rows, depth, x, p, out);
      else lb::kernel::softmax<Arch>(rows, depth, x, p, out);
    };
  };
  add<Arch, int8_t, int8_t>("softmax_row64_s8_s8", 1, softmax_rows(std::integral_constant<size_t, 64>{}));
  add<Arch, int8_t, int8_t>("softmax_row1024_s8_s8", 1, softmax_rows(std::integral_constant<size_t, 1024>{}));
  add<Arch, int8_t, int8_t>("transpose_nhwc_nchw_s8", 1, [](size_t n, const int8_t* x, const int8_t*, int8_t* out) {
    static constexpr int axes[lb::max_rank] = {0, 3, 1, 2};
    lb::tensor_shape from, to;
    from.rank = to.rank = 4;
    const int side = n == sizes[0] ? 16 : 32, depth = static_cast<int>(n) / (side * side);
    const int extents[] = {1, side, side, depth};
    for (int i = 0; i < 4; ++i) from.extent[i] = extents[i], to.extent[i] = extents[axes[i]];
    if constexpr (std::is_same_v<Arch, lb::arch::generic>) lb::ref::transpose(from, x, axes, to, out);
    else lb::kernel::transpose(from, x, axes, to, out);
  });
}

const bool registered = [] {
  add_controls();
  for_usable_archs([]<class Arch>(Arch) {
    add_conversions<Arch>();
    add_operations<Arch>();
  });
  return true;
}();

}  // namespace
