// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Where the codes of a matrix of rows x columns lie in memory, and the reference pack and unpack of
// every layout. For weights a row is an output and a column an input. A layout says of each code
// which bits it has where; pack and unpack are the same few lines for all of them.

#include <lowbits/pack/packed_view.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// `width` bits of a code, from bit `from` on, at bit `shift` of byte `byte` (and the bytes behind).
struct code_part {
  size_t byte = 0;
  int shift = 0;
  int width = 0;
  int from = 0;
};

namespace detail {

/// Part of code i of a bit stream that starts at byte `start`.
constexpr code_part stream_part(size_t start, size_t i, int bits) noexcept {
  const code_place at(i, bits);
  return {start + at.first, at.shift, bits, 0};
}

}  // namespace detail

/// One bit stream, row after row, without gaps: packed_view reads it.
struct linear_layout {
  template <quantized_type Q>
  static constexpr size_t bytes(size_t rows, size_t columns) noexcept { return bytes_for<Q>(rows * columns); }
  template <quantized_type Q, class Use>
  static constexpr void parts(size_t /*rows*/, size_t columns, size_t row, size_t column, Use&& use) noexcept {
    use(detail::stream_part(0, row * columns + column, Q::bits));
  }
};

/// Every row is a bit stream of its own and starts on a byte.
struct rows_layout {
  template <quantized_type Q>
  static constexpr size_t bytes(size_t rows, size_t columns) noexcept { return rows * bytes_for<Q>(columns); }
  template <quantized_type Q, class Use>
  static constexpr void parts(size_t /*rows*/, size_t columns, size_t row, size_t column, Use&& use) noexcept {
    use(detail::stream_part(row * bytes_for<Q>(columns), column, Q::bits));
  }
};

/// [rows / Rows][columns / Columns][Rows][Columns]: the tiles that SIMD inner products load. Every
/// tile is a bit stream that starts on a byte; positions outside the matrix are zero bits.
template <size_t Rows, size_t Columns>
struct panel_layout {
  static_assert(Rows > 0 && Columns > 0,
                "lowbits: panel_layout: an extent of the tile is zero; give both as 1 or more");
  template <quantized_type Q>
  static constexpr size_t tile_bytes = bytes_for<Q>(Rows * Columns);

  template <quantized_type Q>
  static constexpr size_t bytes(size_t rows, size_t columns) noexcept {
    return ceil_div(rows, Rows) * ceil_div(columns, Columns) * tile_bytes<Q>;
  }
  template <quantized_type Q, class Use>
  static constexpr void parts(size_t /*rows*/, size_t columns, size_t row, size_t column, Use&& use) noexcept {
    const size_t tile = row / Rows * ceil_div(columns, Columns) + column / Columns;
    use(detail::stream_part(tile * tile_bytes<Q>, row % Rows * Columns + column % Columns, Q::bits));
  }
};

/// For 1-, 2- and 4-bit codes. A row is cut into blocks of Lanes bytes; field f of byte l of a block
/// (bits [Bits * f, Bits * (f + 1))) holds the block's code f * Lanes + l. One load, one mask and one
/// shift give Lanes successive codes. With one lane this is the bit stream; 4 bits and 16 lanes are
/// the nibble order of GGUF's Q4_0 blocks. A row's last block is filled up with zero bits.
template <size_t Lanes>
struct interleaved_layout {
  static_assert(Lanes > 0, "lowbits: interleaved_layout: Lanes is zero; give the number of bytes of a block");
  template <quantized_type Q>
  static constexpr size_t block = Lanes * (8 / Q::bits);  ///< codes

  template <quantized_type Q>
  static constexpr size_t bytes(size_t rows, size_t columns) noexcept {
    static_assert(Q::bits == 1 || Q::bits == 2 || Q::bits == 4,
                  "lowbits: interleaved_layout: fields of this width do not fill a byte; use 1, 2 or 4 bits");
    return rows * ceil_div(columns, block<Q>) * Lanes;
  }
  template <quantized_type Q, class Use>
  static constexpr void parts(size_t /*rows*/, size_t columns, size_t row, size_t column, Use&& use) noexcept {
    const size_t start = (row * ceil_div(columns, block<Q>) + column / block<Q>) * Lanes;
    const size_t in_block = column % block<Q>;
    use(code_part{start + in_block % Lanes, static_cast<int>(in_block / Lanes) * Q::bits, Q::bits, 0});
  }
};

/// Planes of 8, 4, 2 and 1 bits, for kernels that mask weights in place. A code is stored as an
/// unsigned number, value - lowest of the full range (0 and 1 for q1). Its bits are dealt to planes,
/// the widest first and each at most once but 8 (3 = 2 + 1, 7 = 4 + 2 + 1, 16 = 8 + 8); the first
/// plane has the lowest bits. The matrix is cut into groups of 16 rows x 32 columns:
///
///   [rows / 16][columns / 32][plane][width of the plane][64 bytes]
///
/// Byte 4 * r + k of the c-th 64 bytes of a plane of width p holds, for row r of the group, 8 / p
/// columns: its field f (bits [p * f, p * (f + 1))) belongs to column 4 * (c * 8 / p + f) + k.
/// Positions outside the matrix are zero bits.
struct planes_layout {
  static constexpr size_t group_rows = 16, group_columns = 32;

  template <quantized_type Q>
  static constexpr size_t bytes(size_t rows, size_t columns) noexcept {
    return ceil_div(rows, group_rows) * ceil_div(columns, group_columns) * group_bytes(Q::bits);
  }
  template <quantized_type Q, class Use>
  static constexpr void parts(size_t /*rows*/, size_t columns, size_t row, size_t column, Use&& use) noexcept {
    const size_t group = row / group_rows * ceil_div(columns, group_columns) + column / group_columns;
    const size_t fours = column % group_columns / 4;
    const size_t lane = row % group_rows * 4 + column % 4;
    size_t start = group * group_bytes(Q::bits);
    for (int from = 0; from < Q::bits;) {
      const int width = plane_width(Q::bits - from);
      const size_t fields = 8u / static_cast<unsigned>(width);
      use(code_part{start + fours / fields * 64 + lane, static_cast<int>(fours % fields) * width, width, from});
      start += static_cast<size_t>(width) * 64;
      from += width;
    }
  }
  /// Width of the next plane when `left` bits are still to be placed.
  static constexpr int plane_width(int left) noexcept { return left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1; }
  static constexpr size_t group_bytes(int bits) noexcept { return static_cast<size_t>(bits) * 64; }
  static constexpr bool is_offset = true;
};

/// How eight codes of 1 to 8 bits share as many bytes as they have bits: a byte holds as many whole codes
/// as fit, and the codes left over are dealt to the bytes' upper ends. A part's `byte` counts from 0.
///
///   bits  whole codes in each byte   left over (bits from the highest on: byte.bits)
///   1     8
///   2, 4  4, 2
///   3     2: codes 0 to 5            6: 0.76 2.6        7: 1.76 2.7
///   5     1: codes 0 to 4            5: 0.765 3.76      6: 1.765 4.76      7: 2.765 3.5 4.5
///   6     1: codes 0 to 5            6: 0.76 1.76 2.76  7: 3.76 4.76 5.76
///   7     1: codes 0 to 6            7: 0.7 1.7 2.7 3.7 4.7 5.7 6.7
template <class Use>
constexpr void eight_codes_parts(int bits, int code, Use&& use) noexcept {
  const int fields = 8 / bits, over = code - fields * bits;
  const auto part = [&](int byte, int shift, int width, int from) { use(code_part{static_cast<size_t>(byte), shift, width, from}); };
  if (over < 0) {
    part(code / fields, code % fields * bits, bits, 0);
  } else if (bits == 3) {
    part(over, 6, 2, 1);
    part(2, 6 + over, 1, 0);
  } else if (bits == 5) {
    part(over, 5, 3, 2);
    if (over < 2) {
      part(3 + over, 6, 2, 0);
    } else {
      part(3, 5, 1, 1);
      part(4, 5, 1, 0);
    }
  } else if (bits == 6) {
    for (int t = 0; t < 3; ++t) part(3 * over + t, 6, 2, 4 - 2 * t);
  } else {
    for (int t = 0; t < 7; ++t) part(t, 7, 1, 6 - t);
  }
}

/// What the fast kernels read for weights of 1 to 8 bits: unsigned numbers as in planes_layout, in groups of
/// 16 rows x 32 columns,
///
///   [rows / 16][columns / 32][Bits][64 bytes]
///
/// Byte 4 * r + k of each of a group's Bits vectors is shared by the codes of row r at columns 4 * i + k, i < 8
/// (eight_codes_parts): one vector operation on the vectors gives the codes of 16 rows and four columns.
/// Positions outside the matrix are zero bits.
struct eights_layout {
  static constexpr size_t group_rows = 16, group_columns = 32;

  template <quantized_type Q>
  static constexpr size_t bytes(size_t rows, size_t columns) noexcept {
    static_assert(Q::bits <= 8, "lowbits: eights_layout: the codes have more than 8 bits; use planes_layout");
    return ceil_div(rows, group_rows) * ceil_div(columns, group_columns) * group_bytes(Q::bits);
  }
  template <quantized_type Q, class Use>
  static constexpr void parts(size_t /*rows*/, size_t columns, size_t row, size_t column, Use&& use) noexcept {
    const size_t group = row / group_rows * ceil_div(columns, group_columns) + column / group_columns;
    const size_t start = group * group_bytes(Q::bits) + row % group_rows * 4 + column % 4;
    eight_codes_parts(Q::bits, static_cast<int>(column % group_columns / 4), [&](code_part p) {
      p.byte = start + 64 * p.byte;
      use(p);
    });
  }
  static constexpr size_t group_bytes(int bits) noexcept { return static_cast<size_t>(bits) * 64; }
  static constexpr bool is_offset = true;
};

namespace detail {

/// The bits to flip between Q's code and what Layout stores.
template <class Layout, quantized_type Q>
constexpr uint32_t stored_offset() noexcept {
  if constexpr (requires { Layout::is_offset; })
    if (Q::is_signed && !Q::is_binary) return 1u << (Q::bits - 1);
  return 0;
}

}  // namespace detail

/// Writes values[0 .. rows * columns) (row-major, anything indexable) as Layout's bytes. All
/// Layout::bytes<Q>(rows, columns) bytes are written.
template <class Layout, quantized_type Q, class Values>
constexpr void pack(const Values& values, size_t rows, size_t columns, uint8_t* bytes) noexcept {
  const size_t size = Layout::template bytes<Q>(rows, columns);
  for (size_t i = 0; i < size; ++i) bytes[i] = 0;
  for (size_t r = 0; r < rows; ++r)
    for (size_t c = 0; c < columns; ++c) {
      const uint32_t code = Q::encode(static_cast<int>(values[r * columns + c])) ^ detail::stored_offset<Layout, Q>();
      Layout::template parts<Q>(rows, columns, r, c, [&](const code_part& p) {
        const uint32_t bits = ((code >> p.from) & ((1u << p.width) - 1u)) << p.shift;
        for (int k = 0; k * 8 < p.shift + p.width; ++k)
          bytes[p.byte + static_cast<size_t>(k)] |= static_cast<uint8_t>(bits >> (8 * k));
      });
    }
}

/// Reads what pack wrote into values[0 .. rows * columns).
template <class Layout, quantized_type Q, class T>
constexpr void unpack(const uint8_t* bytes, size_t rows, size_t columns, T* values) noexcept {
  for (size_t r = 0; r < rows; ++r)
    for (size_t c = 0; c < columns; ++c) {
      uint32_t code = 0;
      Layout::template parts<Q>(rows, columns, r, c, [&](const code_part& p) {
        uint32_t bits = 0;
        for (int k = 0; k * 8 < p.shift + p.width; ++k)
          bits |= static_cast<uint32_t>(bytes[p.byte + static_cast<size_t>(k)]) << (8 * k);
        code |= ((bits >> p.shift) & ((1u << p.width) - 1u)) << p.from;
      });
      values[r * columns + c] = static_cast<T>(Q::decode(code ^ detail::stored_offset<Layout, Q>()));
    }
}

}  // namespace lowbits
