// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Writing entropy-coded codes (pack/entropy.hpp), also while compiling. Integers only, so every machine
// writes the same bytes.

#include <bit>

#include <lowbits/pack/entropy.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// How an array is going to be coded: the free choices of the format, and the shares.
struct entropy_plan {
  int low_bits = 0;
  bool has_escape = false;
  int block_log = 0;
  uint32_t first = 0, window = 1;  ///< groups
  uint64_t cost = ~uint64_t{0};    ///< bits of the whole array, about
  uint16_t share[detail::most_symbols]{1u << detail::share_bits};

  constexpr uint32_t symbols() const noexcept { return window + (has_escape ? 1 : 0); }
};

namespace detail {

/// 256 * log2(v), within 3; v from 1 to 2^24.
constexpr uint32_t log2_256(uint32_t v) noexcept {
  const auto whole = static_cast<uint32_t>(std::bit_width(v) - 1);
  const uint32_t part = (v << (24 - whole) >> 16) & 0xff;
  return whole * 256 + part + (part * (256 - part) * 88 >> 16);
}

/// Shares of 4096 for counts that sum to `total`: at least 1 for each that is not 0, the others in
/// proportion. n is at most 256.
constexpr void make_shares(const uint32_t* counts, uint32_t n, uint64_t total, uint16_t* shares) noexcept {
  int32_t left = static_cast<int32_t>(all_shares);
  uint32_t large = 0;  // the sum of those that can give
  for (uint32_t s = 0; s < n; ++s) {
    const uint64_t exact = counts[s] * uint64_t{all_shares};
    const auto nearest = static_cast<uint32_t>((exact + total / 2) / total);
    shares[s] = static_cast<uint16_t>(counts[s] == 0 ? 0 : larger<uint32_t>(nearest, 1));
    left -= shares[s];
    if (shares[s] > 1) large += shares[s];
  }
  // What was rounded up too often comes from the large ones, in proportion, and goes there likewise.
  const bool gives = left < 0;
  while (left != 0) {
    const auto wanted = static_cast<uint32_t>(left < 0 ? -left : left);
    for (uint32_t s = 0; s < n && left != 0; ++s) {
      if (shares[s] <= (gives || large != 0 ? 1 : 0)) continue;
      const auto rest = static_cast<uint32_t>(left < 0 ? -left : left);
      const auto even = static_cast<uint32_t>(uint64_t{shares[s]} * wanted / larger<uint32_t>(large, 1));
      uint32_t step = smaller<uint32_t>(rest, larger<uint32_t>(1, even));
      if (gives) step = smaller<uint32_t>(step, shares[s] - 1u);
      shares[s] = static_cast<uint16_t>(gives ? shares[s] - step : shares[s] + step);
      left += static_cast<int32_t>(gives ? step : 0u - step);
    }
  }
}

constexpr int gamma_bits(uint32_t v) noexcept { return 2 * static_cast<int>(std::bit_width(v)) - 1; }

/// Fills in shares and cost for the groups [first, last] of `groups`; all others are escapes of `bits`.
constexpr void weigh(const uint32_t* groups, uint32_t first, uint32_t last, uint64_t total, int bits,
                     entropy_plan& p) noexcept {
  uint32_t counts[most_symbols]{};
  uint64_t inside = 0;
  p.first = first;
  p.window = last - first + 1;
  for (uint32_t s = 0; s < p.window; ++s) inside += counts[s] = groups[first + s];
  const auto escapes = static_cast<uint32_t>(total - inside);
  p.has_escape = escapes != 0;
  if (p.has_escape) counts[p.window] = escapes;
  const uint32_t n = p.symbols();
  make_shares(counts, n, total, p.share);
  uint64_t fine = 0;  // 256ths of a bit
  uint64_t cost = inside * static_cast<uint32_t>(p.low_bits) + uint64_t{escapes} * static_cast<uint32_t>(bits);
  for (uint32_t s = 0; s < n; ++s) {
    cost += static_cast<uint32_t>(gamma_bits(p.share[s] + 1u));
    if (counts[s] != 0) fine += counts[s] * uint64_t{256 * share_bits - log2_256(p.share[s])};
  }
  p.cost = cost + fine / 256;
}

}  // namespace detail

/// Plans the coding of `total` codes with `histogram[level]`, 2^bits counters, which are used up.
constexpr entropy_plan plan_entropy(uint32_t* histogram, int bits, uint32_t total) noexcept {
  entropy_plan best;
  if (total == 0) return best;
  for (int low = 0; low < bits; ++low) {
    const uint32_t groups = 1u << (bits - low);
    if (low > 0)
      for (uint32_t g = 0; g < groups; ++g) histogram[g] = histogram[2 * g] + histogram[2 * g + 1];
    // Windows that leave out rare groups at both ends, from none to all with a share below 2.
    uint32_t first = 0, last = groups - 1, tried_first = groups, tried_last = 0;
    uint64_t best_here = ~uint64_t{0};
    for (const unsigned least : {0u, 1u, 2u, 4u}) {
      const auto is_rare = [&](uint32_t g) {
        return histogram[g] == 0 || uint64_t{histogram[g]} * (2 * detail::all_shares) < uint64_t{least} * total;
      };
      while (first < last && is_rare(first)) ++first;
      while (first < last && is_rare(last)) --last;
      const uint32_t most = detail::most_symbols - (least == 0 ? 0 : 1);
      uint32_t a = first, b = last;
      if (b - a >= most) {  // the window of 255 with the largest sum
        if (least == 0) continue;
        uint64_t sum = 0, highest = 0;
        for (uint32_t g = first; g <= last; ++g) {
          sum += histogram[g];
          if (g - first >= most) sum -= histogram[g - most];
          if (sum > highest && g - first >= most - 1) highest = sum, b = g;
        }
        a = b + 1 - most;
      }
      if (a == tried_first && b == tried_last) continue;
      tried_first = a, tried_last = b;
      entropy_plan p;
      p.low_bits = low;
      detail::weigh(histogram, a, b, total, bits, p);
      best_here = smaller(best_here, p.cost);
      if (p.cost < best.cost) best = p;
    }
    if (best_here > best.cost + best.cost / 8 && best.cost != ~uint64_t{0}) break;  // it only gets worse
  }
  // The states and the index take 20 bytes for a block: below 1 % of it.
  best.block_log = 10;
  while (best.block_log < detail::highest_block_log && (best.cost << best.block_log) / total < 21000) ++best.block_log;
  return best;
}

/// Enough bytes for any array of that many codes.
constexpr size_t entropy_bound(size_t count, int bits) noexcept {
  // A symbol takes at most 12 bits, a level at most `bits`.
  return 1024 + count / 2 * 3 + packed_bytes(count, bits) + (count / 1024 + 1) * 24;
}

namespace detail {

/// Writes one block; `room_end` is the end of the memory behind `to`. Returns the end of the block.
template <class Codes>
constexpr uint8_t* encode_block(const Codes& codes, size_t begin, size_t end, const qformat& f, const entropy_plan& p,
                                const uint16_t* start, uint8_t* to, uint8_t* room_end) noexcept {
  const auto symbol_of = [&](uint32_t level) {
    const uint32_t group = level >> p.low_bits;
    return group - p.first < p.window ? group - p.first : p.window;
  };
  uint32_t state[state_count]{lowest_state, lowest_state, lowest_state, lowest_state};
  uint8_t* words = room_end;  // written from behind: the decoder reads them the other way round
  for (size_t i = end; i-- > begin;) {
    const uint32_t s = symbol_of(level_of(f, static_cast<int>(codes[i])));
    const uint32_t share = p.share[s];
    uint32_t& x = state[(i - begin) % state_count];
    if (x >> 20 >= share) {
      words -= 2;
      store_u16(words, x & 0xffff);
      x >>= 16;
    }
    x = (x / share << share_bits) + x % share + start[s];
  }
  for (const uint32_t x : state) {
    store_u32(to, x);
    to += 4;
  }
  while (words != room_end) *to++ = *words++;
  if (p.low_bits == 0 && !p.has_escape) return to;
  bit_writer rest(to);
  const uint32_t inside = (1u << p.low_bits) - 1;
  for (size_t i = begin; i < end; ++i) {
    const uint32_t level = level_of(f, static_cast<int>(codes[i]));
    if (symbol_of(level) == p.window) rest.put(level, f.bits);
    else rest.put(level & inside, p.low_bits);
  }
  return rest.finish();
}

}  // namespace detail

/// Writes codes[0 .. count) (anything indexable; all of them codes of f) as planned, and returns the
/// number of bytes; `to` has room for entropy_bound(). 0: more than 4 GiB.
template <class Codes>
constexpr size_t encode_entropy(const Codes& codes, uint32_t count, const qformat& f, const entropy_plan& p, uint8_t* to,
                                size_t room) noexcept {
  const coded_header h{.kind = coded_kind::entropy,
                       .format = f,
                       .own = {static_cast<uint8_t>(p.low_bits | (p.has_escape ? 0x80 : 0)),
                               static_cast<uint8_t>(p.block_log), static_cast<uint8_t>(p.window - 1)},
                       .count = count};
  h.write(to);
  uint16_t start[detail::most_symbols + 1]{};
  detail::bit_writer table(to + detail::entropy_head);
  for (uint32_t s = 0; s < p.symbols(); ++s) {
    start[s + 1] = static_cast<uint16_t>(start[s] + p.share[s]);
    const uint32_t v = p.share[s] + 1u;
    const int zeros = static_cast<int>(std::bit_width(v)) - 1;
    table.put(0, zeros);
    table.put(1, 1);
    table.put(v ^ 1u << zeros, zeros);
  }
  uint8_t* index = table.finish();
  detail::store_u16(to + coded_header::bytes, p.first);
  detail::store_u16(to + coded_header::bytes + 2, static_cast<uint32_t>(index - to - static_cast<ptrdiff_t>(detail::entropy_head)));
  const size_t block = size_t{1} << p.block_log, blocks = (count >> p.block_log) + (count % block != 0 ? 1u : 0u);
  uint8_t* const payload = index + 4 * blocks;
  uint8_t* at = payload;
  for (size_t begin = 0; begin < count; begin += block, index += 4) {
    at = detail::encode_block(codes, begin, smaller<size_t>(count, begin + block), f, p, start, at, to + room);
    if (static_cast<uint64_t>(at - payload) > highest_of<uint32_t>) return 0;
    detail::store_u32(index, static_cast<uint32_t>(at - payload));
  }
  return static_cast<size_t>(at - to);
}

}  // namespace lowbits
