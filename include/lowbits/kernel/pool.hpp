// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Pooling on an architecture. Gives the bytes of ref/pool.hpp.

#include <lowbits/kernel/table.hpp>
#include <lowbits/ref/pool.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

template <class Arch, class T>
void max_pool(const pool2d_shape& s, const T* x, code_range range, T* y) noexcept {
  ref::max_pool(s, x, range, y);
}

template <class Arch, class T>
void average_pool(const pool2d_shape& s, const T* x, code_range range, T* y) noexcept {
  ref::average_pool(s, x, range, y);
}

/// y[b][c] is the mean of x[b][.][c] over the positions.
template <class Arch, class X, class Y>
void global_mean(int batch, int positions, int channels, const X* x, const mean_params& p, Y* y) noexcept {
  ref::global_mean(batch, positions, channels, x, p, y);
}

}  // namespace lowbits::kernel
