// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Primitives for arch::vector: element-wise work and pooling with xsimd's vectors, as wide as the
// flags of the translation unit allow. The only header that includes xsimd. Inner products are not
// here: xsimd has none.

#include <lowbits/arch/prim.hpp>

#if LOWBITS_BUILD_VECTOR
#include <xsimd/xsimd.hpp>

namespace lowbits::inline LOWBITS_ABI {

namespace detail::xs {

template <class T>
inline constexpr int lanes = static_cast<int>(xsimd::batch<T>::size);

/// The first n elements at p; the rest is zero.
template <class T>
xsimd::batch<T> load(const T* p, int n) noexcept {
  if (n >= lanes<T>) return xsimd::batch<T>::load_unaligned(p);
  T some[lanes<T>] = {};
  for (int i = 0; i < n; ++i) some[i] = p[i];
  return xsimd::batch<T>::load_unaligned(some);
}
template <class T>
void store(T* p, const xsimd::batch<T>& v, int n) noexcept {
  if (n >= lanes<T>) return v.store_unaligned(p);
  T all[lanes<T>];
  v.store_unaligned(all);
  for (int i = 0; i < n; ++i) p[i] = all[i];
}

/// Codes as 32-bit numbers, in four vectors, by interleaving a number with its sign.
template <class Code>
struct widened {
  xsimd::batch<int32_t> part[4];

  explicit widened(const xsimd::batch<Code>& v) noexcept {
    const auto sign = [](const auto& x) {
      using T = typename std::remove_cvref_t<decltype(x)>::value_type;
      const xsimd::batch<T> zero(T{0});
      if constexpr (std::is_signed_v<T>) return xsimd::select(x < zero, xsimd::batch<T>(T{-1}), zero);
      else return zero;
    };
    using word = std::conditional_t<std::is_signed_v<Code>, int16_t, uint16_t>;
    const auto s = sign(v);
    const xsimd::batch<word> half[2] = {xsimd::bitwise_cast<word>(xsimd::zip_lo(v, s)),
                                        xsimd::bitwise_cast<word>(xsimd::zip_hi(v, s))};
    for (int i = 0; i < 2; ++i) {
      const auto t = sign(half[i]);
      part[2 * i] = xsimd::bitwise_cast<int32_t>(xsimd::zip_lo(half[i], t));
      part[2 * i + 1] = xsimd::bitwise_cast<int32_t>(xsimd::zip_hi(half[i], t));
    }
  }
};

/// Sums of a vector's width of channels.
template <class Code>
struct channel_sums {
  xsimd::batch<int32_t> part[4] = {0, 0, 0, 0};

  void add(const Code* x, int n) noexcept {
    const widened<Code> w(load(x, n));
    for (int i = 0; i < 4; ++i) part[i] += w.part[i];
  }
  void store(int32_t* to) const noexcept {
    for (int i = 0; i < 4; ++i) part[i].store_unaligned(to + i * lanes<int32_t>);
  }
};

/// Calls f(c, n) for blocks of n channels (or elements) from c on, a vector's width each.
template <class Code, class Size, class Function>
void in_blocks(Size count, Function&& f) noexcept {
  constexpr Size width = lanes<Code>;
  for (Size c = 0; c < count; c += width) f(c, static_cast<int>(smaller<Size>(width, count - c)));
}

}  // namespace detail::xs

template <>
struct prim<prims::extremum, arch::vector> {
  template <class Code>
  static void run(size_t n, const Code* x, const Code* y, bool take_larger, int lowest, int highest, Code* out) noexcept {
    using namespace detail::xs;
    const xsimd::batch<Code> low(static_cast<Code>(lowest)), high(static_cast<Code>(highest));
    in_blocks<Code>(n, [&](size_t i, int k) {
      const auto a = load(x + i, k), b = load(y + i, k);
      store(out + i, (xsimd::min)((xsimd::max)(take_larger ? (xsimd::max)(a, b) : (xsimd::min)(a, b), low), high), k);
    });
  }
};

template <>
struct prim<prims::clamp, arch::vector> {
  template <class Code>
  static void run(size_t n, const Code* x, int lowest, int highest, Code* out) noexcept {
    prim<prims::extremum, arch::vector>::run(n, x, x, true, lowest, highest, out);
  }
};

template <>
struct prim<prims::dequantize, arch::vector> {
  template <class Code>
  static void run(size_t n, const Code* x, int zero, float scale, float* out) noexcept {
    using namespace detail::xs;
    const xsimd::batch<int32_t> offset(zero);
    const xsimd::batch<float> factor(scale);
    in_blocks<Code>(n, [&](size_t i, int k) {
      const widened<Code> w(load(x + i, k));
      for (int p = 0; p < 4 && p * lanes<float> < k; ++p)
        store(out + i + p * lanes<float>, xsimd::to_float(w.part[p] - offset) * factor, k - p * lanes<float>);
    });
  }
};

template <>
struct prim<prims::window_max, arch::vector> {
  template <class Code>
  static void run(const code_grid<Code>& g, int channels, int lowest, int highest, Code* y) noexcept {
    using namespace detail::xs;
    in_blocks<Code>(channels, [&](int c, int n) {
      xsimd::batch<Code> most(static_cast<Code>(lowest));
      for (int r = 0; r < g.rows; ++r)
        for (int k = 0; k < g.cols; ++k) most = (xsimd::max)(most, load(g.at + r * g.row_step + k * g.col_step + c, n));
      store(y + c, (xsimd::min)(most, xsimd::batch<Code>(static_cast<Code>(highest))), n);
    });
  }
};

template <>
struct prim<prims::window_mean, arch::vector> {
  template <class Code>
  static void run(const code_grid<Code>& g, int channels, int lowest, int highest, Code* y) noexcept {
    using namespace detail::xs;
    const int count = g.rows * g.cols;
    in_blocks<Code>(channels, [&](int c, int n) {
      channel_sums<Code> sums;
      for (int r = 0; r < g.rows; ++r)
        for (int k = 0; k < g.cols; ++k) sums.add(g.at + r * g.row_step + k * g.col_step + c, n);
      int32_t sum[lanes<Code>];
      sums.store(sum);
      for (int i = 0; i < n; ++i) {
        const int half = sum[i] > 0 ? count / 2 : -(count / 2);
        y[c + i] = static_cast<Code>(lowbits::clamp((sum[i] + half) / count, lowest, highest));
      }
    });
  }
};

}  // namespace lowbits
#endif
