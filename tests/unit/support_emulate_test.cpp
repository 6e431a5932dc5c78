// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The emulator of missing x86 instructions: results worked out by hand, every error rule, and the
// library's products when somebody else uses tiles between two calls. On a processor that has the
// instructions only the results are compared.

#include "support/kernel_archs.hpp"

#include <string>
#include <thread>
#include <vector>

#include <lowbits/kernel/dense.hpp>

#include "support/kernel_operands.hpp"

#if EMULATE_X86 && LOWBITS_DISPATCH

namespace {

using namespace kernel_operands;
namespace emu = emulate_x86;

struct alignas(64) tile_config {
  uint8_t bytes[64] = {1};
  tile_config& tile(int t, int rows, int row_bytes) {
    bytes[16 + 2 * t] = static_cast<uint8_t>(row_bytes);
    bytes[17 + 2 * t] = static_cast<uint8_t>(row_bytes >> 8);
    bytes[48 + t] = static_cast<uint8_t>(rows);
    return *this;
  }
};
void configure(const tile_config& c) { asm volatile("ldtilecfg %0" : : "m"(c) : "memory"); }
void release() { asm volatile("tilerelease" : : : "memory"); }

/// Whether a scope makes tiles work: the processor's own need permission.
bool has_tiles() { return !lb::cpu::detect().has(lb::cpu::feature::amx_int8) || lb::cpu::request_tiles(); }

/// The rules broken by f(), in order.
std::vector<std::string> broken;
template <class Function>
std::string rules(Function&& f) {
  broken.clear();
  const auto before = emu::on_fault;
  emu::on_fault = [](const char* rule) { broken.push_back(rule); };
  f();
  emu::on_fault = before;
  std::string all;
  for (const auto& rule : broken) all += (all.empty() ? "" : "; ") + rule;
  return all;
}
/// What a configuration breaks.
std::string refused(const tile_config& c) {
  return rules([&] { configure(c); });
}

/// tmm0 (2 rows, 3 columns) += tmm1 (2 rows of 8) . tmm2 (2 rows of 3 x 4), by the instruction.
#define MULTIPLY(instruction, a, b, sums)                                                             \
  do {                                                                                                \
    configure(tile_config{}.tile(0, 2, 12).tile(1, 2, 8).tile(2, 2, 12));                             \
    asm volatile("tileloadd (%0,%3,1), %%tmm0\n\ttileloadd (%1,%4,1), %%tmm1\n\t"                     \
                 "tileloaddt1 (%2,%3,1), %%tmm2\n\t" instruction " %%tmm2, %%tmm1, %%tmm0\n\t"        \
                 "tilestored %%tmm0, (%0,%3,1)" : : "r"(sums), "r"(a), "r"(b), "r"(int64_t{12}), "r"(int64_t{8}) : "memory"); \
    release();                                                                                        \
  } while (false)

}  // namespace

TEST_CASE("tiles: products of all four kinds") {
  if (!has_tiles()) return;
  const kernel_archs::scope processor;
  // Rows of a: 1 2 3 4 | 0 0 0 255 and 0 ... 0 200; columns of b: all 1; 2 then 128; only the last weight.
  const uint8_t a[2][8] = {{1, 2, 3, 4, 0, 0, 0, 255}, {0, 0, 0, 0, 0, 0, 0, 200}};
  const uint8_t b[2][12] = {{1, 1, 1, 1, 2, 2, 2, 2, 0, 0, 0, 0}, {1, 1, 1, 1, 128, 128, 128, 128, 0, 0, 0, 255}};
  const int32_t start[6] = {100, 200, 300, -100, INT32_MAX, INT32_MIN};
  const auto check = [&](const char* name, auto multiply, const std::vector<int32_t>& products) {
    int32_t sums[6];
    std::memcpy(sums, start, sizeof sums);
    multiply(&sums[0]);
    for (std::size_t i = 0; i < 6; ++i) {
      INFO(std::string(name), ", sum ", i);
      CHECK(sums[i] == static_cast<int32_t>(static_cast<uint32_t>(start[i]) + static_cast<uint32_t>(products[i])));
    }
  };
  check("tdpbuud", [&](int32_t* s) { MULTIPLY("tdpbuud", a, b, s); }, {265, 20 + 255 * 128, 255 * 255, 200, 200 * 128, 200 * 255});
  check("tdpbusd", [&](int32_t* s) { MULTIPLY("tdpbusd", a, b, s); }, {265, 20 - 255 * 128, -255, 200, -200 * 128, -200});
  check("tdpbsud", [&](int32_t* s) { MULTIPLY("tdpbsud", a, b, s); }, {9, 20 - 128, -255, -56, -56 * 128, -56 * 255});
  check("tdpbssd", [&](int32_t* s) { MULTIPLY("tdpbssd", a, b, s); }, {9, 20 + 128, 1, -56, 56 * 128, 56});
}

TEST_CASE("tiles: loads and stores touch the configured part only, with any base, index and displacement") {
  if (!has_tiles()) return;
  const kernel_archs::scope processor;
  guarded::memory from, to;
  for (const auto where : guarded::both_places) {
    // Three rows of 20 bytes, 24 apart: the last one ends where the memory does.
    auto* in = from.take<uint8_t>(2 * 24 + 20, where);
    auto* out = to.take<uint8_t>(2 * 24 + 20, where);
    for (int i = 0; i < 68; ++i) in[i] = static_cast<uint8_t>(i);
    configure(tile_config{}.tile(7, 3, 20));
    asm volatile("tileloadd 0x1000(%0,%1,8), %%tmm7" : : "r"(reinterpret_cast<intptr_t>(in) - 0x1000), "r"(int64_t{3}) : "memory");
    asm volatile("mov %0, %%r13\n\tmov %1, %%r12\n\ttilestored %%tmm7, -8(%%r13,%%r12,2)" : : "r"(out + 8), "r"(int64_t{12}) : "memory", "r12", "r13");
    for (int i = 0; i < 68; ++i) CHECK(out[i] == (i % 24 < 20 ? i : 0x5a));
    // Without an index the rows lie on each other; zeroed tiles store zeros.
    asm volatile("tileloadd (%0), %%tmm7\n\ttilestored %%tmm7, (%1,%2,1)" : : "r"(in), "r"(out), "r"(int64_t{24}) : "memory");
    for (int i = 0; i < 68; ++i) CHECK(out[i] == (i % 24 < 20 ? i % 24 : 0x5a));
    asm volatile("tilezero %%tmm7\n\ttilestored %%tmm7, (%0,%1,1)" : : "r"(out), "r"(int64_t{24}) : "memory");
    for (int i = 0; i < 68; ++i) CHECK(out[i] == (i % 24 < 20 ? 0 : 0x5a));
    tile_config stored;
    std::memset(stored.bytes, 0xff, sizeof stored.bytes);
    asm volatile("sttilecfg %0" : "=m"(stored) : : "memory");
    CHECK(std::memcmp(&stored, &tile_config{}.tile(7, 3, 20), 64) == 0);
    release();
    asm volatile("sttilecfg %0" : "=m"(stored) : : "memory");
    for (const uint8_t byte : stored.bytes) CHECK(byte == 0);
  }
}

TEST_CASE("tiles: each thread has its own") {
  if (!has_tiles()) return;
  const kernel_archs::scope processor;
  configure(tile_config{}.tile(0, 16, 64));
  std::thread([] {
    tile_config stored;
    asm volatile("sttilecfg %0" : "=m"(stored) : : "memory");
    CHECK(stored.bytes[0] == 0);
    configure(tile_config{}.tile(0, 1, 4));
    release();
  }).join();
  tile_config stored;
  asm volatile("sttilecfg %0" : "=m"(stored) : : "memory");
  CHECK(stored.bytes[48] == 16);
  release();
}

TEST_CASE("tiles: every rule that an instruction can break") {
  if (lb::cpu::detect().has(lb::cpu::feature::amx_int8)) return;  // the processor checks them itself
  const kernel_archs::scope processor;
  const auto changed = [](std::size_t at, int value) {
    tile_config c = tile_config{}.tile(0, 16, 64);
    c.bytes[at] = static_cast<uint8_t>(value);
    return c;
  };
  CHECK(refused(tile_config{}.tile(0, 16, 64).tile(7, 1, 4)) == "");
  CHECK(refused(changed(0, 2)) == "ldtilecfg: unknown palette");
  for (std::size_t i = 2; i < 16; ++i) CHECK(refused(changed(i, 1)) == "ldtilecfg: bytes 2 to 15 must be 0");
  CHECK(refused(tile_config{}.tile(3, 16, 65)) == "ldtilecfg: more than 64 bytes per row");
  CHECK(refused(tile_config{}.tile(3, 16, 256)) == "ldtilecfg: more than 64 bytes per row");
  CHECK(refused(tile_config{}.tile(3, 17, 64)) == "ldtilecfg: more than 16 rows");
  CHECK(refused(tile_config{}.tile(3, 0, 64)) == "ldtilecfg: only one of rows and bytes per row is 0");
  CHECK(refused(tile_config{}.tile(3, 1, 0)) == "ldtilecfg: only one of rows and bytes per row is 0");
  CHECK(refused(tile_config{}.tile(8, 1, 4)) == "ldtilecfg: there are eight tiles");
  CHECK(refused(tile_config{}.tile(15, 1, 0)) == "ldtilecfg: there are eight tiles");

  alignas(64) static uint8_t memory[1024];
  const auto load = [](int64_t step = 64) { asm volatile("tileloadd (%0,%1,1), %%tmm1" : : "r"(memory), "r"(step) : "memory"); };
  const auto store = [] { asm volatile("tilestored %%tmm1, (%0,%1,1)" : : "r"(memory), "r"(int64_t{64}) : "memory"); };
  const auto zero = [] { asm volatile("tilezero %%tmm1" : : : "memory"); };
  const auto multiply = [] { asm volatile("tdpbusd %%tmm2, %%tmm1, %%tmm0" : : : "memory"); };
  const auto after = [](const tile_config& c, auto f) {
    configure(c);
    const std::string all = rules(f);
    release();
    return all;
  };
  // Not configured: from the start, after a release, after palette 0, after a refused configuration.
  release();
  CHECK(rules(load) == "tileload or tilestored: tiles are not configured");
  CHECK(rules(store) == "tileload or tilestored: tiles are not configured");
  CHECK(rules(zero) == "tilezero: tiles are not configured");
  CHECK(rules(multiply) == "tdp: tiles are not configured");
  tile_config none;
  none.bytes[0] = 0;
  configure(tile_config{}.tile(1, 16, 64));
  CHECK(rules(zero) == "");
  configure(none);
  CHECK(rules(zero) == "tilezero: tiles are not configured");
  emu::clobber_tiles();
  CHECK(rules(zero) == "tilezero: tiles are not configured");

  const tile_config other = tile_config{}.tile(0, 16, 64);
  const std::string left_out = "a tile that the configuration leaves out";
  CHECK(after(other, load) == left_out);
  CHECK(after(other, store) == left_out);
  CHECK(after(other, zero) == left_out);
  CHECK(after(other, multiply) == left_out);
  CHECK(after(tile_config{}.tile(1, 4, 6), load) == "tileload: bytes per row are no multiple of 4");
  CHECK(after(tile_config{}.tile(1, 4, 6), store) == "tilestored: bytes per row are no multiple of 4");
  tile_config late = tile_config{}.tile(1, 4, 8);
  late.bytes[1] = 4;
  CHECK(after(late, load) == "tileload: start row behind the last row");
  CHECK(after(late, store) == "tilestored: start row behind the last row");

  CHECK(after(tile_config{}.tile(0, 5, 12).tile(1, 5, 28).tile(2, 7, 12), multiply) == "");
  CHECK(after(tile_config{}.tile(0, 4, 12).tile(1, 5, 28).tile(2, 7, 12), multiply) == "tdp: sums and first operand differ in rows");
  CHECK(after(tile_config{}.tile(0, 5, 12).tile(1, 5, 24).tile(2, 7, 12), multiply) == "tdp: the first operand's depth is not the second one's rows");
  CHECK(after(tile_config{}.tile(0, 5, 12).tile(1, 5, 28).tile(2, 7, 16), multiply) == "tdp: sums and second operand differ in columns");
  CHECK(after(tile_config{}.tile(0, 5, 12).tile(1, 5, 30).tile(2, 7, 12), multiply) == "tdp: bytes per row are no multiple of 4");
  const tile_config square = tile_config{}.tile(0, 16, 64).tile(1, 16, 64).tile(2, 16, 64);
  const std::string same = "tdp: two operands are the same tile";
  // tdpbusd %tmm1, %tmm0, %tmm0 and so on: assemblers refuse them.
  CHECK(after(square, [] { asm volatile(".byte 0xc4, 0xe2, 0x71, 0x5e, 0xc0" : : : "memory"); }) == same);
  CHECK(after(square, [] { asm volatile(".byte 0xc4, 0xe2, 0x79, 0x5e, 0xc1" : : : "memory"); }) == same);
  CHECK(after(square, [] { asm volatile(".byte 0xc4, 0xe2, 0x71, 0x5e, 0xc1" : : : "memory"); }) == same);
}

// ---- AVX-VNNI
#define CHECK_DOT(name, code, expected)                                                                        \
  do {                                                                                                         \
    int32_t got[3][8];                                                                                         \
    std::memset(got, 0x77, sizeof got);                                                                        \
    asm volatile("vmovdqu (%0), %%ymm9\n\tvmovdqu (%1), %%ymm2\n\tvmovdqu (%2), %%ymm14\n\t"                   \
                 code "\n\tvmovdqu %%ymm9, (%3)"                                                               \
                 : : "r"(acc), "r"(a), "r"(b), "r"(got[0]), "r"(reinterpret_cast<intptr_t>(b) - 100), "r"(int64_t{25})                     \
                 : "memory", "rax", "xmm9", "xmm2", "xmm14");                                                         \
    INFO(std::string(name));                                                                                   \
    CHECK(std::vector<int32_t>(got[0], got[0] + 8) == expected);                                               \
  } while (false)

TEST_CASE("AVX-VNNI: products of bytes and words, wrapping and saturating, registers and memory, xmm and ymm") {
  if (!lb::cpu::detect().has(lb::cpu::feature::avx2)) return;
  const kernel_archs::scope processor;
  const int32_t acc[8] = {0, 10, -10, INT32_MAX, INT32_MIN, 1000, INT32_MAX - 1, 0};
  const uint8_t a[32] = {1, 2, 3, 4,         255, 255, 255, 255, 255, 255, 255, 255, 1, 0, 0, 0,
                         1, 0, 0, 0,         0, 0, 0, 1,         0xff, 0x7f, 0xff, 0x7f, 0, 0x80, 0, 0x80};
  const uint8_t b[32] = {5, 6, 7, 8,         127, 127, 127, 127, 128, 128, 128, 128, 1, 0, 0, 0,
                         255, 0, 0, 0,       9, 9, 9, 128,       0xff, 0x7f, 0xff, 0x7f, 0, 0x80, 0, 0x80};
  using list = std::vector<int32_t>;
  // Bytes of a are unsigned, of b signed.
  const int sixth = INT32_MAX - 1;
  const auto wrapped = [](int64_t v) { return static_cast<int32_t>(static_cast<uint32_t>(v)); };
  const int64_t bytes7 = 255 * -1 + 127 * 127 + 255 * -1 + 127 * 127, bytes8 = 128 * -128 * 2;
  const list bytes = {70, 10 + 4 * 255 * 127, -10 - 4 * 255 * 128, INT32_MIN, INT32_MAX, 1000 - 128, wrapped(sixth + bytes7), static_cast<int32_t>(bytes8)};
  list saturated = bytes;
  saturated[3] = INT32_MAX;
  saturated[4] = INT32_MIN;
  saturated[6] = INT32_MAX;
  CHECK_DOT("vpdpbusd", "%{vex%} vpdpbusd %%ymm14, %%ymm2, %%ymm9", bytes);
  CHECK_DOT("vpdpbusds", "%{vex%} vpdpbusds %%ymm14, %%ymm2, %%ymm9", saturated);
  CHECK_DOT("vpdpbusd, memory", "%{vex%} vpdpbusd (%2), %%ymm2, %%ymm9", bytes);
  CHECK_DOT("vpdpbusd, displacement", "%{vex%} vpdpbusd 100(%4), %%ymm2, %%ymm9", bytes);
  CHECK_DOT("vpdpbusd, index", "%{vex%} vpdpbusd (%4,%5,4), %%ymm2, %%ymm9", bytes);
  CHECK_DOT("vpdpbusd, large displacement", "lea -0x12345(%2), %%rax\n\t%{vex%} vpdpbusd 0x12345(%%rax), %%ymm2, %%ymm9", bytes);
  list half(bytes.begin(), bytes.begin() + 4);
  half.resize(8);  // what lies above becomes zero
  CHECK_DOT("vpdpbusd, xmm", "%{vex%} vpdpbusd %%xmm14, %%xmm2, %%xmm9", half);
  half[3] = INT32_MAX;
  CHECK_DOT("vpdpbusds, xmm, memory", "%{vex%} vpdpbusds (%2), %%xmm2, %%xmm9", half);

  // As words: 0x0201 * 0x0605 + 0x0403 * 0x0807, -1 * 0x7f7f twice, -1 * -32640 twice (0x8080), 1, 255 ...
  const int64_t w0 = 513 * 1541 + 1027 * 2055, w1 = 10 - 2 * 0x7f7f, w2 = -10 + 2 * 32640, w4 = int64_t{INT32_MIN} + 255;
  const int64_t w5 = 1000 + 256 * -32759, w6 = sixth + 2 * int64_t{32767} * 32767, w7 = 2 * int64_t{32768} * 32768;
  const list words = {wrapped(w0), wrapped(w1), wrapped(w2), INT32_MIN, wrapped(w4), wrapped(w5), wrapped(w6), wrapped(w7)};
  list saturated_words = words;
  saturated_words[3] = saturated_words[6] = saturated_words[7] = INT32_MAX;
  CHECK_DOT("vpdpwssd", "%{vex%} vpdpwssd %%ymm14, %%ymm2, %%ymm9", words);
  CHECK_DOT("vpdpwssds", "%{vex%} vpdpwssds %%ymm14, %%ymm2, %%ymm9", saturated_words);
}

// ---- the library's products and other users of tiles
namespace {

template <class Rq>
void products_among_others(const lb::gemm_shape& s, uint64_t seed) {
  using kernel = lb::kernel::dense<lb::arch::amx, int8_t, const int8_t*, typename Rq::requantizer>;
  using Y = typename kernel::Y;
  naive::random_numbers random(seed);
  buffers memory;
  const auto x = codes<int8_t>(static_cast<std::size_t>(s.rows * s.depth), random);
  const auto w = codes<int8_t>(static_cast<std::size_t>(s.cols * s.depth), random);
  const Rq made(s.cols, s.depth, random);
  const auto rq = made.get(memory.factors, guarded::place::front);
  std::vector<Y> expected(static_cast<std::size_t>(s.rows * s.cols));
  lb::ref::gemm<int32_t>(s, x.data(), 3, w.data(), 0, static_cast<const int32_t*>(nullptr), rq, expected.data(), lb::residual<Y>{});
  auto* packed = memory.packed.take<unsigned char>(kernel::packed_bytes(s), guarded::place::front);
  auto* scratch = memory.scratch.take<unsigned char>(kernel::scratch_bytes(s), guarded::place::back);
  kernel::pack(s, w.data(), nullptr, 3, packed);
  for (int round = 0; round < 4; ++round) {
    // Left as they were; released; set up by somebody else; and full of his numbers.
    if (round == 1) release();
    if (round >= 2) configure(tile_config{}.tile(0, 3, 8).tile(5, 1, 4).tile(6, 16, 64));
    if (round == 3) {
      uint8_t full[1024];
      std::memset(full, 0x81, sizeof full);
      asm volatile("tileloadd (%0,%1,1), %%tmm0\n\ttileloadd (%0,%1,1), %%tmm6" : : "r"(full), "r"(int64_t{64}) : "memory");
    }
    auto* y = memory.y.take<Y>(expected.size(), guarded::place::back);
    kernel::run(s, {0, s.rows, {0, s.cols}}, x.data(), 3, 0, packed, rq, y, {}, scratch);
    const std::string wrong = difference(y, expected);
    if (!wrong.empty()) FAIL_CHECK("round ", round, ": ", wrong);
    tile_config stored;
    asm volatile("sttilecfg %0" : "=m"(stored) : : "memory");
    for (const uint8_t byte : stored.bytes) CHECK(byte == 0);  // none of ours stays
  }
}

}  // namespace

TEST_CASE("tiles: products do not rely on what others left, and leave nothing") {
  if (!has_tiles()) return;
  const kernel_archs::scope processor;
  if (!lb::detail::can_run<lb::arch::amx>()) return;
  for (const lb::gemm_shape& s : {lb::gemm_shape{.rows = 33, .cols = 70, .depth = 130}, lb::gemm_shape{.rows = 20, .cols = 64, .depth = 700}}) {
    products_among_others<by_channel<lb::q8, lb::round_single>>(s, 1);
    products_among_others<by_channel<lb::q8, lb::round_double_gemmlowp>>(s, 2);
    products_among_others<not_at_all>(s, 3);
  }
}

#else
TEST_CASE("no x86 instructions to emulate here") {}
#endif
