// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Executes instructions that this processor lacks: the tile instructions of AMX-INT8 and the VEX forms
// of vpdpbusd, vpdpbusds, vpdpwssd and vpdpwssds (AVX-VNNI). While an emulate_x86::scope lives, the signal
// of an unknown instruction is answered by decoding it, changing the interrupted context as the
// instruction would have, and going on behind it. A processor that has them never comes here.
//
// Formats, operations and error rules: Intel SDM volume 2, the instructions' pages and the exception
// classes AMX-E1 to E6. Not emulated: restarting at a start row other than 0. It has not been held against
// a processor that has the instructions. Where vector registers lie in a signal frame: volume 1, 13.4 to 13.5
// (standard format), and Linux, arch/x86/include/uapi/asm/sigcontext.h.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <lowbits/core/arch.hpp>

#if defined(__linux__) && defined(__x86_64__)
#define EMULATE_X86 1
#include <cpuid.h>
#include <signal.h>
#include <ucontext.h>
#else
#define EMULATE_X86 0
#endif

namespace emulate_x86 {

/// What a program would run with that has a scope: the processor's features and the emulated ones.
inline lowbits::cpu::features features([[maybe_unused]] lowbits::cpu::features real) {
#if EMULATE_X86
  real.add(lowbits::cpu::feature::avxvnni, real.has(lowbits::cpu::feature::avx2));
  real.add(lowbits::cpu::feature::amx_int8);
#endif
  return real;
}

/// Instructions executed here in this thread.
inline thread_local long executed = 0;

/// Called when a tile instruction breaks a rule, where the processor would raise #UD or #GP. If it
/// returns, the instruction is skipped.
inline void (*on_fault)(const char* rule) = [](const char* rule) {
  std::fprintf(stderr, "emulate_x86: %s\n", rule);
  std::abort();
};

struct tile {
  int rows, row_bytes;
  uint8_t at[16][64];
};
/// The tile state of a thread.
struct tile_state {
  bool configured;
  uint8_t config[64];
  tile tiles[8];
};
inline thread_local tile_state tiles;

/// Makes the tile state worthless, as another library may leave it.
inline void clobber_tiles() {
  std::memset(&tiles, 0xa5, sizeof tiles);
  tiles.configured = false;
}

namespace detail {

// ---- tiles
inline bool fails(bool broken, const char* rule) {
  if (broken) on_fault(rule);
  return broken;
}

/// LDTILECFG. Palette 1: eight tiles, 16 rows of 64 bytes.
inline void load_config(const uint8_t* from) {
  uint8_t c[64];
  std::memcpy(c, from, 64);
  if (fails(c[0] > 1, "ldtilecfg: unknown palette")) return;
  if (c[0] == 1) {
    for (int i = 2; i < 16; ++i)
      if (fails(c[i] != 0, "ldtilecfg: bytes 2 to 15 must be 0")) return;
    for (int t = 0; t < 16; ++t) {
      const int row_bytes = c[16 + 2 * t] | c[17 + 2 * t] << 8, rows = c[48 + t];
      if (t >= 8) {
        if (fails(row_bytes != 0 || rows != 0, "ldtilecfg: there are eight tiles")) return;
        continue;
      }
      if (fails(row_bytes > 64, "ldtilecfg: more than 64 bytes per row")) return;
      if (fails(rows > 16, "ldtilecfg: more than 16 rows")) return;
      if (fails((rows == 0) != (row_bytes == 0), "ldtilecfg: only one of rows and bytes per row is 0")) return;
    }
  }
  std::memset(&tiles, 0, sizeof tiles);
  tiles.configured = c[0] == 1;
  if (!tiles.configured) return;
  std::memcpy(tiles.config, c, 64);
  for (int t = 0; t < 8; ++t) tiles.tiles[t].row_bytes = c[16 + 2 * t] | c[17 + 2 * t] << 8, tiles.tiles[t].rows = c[48 + t];
}

inline bool is_bad(const tile& t) { return fails(t.rows == 0, "a tile that the configuration leaves out"); }

/// Rows of memory at `base`, `step` bytes apart, from or to a tile.
inline void load_tile(tile& t, const uint8_t* base, int64_t step) {
  if (is_bad(t) || fails(t.row_bytes % 4 != 0, "tileload: bytes per row are no multiple of 4") ||
      fails(tiles.config[1] >= t.rows, "tileload: start row behind the last row"))
    return;
  std::memset(t.at, 0, sizeof t.at);
  for (int r = 0; r < t.rows; ++r) std::memcpy(t.at[r], base + r * step, static_cast<std::size_t>(t.row_bytes));
}
inline void store_tile(const tile& t, uint8_t* base, int64_t step) {
  if (is_bad(t) || fails(t.row_bytes % 4 != 0, "tilestored: bytes per row are no multiple of 4") ||
      fails(tiles.config[1] >= t.rows, "tilestored: start row behind the last row"))
    return;
  for (int r = 0; r < t.rows; ++r) std::memcpy(base + r * step, t.at[r], static_cast<std::size_t>(t.row_bytes));
}

template <class A, class B>
void multiply_tiles(tile& c, const tile& a, const tile& b) {
  for (int r = 0; r < c.rows; ++r) {
    uint32_t sums[16];
    std::memcpy(sums, c.at[r], 64);
    for (int k = 0; k < a.row_bytes; ++k) {
      const int code = static_cast<A>(a.at[r][k]);
      const uint8_t* const w = b.at[k / 4] + k % 4;
      for (int n = 0; n < c.row_bytes / 4; ++n) sums[n] += static_cast<uint32_t>(code * static_cast<B>(w[4 * n]));
    }
    std::memcpy(c.at[r], sums, static_cast<std::size_t>(c.row_bytes));
  }
  for (int r = c.rows; r < 16; ++r) std::memset(c.at[r], 0, 64);
}
/// TDPB[prefix]D: none uu, 66 us, f3 su, f2 ss.
inline void multiply_tiles(int prefix, int to, int first, int second) {
  tile &c = tiles.tiles[to], &a = tiles.tiles[first], &b = tiles.tiles[second];
  if (fails(to == first || to == second || first == second, "tdp: two operands are the same tile") || is_bad(c) || is_bad(a) ||
      is_bad(b) || fails(c.row_bytes % 4 != 0 || a.row_bytes % 4 != 0 || b.row_bytes % 4 != 0, "tdp: bytes per row are no multiple of 4") ||
      fails(c.rows != a.rows, "tdp: sums and first operand differ in rows") ||
      fails(a.row_bytes / 4 != b.rows, "tdp: the first operand's depth is not the second one's rows") ||
      fails(c.row_bytes != b.row_bytes, "tdp: sums and second operand differ in columns"))
    return;
  switch (prefix) {
    case 0: multiply_tiles<uint8_t, uint8_t>(c, a, b); break;
    case 1: multiply_tiles<uint8_t, int8_t>(c, a, b); break;
    case 2: multiply_tiles<int8_t, uint8_t>(c, a, b); break;
    default: multiply_tiles<int8_t, int8_t>(c, a, b); break;
  }
}

#if EMULATE_X86
// ---- registers in the signal frame
inline int64_t general(const ucontext_t& u, int number) {
  static constexpr int place[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                  REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
  return u.uc_mcontext.gregs[place[number]];
}

/// Vector registers 0 to 15: state components 1 (SSE), 2 (upper halves of ymm) and 6 (upper halves of zmm).
class vectors {
public:
  explicit vectors(ucontext_t& u) : area_(reinterpret_cast<unsigned char*>(u.uc_mcontext.fpregs)) {}

  void read(int number, int bytes, uint8_t* to) {
    std::memcpy(to, component(1) + 16 * number, 16);
    if (bytes == 32) std::memcpy(to + 16, component(2) + 16 * number, 16);
  }
  /// What lies above `bytes` becomes zero.
  void write(int number, int bytes, const uint8_t* from) {
    std::memcpy(component(1) + 16 * number, from, 16);
    if (bytes == 32) std::memcpy(component(2) + 16 * number, from + 16, 16);
    else std::memset(component(2) + 16 * number, 0, 16);
    if (is_used(6)) std::memset(component(6) + 32 * number, 0, 32);
  }

private:
  struct place {
    unsigned offset, size;
  };
  static place find(int c) {
    if (c == 1) return {160, 256};
    static const auto ask = [](unsigned n) {
      unsigned a = 0, b = 0, cc = 0, d = 0;
      __get_cpuid_count(0xd, n, &a, &b, &cc, &d);
      return place{b, a};
    };
    static const place second = ask(2), sixth = ask(6);
    return c == 2 ? second : sixth;
  }
  bool is_used(int c) const {
    uint64_t used;
    std::memcpy(&used, area_ + 512, 8);
    return (used >> c & 1) != 0;
  }
  /// Where a component lies; it counts as used from now on.
  unsigned char* component(int c) {
    const place p = find(c);
    if (!is_used(c)) {
      std::memset(area_ + p.offset, 0, p.size);
      uint64_t used;
      std::memcpy(&used, area_ + 512, 8);
      used |= uint64_t{1} << c;
      std::memcpy(area_ + 512, &used, 8);
    }
    return area_ + p.offset;
  }
  unsigned char* area_;
};

/// vpdpbusd, vpdpbusds, vpdpwssd, vpdpwssds: operations 0 to 3 on `bytes` bytes.
inline void dot_products(int operation, int bytes, uint8_t* acc, const uint8_t* a, const uint8_t* b) {
  for (int i = 0; i < bytes; i += 4) {
    int32_t before;
    std::memcpy(&before, acc + i, 4);
    int64_t sum = before;
    if (operation < 2) {
      for (int k = i; k < i + 4; ++k) sum += a[k] * static_cast<int8_t>(b[k]);
    } else {
      int16_t x[2], y[2];
      std::memcpy(x, a + i, 4);
      std::memcpy(y, b + i, 4);
      for (int k = 0; k < 2; ++k) sum += int64_t{x[k]} * y[k];
    }
    if (operation % 2 == 1) sum = sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : sum;
    const auto after = static_cast<uint32_t>(sum);
    std::memcpy(acc + i, &after, 4);
  }
}

// ---- decoding: three-byte VEX, opcode map 0f38, W0
struct instruction {
  int opcode, prefix;  ///< prefix: 0 none, 1 66, 2 f3, 3 f2
  bool is_256;
  int reg, second, rm;  ///< rm: a register's number, or -1
  bool has_sib;
  int index;  ///< of the address, -1 without
  int64_t base, index_value;  ///< of the address: base with displacement, scaled index
  int length;
};

inline bool decode(const uint8_t* at, const ucontext_t& u, instruction& i) {
  if (at[0] != 0xc4 || (at[1] & 0x1f) != 2 || (at[2] & 0x80) != 0) return false;
  const int r = at[1] & 0x80 ? 0 : 8, x = at[1] & 0x40 ? 0 : 8, b = at[1] & 0x20 ? 0 : 8;
  i.second = ~at[2] >> 3 & 15;
  i.is_256 = (at[2] & 4) != 0;
  i.prefix = at[2] & 3;
  i.opcode = at[3];
  const int mode = at[4] >> 6, low = at[4] & 7;
  i.reg = (at[4] >> 3 & 7) | r;
  i.length = 5;
  i.rm = -1;
  i.index = -1;
  i.has_sib = false;
  if (mode == 3) {
    i.rm = low | b;
    return true;
  }
  i.base = i.index_value = 0;
  bool rip = false, no_base = false;
  if (low == 4) {
    i.has_sib = true;
    const int sib = at[i.length++], index = (sib >> 3 & 7) | x;
    if (index != 4) {
      i.index = index;
      i.index_value = general(u, index) * (int64_t{1} << (sib >> 6));
    }
    no_base = mode == 0 && (sib & 7) == 5;
    if (!no_base) i.base = general(u, (sib & 7) | b);
  } else if (mode == 0 && low == 5) {
    rip = true;
  } else {
    i.base = general(u, low | b);
  }
  if (mode == 1) {
    i.base += static_cast<int8_t>(at[i.length]);
    i.length += 1;
  } else if (mode == 2 || rip || no_base) {
    int32_t displacement;
    std::memcpy(&displacement, at + i.length, 4);
    i.length += 4;
    i.base += displacement;
    if (rip) i.base += u.uc_mcontext.gregs[REG_RIP] + i.length;
  }
  return true;
}

inline uint8_t* pointer(int64_t address) { return reinterpret_cast<uint8_t*>(address); }

inline bool execute_tiles(const instruction& i) {
  if (i.is_256 || i.reg > 7) return false;
  const bool in_memory = i.rm < 0;
  if (i.opcode == 0x49) {
    if (i.second != 0) return false;
    if (i.prefix == 0 && in_memory && i.reg == 0) return load_config(pointer(i.base + i.index_value)), true;
    if (i.prefix == 1 && in_memory && i.reg == 0) {
      uint8_t none[64] = {};
      std::memcpy(pointer(i.base + i.index_value), tiles.configured ? tiles.config : none, 64);
      return true;
    }
    if (i.prefix == 0 && i.rm == 0 && i.reg == 0) {
      std::memset(&tiles, 0, sizeof tiles);
      return true;
    }
    if (i.prefix != 3 || i.rm != 0) return false;
    if (fails(!tiles.configured, "tilezero: tiles are not configured") || is_bad(tiles.tiles[i.reg])) return true;
    std::memset(tiles.tiles[i.reg].at, 0, sizeof tiles.tiles[i.reg].at);
    return true;
  }
  if (i.opcode == 0x4b) {
    if (!in_memory || !i.has_sib || i.prefix == 0 || i.second != 0) return false;
    if (fails(!tiles.configured, "tileload or tilestored: tiles are not configured")) return true;
    tile& t = tiles.tiles[i.reg];
    if (i.prefix == 2) store_tile(t, pointer(i.base), i.index_value);
    else load_tile(t, pointer(i.base), i.index_value);
    return true;
  }
  if (i.opcode == 0x5e && !in_memory && i.rm < 8 && i.second < 8) {
    if (!fails(!tiles.configured, "tdp: tiles are not configured")) multiply_tiles(i.prefix, i.reg, i.rm, i.second);
    return true;
  }
  return false;
}

inline bool execute_vnni(const instruction& i, ucontext_t& u) {
  if (i.opcode < 0x50 || i.opcode > 0x53 || i.prefix != 1) return false;
  const int bytes = i.is_256 ? 32 : 16;
  vectors v(u);
  uint8_t acc[32], a[32], b[32];
  v.read(i.reg, bytes, acc);
  v.read(i.second, bytes, a);
  if (i.rm >= 0) v.read(i.rm, bytes, b);
  else std::memcpy(b, pointer(i.base + i.index_value), static_cast<std::size_t>(bytes));
  dot_products(i.opcode - 0x50, bytes, acc, a, b);
  v.write(i.reg, bytes, acc);
  return true;
}

inline void handle(int, siginfo_t*, void* context) {
  auto& u = *static_cast<ucontext_t*>(context);
  // A signal costs more than an instruction: go on while they are ours.
  const auto* const first = reinterpret_cast<const uint8_t*>(u.uc_mcontext.gregs[REG_RIP]);
  const uint8_t* at = first;
  instruction i{};
  for (; decode(at, u, i) && (execute_tiles(i) || execute_vnni(i, u)); ++executed)
    u.uc_mcontext.gregs[REG_RIP] = reinterpret_cast<greg_t>(at += i.length);
  if (at != first) return;
  std::fprintf(stderr, "emulate_x86: unknown instruction %02x %02x %02x %02x %02x\n", at[0], at[1], at[2], at[3], at[4]);
  signal(SIGILL, SIG_DFL);  // the instruction runs again and ends the program
}
#endif

}  // namespace detail

/// Emulates in all threads while it lives. Test frameworks that take the signal for themselves at the start
/// of a test case must have done so before.
class scope {
public:
#if EMULATE_X86
  scope() {
    struct sigaction action {};
    action.sa_sigaction = detail::handle;
    action.sa_flags = SA_SIGINFO;
    sigemptyset(&action.sa_mask);
    sigaction(SIGILL, &action, &before_);
  }
  ~scope() { sigaction(SIGILL, &before_, nullptr); }

private:
  struct sigaction before_ {};
#else
  scope() = default;
  ~scope() {}
#endif
public:
  scope(const scope&) = delete;
  scope& operator=(const scope&) = delete;
};

}  // namespace emulate_x86
