// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Choosing an architecture at run time, and going from its id back to its tag.
//
// The choice can be capped: by the environment variable LOWBITS_MAX_ARCH, which is read once, or by
// set_max_arch(). A cap allows the architecture it names and all below it. In static mode there is
// one architecture, no question to the processor and no environment.

#include <lowbits/core/relaxed.hpp>
#include <lowbits/core/status.hpp>
#include <lowbits/kernel/table.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Calls f(Arch{}) with the tag of an architecture of this build; false when id names none.
template <class Function>
constexpr bool with_arch(arch_id id, Function&& f) {
  return [&]<class... Archs>(type_list<Archs...>) {
    return ((id == arch_id_of<Archs> ? (f(Archs{}), true) : false) || ...);
  }(all_archs{});
}

/// The name behind an id, or "" when this build does not have it.
constexpr const char* arch_name(arch_id id) noexcept {
  const char* name = "";
  with_arch(id, [&]<class Arch>(Arch) { name = Arch::name; });
  return name;
}

#if LOWBITS_DISPATCH
namespace detail {

/// Every architecture the table knows, built in or not: a cap may name any of them.
using known_archs = typename scan::tags;

inline constexpr uint32_t no_cap = 0, cap_not_read = 1;  // neither is the hash of a name here
inline relaxed<uint32_t> arch_cap{cap_not_read};

constexpr bool is_known(arch_id id) noexcept {
  return []<class... Archs>(arch_id wanted, type_list<Archs...>) {
    return ((wanted == arch_id_of<Archs>) || ...);
  }(id, known_archs{});
}

[[gnu::noinline]] inline arch_id cap() noexcept {
  uint32_t c = arch_cap.load();
  if (c == cap_not_read) {
    const char* text = cpu::environment("LOWBITS_MAX_ARCH");
    const arch_id id = arch_id_from(text != nullptr ? text : "");
    const uint32_t read = is_known(id) ? static_cast<uint32_t>(id) : no_cap;
    // A set_max_arch() that came in between wins.
    if (arch_cap.replace(c, read)) c = read;
  }
  return static_cast<arch_id>(c);
}

/// What permitted() answered: not asked yet, no, yes. One per architecture.
template <class Arch>
inline relaxed<int> permission{0};

/// True when this processor and its operating system can run the architecture, whatever the cap says.
/// Asks either of them once.
template <class Arch>
bool can_run() noexcept {
  if (!Arch::supported(cpu::detect())) return false;
  if constexpr (requires { Arch::permitted(); }) {
    int known = permission<Arch>.load();
    if (known == 0) permission<Arch>.store(known = Arch::permitted() ? 2 : 1);
    return known == 2;
  } else {
    return true;
  }
}

/// True when `id` is the architecture `limit` or below it; no_cap allows all.
[[gnu::noinline]] inline bool is_allowed(arch_id id, arch_id limit) noexcept {
  if (static_cast<uint32_t>(limit) == no_cap) return true;
  return []<class... Known>(arch_id wanted, arch_id cap, type_list<Known...>) {
    const auto below = [wanted]<class Cap>(Cap) {
      return ((wanted == arch_id_of<Known> && is_within<Cap, Known>()) || ...);
    };
    return ((cap == arch_id_of<Known> && below(Known{})) || ...);
  }(id, limit, known_archs{});
}

}  // namespace detail

/// Allows the named architecture and what is below it from now on, instead of what the environment
/// says; an empty name allows all. A name the library does not know is refused with
/// status::bad_value and changes nothing. (In LOWBITS_MAX_ARCH it counts as not set.) Weights that
/// are prepared already keep their architecture.
inline status set_max_arch(const char* name) noexcept {
  const arch_id id = arch_id_from(name);
  if (*name != '\0' && !detail::is_known(id)) return status::bad_value;
  detail::arch_cap.store(*name != '\0' ? static_cast<uint32_t>(id) : detail::no_cap);
  return status::ok;
}

/// True when the cap allows the architecture and this processor can run it. Asks the processor.
template <class Arch>
bool is_usable() noexcept {
  return detail::is_allowed(arch_id_of<Arch>, detail::cap()) && detail::can_run<Arch>();
}

/// The strongest architecture this processor can run and the cap allows. Asks the processor, and the
/// environment, when it is called first.
inline arch_id select_arch() noexcept {
  arch_id chosen = arch_id_of<arch::generic>;
  [&]<class... Archs>(type_list<Archs...>) {
    static_cast<void>(((is_usable<Archs>() ? (chosen = arch_id_of<Archs>, true) : false) || ...));
  }(all_archs{});
  return chosen;
}
#else
/// There is nothing to choose in static mode.
inline status set_max_arch(const char*) noexcept { return status::unsupported; }
template <class Arch>
constexpr bool is_usable() noexcept { return true; }
constexpr arch_id select_arch() noexcept { return arch_id_of<arch::native>; }
#endif

/// As with_arch, but false also when this processor cannot run the architecture or the cap does not
/// allow it.
template <class Function>
constexpr bool with_usable_arch(arch_id id, Function&& f) {
  bool usable = false;
  with_arch(id, [&]<class Arch>(Arch a) {
    usable = is_usable<Arch>();
    if (usable) f(a);
  });
  return usable;
}

}  // namespace lowbits
