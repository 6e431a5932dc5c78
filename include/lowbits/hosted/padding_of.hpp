// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Options that lead to a given window: the padding of a node whose window and extents are known.

#include <lowbits/op/infer.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Padding behind one axis: as much as in front of it where that gives the output, else the least.
constexpr int padding_after(int in, int out, int reach, int stride, int before) noexcept {
  const int room = in + 2 * before - reach;
  return room >= 0 && room / stride + 1 == out
      ? before
      : larger((out - 1) * stride + reach - in - before, 0);
}

constexpr padding padding_of(const window2d& w, const image_extents& in,
                             const image_extents& out) noexcept {
  return {w.pad_top, padding_after(in.h, out.h, w.reach_h(), w.stride_h, w.pad_top), w.pad_left,
          padding_after(in.w, out.w, w.reach_w(), w.stride_w, w.pad_left)};
}

}  // namespace lowbits
