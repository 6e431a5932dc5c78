// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// How a depthwise convolution is cut into blocks of channels, groups of taps and strips of columns, and
// how a strip is filled.

#include <lowbits/arch/prim.hpp>
#include <lowbits/core/shapes.hpp>
#include <lowbits/kernel/work_area.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

/// A strip column belongs to an input column. It holds P::depth codes of each channel: of input rows
/// one below the other, or, where the kernel has one row only, of input columns side by side. A kernel
/// has groups() of these; a term is the product of a group with the weights of one kernel column (of
/// P::depth kernel columns where they lie side by side).
///
/// Prepared weights: the start values of all blocks, then for each block, term and output row the
/// weights as the primitive reads them. The last block ends with the last channel and may overlap the
/// one before it.
template <class P>
struct depthwise_plan {
  static constexpr int cache = 30720;       ///< bytes of an L1 cache for one strip and the input it is made from
  static constexpr int work_target = 8192;  ///< bytes of several strips
  depthwise_shape s;

  constexpr int channels() const noexcept { return s.out_c(); }
  constexpr int blocks() const noexcept { return ceil_div(channels(), P::lanes); }
  constexpr int first(int block) const noexcept {
    return channels() < P::lanes ? 0 : smaller(block * P::lanes, channels() - P::lanes);
  }

  constexpr bool side_by_side() const noexcept { return s.window.kernel_h == 1; }
  /// Output rows made from one strip: two where their taps fit in as many groups as those of one.
  constexpr int rows() const noexcept {
    const window2d& t = s.window;
    return !side_by_side() && s.out_h > 1 && t.stride_h == 1 && t.dilation_h == 1 && t.kernel_h % P::depth != 0 ? 2 : 1;
  }
  constexpr int groups() const noexcept { return ceil_div(s.window.kernel_h, P::depth); }
  constexpr int terms() const noexcept {
    return side_by_side() ? ceil_div(s.window.kernel_w, P::depth) : groups() * s.window.kernel_w;
  }
  /// Input columns a group reaches over beyond its own.
  constexpr int span() const noexcept { return side_by_side() ? (P::depth - 1) * s.window.dilation_w : 0; }
  /// Columns from a term to the next of the same group.
  constexpr int term_step() const noexcept { return s.window.dilation_w * (side_by_side() ? P::depth : 1); }
  constexpr int reach() const noexcept { return (terms() / groups() - 1) * term_step() + 1; }

  /// Output columns of a strip, of similar strips that make up a row.
  constexpr int strip() const noexcept {
    const int fit = cache / (groups() * P::column_bytes + (s.window.kernel_h + rows() - 1) * smaller(s.in_c, 64));
    const int most = larger(fit - reach(), larger(reach(), 8)) / s.window.stride_w + 1;
    return s.out_w <= most ? larger(s.out_w, 1) : ceil_div(s.out_w, ceil_div(s.out_w, most));
  }
  constexpr int columns(int count) const noexcept { return (count - 1) * s.window.stride_w + reach(); }
  /// Bytes from a group to the next in a strip.
  constexpr size_t group_bytes() const noexcept { return static_cast<size_t>(columns(strip())) * P::column_bytes; }
  constexpr size_t strip_bytes() const noexcept { return static_cast<size_t>(groups()) * group_bytes(); }
  /// Strips filled before they are used: short ones wait for each other.
  constexpr int strips() const noexcept {
    const int full = s.out_h / rows();
    return strip() < s.out_w ? 1 : lowbits::clamp(static_cast<int>(work_target / strip_bytes()), 1, larger(full, 1));
  }
  constexpr size_t sum_count() const noexcept { return static_cast<size_t>(strips() * rows() * strip()) * P::lanes; }

  /// With a multiplier the input is spread over the output's channels first: this many rows and columns.
  constexpr int spread_rows() const noexcept {
    return s.multiplier == 1 ? 0 : s.window.kernel_h + rows() - 1;
  }
  constexpr int spread_columns() const noexcept { return columns(strip()) + span(); }
  constexpr size_t spread_count() const noexcept {
    return static_cast<size_t>(spread_rows()) * static_cast<size_t>(spread_columns()) * P::lanes;
  }

  constexpr size_t scratch_bytes(bool with_sums) const noexcept {
    return work_total(work_bytes(static_cast<size_t>(strips()) * strip_bytes(), 1) +
                      work_bytes(static_cast<size_t>(terms()), sizeof(ptrdiff_t)) + work_bytes(P::lanes, 1) +
                      work_bytes(spread_count(), 1) + (with_sums ? work_bytes(sum_count(), sizeof(int32_t)) : 0));
  }

  using weight = typename P::weight;
  constexpr size_t start_bytes() const noexcept {
    return work_bytes(static_cast<size_t>(blocks()) * P::lanes, sizeof(int32_t));
  }
  constexpr ptrdiff_t w_step() const noexcept { return ptrdiff_t{rows()} * P::lanes * P::depth; }
  constexpr size_t packed_bytes() const noexcept {
    return start_bytes() + work_bytes(static_cast<size_t>(blocks() * terms()) * static_cast<size_t>(w_step()), sizeof(weight));
  }
  const int32_t* start(const unsigned char* packed, int block) const noexcept {
    return reinterpret_cast<const int32_t*>(packed) + ptrdiff_t{block} * P::lanes;
  }
  const weight* weights(const unsigned char* packed, int block) const noexcept {
    return reinterpret_cast<const weight*>(packed + start_bytes()) + block * terms() * w_step();
  }

  /// The weight's tap that code d of a term's column is multiplied with for output row r, or -1.
  constexpr int tap(int term, int r, int d) const noexcept {
    const int kh = s.window.kernel_h, kw = s.window.kernel_w;
    if (side_by_side()) return term * P::depth + d < kw ? term * P::depth + d : -1;
    const int i = term / kw * P::depth + d - r;
    return i >= 0 && i < kh ? i * kw + term % kw : -1;
  }

  /// weight(t, c) is in [-128, 127]; a channel starts at begin(c) - zero * sum of its weights.
  template <class Weight, class Begin>
  void pack(Weight&& weight_of, Begin&& begin, int zero, unsigned char* packed) const noexcept {
    auto* starts = reinterpret_cast<int32_t*>(packed);
    auto* to = reinterpret_cast<weight*>(packed + start_bytes());
    for (int b = 0; b < blocks(); ++b, starts += P::lanes)
      for (int k = 0; k < P::lanes; ++k) {
        const int c = first(b) + k, place = P::place(k);
        const bool used = c < channels();
        uint32_t sum = used ? static_cast<uint32_t>(begin(c)) : 0;
        for (int t = 0; used && t < s.window.taps(); ++t) sum -= static_cast<uint32_t>(zero * weight_of(t, c));
        starts[place] = static_cast<int32_t>(sum);
        weight* at = to + b * terms() * w_step() + ptrdiff_t{place} * P::depth;
        for (int t = 0; t < terms(); ++t, at += w_step())
          for (int r = 0; r < rows(); ++r)
            for (int d = 0; d < P::depth; ++d) {
              const int from = tap(t, r, d);
              at[ptrdiff_t{r} * P::lanes * P::depth + d] = static_cast<weight>(used && from >= 0 ? weight_of(from, c) : 0);
            }
      }
  }
};

/// Fills strips with the codes of x.
template <class P, class X>
class depthwise_gather {
public:
  work_area area;  ///< what the strip leaves of the scratch

  depthwise_gather(const depthwise_plan<P>& p, const X* x, int x_zero, unsigned char* scratch) noexcept
      : area(scratch), p_(p), x_(x), group_bytes_(p.group_bytes()),
        strip_bytes_(p.strip_bytes()), columns_(area.take<unsigned char>(static_cast<size_t>(p.strips()) * strip_bytes_)),
        terms_(area.take<ptrdiff_t>(static_cast<size_t>(p.terms()))), zero_(area.take<X>(P::lanes)),
        spread_(area.take<X>(p.spread_count())) {
    for (int c = 0; c < P::lanes; ++c) zero_[c] = static_cast<X>(x_zero);
    const int of_group = p.terms() / p.groups();
    for (int t = 0; t < p.terms(); ++t)
      terms_[t] = t / of_group * static_cast<ptrdiff_t>(group_bytes_) +
                  ptrdiff_t{t % of_group} * p.term_step() * P::column_bytes;
  }

  /// The strips of output rows oh.. and columns ow.. for the channels c..
  void fill(int strips, int b, int oh, int ow, int c) noexcept {
    if (p_.span() == 0 && p_.s.multiplier == 1) return fill_inside(strips, b, oh, ow, c);
    for (int k = 0; k < strips; ++k) fill_one(columns_ + static_cast<size_t>(k) * strip_bytes_, b, oh + k * p_.rows(), ow, c);
  }

  depthwise_strip<typename P::weight> part(const unsigned char* packed, int block, int strips, int rows, int count) const noexcept {
    return {columns_, static_cast<ptrdiff_t>(strip_bytes_), ptrdiff_t{p_.s.window.stride_w} * P::column_bytes, terms_, p_.terms(),
            p_.weights(packed, block), p_.w_step(), p_.start(packed, block), strips, rows, count, smaller(P::lanes, p_.channels())};
  }

private:
  /// Where a tap reads: input column j at `at + (j - origin) * step`; null outside the input.
  struct source {
    const X* at;
    int origin, column;
    ptrdiff_t step;
  };

  /// Each column of a strip is inside the input or outside; those outside stay as they are from fill to fill.
  void fill_inside(int strips, int b, int oh, int ow, int c) noexcept {
    const depthwise_shape& s = p_.s;
    const window2d& t = s.window;
    const int left = ow * t.stride_w - t.pad_left, rows = p_.rows(), groups = p_.groups(), reach = t.kernel_h + rows - 1;
    const int columns = p_.columns(smaller(p_.strip(), s.out_w - ow)), channels = smaller(P::lanes, s.out_c());
    const int begin = lowbits::clamp(-left, 0, columns), end = lowbits::clamp(s.in_w - left, begin, columns);
    if (ow != edges_of_) {
      sliding_tap<X> outside[P::depth];
      for (auto& tap : outside) tap = {zero_, 0};
      for (int g = 0; g < strips * groups; ++g) {
        unsigned char* const group = columns_ + static_cast<size_t>(g) * group_bytes_;
        if (begin > 0) P::gather(outside, begin, channels, group);
        if (end < columns) P::gather(outside, columns - end, channels, group + ptrdiff_t{end} * P::column_bytes);
      }
      edges_of_ = ow;
    }
    if (begin == end) return;
    const ptrdiff_t row = ptrdiff_t{s.in_w} * s.in_c, step = s.in_c;
    const X* const from = x_ + b * s.in_h * row + (left + begin) * step + c;
    unsigned char* to = columns_ + ptrdiff_t{begin} * P::column_bytes;
    for (int k = 0, top = oh * t.stride_h - t.pad_top; k < strips; ++k, top += rows * t.stride_h)
      for (int g = 0; g < groups; ++g, to += group_bytes_) {
        sliding_tap<X> taps[P::depth];
#pragma GCC unroll 4
        for (int d = 0; d < P::depth; ++d) {
          const int i = g * P::depth + d, ih = top + i * t.dilation_h;
          const bool inside = i < reach && ih >= 0 && ih < s.in_h;
          taps[d] = {inside ? from + ih * row : zero_, inside ? step : 0};
        }
        P::gather(taps, end - begin, channels, to);
      }
  }

  void fill_one(unsigned char* to, int b, int oh, int ow, int c) noexcept {
    const depthwise_shape& s = p_.s;
    const window2d& t = s.window;
    const int count = smaller(p_.strip(), s.out_w - ow), left = ow * t.stride_w - t.pad_left, top = oh * t.stride_h - t.pad_top;
    const int rows = t.kernel_h + p_.rows() - 1, columns = p_.columns(count), channels = smaller(P::lanes, s.out_c());
    if (s.multiplier != 1) spread(b, top, rows, left, columns + p_.span(), c);
    for (int g = 0; g < p_.groups(); ++g, to += group_bytes_) {
      source from[P::depth];
      for (int d = 0; d < P::depth; ++d) {
        const int i = p_.side_by_side() ? 0 : g * P::depth + d;
        from[d] = row(b, i < rows ? top + i * t.dilation_h : -1, i, left, c);
        from[d].column = left + (p_.side_by_side() ? d * t.dilation_w : 0);
      }
      gather(from, left, columns, channels, to);
    }
  }

  source row(int b, int ih, int i, int left, int c) const noexcept {
    const depthwise_shape& s = p_.s;
    if (ih < 0 || ih >= s.in_h) return {nullptr, 0, 0, 0};
    if (s.multiplier != 1) return {spread_ + ptrdiff_t{i} * p_.spread_columns() * P::lanes, left, 0, P::lanes};
    return {x_ + (ptrdiff_t{b} * s.in_h + ih) * s.in_w * s.in_c + c, 0, 0, s.in_c};
  }

  /// `columns` columns; those before and behind the input hold the zero point.
  void gather(const source* from, int left, int columns, int channels, unsigned char* to) const noexcept {
    const int in_w = p_.s.in_w, span = p_.span();
    for (int q = 0, n = 0; q < columns; q += n, to += ptrdiff_t{n} * P::column_bytes) {
      const int j = left + q;
      const bool inside = j >= 0 && j < in_w - span;
      if (inside) n = smaller(columns - q, in_w - span - j);
      else n = span != 0 ? 1 : smaller(columns - q, j < 0 ? -j : columns);
      sliding_tap<X> taps[P::depth];
      for (int d = 0; d < P::depth; ++d) {
        const int column = from[d].column + q;
        taps[d] = {zero_, 0};
        if (from[d].at != nullptr && column >= 0 && column < in_w)
          taps[d] = {from[d].at + (column - from[d].origin) * from[d].step, from[d].step};
      }
      P::gather(taps, n, channels, to);
    }
  }

  /// Copies each code as often as the multiplier says.
  void spread(int b, int top, int rows, int left, int columns, int c) noexcept {
    const depthwise_shape& s = p_.s;
    const int channels = smaller(P::lanes, s.out_c()), m = s.multiplier;
    const int lowest = larger(left, 0), count = smaller(left + columns, s.in_w) - lowest;
    if (count <= 0) return;
    if (order_of_ != c % m) {
      order_of_ = c % m;
      for (int k = 0, code = 0, used = order_of_; k < P::lanes; ++k, ++used) {
        if (used == m) ++code, used = 0;
        if (k == 16) second_ = k < channels ? code : 0;
        order_[k] = static_cast<unsigned char>(k < channels ? code - (k < 16 ? 0 : second_) : 0);
      }
    }
    const ptrdiff_t step = s.in_c, reads = second_ + 16;
    const X* const x_end = x_ + ptrdiff_t{s.batch} * s.in_h * s.in_w * step;
    for (int i = 0; i < rows; ++i) {
      const int ih = top + i * s.window.dilation_h;
      if (ih < 0 || ih >= s.in_h) continue;
      const X* const from = x_ + ((ptrdiff_t{b} * s.in_h + ih) * s.in_w + lowest) * step + c / m;
      X* const to = spread_ + (ptrdiff_t{i} * p_.spread_columns() + lowest - left) * P::lanes;
      const ptrdiff_t room = x_end - from - reads;
      const int inside = room < 0 ? 0 : room >= (count - 1) * step ? count : static_cast<int>(room / step) + 1;
      P::spread(from, step, second_, inside, order_, to);
      for (int j = inside; j < count; ++j) {  // would read behind x
        const X* const at = from + j * step;
        X last[48] = {};
        for (ptrdiff_t k = 0; k < reads && k < x_end - at; ++k) last[k] = at[k];
        P::spread(last, 0, second_, 1, order_, to + ptrdiff_t{j} * P::lanes);
      }
    }
  }

  depthwise_plan<P> p_;
  const X* x_;
  size_t group_bytes_, strip_bytes_;
  int edges_of_ = -1;  ///< the first output column the strips' edges were filled for
  unsigned char* columns_;
  ptrdiff_t* terms_;
  X* zero_;
  X* spread_;
  int order_of_ = -1, second_ = 0;  ///< order_ is for channels that begin so far into a code's copies
  unsigned char order_[P::lanes] = {};
};

}  // namespace lowbits::kernel
