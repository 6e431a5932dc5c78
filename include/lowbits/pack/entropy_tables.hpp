// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The reader of entropy-coded codes for machines with memory to spare: a table of 16 KB says what each
// share decodes to. It may be constexpr, and then lies in flash.

#include <bit>

#include <lowbits/pack/entropy.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Gives the same codes and statuses as entropy_codes.
class entropy_tables : public entropy_codes {
public:
  constexpr entropy_tables() = default;

  constexpr status open(std::span<const uint8_t> bytes) noexcept {
    if (const status s = entropy_codes::open(bytes); s != status::ok) return s;
    is_direct_ = !has_rest() && format().bits <= 8;
    for (uint32_t s = 0; s < symbol_count(); ++s) {
      const uint32_t share = start_of(s + 1) - start_of(s);
      const uint32_t result = is_direct_ ? static_cast<uint8_t>(code_of(s)) : s;
      for (uint32_t k = 0; k < share; ++k) entries_[start_of(s) + k] = (share - 1) << 20 | k << 8 | result;
    }
    return status::ok;
  }

  template <class T>
  constexpr status decode_block(size_t block, T* to) const noexcept {
    part p = part_of(block);
    if (!p.begin()) return status::bad_value;
    const size_t n = block_size(block);
    size_t i = 0;
    // Four states at a time while none can run short of words; locals, so that they stay in registers.
    uint32_t a = p.state[0], b = p.state[1], c = p.state[2], d = p.state[3];
    const uint8_t* at = p.at;
    for (; n - i >= 4 && p.end - at >= 8; i += 4) {
      to[i] = take<T>(a), to[i + 1] = take<T>(b), to[i + 2] = take<T>(c), to[i + 3] = take<T>(d);
      refill(a, at), refill(b, at), refill(c, at), refill(d, at);
    }
    p.state[0] = a, p.state[1] = b, p.state[2] = c, p.state[3] = d;
    p.at = at;
    for (; i < n; ++i) {
      uint32_t& x = p.state[i % detail::state_count];
      to[i] = take<T>(x);
      if (!p.refill(x)) return status::bad_value;
    }
    if (!is_direct_) return finish_block(p, to, n);
    for (const uint32_t x : p.state)
      if (x != detail::lowest_state) return status::bad_value;
    return p.at == p.end && has_only_codes(to, n) ? status::ok : status::bad_value;
  }

private:
  template <class T>
  constexpr T take(uint32_t& x) const noexcept {
    const uint32_t e = entries_[x & (detail::all_shares - 1)];
    x = ((e >> 20) + 1) * (x >> detail::share_bits) + (e >> 8 & 0xfff);
    // A direct result is a byte's pattern; in a wider T it has the sign of the code.
    if constexpr (sizeof(T) == 1) return static_cast<T>(e & 0xff);
    else return static_cast<T>(is_direct_ && format().is_signed ? static_cast<int8_t>(e & 0xff) : static_cast<int>(e & 0xff));
  }
  static constexpr void refill(uint32_t& x, const uint8_t*& at) noexcept {
    const uint32_t is_low = x < detail::lowest_state ? 1 : 0;  // no branch: it would be mispredicted
    x = x << 16 * is_low | (detail::load_u16(at) & (0u - is_low));
    at += 2 * is_low;
  }

  bool is_direct_ = false;
  uint32_t entries_[detail::all_shares]{};
};

}  // namespace lowbits
