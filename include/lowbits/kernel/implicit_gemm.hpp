// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Convolutions as a matrix product (implicit GEMM): blocks of the rows that im2col would write are
// gathered into the work area, never the whole matrix. 8-bit activations and 8-bit or narrower weights
// with zero points on both sides; for anything else packed_bytes() is 0 and the reference has to run.

#include <lowbits/kernel/gather.hpp>
#include <lowbits/kernel/gemm_bits.hpp>
#include <lowbits/kernel/operand.hpp>

namespace lowbits::inline LOWBITS_ABI::kernel {

constexpr int64_t positions(const conv2d_shape& s) noexcept { return int64_t{s.batch} * s.out_h * s.out_w; }

/// Where each position reads just itself, all of them in one row.
constexpr conv2d_shape flattened(const conv2d_shape& s) noexcept {
  const window2d& t = s.window;
  const bool same = t.taps() == 1 && t.stride_h == 1 && t.stride_w == 1 && t.pad_top == 0 && t.pad_left == 0 &&
                    s.in_h == s.out_h && s.in_w == s.out_w;
  if (!same || positions(s) > highest_of<int>) return s;
  conv2d_shape flat = s;
  flat.batch = flat.in_h = flat.out_h = 1;
  flat.in_w = flat.out_w = static_cast<int>(positions(s));
  return flat;
}

/// Prepares the weights of all groups, for elements of zero point `zero`. bias may be null.
template <class W, class Bias>
void pack_groups(const conv2d_shape& s, const gemm_weights& layout, const W& w, const Bias* bias, int zero,
                 unsigned char* packed) noexcept {
  for (int first = 0; first < s.out_c; first += s.group_out(), packed += layout.bytes())
    layout.pack(
        [&](int c, int k) { return int{w[static_cast<size_t>(ptrdiff_t{first + c} * s.depth() + k)]} - byte_shift<W>; },
        [&](int c) { return bias != nullptr ? static_cast<int32_t>(bias[first + c]) : 0; }, zero, packed);
}

/// The same for weights of few bits, and signed codes of zero point `signed_zero`.
template <class W, class Bias>
void pack_bits_groups(const conv2d_shape& s, const bits_weights& layout, const W& w, const Bias* bias, int zero, int signed_zero,
                      unsigned char* packed) noexcept {
  for (int first = 0; first < s.out_c; first += s.group_out(), packed += layout.bytes())
    layout.pack<bits_code_of<W>.bits>(
        [&](int c, int k) { return int{w[static_cast<size_t>(ptrdiff_t{first + c} * s.depth() + k)]}; },
        [&](int c) { return bias != nullptr ? static_cast<int32_t>(bias[first + c]) : 0; }, zero, signed_zero, packed);
}

/// Rows<Element, X> gathers the matrix's rows, one per output position. zero is the weights' zero point
/// as they were prepared.
template <template <class, class> class Rows, class Element, class X, class Rq, class Y>
void run_groups(const gemm_calls<Element, X, Rq>& p, const conv2d_shape& s, const X* x, int x_zero, int zero,
                const unsigned char* packed, const Rq& rq, Y* y, unsigned char* scratch) noexcept {
  const conv2d_shape flat = flattened(s);
  const gemm_weights w{p.tile, s.depth(), s.group_out()};
  const gemm_block<Element> rows(w, positions(s));
  work_area area(scratch);
  const row_block<Element> x_rows{area.take<Element>(rows.elements()), static_cast<ptrdiff_t>(rows.stride())};
  auto* const tile = area.take<int32_t>(rows.tile_size);
  auto* const offsets = area.take<int32_t>(static_cast<size_t>(rows.rows));
  x_rows.from(0, s.depth()).fill(rows.rows, rows.depth - s.depth(), 0);
  for (int g = 0; g < s.groups; ++g, packed += w.bytes()) {
    const Rows<Element, X> gathered(flat, p, x, x_zero, g);
    output_position at;
    for (int64_t done = 0; done < positions(s); done += rows.rows) {
      const int n = static_cast<int>(smaller<int64_t>(rows.rows, positions(s) - done));
      gathered.write(at, n, x_rows);
      if (zero != 0)
        for (int r = 0; r < n; ++r) offsets[r] = p.row_offset(x_rows.from(r).at, s.depth(), x_zero, zero);
      gemm_rows(p, n, {x_rows.at, x_rows.stride}, w, packed, {0, w.cols}, zero != 0 ? offsets : nullptr, rq,
                {done, g * s.group_out()}, y + done * s.out_c + g * s.group_out(), s.out_c, tile);
    }
  }
}

/// The same with weights of few bits.
template <template <class, class> class Rows, class Element, class X, class Rq, class Y>
void run_bits_groups(const gemm_calls<Element, X, Rq>& p, const bits_calls<Element>& b, const conv2d_shape& s, const X* x, int x_zero,
                     int zero, const unsigned char* packed, const Rq& rq, Y* y, unsigned char* scratch) noexcept {
  const conv2d_shape flat = flattened(s);
  const bits_weights w{p.tile, b.code, s.depth(), s.group_out()};
  const gemm_block<Element> rows(w.unpacked(w.cols), positions(s));
  const bits_block few(w, positions(s));
  work_area area(scratch);
  const row_block<Element> x_rows{area.take<Element>(rows.elements()), static_cast<ptrdiff_t>(rows.stride())};
  auto* const tile = area.take<int32_t>(rows.tile_size);
  auto* const offsets = area.take<int32_t>(static_cast<size_t>(rows.rows));
  const bits_area bits_work(few, area);
  x_rows.from(0, s.depth()).fill(rows.rows, rows.depth - s.depth(), 0);
  for (int g = 0; g < s.groups; ++g, packed += w.bytes()) {
    const Rows<Element, X> gathered(flat, p, x, x_zero, g);
    output_position at;
    for (int64_t done = 0; done < positions(s); done += rows.rows) {
      const int n = static_cast<int>(smaller<int64_t>(rows.rows, positions(s) - done));
      gathered.write(at, n, x_rows);
      gemm_bits_rows(p, b, n, {x_rows.at, x_rows.stride}, w, packed, {0, w.cols}, x_zero, zero, few, bits_work, offsets, rq,
                     {done, g * s.group_out()}, y + done * s.out_c + g * s.group_out(), s.out_c, tile);
    }
  }
}

template <class Arch, class X, class W, class Acc, class Rq, template <class, class> class Rows>
struct implicit_gemm {
  using Y = typename Rq::output::storage;
  static constexpr bool is_fast =
      has_prim<prims::gemm, Arch> && sizeof(X) == 1 && fits_byte<W> && std::is_same_v<Acc, int32_t>;
  static constexpr bool keeps_bits = is_fast && kernel::keeps_bits<Arch, W>();

  /// Bytes of prepared weights; 0: runs from the weights as they are.
  static constexpr size_t packed_bytes(const conv2d_shape& s) noexcept {
    if constexpr (is_fast) return s.depth() > 0 && s.out_c > 0 ? weights(s).bytes() * static_cast<size_t>(s.groups) : 0;
    else return static_cast<void>(s), 0;
  }
  static constexpr size_t scratch_bytes(const conv2d_shape& s) noexcept {
    if constexpr (is_fast) {
      using element = typename best_prim<prims::gemm, Arch>::element;
      if (packed_bytes(s) == 0) return 0;
      if constexpr (keeps_bits)
        return work_total(gemm_block<element>(weights(s).unpacked(s.group_out()), positions(s)).bytes() + bits_block(weights(s), positions(s)).bytes());
      else
        return work_total(gemm_block<element>(weights(s), positions(s)).bytes());
    } else {
      return static_cast<void>(s), 0;
    }
  }

  /// Writes packed_bytes at a multiple of 64. The prepared weights hold for this x_zero. bias may be null.
  template <class Bias>
  static void pack(const conv2d_shape& s, const W& w, const Bias* bias, int x_zero, unsigned char* packed) noexcept {
    if constexpr (is_fast) {
      constexpr int shift = best_prim<prims::gemm, Arch>::template shift<X>;
      if (packed_bytes(s) == 0) return;
      if constexpr (keeps_bits) pack_bits_groups(s, weights(s), w, bias, x_zero + shift, x_zero + bits_calls_of<Arch, X, W>.signed_shift, packed);
      else pack_groups(s, weights(s), w, bias, x_zero + shift, packed);
    }
  }

protected:
  /// False, and nothing done, where there are no prepared weights to run from.
  static bool run_packed(const conv2d_shape& s, const X* x, int x_zero, int w_zero, const unsigned char* packed,
                         const Rq& rq, Y* y, unsigned char* scratch) noexcept {
    if constexpr (is_fast) {
      if (packed == nullptr || packed_bytes(s) == 0) return false;
      if constexpr (keeps_bits)
        run_bits_groups<Rows>(gemm_calls_of<Arch, X, Rq>, bits_calls_of<Arch, X, W>, s, x, x_zero, w_zero, packed, rq, y, scratch);
      else
        run_groups<Rows>(gemm_calls_of<Arch, X, Rq>, s, x, x_zero, w_zero - byte_shift<W>, packed, rq, y, scratch);
      return true;
    }
    return false;
  }

private:
  static constexpr auto weights(const conv2d_shape& s) noexcept {
    constexpr const gemm_tile& tile = tile_of<best_prim<prims::gemm, Arch>>;
    if constexpr (keeps_bits) return bits_weights{tile, bits_code_on<Arch, W>, s.depth(), s.group_out()};
    else return gemm_weights{tile, s.depth(), s.group_out()};
  }
};

}  // namespace lowbits::kernel
