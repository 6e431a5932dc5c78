// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Tables of 256 bytes with AVX2: sixteen shuffles of 16 entries each.

#include <lowbits/arch/avx2/common.hpp>

LOWBITS_REGION_AVX2
namespace lowbits::inline LOWBITS_ABI {

template <>
struct prim<prims::lookup, arch::avx2> {
  /// A shuffle gives 0 for a negative index. The index is lowered by 16 from each shuffle to the next, so
  /// code x < 128 takes part in those up to row x / 16; row k holds entries and those of row k - 1, the
  /// exclusive or of all is entry x. Codes from 128 on do the same eight rows further up.
  static void run(size_t n, const uint8_t* x, const uint8_t* table, uint8_t* out) noexcept {
    using namespace detail::avx2;
    if (n < 32) {
      for (size_t i = 0; i < n; ++i) out[i] = table[x[i]];
      return;
    }
    __m256i rows[16];
    for (int k = 0; k < 16; ++k)
      rows[k] = k % 8 == 0 ? entries(table, k) : _mm256_xor_si256(entries(table, k), entries(table, k - 1));
    const __m256i step = _mm256_set1_epi8(16);
    const auto look = [&](__m256i low) __attribute__((always_inline)) {
      __m256i high = _mm256_xor_si256(low, _mm256_set1_epi8(-128));
      __m256i found = _mm256_xor_si256(_mm256_shuffle_epi8(rows[0], low), _mm256_shuffle_epi8(rows[8], high));
#pragma GCC unroll 7
      for (int k = 1; k < 8; ++k) {
        low = _mm256_subs_epi8(low, step);
        high = _mm256_subs_epi8(high, step);
        found = _mm256_xor_si256(found, _mm256_shuffle_epi8(rows[k], low));
        found = _mm256_xor_si256(found, _mm256_shuffle_epi8(rows[8 + k], high));
        asm("" : "+x"(found), "+x"(low), "+x"(high));  // else g++ makes all indices first, and spills them
      }
      return found;
    };
    // The last vector overlaps the one before; it is found first, since out may be x.
    const __m256i last = look(load(x + n - 32));
    size_t i = 0;
    for (; i + 32 <= n; i += 32) store(out + i, look(load(x + i)));
    store(out + n - 32, last);
  }

private:
  LOWBITS_REGION_INLINE static __m256i entries(const uint8_t* table, int k) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table + 16 * k)));
  }
};

}  // namespace lowbits
LOWBITS_REGION_END
