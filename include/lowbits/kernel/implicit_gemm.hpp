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

/// Calls pack(weight, first, to) for each group, as the layouts' pack() takes them; a group takes `bytes`. Weights
/// are less `shift`; bias may be null.
template <class Sum, class W, class Bias, class Pack>
void pack_groups(const conv2d_shape& s, size_t bytes, const W& w, int shift, const Bias* bias, unsigned char* packed, Pack&& pack) noexcept {
  for (int first = 0; first < s.out_c; first += s.group_out(), packed += bytes)
    pack([&](int c, int k) { return int{w[static_cast<size_t>(ptrdiff_t{first + c} * s.depth() + k)]} - shift; },
         [&](int c) { return bias != nullptr ? static_cast<Sum>(bias[first + c]) : 0; }, packed);
}

/// Rows<Element, X> gathers the matrix's rows, one per output position. zero is the weights' zero point
/// as they were prepared.
template <template <class, class> class Rows, class Product, class X, class Rq, class Y>
void run_groups(const Product& p, const conv2d_shape& s, const X* x, int x_zero, int zero, const unsigned char* packed, const Rq& rq,
                Y* y) noexcept {
  const conv2d_shape flat = flattened(s);
  p.area.x.from(0, s.depth()).fill(p.block.rows, p.block.depth - s.depth(), 0);
  for (int g = 0; g < s.groups; ++g, packed += p.weights.bytes()) {
    const Rows<typename Product::element, X> gathered(flat, p.calls, x, x_zero, g);
    const int channel = g * s.group_out();
    output_position at;
    for (int64_t done = 0; done < positions(s); done += p.block.rows) {
      const int n = static_cast<int>(smaller<int64_t>(p.block.rows, positions(s) - done));
      gathered.write(at, n, p.area.x);
      p.multiply(n, p.area.rows(), x_zero, zero, packed, {0, s.group_out()}, rq, {done, channel}, y + done * s.out_c + channel, s.out_c);
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
      if (packed_bytes(s) == 0) return;
      const auto layout = weights(s);
      const int zero = x_zero + best_prim<prims::gemm, Arch>::template shift<X>;
      pack_groups<int32_t>(s, layout.bytes(), w, byte_shift<W>, bias, packed, [&](auto&& weight, auto&& first, unsigned char* to) {
        if constexpr (keeps_bits)
          layout.template pack<bits_code_of<W>.bits>(weight, first, zero, x_zero + bits_calls_of<Arch, X, W>.signed_shift, to);
        else layout.pack(weight, first, zero, to);
      });
    }
  }

protected:
  /// False, and nothing done, where there are no prepared weights to run from.
  static bool run_packed(const conv2d_shape& s, const X* x, int x_zero, int w_zero, const unsigned char* packed,
                         const Rq& rq, Y* y, unsigned char* scratch) noexcept {
    if constexpr (is_fast) {
      if (packed == nullptr || packed_bytes(s) == 0) return false;
      constexpr const auto& calls = gemm_calls_of<Arch, X, Rq>;
      work_area area(scratch);
      if constexpr (keeps_bits)
        run_groups<Rows>(bits_product(calls, bits_calls_of<Arch, X, W>, weights(s), positions(s), area), s, x, x_zero, w_zero, packed, rq, y);
      else
        run_groups<Rows>(byte_product(calls, weights(s), positions(s), area), s, x, x_zero, w_zero - byte_shift<W>, packed, rq, y);
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
