// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The architectures a kernel test runs on: all of the table that this processor can run, those whose
// missing instructions can be emulated, and one more that is made up. Include this first.

#define LOWBITS_EXTRA_PRIMS "support/odd_tile_arch.hpp"
#define EVERY_ARCH_TOO odd_tile, generic
#include "support/every_arch.hpp"

#include <doctest/doctest.h>

#include <string>

#include <lowbits/kernel/select.hpp>

#include "support/emulate_x86.hpp"
#include "support/guarded.hpp"

namespace kernel_archs {

/// How an architecture can run.
enum class runs { no, here, emulated };

/// While it lives, missing instructions are emulated, and dispatch takes them for the processor's own.
class scope {
public:
#if LOWBITS_DISPATCH
  scope() {
    const auto known = emulate_x86::features(real_);
    lowbits::cpu::detail::cache.store(known.bits | lowbits::cpu::detail::asked);
    if (is_emulated<lowbits::arch::amx>()) lowbits::detail::permission<lowbits::arch::amx>.store(2);
  }
  ~scope() { lowbits::cpu::detail::cache.store(real_.bits | lowbits::cpu::detail::asked); }

  template <class Arch>
  bool is_emulated() const { return !Arch::supported(real_) && Arch::supported(emulate_x86::features(real_)); }
  template <class Arch>
  runs how() const {
    return !lowbits::detail::can_run<Arch>() ? runs::no : is_emulated<Arch>() ? runs::emulated : runs::here;
  }

private:
  lowbits::cpu::features real_ = lowbits::cpu::detect();
#else
  template <class Arch>
  runs how() const { return runs::here; }

private:
#endif
  emulate_x86::scope instructions_;
};

/// Whether for_each is at an emulated architecture.
inline bool is_slow = false;

/// All cases, or on an emulated architecture a sample with the last one: each of its instructions takes
/// as long as a thousand others.
template <class Cases>
Cases sample(const Cases& all) {
  if (!is_slow) return all;
  Cases some;
  for (std::size_t i = 0; i < all.size(); ++i)
    if (i % 7 == 2 || i + 1 == all.size()) some.push_back(all[i]);
  return some;
}

/// Calls f(Arch{}) for each architecture, whatever LOWBITS_MAX_ARCH says, and reports what ran.
template <class Function>
void for_each(Function&& f) {
  namespace lb = lowbits;
  const scope processor;
  std::string ran = " ";  // a space on both sides of each name
  [&]<class... Archs>(lb::type_list<Archs...>) {
    const auto one = [&]<class Arch>(Arch a) {
      const runs r = processor.how<Arch>();
      if (r == runs::no) return;
      ran.append(Arch::name).append(r == runs::emulated ? " (emulated) " : " ");
      is_slow = r == runs::emulated;
      f(a);
      is_slow = false;
    };
    (one(Archs{}), ...);
  }(lb::detail::built_archs{});
  MESSAGE("architectures:", ran);
#if LOWBITS_DISPATCH && EMULATE_X86
  // What must have run, asked of the compiler's own detection.
  const auto must = [&](bool condition, const std::string& name) {
    if (condition) CHECK_MESSAGE(ran.find(name) != std::string::npos, name, "did not run");
  };
  must(__builtin_cpu_supports("sse4.1"), " sse41 ");
  must(__builtin_cpu_supports("avx2"), " avx2 ");
  must(__builtin_cpu_supports("avx2"), " avxvnni ");
  must(__builtin_cpu_supports("avx512bw"), " avx512bw ");
  must(__builtin_cpu_supports("avx512vnni"), " avx512vnni ");
  // The processor's own tiles also need the system's permission.
  const bool has_tiles = !lb::cpu::detect().has(lb::cpu::feature::amx_int8) || lb::cpu::request_tiles();
  must(__builtin_cpu_supports("avx512vnni") && has_tiles, " amx ");
#endif
}

}  // namespace kernel_archs
