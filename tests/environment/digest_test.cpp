// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Same bits: one program, compiled with several sets of options; each must give the digests written
// below, in every floating-point environment that does not, as documented, matter (docs/rounding.md).
#include <cstdio>
#include <cstdlib>

#include "digests.hpp"
#include "float_environment.hpp"

namespace lb = lowbits;
using namespace environment;

namespace {

struct part {
  const char* name;
  depends on;
  void (*run)(digest&);
  std::uint64_t expected;
};
const part parts[] = {
#include "expected.inc"
};
const part* volatile first_part = parts;  // the compiler cannot see which function is called

int failures = 0;
void expect(bool ok, const char* what, const char* where) {
  if (ok) return;
  ++failures;
  std::printf("FAILED %s (%s)\n", what, where);
}

bool must_equal(depends on, const setting& s) {
  if (on == depends::nothing) return true;
  if (s.rounding != FE_TONEAREST) return false;
  return on == depends::rounding || !s.flush;
}

std::uint64_t digest_of(const part& p) {
  digest d;
  (first_part + (&p - parts))->run(d);
  return d.value;
}

void check_digests(const setting& s) {
  for (const part& p : parts) {
    std::uint64_t got = 0;
    {
      const scope in(s);
      got = digest_of(p);
    }
    if (!must_equal(p.on, s) || got == p.expected) continue;
    ++failures;
    std::printf("FAILED %s (%s): 0x%016llx, expected 0x%016llx\n", p.name, s.name, static_cast<unsigned long long>(got),
                static_cast<unsigned long long>(p.expected));
  }
}

/// Called through pointers that the compiler cannot see through: it takes the environment for
/// constant and would reuse a result across a change.
int (*volatile quantize)(float, const lb::affine&) = [](float x, const lb::affine& p) { return int{lb::quantize<lb::q8>(x, p)}; };
float (*volatile dequantize)(int, const lb::affine&) = [](int q, const lb::affine& p) { return lb::dequantize<lb::q8>(q, p); };
std::int32_t (*volatile rescale)(std::int32_t, float) = [](std::int32_t x, float factor) { return lb::round_even_float::apply(x, {factor}); };
lb::affine (*volatile from_range)(float, float) = lb::affine_from_range<lb::q8>;

/// Another rounding mode moves a quotient or product to the next float: a code by one step, and only
/// where the number is that close to a tie.
void check_other_roundings(const setting& s) {
  random_numbers random(20);
  int moved = 0, far = 0;
  for (int i = 0; i < 20000; ++i) {
    const lb::affine p{random.with_exponent(random.in(-8, 0)), 0};
    const float x = static_cast<float>(random.in(-400, 400)) * 0.5f * p.scale;  // near ties
    const std::int32_t acc = random.in(-(1 << 24), 1 << 24);
    const float factor = random.with_exponent(-16);
    const int code = quantize(x, p);
    const std::int32_t rescaled = rescale(acc, factor);
    const scope in(s);
    const int other = quantize(x, p);
    const std::int32_t other_rescaled = rescale(acc, factor);
    far += other > code + 1 || other < code - 1 || other_rescaled > rescaled + 1 || other_rescaled < rescaled - 1;
    moved += other != code || other_rescaled != rescaled;
  }
  expect(far == 0, "a code moved by more than one step", s.name);
  if (s.rounding == FE_TONEAREST) expect(moved == 0, "a code moved although numbers are rounded to nearest", s.name);
  else expect(moved > 0, "the rounding mode had no effect: was it set?", s.name);
}

/// With denormals flushed, a denormal number counts as zero and a denormal result becomes zero.
void check_flushing(const setting& s) {
  const float denormal = std::bit_cast<float>(0x00400000u), normal = std::bit_cast<float>(0x00800000u);
  const scope in(s);
  expect(quantize(denormal, {normal, 3}) == 3, "a denormal number is zero", s.name);
  expect(quantize(1.0f, {denormal, 3}) == 127, "a denormal scale is zero: the highest code", s.name);
  expect(quantize(-1.0f, {denormal, 3}) == -128, "a denormal scale is zero: the lowest code", s.name);
  expect(quantize(denormal, {denormal, 3}) == 3, "zero by zero is NaN: the zero point", s.name);
  expect(lb::fp::is_zero(dequantize(1, {denormal, 0})), "a denormal product is zero", s.name);
  expect(!lb::fp::is_zero(dequantize(2, {normal, 0})), "normal products stay", s.name);
  // Scales fitted to data are never denormal, flushing or not.
  expect(lb::fp::to_bits(from_range(-denormal, denormal).scale) == lb::fp::to_bits(normal), "a scale from a denormal range", s.name);
}

}  // namespace

int main(int argc, char**) {
  if (argc > 1) {  // any argument: print the digests
    for (const part& p : parts) {
      const scope in(settings[0]);
      std::printf("%-24s 0x%016llx\n", p.name, static_cast<unsigned long long>(digest_of(p)));
    }
    return 0;
  }
  int run = 0;
  for (const setting& s : settings) {
    if (s.flush && !can_flush) continue;
    check_digests(s);
    check_other_roundings(s);
    if (s.flush) check_flushing(s);
    ++run;
  }
  std::printf("%zu digests in %d environments, %d failures\n", sizeof parts / sizeof parts[0], run, failures);
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
