// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Every row of the table of primitives this processor can run, on data that stays in the L1 cache,
// next to the rate of the multiply instruction on registers alone. A row whose operation has no add()
// here does not compile.

#include <benchmark/benchmark.h>

#include <string>

#include "support.hpp"

#include <lowbits/arch/binary.hpp>
#include <lowbits/arch/reals.hpp>
#include <lowbits/arch/groups.hpp>
#include <lowbits/arch/trits.hpp>
#include <lowbits/kernel/select.hpp>

namespace {

namespace lb = lowbits;
namespace prims = lb::prims;
using namespace bench;

template <class Arch, class Function>
void add_benchmark(const char* name, Function f) {
  benchmark::RegisterBenchmark((std::string(name) + "/" + Arch::name).c_str(), f);
}

template <class Arch>
void add(prims::gemm, Arch) {
  using P = lb::prim<prims::gemm, Arch>;
  for (const int rows : {P::rows, 1})
    add_benchmark<Arch>(rows == 1 ? "gemm_row" : "gemm_tile", [rows](benchmark::State& state) {
      constexpr int depth = 256;
      const auto codes = random_codes<int8_t>(depth);
      const auto w = random_codes<int8_t>(depth * P::cols);
      std::vector<typename P::element> x(static_cast<size_t>(rows * depth));
      P::fetch(rows, depth, codes.data(), 0, x.data(), depth);
      const std::vector<int32_t> start(P::cols);
      std::vector<int32_t> acc(static_cast<size_t>(rows * P::cols));
      for (auto _ : state) {
        P::run(rows, P::cols, depth / P::depth_step, x.data(), depth, w.data(), start.data(), acc.data());
        benchmark::ClobberMemory();
      }
      count_operations(state, 2.0 * rows * P::cols * depth);
    });
  add_benchmark<Arch>("gemm_fetch", [](benchmark::State& state) {
    const auto codes = random_codes<int8_t>(2048);
    std::vector<typename P::element> x(codes.size());
    for (auto _ : state) {
      P::fetch(1, 2048, codes.data(), 0, x.data(), 0);
      benchmark::ClobberMemory();
    }
    count_operations(state, 2048);
  });
}

template <class Arch, int Bits>
void add_bits() {
  using P = lb::prim<prims::gemm_bits, Arch>;
  constexpr int cols = 64, groups = 8, depth = 32 * groups;
  for (const int rows : {1, 4})
    add_benchmark<Arch>(("gemm_bits_" + std::to_string(Bits) + (rows == 1 ? "_row" : "_4_rows")).c_str(), [rows](benchmark::State& state) {
      const auto x = random_codes<int8_t>(static_cast<size_t>(rows * depth));
      const auto w = random_codes<unsigned char>(static_cast<size_t>(cols * depth / 8 * Bits));
      const std::vector<int32_t> start(cols), offsets(static_cast<size_t>(rows));
      std::vector<int32_t> acc(static_cast<size_t>(rows * cols));
      for (auto _ : state) {
        P::template run<Bits>(rows, cols, groups, x.data(), depth, w.data(), 0, start.data(), offsets.data(), acc.data());
        benchmark::ClobberMemory();
      }
      count_operations(state, 2.0 * rows * cols * depth);
    });
}
template <class Arch>
void add(prims::gemm_bits, Arch) {
  add_bits<Arch, 1>();
  add_bits<Arch, 2>();
  add_bits<Arch, 3>();
  add_bits<Arch, 4>();
  add_bits<Arch, 7>();
}

/// Four bits, and a tile of floats.
template <class Arch>
void add(prims::gemm_reals, Arch) {
  using P = lb::prim<prims::gemm_reals, Arch>;
  constexpr int depth = 256, n = P::cols;
  for (const int rows : {1, P::few_rows})
    add_benchmark<Arch>(rows == 1 ? "gemm_reals_4_row" : "gemm_reals_4_rows", [rows](benchmark::State& state) {
      const lb::real_codes codes(lb::real_layout{4, false});
      const auto w = random_codes<uint32_t>(static_cast<size_t>(depth / 8 * n));
      const std::vector<float> x(static_cast<size_t>(rows * depth), 0.5f), zeros(static_cast<size_t>(n), 8.0f), scales(static_cast<size_t>(n), 0.1f);
      std::vector<float> off(static_cast<size_t>(codes.places() * n)), y(static_cast<size_t>(rows * n));
      for (auto _ : state) {
        P::run(codes, rows, {.n = n, .depth = depth, .group = depth, .w = w.data(), .zeros = zeros.data(), .scales = scales.data()}, x.data(),
               depth, off.data(), y.data(), n);
        benchmark::ClobberMemory();
      }
      count_operations(state, 2.0 * rows * n * depth);
    });
  add_benchmark<Arch>("gemm_reals_tile", [](benchmark::State& state) {
    const std::vector<float> x(static_cast<size_t>(P::rows * depth), 0.5f), w(static_cast<size_t>(depth * n), 0.25f), scales(static_cast<size_t>(n), 0.1f);
    std::vector<float> y(static_cast<size_t>(P::rows * n));
    for (auto _ : state) {
      P::tile(P::rows, n, depth, x.data(), depth, w.data(), scales.data(), y.data(), n);
      benchmark::ClobberMemory();
    }
    count_operations(state, 2.0 * P::rows * n * depth);
  });
}

template <class Arch>
void add(prims::gemm_trits, Arch) {
  constexpr int cols = 64, groups = 12, depth = 20 * groups;
  for (const int rows : {1, 4})
    add_benchmark<Arch>(rows == 1 ? "gemm_trits_row" : "gemm_trits_4_rows", [rows](benchmark::State& state) {
      const auto x = random_codes<int8_t>(static_cast<size_t>(rows * depth));
      auto w = random_codes<unsigned char>(static_cast<size_t>(cols * depth / 5));
      for (auto& b : w) b = static_cast<unsigned char>(28 * (b / 28) + b % 27);
      const std::vector<int32_t> start(cols), offsets(static_cast<size_t>(rows));
      std::vector<int32_t> acc(static_cast<size_t>(rows * cols));
      for (auto _ : state) {
        lb::prim<prims::gemm_trits, Arch>::run(rows, cols, groups, x.data(), depth, w.data(), 0, start.data(), offsets.data(), acc.data());
        benchmark::ClobberMemory();
      }
      count_operations(state, 2.0 * rows * cols * depth);
    });
}

template <class Arch>
void add(prims::gemm_groups, Arch) {
  using P = lb::prim<prims::gemm_groups, Arch>;
  constexpr int cols = 64, eights = 8, depth = 32 * eights, bits = 4;
  for (const int rows : {1, 4})
    add_benchmark<Arch>(rows == 1 ? "gemm_groups_4_row" : "gemm_groups_4_4_rows", [rows](benchmark::State& state) {
      const auto x = random_codes<int8_t>(static_cast<size_t>(rows * depth));
      const auto w = random_codes<unsigned char>(static_cast<size_t>(cols * depth / 8 * bits));
      const std::vector<int32_t> offsets(static_cast<size_t>(rows * eights));
      const std::vector<float> factors(cols * eights, 1.5f);
      std::vector<float> acc(static_cast<size_t>(rows * cols));
      for (auto _ : state) {
        P::template run<bits, float>(rows, cols, {x.data(), depth, w.data(), 0, eights, 1, 1, eights, offsets.data(), nullptr, factors.data(), 0}, nullptr,
                                     acc.data(), cols);
        benchmark::ClobberMemory();
      }
      count_operations(state, 2.0 * rows * cols * depth);
    });
}

/// A sign times a sign counts as one operation for the product and one for the sum.
template <class Arch>
void add(prims::gemm_binary, Arch) {
  constexpr int cols = 64, words = 32;
  for (const int rows : {1, 4})
    add_benchmark<Arch>(rows == 1 ? "gemm_binary_row" : "gemm_binary_4_rows", [rows](benchmark::State& state) {
      const auto x = random_codes<uint32_t>(static_cast<size_t>(rows * words)), w = random_codes<uint32_t>(static_cast<size_t>(cols * words));
      const std::vector<int32_t> start(cols);
      std::vector<int32_t> acc(static_cast<size_t>(rows * cols));
      for (auto _ : state) {
        lb::prim<prims::gemm_binary, Arch>::run(rows, cols, words, x.data(), words, w.data(), start.data(), acc.data());
        benchmark::ClobberMemory();
      }
      count_operations(state, 2.0 * rows * cols * words * 32);
    });
}

/// Weights of one byte and of two.
template <class Arch>
void add(prims::gemm_words, Arch) {
  using P = lb::prim<prims::gemm_words, Arch>;
  constexpr int depth = 256;
  const auto one = [](const char* name, int rows, auto run) {
    add_benchmark<Arch>(name, [rows, run](benchmark::State& state) {
      const auto x = random_codes<int16_t>(static_cast<size_t>(rows * depth));
      const auto w = random_codes<int8_t>(static_cast<size_t>(2 * depth * P::cols));
      const std::vector<int64_t> start(static_cast<size_t>(P::cols));
      std::vector<int64_t> acc(static_cast<size_t>(rows * P::cols));
      for (auto _ : state) {
        run(rows, P::cols, depth / P::depth_step, x.data(), depth, w.data(), start.data(), acc.data());
        benchmark::ClobberMemory();
      }
      count_operations(state, 2.0 * rows * P::cols * depth);
    });
  };
  one("gemm_words_tile", P::rows, &P::template run<1>);
  one("gemm_words_row", 1, &P::template run<1>);
  one("gemm_words_two_bytes_tile", P::rows, &P::template run<2>);
  one("gemm_words_two_bytes_row", 1, &P::template run<2>);
}

template <class Arch>
void add(prims::requantize_wide, Arch) {
  using P = lb::prim<prims::requantize_wide, Arch>;
  add_benchmark<Arch>("requantize_wide", [](benchmark::State& state) {
    constexpr int rows = 12, cols = 32;
    const auto acc = random_codes<int32_t>(rows * cols);
    const std::vector<int64_t> wide(acc.begin(), acc.end());
    std::vector<int32_t> factors;
    for (int c = 0; c < cols; ++c) factors.push_back((1 << 30) + c), factors.push_back(-16);
    std::vector<int16_t> y(rows * cols);
    for (auto _ : state) {
      P::template run<lb::rescale_rule::once>(rows, cols, wide.data(), cols, {factors.data(), true}, {0, -32768, 32767}, y.data(), cols);
      benchmark::ClobberMemory();
    }
    count_operations(state, rows * cols);
  });
}

/// A 3x3 window over sixteen positions.
template <class Arch>
void add(prims::depthwise_words, Arch) {
  using P = lb::prim<prims::depthwise_words, Arch>;
  const auto one = [](const char* name, auto run) {
    add_benchmark<Arch>(name, [run](benchmark::State& state) {
      constexpr int n = 16, pairs = 5;
      const auto x = random_codes<int16_t>((n + 2) * P::lanes);
      const std::vector<int16_t> w(static_cast<size_t>(pairs * 4 * P::lanes), 1);
      const std::vector<int64_t> start(static_cast<size_t>(P::lanes));
      std::vector<int64_t> acc(static_cast<size_t>(n * P::lanes));
      std::vector<lb::sliding_tap<int16_t>> taps;
      for (int t = 0; t < 2 * pairs; ++t) taps.push_back({x.data() + t % 3 * P::lanes, P::lanes});
      for (auto _ : state) {
        run(taps.data(), pairs, n, P::lanes, w.data(), start.data(), acc.data());
        benchmark::ClobberMemory();
      }
      count_operations(state, 2.0 * n * P::lanes * 9);
    });
  };
  one("depthwise_words", &P::template run<1>);
  one("depthwise_words_two_bytes", &P::template run<2>);
}

template <class Arch>
void add(prims::requantize, Arch) {
  using P = lb::prim<prims::requantize, Arch>;
  const auto one = [](const char* name, auto run) {
    add_benchmark<Arch>(name, [run](benchmark::State& state) {
      constexpr int rows = 12, cols = 32;
      const auto acc = random_codes<int16_t>(rows * cols);
      const std::vector<int32_t> wide(acc.begin(), acc.end());
      std::vector<int32_t> factors;
      for (int c = 0; c < cols; ++c) factors.push_back((1 << 30) + c), factors.push_back(-8);
      std::vector<int8_t> y(rows * cols);
      for (auto _ : state) {
        run(rows, cols, wide.data(), factors.data(), y.data());
        benchmark::ClobberMemory();
      }
      count_operations(state, rows * cols);
    });
  };
  one("requantize_once", [](int rows, int cols, const int32_t* acc, const int32_t* f, int8_t* y) {
    P::template run<lb::rescale_rule::once>(rows, cols, acc, cols, {f, true}, {3, -128, 127}, y, cols);
  });
  one("requantize_twice", [](int rows, int cols, const int32_t* acc, const int32_t* f, int8_t* y) {
    P::template run<lb::rescale_rule::twice>(rows, cols, acc, cols, {f, true}, {3, -128, 127}, y, cols);
  });
}

/// A whole tile of rows, of few and of many products.
template <class Arch>
void add(prims::gemm_codes, Arch) {
  using P = lb::prim<prims::gemm, Arch>;
  for (const int depth : {64, 256})
    add_benchmark<Arch>(depth == 64 ? "gemm_codes_shallow" : "gemm_codes", [depth](benchmark::State& state) {
      const auto codes = random_codes<int8_t>(static_cast<size_t>(depth));
      const auto w = random_codes<int8_t>(static_cast<size_t>(depth * P::cols));
      std::vector<typename P::element> x(static_cast<size_t>(P::rows * depth));
      P::fetch(P::rows, depth, codes.data(), 0, x.data(), depth);
      const std::vector<int32_t> start(P::cols);
      std::vector<int32_t> factors;
      for (int c = 0; c < P::cols; ++c) factors.push_back((1 << 30) + c), factors.push_back(-8);
      std::vector<int8_t> y(static_cast<size_t>(P::rows * P::cols));
      std::vector<int32_t> work(y.size());
      for (auto _ : state) {
        lb::prim<prims::gemm_codes, Arch>::template run<lb::rescale_rule::once>(
            P::rows, P::cols, P::cols, depth / P::depth_step, x.data(), depth, w.data(), start.data(),
            {factors.data(), true}, {3, -128, 127}, y.data(), P::cols, work.data());
        benchmark::ClobberMemory();
      }
      count_operations(state, 2.0 * P::rows * P::cols * depth);
    });
}

template <class Arch>
void add(prims::sums_to_float, Arch) {
  add_benchmark<Arch>("sums_to_float", [](benchmark::State& state) {
    constexpr int rows = 12, cols = 32;
    const auto acc = random_codes<int32_t>(rows * cols);
    const std::vector<float> scales(cols, 0.1f), row_scales(rows, 0.2f);
    std::vector<float> y(rows * cols);
    for (auto _ : state) {
      lb::prim<prims::sums_to_float, Arch>::run(rows, cols, acc.data(), cols, {scales.data(), nullptr, row_scales.data(), nullptr, nullptr}, y.data(), cols);
      benchmark::ClobberMemory();
    }
    count_operations(state, rows * cols);
  });
}

/// A 3x3 window over 16 columns: gathering alone, and two or one output rows made from the columns.
template <class Arch>
void add(prims::depthwise, Arch) {
  using P = lb::prim<prims::depthwise, Arch>;
  constexpr int count = 16, columns = count + 2, channels = P::lanes;
  for (const int rows : {0, 2, 1})
    add_benchmark<Arch>(rows == 0 ? "depthwise_gather" : rows == 2 ? "depthwise_two_rows" : "depthwise_row", [rows](benchmark::State& state) {
      constexpr int groups = (3 + P::depth) / P::depth, terms = 3 * groups;
      const auto x = random_codes<int8_t>((columns + P::depth) * channels);
      const auto w = random_codes<int8_t>(static_cast<size_t>(terms * 2 * channels * P::depth));
      const std::vector<typename P::weight> weights(w.begin(), w.end());
      const std::vector<int32_t> start(channels);
      std::vector<int32_t> factors;
      for (int c = 0; c < channels; ++c) factors.push_back((1 << 30) + c), factors.push_back(-8);
      std::vector<int8_t> y(2 * count * channels);
      const aligned_bytes strip(groups * columns * P::column_bytes);
      std::vector<lb::sliding_tap<int8_t>> taps;
      for (int d = 0; d < P::depth; ++d) taps.push_back({x.data() + d * channels, channels});
      std::vector<ptrdiff_t> offsets;
      for (int t = 0; t < terms; ++t) offsets.push_back((t / 3 * columns + t % 3) * P::column_bytes);
      const lb::depthwise_strip<typename P::weight> s{strip.data(), 0, P::column_bytes, offsets.data(), terms, weights.data(),
                                                      2 * channels * P::depth, start.data(), 1, rows, count, channels};
      const auto gather = [&] {
        for (int g = 0; g < groups; ++g) P::gather(taps.data(), columns, channels, strip.data() + g * columns * P::column_bytes);
      };
      gather();
      for (auto _ : state) {
        if (rows == 0) gather();
        else P::template run<lb::rescale_rule::once>(s, {factors.data(), true}, {3, -128, 127}, y.data(), count * channels, channels);
        benchmark::ClobberMemory();
      }
      count_operations(state, rows == 0 ? columns * channels : 18.0 * rows * count * channels);
    });
}

template <class Arch>
void add(prims::depthwise_window, Arch) {
  using P = lb::prim<prims::depthwise_window, Arch>;
  for (const int stride : {1, 2})
    add_benchmark<Arch>(stride == 1 ? "depthwise_window" : "depthwise_window_stride_2", [stride](benchmark::State& state) {
      constexpr int size = 16, channels = P::lanes;
      const auto x = random_codes<unsigned char>(size * size * channels);
      const auto w = random_codes<int8_t>(24 * channels);
      const std::vector<typename P::weight> weights(w.begin(), w.end());
      const std::vector<int32_t> start(channels);
      std::vector<int32_t> factors;
      for (int c = 0; c < channels; ++c) factors.push_back((1 << 30) + c), factors.push_back(-8);
      const int out = size / stride;
      std::vector<int8_t> y(static_cast<size_t>(out * out * channels));
      const lb::depthwise_image<typename P::weight> v{x.data(), x.data(), 128, size * channels, channels, size, size, 0, 0, stride, stride, 1,
                                                      weights.data(), start.data(), stride == 1 ? 2 : 1, out, out};
      for (auto _ : state) {
        P::template run<lb::rescale_rule::once>(v, {factors.data(), true}, {3, -128, 127}, y.data(), out * channels, channels);
        benchmark::ClobberMemory();
      }
      count_operations(state, 18.0 * out * out * channels);
    });
}

/// f(n, x, y, out) on 4096 codes.
template <class Arch, class Function>
void add_pairs(const char* name, Function f) {
  add_benchmark<Arch>(name, [f](benchmark::State& state) {
    constexpr size_t n = 4096;
    const auto x = random_codes<int8_t>(n), y = random_codes<int8_t>(n + 1);
    std::vector<int8_t> out(n);
    for (auto _ : state) {
      f(n, x.data(), y.data(), out.data());
      benchmark::ClobberMemory();
    }
    count_operations(state, n);
  });
}
template <class Arch>
void add(prims::sum, Arch) {
  add_pairs<Arch>("sum", [](size_t n, const int8_t* x, const int8_t* y, int8_t* out) {
    lb::prim<prims::sum, Arch>::run(n, x, y, {1, -2, 20000, 12345, 15, {3, -128, 127}}, out);
  });
}
template <class Arch>
void add(prims::product, Arch) {
  add_pairs<Arch>("product", [](size_t n, const int8_t* x, const int8_t* y, int8_t* out) {
    lb::prim<prims::product, Arch>::template run<lb::rescale_rule::once>(n, x, y, {1, -2, 1 << 30, -6, {3, -128, 127}}, out);
  });
}
template <class Arch>
void add(prims::rescale, Arch) {
  add_pairs<Arch>("rescale", [](size_t n, const int8_t* x, const int8_t*, int8_t* out) {
    lb::prim<prims::rescale, Arch>::run(n, x, {1, 0x5000'0000, 0, {3, -128, 127}}, out);
  });
}
template <class Arch>
void add(prims::extremum, Arch) {
  add_pairs<Arch>("extremum", [](size_t n, const int8_t* x, const int8_t* y, int8_t* out) {
    lb::prim<prims::extremum, Arch>::run(n, x, y, true, -100, 100, out);
  });
}
template <class Arch>
void add(prims::clamp, Arch) {
  add_pairs<Arch>("clamp", [](size_t n, const int8_t* x, const int8_t*, int8_t* out) {
    lb::prim<prims::clamp, Arch>::run(n, x, -100, 100, out);
  });
}

template <class Arch>
void add(prims::lookup, Arch) {
  add_benchmark<Arch>("lookup", [](benchmark::State& state) {
    const auto x = random_codes<uint8_t>(4096), table = random_codes<uint8_t>(256);
    std::vector<uint8_t> y(x.size());
    for (auto _ : state) {
      lb::prim<prims::lookup, Arch>::run(x.size(), x.data(), table.data(), y.data());
      benchmark::ClobberMemory();
    }
    count_operations(state, static_cast<double>(x.size()));
  });
}

template <class Arch>
void add(prims::quantize, Arch) {
  add_benchmark<Arch>("quantize", [](benchmark::State& state) {
    std::vector<float> x;
    for (const int8_t c : random_codes<int8_t>(4096)) x.push_back(static_cast<float>(c) * 0.11f);
    std::vector<int8_t> y(x.size());
    for (auto _ : state) {
      lb::prim<prims::quantize, Arch>::run(x.size(), x.data(), 0.1f, {3, -128, 127}, y.data());
      benchmark::ClobberMemory();
    }
    count_operations(state, static_cast<double>(x.size()));
  });
}
template <class Arch>
void add(prims::finite_range, Arch) {
  add_benchmark<Arch>("finite_range", [](benchmark::State& state) {
    std::vector<float> x;
    for (const int8_t c : random_codes<int8_t>(4096)) x.push_back(static_cast<float>(c) * 0.11f);
    float ends[2];
    for (auto _ : state) {
      lb::prim<prims::finite_range, Arch>::run(x.size(), x.data(), ends);
      benchmark::DoNotOptimize(ends);
    }
    count_operations(state, static_cast<double>(x.size()));
  });
}
template <class Arch>
void add(prims::quantize_and_range, Arch) {
  add_benchmark<Arch>("quantize_and_range", [](benchmark::State& state) {
    std::vector<float> x;
    for (const int8_t c : random_codes<int8_t>(2048)) x.push_back(static_cast<float>(c) * 0.11f);
    const std::vector<float> next = x;
    std::vector<int8_t> y(x.size());
    float ends[2];
    for (auto _ : state) {
      lb::prim<prims::quantize_and_range, Arch>::run(x.size(), x.data(), 0.1f, {3, -128, 127}, y.data(), next.data(), ends);
      benchmark::DoNotOptimize(ends);
      benchmark::ClobberMemory();
    }
    count_operations(state, static_cast<double>(x.size()));
  });
}
template <class Arch>
void add(prims::dequantize, Arch) {
  add_benchmark<Arch>("dequantize", [](benchmark::State& state) {
    const auto x = random_codes<int8_t>(4096);
    std::vector<float> y(x.size());
    for (auto _ : state) {
      lb::prim<prims::dequantize, Arch>::run(x.size(), x.data(), 3, 0.1f, y.data());
      benchmark::ClobberMemory();
    }
    count_operations(state, static_cast<double>(x.size()));
  });
}

/// f(grid, channels, y) on windows of 3 x 3 positions of 64 channels.
template <class Arch, class Function>
void add_window(const char* name, Function f) {
  add_benchmark<Arch>(name, [f](benchmark::State& state) {
    constexpr int channels = 64;
    const auto x = random_codes<int8_t>(9 * channels);
    std::vector<int8_t> y(channels);
    for (auto _ : state) {
      f(lb::code_grid<int8_t>{x.data(), 3, 3, 3 * channels, channels}, channels, y.data());
      benchmark::ClobberMemory();
    }
    count_operations(state, 9 * channels);
  });
}
template <class Arch>
void add(prims::window_max, Arch) {
  add_window<Arch>("window_max", [](const lb::code_grid<int8_t>& g, int channels, int8_t* y) {
    lb::prim<prims::window_max, Arch>::run(g, channels, -128, 127, y);
  });
}
template <class Arch>
void add(prims::window_mean, Arch) {
  add_window<Arch>("window_mean", [](const lb::code_grid<int8_t>& g, int channels, int8_t* y) {
    lb::prim<prims::window_mean, Arch>::run(g, channels, -128, 127, y);
  });
}
template <class Arch>
void add(prims::position_mean, Arch) {
  add_window<Arch>("position_mean", [](const lb::code_grid<int8_t>& g, int channels, int8_t* y) {
    lb::prim<prims::position_mean, Arch>::run(9, channels, g.at, {3, 1 << 30, -4, {3, -128, 127}}, y);
  });
}

const bool registered = [] {
  add_controls();
  [&]<class... Rows>(lb::type_list<Rows...>) {
    const auto one = []<class Op, class Arch>(lb::prim_row<Op, Arch>) {
      if (lb::is_usable<Arch>()) add(Op{}, Arch{});
    };
    (one(Rows{}), ...);
  }(lb::prim_table{});
  return true;
}();

}  // namespace
