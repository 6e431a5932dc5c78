// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The choice of an architecture at run time: what the processor offers, the order of preference, and
// caps from the environment and from calls.

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <lowbits/kernel/select.hpp>

namespace lb = lowbits;

namespace {

std::string chosen() { return lb::arch_name(lb::select_arch()); }

/// The names of the architectures this processor can run, strongest first.
std::vector<std::string> runnable() {
  std::vector<std::string> names;
#if LOWBITS_DISPATCH
  [&]<class... Archs>(lb::type_list<Archs...>) {
    ((lb::detail::can_run<Archs>() ? names.push_back(Archs::name) : void()), ...);
  }(lb::all_archs{});
#endif
  return names;
}

#if LOWBITS_DISPATCH
/// As if the program had started with LOWBITS_MAX_ARCH=value (null: not set).
void start_with(const char* value) {
  if (value != nullptr) setenv("LOWBITS_MAX_ARCH", value, 1);
  else unsetenv("LOWBITS_MAX_ARCH");
  lb::detail::arch_cap.store(lb::detail::cap_not_read);
}
#endif

struct sse41_like {
  using weaker = lb::type_list<lb::arch::vector, lb::arch::generic>;
};
template <class Tag, class List>
using inserted = typename lb::detail::placed<Tag, lb::type_list<>, List>::type;

}  // namespace

TEST_CASE("ids: FNV-1a of the name, different for every architecture") {
  static_assert(lb::arch_id_from("") == lb::arch_id{2166136261u});
  static_assert(lb::arch_id_from("a") == lb::arch_id{0xe40c292cu});  // test vector of the hash's authors
  [&]<class... Archs>(lb::type_list<Archs...>) {
    const std::vector<lb::arch_id> ids = {lb::arch_id_of<Archs>...};
    for (std::size_t i = 0; i < ids.size(); ++i)
      for (std::size_t k = 0; k < i; ++k) CHECK(ids[i] != ids[k]);
    const auto names_itself = [](auto a) { CHECK(std::string(lb::arch_name(lb::arch_id_of<decltype(a)>)) == a.name); };
    (names_itself(Archs{}), ...);
  }(lb::all_archs{});
  CHECK(std::string(lb::arch_name(lb::arch_id_from("no such thing"))) == "");
  CHECK_FALSE(lb::with_arch(lb::arch_id_from("no such thing"), [](auto) { FAIL("called"); }));
}

TEST_CASE("order: each architecture stands in front of its weaker ones, generic is last") {
  using namespace lb::arch;
  static_assert(std::is_same_v<inserted<avx512vnni, lb::type_list<avx2, vector, generic>>, lb::type_list<avx512vnni, avx2, vector, generic>>);
  static_assert(std::is_same_v<inserted<sse41_like, lb::type_list<avx512vnni, avx2, vector, generic>>, lb::type_list<avx512vnni, avx2, sse41_like, vector, generic>>);
  static_assert(std::is_same_v<inserted<generic, lb::type_list<>>, lb::type_list<generic>>);
  static_assert(std::is_same_v<inserted<avxvnni, lb::type_list<avx512vnni, avx2, generic>>, lb::type_list<avx512vnni, avxvnni, avx2, generic>>);
  static_assert(lb::is_within<avx512vnni, vector>() && lb::is_within<avx2, avx2>() && !lb::is_within<avx2, avx512vnni>());
  static_assert(lb::detail::contains<generic, lb::all_archs>);
}

#if LOWBITS_DISPATCH && LOWBITS_X86
TEST_CASE("order: of the x86 architectures") {
  // avx512vnni, avxvnni and avx512bw are not all below one another: the table's order decides.
  using namespace lb::arch;
  using order = lb::type_list<amx, avx512vnni, avxvnni, avx512bw, avx2, sse41>;
  using by_default = lb::type_list<amx, avx512vnni, avxvnni, avx2>;
  static_assert(lb::has_row<lb::prims::requantize, avx512bw>);  // serves avx512vnni
  [&]<class... Built, class... Wanted>(lb::type_list<Built...>, lb::type_list<Wanted...>) {
    std::string built, wanted;
    ((lb::detail::contains<Built, order> ? built += std::string(" ") + Built::name : built), ...);
    ((wanted += std::string(" ") + Wanted::name), ...);
    CHECK(built == wanted);
  }(lb::all_archs{}, by_default{});
  CHECK_FALSE(lb::is_within<avx512vnni, avxvnni>());  // Zen 4 has the one without the other
}
#endif

TEST_CASE("best: the first of an architecture and its weaker ones that has a row") {
#if LOWBITS_DISPATCH && LOWBITS_X86
  using namespace lb::arch;
  static_assert(std::is_same_v<lb::best<lb::prims::gemm, amx>, amx>);
  static_assert(std::is_same_v<lb::best<lb::prims::depthwise, amx>, avx512vnni>);
  static_assert(std::is_same_v<lb::best<lb::prims::gemm, avx512vnni>, avx512vnni>);
  static_assert(std::is_same_v<lb::best<lb::prims::requantize, avx512vnni>, avx512bw>);
  static_assert(std::is_same_v<lb::best<lb::prims::gemm, avx2>, avx2>);
  static_assert(std::is_same_v<lb::best<lb::prims::requantize, avxvnni>, avx2>);
  static_assert(std::is_same_v<lb::best<lb::prims::sum, avx512vnni>, avx512bw>);
  static_assert(std::is_same_v<lb::best<lb::prims::extremum, avx512vnni>, avx2>);
  // Code with the same primitives is compiled once.
  static_assert(std::is_same_v<lb::arch_for<avxvnni, lb::prims::sum>, avx2>);
  static_assert(std::is_same_v<lb::arch_for<amx, lb::prims::clamp>, avx2>);
  static_assert(std::is_same_v<lb::arch_for<avx512vnni, lb::prims::extremum, lb::prims::rescale>, avx2>);
  static_assert(std::is_same_v<lb::arch_for<amx, lb::prims::extremum, lb::prims::sum>, avx512bw>);
#endif
  static_assert(std::is_same_v<lb::arch_for<lb::arch::generic, lb::prims::sum>, lb::arch::generic>);
  static_assert(!lb::has_prim<lb::prims::gemm, lb::arch::generic>);
}

#if LOWBITS_DISPATCH
TEST_CASE("features: the same as the compiler's own query") {
#if LOWBITS_X86
  const lb::cpu::features f = lb::cpu::detect();
  using enum lb::cpu::feature;
  __builtin_cpu_init();
  CHECK(f.has(ssse3) == (__builtin_cpu_supports("ssse3") != 0));
  CHECK(f.has(sse41) == (__builtin_cpu_supports("sse4.1") != 0));
  CHECK(f.has(avx2) == (__builtin_cpu_supports("avx2") != 0));
  CHECK(f.has(fma) == (__builtin_cpu_supports("fma") != 0));
  CHECK(f.has(bmi2) == (__builtin_cpu_supports("bmi2") != 0));
  CHECK(f.has(avx512f) == (__builtin_cpu_supports("avx512f") != 0));
  CHECK(f.has(avx512bw) == (__builtin_cpu_supports("avx512bw") != 0));
  CHECK(f.has(avx512dq) == (__builtin_cpu_supports("avx512dq") != 0));
  CHECK(f.has(avx512vl) == (__builtin_cpu_supports("avx512vl") != 0));
  CHECK(f.has(avx512vnni) == (__builtin_cpu_supports("avx512vnni") != 0));
  CHECK(f.has(avx512vbmi) == (__builtin_cpu_supports("avx512vbmi") != 0));
  CHECK(f.has(avx512vpopcntdq) == (__builtin_cpu_supports("avx512vpopcntdq") != 0));
#endif
  CHECK(lb::cpu::detect() == lb::cpu::detect());
  // What the flags of this file allow, the processor must have.
  CHECK(lb::arch::native::supported(lb::cpu::detect()));
}

TEST_CASE("features: AVX-512 needs every part, AVX2 nothing else") {
  using enum lb::cpu::feature;
  lb::cpu::features f;
  f.add(sse41);
  CHECK_FALSE(lb::arch::sse41::supported(f));
  f.add(ssse3);
  CHECK(lb::arch::sse41::supported(f));
  f.add(avxvnni);
  CHECK_FALSE(lb::arch::avxvnni::supported(f));
  CHECK_FALSE(lb::arch::avx2::supported(f));
  f.add(avx2);
  CHECK(lb::arch::avx2::supported(f));
  for (const auto part : {avx512f, avx512bw, avx512dq, avx512vl}) {
    CHECK_FALSE(lb::arch::avx512bw::supported(f));
    f.add(part);
  }
  CHECK(lb::arch::avx512bw::supported(f));
  CHECK_FALSE(lb::arch::avx512vnni::supported(f));
  f.add(amx_int8);
  CHECK_FALSE(lb::arch::amx::supported(f));
  f.add(avx512vnni);
  CHECK(lb::arch::avx512vnni::supported(f));
  CHECK(lb::arch::amx::supported(f));
}

namespace {
/// An architecture that this processor could run, if the system gave its permission.
struct guarded_arch {
  static inline int asked = 0;
  static inline bool answer = false;
  static constexpr bool supported(const lb::cpu::features&) noexcept { return true; }
  static bool permitted() noexcept { return ++asked, answer; }
};
struct other_guarded_arch : guarded_arch {};
struct absent_arch : guarded_arch {
  static constexpr bool supported(const lb::cpu::features&) noexcept { return false; }
};
}  // namespace

TEST_CASE("permission: asked once, and only where the processor could run the architecture") {
  CHECK_FALSE(lb::detail::can_run<absent_arch>());
  CHECK(guarded_arch::asked == 0);
  CHECK_FALSE(lb::detail::can_run<guarded_arch>());
  guarded_arch::answer = true;
  CHECK_FALSE(lb::detail::can_run<guarded_arch>());
  CHECK(guarded_arch::asked == 1);
  CHECK(lb::detail::can_run<other_guarded_arch>());
  CHECK(lb::detail::can_run<other_guarded_arch>());
  CHECK(guarded_arch::asked == 2);
}

#if LOWBITS_X86
TEST_CASE("permission: the kernel's answer for tiles") {
  // Not given where the processor has none; where it has them, a second question changes nothing.
  const bool given = lb::cpu::request_tiles();
  if (!lb::cpu::detect().has(lb::cpu::feature::amx_int8)) CHECK_FALSE(given);
  CHECK(lb::cpu::request_tiles() == given);
}
#endif

TEST_CASE("choice: the strongest, and caps from the environment") {
  const auto names = runnable();
  REQUIRE(!names.empty());
  MESSAGE("this processor: ", names.front());
  start_with(nullptr);
  CHECK(chosen() == names.front());
  for (const auto& cap : names) {
    start_with(cap.c_str());
    CHECK(chosen() == cap);
  }
  start_with("no such thing");
  CHECK(chosen() == names.front());
  start_with("");
  CHECK(chosen() == names.front());
  start_with("generic");
  CHECK(chosen() == "generic");
  setenv("LOWBITS_MAX_ARCH", names.front().c_str(), 1);  // read once: a change later has no effect
  CHECK(chosen() == "generic");
  start_with(nullptr);
}

TEST_CASE("choice: caps from calls") {
  const auto names = runnable();
  start_with("generic");
  for (const auto& cap : names) {  // a call replaces the environment
    CHECK(lb::set_max_arch(cap.c_str()) == lb::status::ok);
    CHECK(chosen() == cap);
  }
  CHECK(lb::set_max_arch("generic") == lb::status::ok);
  CHECK(lb::set_max_arch("Generic") == lb::status::bad_value);
  CHECK(lb::set_max_arch("avx") == lb::status::bad_value);
  CHECK(chosen() == "generic");
  CHECK_FALSE(lb::with_usable_arch(lb::arch_id_from(names.front().c_str()), [&](auto) { CHECK(names.size() == 1); }) == (names.size() > 1));
  CHECK(lb::set_max_arch("") == lb::status::ok);
  CHECK(chosen() == names.front());
  CHECK(lb::with_usable_arch(lb::select_arch(), []<class Arch>(Arch) { CHECK(std::string(Arch::name) == chosen()); }));
  start_with(nullptr);
}

TEST_CASE("choice: from many threads at once") {
  start_with("generic");
  std::vector<std::thread> threads;
  std::vector<std::string> answers(8);
  for (auto& answer : answers) threads.emplace_back([&answer] { answer = chosen(); });
  for (auto& t : threads) t.join();
  for (const auto& answer : answers) CHECK(answer == "generic");
  start_with(nullptr);
}
#endif
