// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Weights of 1 to 16 bits as products with floats read them (prims::gemm_reals). A lane of 32 bits belongs to a column. For
// each unit of 32 codes along the depth it has as many words as a code has bits. A word holds as many codes as fit in
// whole, from bit 0 on; the bits that are left at its top make up a stream, from word to word, of the unit's last codes:
//
//   4 bits, word 0 of 4:   |k7  |k6  |k5  |k4  |k3  |k2  |k1  |k0  |
//   7 bits, word 0 of 7:   |k28.|k3     |k2     |k1     |k0     |      k 28-31 in the upper 4 bits of the seven words
//
// A code becomes a float where it lies: with the exponent above it set so that its lowest bit counts 1 (or 2), it is 2^23, or
// less, plus the code. No conversion and, for most places, no shift is needed; what is taken off takes the zero point with it.

#include <lowbits/core/types.hpp>

namespace lowbits::inline LOWBITS_ABI {

struct real_layout {
  static constexpr int unit = 32;
  int bits = 1;
  bool twice = false;  ///< numbers count twice, for weights of -1 and 1

  constexpr int whole() const noexcept { return 32 / bits; }  ///< codes in a word
  constexpr int rest() const noexcept { return 32 % bits; }   ///< bits left of a word; also codes left of a unit
  /// Where code i of a word lies when it becomes a float: in the word as it is (to the left by 1 where numbers count
  /// twice, or 2^24 and an odd number would have to be told apart), or to the right by `moved`.
  static constexpr int moved = 9;
  constexpr bool is_moved(int i) const noexcept { return (i + 1) * bits + (twice ? 1 : 0) > 23; }
  constexpr int place(int i) const noexcept { return i * bits + (is_moved(i) ? -moved : twice ? 1 : 0); }
  /// Places that need a number of their own to take off; the last one is that of codes put together.
  constexpr int places() const noexcept { return whole() + (rest() != 0 ? 1 : 0); }
  constexpr int place_of(int i) const noexcept { return i < whole() ? place(i) : twice ? 1 : 0; }
  constexpr uint32_t mask() const noexcept { return (1u << bits) - 1u; }
  /// The float that the bits above a code at `place` are: 2^(23 - place), or twice that.
  constexpr uint32_t exponent(int place) const noexcept { return static_cast<uint32_t>(127 + 23 - place + (twice ? 1 : 0)) << 23; }

  /// Calls f(word, from, width, to): `width` bits of a word, from bit `from` on, are those of code k (below 32) from bit `to` on.
  template <class Function>
  constexpr void parts(int k, Function&& f) const {
    if (k < bits * whole()) return f(k / whole(), k % whole() * bits, bits, 0);
    for (int to = 0, at = (k - bits * whole()) * bits; to < bits;) {
      const int inside = at % rest(), width = smaller(rest() - inside, bits - to);
      f(at / rest(), 32 - rest() + inside, width, to);
      to += width, at += width;
    }
  }
};

/// How words are taken apart: real_layout as numbers, so that one piece of code serves all widths.
struct real_codes {
  int bits = 1, whole = 32, rest = 0;
  int direct = 23;     ///< codes of a word that are used where they lie; the others are moved
  bool twice = false;
  uint32_t mask[33]{}, above[33]{};  ///< for each place
  struct part {
    int word, right, left;
    uint32_t mask;   ///< where it comes to lie
    bool is_last;
  };
  part parts[24]{};  ///< of the last `rest` codes of a unit

  constexpr real_codes() = default;
  constexpr explicit real_codes(const real_layout& at) noexcept : bits(at.bits), whole(at.whole()), rest(at.rest()), twice(at.twice) {
    direct = 0;
    for (int i = 0; i < at.places(); ++i) {
      const int place = at.place_of(i);
      mask[i] = at.mask() << place;
      above[i] = at.exponent(place);
      if (i < whole && !at.is_moved(i)) direct = i + 1;
    }
    part* next = parts;
    for (int k = bits * whole; k < real_layout::unit; ++k)
      at.parts(k, [&](int word, int from, int width, int to) {
        *next++ = {word, from > to ? from - to : 0, to > from ? to - from : 0, ((1u << width) - 1u) << to, to + width == bits};
      });
  }
  constexpr int places() const noexcept { return whole + (rest != 0 ? 1 : 0); }
};

/// Sums of a product of floats are added up in parts of this depth at most (ref/weight_only_gemm.hpp).
inline constexpr int real_block = 256;

/// A panel of weights: weight(k, c) is the number of column c at k, times 2 if numbers count twice, minus zeros[g * zero_step + c],
/// where g = k / group.
struct real_panel {
  int n = 0;                      ///< columns
  int depth = 0, group = 1;       ///< group is a multiple of 32, or the depth
  const uint32_t* w = nullptr;    ///< [units][bits][n]; what is behind the depth may be anything
  const float* zeros = nullptr;   ///< whole numbers of magnitudes up to 2^17
  ptrdiff_t zero_step = 0;        ///< 0: the same for all groups
  const float* scales = nullptr;  ///< scales[g * scale_step + c]
  ptrdiff_t scale_step = 0;
};

}  // namespace lowbits
