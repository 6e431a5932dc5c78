// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Operations that read an image between its pixels, as steps.

#include <lowbits/op/step.hpp>
#include <lowbits/ref/grid_sample.hpp>
#include <lowbits/ref/real_ops.hpp>
#include <lowbits/ref/resize.hpp>

namespace lowbits::inline LOWBITS_ABI {

struct resize_data {
  resize_shape shape{};
  resize_mode mode = resize_mode::nearest;
};

constexpr resize_data make_resize_data(const node& n, const tensor_desc& x) noexcept {
  const image_extents a = image_extents::of(x), b = image_extents::of(n.out);
  return {{a.batch, a.h, a.w, a.c, b.h, b.w, n.flag[0], n.flag[1]}, n.mode};
}

template <class T>
struct resize_step {
  static constexpr step_needs needs(const resize_data&) noexcept { return {}; }
  static void run(const void* data, const step_io& io) noexcept {
    const auto& d = *static_cast<const resize_data*>(data);
    if (d.mode == resize_mode::nearest)
      ref::resize_nearest(d.shape, elements<T>(io.in[0]), elements<T>(io.out));
    else if constexpr (std::is_same_v<T, float>)
      ref::real_resize_bilinear(d.shape, elements<T>(io.in[0]), elements<T>(io.out));
#if LOWBITS_REAL_NODES  // elsewhere model<> refuses the mode
    else if (d.mode == resize_mode::bilinear_float)
      ref::resize_bilinear_float(d.shape, elements<T>(io.in[0]), elements<T>(io.out));
#endif
    else ref::resize_bilinear(d.shape, elements<T>(io.in[0]), elements<T>(io.out));
  }
};

struct grid_sample_data {
  grid_sample_shape shape{};
  grid_sample_params params{};
  resize_mode mode = resize_mode::bilinear;
};

constexpr grid_sample_data make_grid_sample_data(const node& n, const tensor_desc& x,
                                                 const tensor_desc& grid) noexcept {
  const image_extents a = image_extents::of(x), b = image_extents::of(n.out);
  const grid_sample_shape s{a.batch, a.h, a.w, a.c, b.h, b.w};
  return {s,
          make_grid_sample(s, x.format, x.params, grid.params, n.flag[0],
                           n.outside == grid_padding::border),
          n.mode};
}

template <class T, class Grid>
struct grid_sample_step {
  static constexpr step_needs needs(const grid_sample_data&) noexcept { return {}; }
  static void run(const void* data, const step_io& io) noexcept {
    const auto& d = *static_cast<const grid_sample_data*>(data);
    const T* x = elements<T>(io.in[0]);
    const Grid* grid = elements<Grid>(io.in[1]);
    T* y = elements<T>(io.out);
    if (d.mode == resize_mode::nearest) ref::grid_sample_nearest(d.shape, d.params, x, grid, y);
    else ref::grid_sample_bilinear(d.shape, d.params, x, grid, y);
  }
};

}  // namespace lowbits
