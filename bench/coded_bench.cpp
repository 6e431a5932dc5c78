// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Decoding coded weights: codes per second, and the bytes they take against their entropy.

#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include <lowbits/hosted/code_weights.hpp>

#include "../tests/support/coded_samples.hpp"

namespace lb = lowbits;

namespace {

constexpr std::size_t codes = 1 << 20;

template <class T>
void decode(benchmark::State& state, const coded_samples::distribution& d, lb::coded_kind kind) {
  const std::vector<int> c = d.draw(codes, 1);
  const auto h = lb::coding::histogram_of(c, d.format);
  const std::vector<lb::uint8_t> bytes = kind == lb::coded_kind::entropy ? lb::coding::entropy(c, d.format, h)
                                         : kind == lb::coded_kind::index ? lb::coding::index(c, d.format, h)
                                         : kind == lb::coded_kind::sparse
                                             ? lb::coding::sparse(c, d.format, lb::coding::size_sparse(c, d.format, h))
                                             : lb::coding::plain(c, d.format);
  std::vector<T> to(codes);
  for (auto _ : state) {
    if (lb::decode_codes(bytes, d.format, to.data(), codes) != lb::status::ok) std::abort();
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(codes));
  state.counters["bits_per_code"] = 8.0 * static_cast<double>(bytes.size()) / static_cast<double>(codes);
  state.counters["entropy"] = lb::coding::entropy_bytes(h, codes) * 8 / static_cast<double>(codes);
}

const bool registered = [] {
  const auto add = [](const coded_samples::distribution& d, const char* what, lb::coded_kind k) {
    const std::string name = lb::joined("coded/", lb::to_string(k), "/", int{d.format.bits}, "_bits/", what);
    if (d.format.bits > 8) benchmark::RegisterBenchmark(name.c_str(), decode<lb::int16_t>, d, k);
    else benchmark::RegisterBenchmark(name.c_str(), decode<lb::int8_t>, d, k);
  };
  for (const lb::coded_kind k : {lb::coded_kind::plain, lb::coded_kind::entropy}) {
    add(coded_samples::normal(2, 0.7), "normal", k);
    add(coded_samples::normal(4, 2.5), "normal", k);
    add(coded_samples::normal(8, 24), "normal", k);
    add(coded_samples::normal(12, 300), "normal", k);
    add(coded_samples::normal(16, 5000), "normal", k);
    add(coded_samples::sparse({8, true}, 0.1), "tenth", k);
  }
  add(coded_samples::sparse({8, true}, 0.1), "tenth", lb::coded_kind::sparse);
  add(coded_samples::comb(8), "every_16th", lb::coded_kind::index);
  return true;
}();

}  // namespace
