// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Softmax as a step.

#include <lowbits/core/arch.hpp>
#include <lowbits/kernel/softmax.hpp>
#include <lowbits/op/step.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Params is softmax_params or wide_softmax_params.
template <class Params>
struct softmax_data {
  int rows = 0, depth = 0;
  Params params{};
};

template <bool IsWide>
constexpr auto make_softmax_data(const node& n, const tensor_desc& x) noexcept {
  const int depth = x.shape.extent[x.shape.rank - 1];
  const int rows = static_cast<int>(x.count()) / depth;
  const float beta = static_cast<float>(n.parameter);
  if constexpr (IsWide)
    return softmax_data<wide_softmax_params>{rows, depth, make_wide_softmax(x.params, beta)};
  else
    return softmax_data<softmax_params>{rows, depth,
                                        make_softmax(x.format, x.params, beta, n.out.format)};
}

/// arch::generic is that of small processors, whose stack has no room for the kernel's tables.
template <class Arch, class X, class Out, class Data>
struct softmax_step {
  static constexpr step_needs needs(const Data&) noexcept { return {}; }
  static void run(const void* data, const step_io& io) noexcept {
    const Data& d = *static_cast<const Data*>(data);
    const auto* x = elements<typename X::storage>(io.in[0]);
    auto* y = elements<typename Out::storage>(io.out);
    if constexpr (sizeof *x == 1 && !std::is_same_v<Arch, arch::generic>)
      kernel::softmax<Arch>(d.rows, d.depth, x, d.params, y);
    else ref::softmax(d.rows, d.depth, x, d.params, y);
  }
};

}  // namespace lowbits
