// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Codes in as few bytes as the library knows how to: as a bit stream, by their entropy, as numbers of the
// values that occur, or as gaps between rare ones. decode_codes() (pack/coded_codes.hpp) reads all four.
//
//   const lb::coded_bytes w = lb::code_smallest(codes, lb::qformat::of<lb::q8>());
//   w.kind, w.bytes; w.size_of(lb::coded_kind::sparse)                  // what the others would have taken

#include <algorithm>
#include <cmath>
#include <vector>

#include <lowbits/hosted/joined.hpp>
#include <lowbits/hosted/model_error.hpp>
#include <lowbits/pack/coded_codes.hpp>
#include <lowbits/pack/entropy_encode.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// An array of codes as bytes.
struct coded_bytes {
  coded_kind kind = coded_kind::plain;
  std::vector<uint8_t> bytes{};
  size_t sizes[4]{};     ///< what each kind takes, header included
  double entropy = 0;    ///< of the codes one by one, in bytes: what no kind of coding by frequency goes below

  size_t size_of(coded_kind k) const noexcept { return sizes[static_cast<size_t>(k)]; }
};

namespace coding {

/// How often every level occurs.
template <class Codes>
std::vector<uint32_t> histogram_of(const Codes& codes, const qformat& f) {
  std::vector<uint32_t> h(size_t{1} << f.bits);
  size_t i = 0;
  for (const auto code : codes) {
    const int c = static_cast<int>(code);
    if (c < f.lowest() || c > f.highest() || (f.is_binary() && c == 0))
      refuse("code_smallest", joined("code ", i, " is ", c, ", outside the range of its type"), "use a wider type");
    ++h[detail::level_of(f, c)];
    ++i;
  }
  return h;
}

inline double entropy_bytes(const std::vector<uint32_t>& histogram, size_t count) {
  double bits = 0;
  for (const uint32_t c : histogram)
    if (c != 0) bits += c * std::log2(static_cast<double>(count) / c);
  return bits / 8;
}

template <class Codes>
std::vector<uint8_t> plain(const Codes& codes, const qformat& f) {
  std::vector<uint8_t> bytes(coded_header::bytes + packed_bytes(codes.size(), f.bits));
  coded_header{.kind = coded_kind::plain, .format = f, .count = static_cast<uint32_t>(codes.size())}.write(bytes.data());
  detail::bit_writer w(bytes.data() + coded_header::bytes);
  for (const auto code : codes) w.put(f.encode(static_cast<int>(code)), f.bits);
  w.finish();
  return bytes;
}

template <class Codes>
std::vector<uint8_t> entropy(const Codes& codes, const qformat& f, std::vector<uint32_t> histogram) {
  const auto count = static_cast<uint32_t>(codes.size());
  const entropy_plan plan = plan_entropy(histogram.data(), f.bits, count);
  std::vector<uint8_t> bytes(entropy_bound(count, f.bits));
  bytes.resize(encode_entropy(codes, count, f, plan, bytes.data(), bytes.size()));
  return bytes;
}

struct index_size {
  size_t values = 0;
  int number_bits = 0;
  size_t bytes = 0;
};
inline index_size size_index(const std::vector<uint32_t>& histogram, const qformat& f, size_t count) {
  index_size s;
  for (const uint32_t c : histogram) s.values += c != 0 ? 1 : 0;
  if (s.values == 0) s.values = 1;
  while (size_t{1} << s.number_bits < s.values) ++s.number_bits;
  s.bytes = coded_header::bytes + (s.values * f.bits + count * static_cast<size_t>(s.number_bits) + 7) / 8;
  return s;
}
template <class Codes>
std::vector<uint8_t> index(const Codes& codes, const qformat& f, const std::vector<uint32_t>& histogram) {
  const index_size s = size_index(histogram, f, codes.size());
  std::vector<uint8_t> bytes(s.bytes);
  const auto last = static_cast<uint32_t>(s.values - 1);
  coded_header{.kind = coded_kind::index,
               .format = f,
               .own = {static_cast<uint8_t>(s.number_bits), static_cast<uint8_t>(last & 0xff), static_cast<uint8_t>(last >> 8)},
               .count = static_cast<uint32_t>(codes.size())}
      .write(bytes.data());
  detail::bit_writer w(bytes.data() + coded_header::bytes);
  std::vector<uint32_t> number(histogram.size());
  uint32_t next = 0;
  for (uint32_t level = 0; level < histogram.size(); ++level) {
    if (histogram[level] == 0 && !(codes.size() == 0 && level == 0)) continue;
    number[level] = next++;
    w.put(level, f.bits);
  }
  for (const auto code : codes) w.put(number[detail::level_of(f, static_cast<int>(code))], s.number_bits);
  w.finish();
  return bytes;
}

struct sparse_size {
  uint32_t frequent = 0;  ///< level
  int gap_bits = 1;
  uint64_t entries = 0;
  size_t bytes = 0;
};
/// gaps[i]: frequent codes in front of the i-th other one.
template <class Codes>
sparse_size size_sparse(const Codes& codes, const qformat& f, const std::vector<uint32_t>& histogram) {
  sparse_size best;
  best.frequent = static_cast<uint32_t>(std::max_element(histogram.begin(), histogram.end()) - histogram.begin());
  uint64_t entries[17]{};
  uint64_t others = 0, gap = 0;
  for (const auto code : codes) {
    if (detail::level_of(f, static_cast<int>(code)) == best.frequent) {
      ++gap;
      continue;
    }
    for (int g = 1; g <= 16; ++g) entries[g] += gap / ((1u << g) - 1);
    ++others, gap = 0;
  }
  for (int g = 1; g <= 16; ++g) {
    const uint64_t bits = (entries[g] + others) * static_cast<uint32_t>(g) + others * f.bits;
    const auto bytes = coded_header::bytes + 4 + static_cast<size_t>((bits + 7) / 8);
    if (best.bytes != 0 && bytes >= best.bytes) continue;
    best.gap_bits = g;
    best.entries = entries[g] + others;
    best.bytes = bytes;
  }
  return best;
}
template <class Codes>
std::vector<uint8_t> sparse(const Codes& codes, const qformat& f, const sparse_size& s) {
  std::vector<uint8_t> bytes(s.bytes);
  coded_header{.kind = coded_kind::sparse,
               .format = f,
               .own = {static_cast<uint8_t>(s.gap_bits), static_cast<uint8_t>(s.frequent & 0xff),
                       static_cast<uint8_t>(s.frequent >> 8)},
               .count = static_cast<uint32_t>(codes.size())}
      .write(bytes.data());
  detail::store_u32(bytes.data() + coded_header::bytes, static_cast<uint32_t>(s.entries));
  detail::bit_writer w(bytes.data() + coded_header::bytes + 4);
  const uint32_t longest = (1u << s.gap_bits) - 1;
  uint32_t gap = 0;
  for (const auto code : codes) {
    const uint32_t level = detail::level_of(f, static_cast<int>(code));
    if (level == s.frequent) {
      ++gap;
      continue;
    }
    for (; gap >= longest; gap -= longest) w.put(longest, s.gap_bits);
    w.put(gap, s.gap_bits);
    w.put(level, f.bits);
    gap = 0;
  }
  w.finish();
  return bytes;
}

}  // namespace coding

/// Any range of integers, all codes of f. Up to 2^32 - 1 codes; more, and codes outside of the type, throw
/// model_error. The same codes give the same bytes on every machine.
template <class Codes>
coded_bytes code_smallest(const Codes& codes, const qformat& f) {
  if (!f.valid()) refuse("code_smallest", joined("a format of ", int{f.bits}, " bits"), "use 1 to 16 bits");
  if (codes.size() > highest_of<uint32_t>) refuse("code_smallest", "the array has 2^32 codes or more", "split it");
  const std::vector<uint32_t> histogram = coding::histogram_of(codes, f);
  const coding::sparse_size sparse = coding::size_sparse(codes, f, histogram);
  coded_bytes r{.kind = coded_kind::entropy, .bytes = coding::entropy(codes, f, histogram)};
  r.entropy = coding::entropy_bytes(histogram, codes.size());
  r.sizes[0] = coded_header::bytes + packed_bytes(codes.size(), f.bits);
  r.sizes[1] = r.bytes.size();
  r.sizes[2] = coding::size_index(histogram, f, codes.size()).bytes;
  r.sizes[3] = sparse.bytes;
  // Ties go to the one that is simpler to read. No bytes: they would be more than 4 GiB.
  if (r.bytes.empty()) r.kind = coded_kind::plain;
  for (const coded_kind k : {coded_kind::sparse, coded_kind::index, coded_kind::plain})
    if (r.size_of(k) <= r.size_of(r.kind)) r.kind = k;
  if (r.kind == coded_kind::plain) r.bytes = coding::plain(codes, f);
  else if (r.kind == coded_kind::index) r.bytes = coding::index(codes, f, histogram);
  else if (r.kind == coded_kind::sparse) r.bytes = coding::sparse(codes, f, sparse);
  return r;
}

}  // namespace lowbits
