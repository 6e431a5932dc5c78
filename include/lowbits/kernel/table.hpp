// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The table of primitives as a type, and what follows from it: which architectures there are, and
// which primitive an architecture uses for an operation.
//
// A program adds an architecture of its own by one header, named by LOWBITS_EXTRA_PRIMS. It defines
// the tag (in lowbits::arch), its primitives, and the macro LOWBITS_EXTRA_ROWS with their rows.

#include <lowbits/arch/prim.hpp>
#if LOWBITS_BUILD_X86
#include <lowbits/arch/amx.hpp>
#include <lowbits/arch/avx2.hpp>
#include <lowbits/arch/avx512bw.hpp>
#include <lowbits/arch/avx512vnni.hpp>
#include <lowbits/arch/avxvnni.hpp>
#include <lowbits/arch/sse41.hpp>
#endif
#include <lowbits/arch/xsimd.hpp>

#if defined(LOWBITS_EXTRA_PRIMS)
#include <lowbits/arch/binary.hpp>
#include <lowbits/arch/reals.hpp>  // what not every program includes, for the check below
#include <lowbits/arch/trits.hpp>
#include <lowbits/arch/groups.hpp>
#include LOWBITS_EXTRA_PRIMS
#endif
#if !defined(LOWBITS_EXTRA_ROWS)
#define LOWBITS_EXTRA_ROWS
#endif

namespace lowbits::inline LOWBITS_ABI {

/// One line of the table.
template <class Op, class Arch>
struct prim_row {
  using op = Op;
  using arch = Arch;
};

namespace detail {

// ---- lists of types
template <class T, class List>
inline constexpr bool contains = false;
template <class T, class... Ts>
inline constexpr bool contains<T, type_list<Ts...>> = (std::is_same_v<T, Ts> || ...);

template <class List, class T>
struct appended;
template <class... Ts, class T>
struct appended<type_list<Ts...>, T> {
  using type = type_list<Ts..., T>;
};
template <class List, class T>
using append_unless_there =
    std::conditional_t<contains<T, List>, List, typename appended<List, T>::type>;

/// List with Arch in front of the first architecture that is weaker than it, or at the end.
template <class Arch, class Before, class List>
struct placed;
template <class Arch, class... Before>
struct placed<Arch, type_list<Before...>, type_list<>> {
  using type = type_list<Before..., Arch>;
};
template <class Arch, class... Before, class First, class... Rest>
struct placed<Arch, type_list<Before...>, type_list<First, Rest...>> {
  static auto find() {
    if constexpr (is_within<Arch, First>()) return type_list<Before..., Arch, First, Rest...>{};
    else return typename placed<Arch, type_list<Before..., First>, type_list<Rest...>>::type{};
  }
  using type = decltype(find());
};

// ---- the rows of this build
#if defined(LOWBITS_ARCHS)
}  // namespace detail
namespace arch {
/// The architectures named by LOWBITS_ARCHS; generic is always among them.
using wanted = type_list<LOWBITS_ARCHS, generic>;
}
namespace detail {
template <class Arch>
inline constexpr bool is_wanted = contains<Arch, arch::wanted>;
#else
/// Every architecture costs compile time. Those that few processors at work today need are left out
/// of a dispatching program unless it names them (docs/decisions/0011-default-architectures.md).
template <class Arch>
inline constexpr bool is_wanted =
    LOWBITS_DISPATCH == 0 || !contains<Arch, type_list<arch::avx512bw, arch::sse41>>;
#endif
/// Primitives of an architecture that is left out still serve the stronger ones.
template <class Arch>
inline constexpr bool is_needed = []<class... Stronger>(type_list<Stronger...>) {
  return is_wanted<Arch> || ((is_wanted<Stronger> && is_within<Stronger, Arch>()) || ...);
}(type_list<arch::amx, arch::avx512vnni, arch::avxvnni, arch::avx512bw, arch::avx2>{});
template <class Arch>
inline constexpr bool can_build = (LOWBITS_DISPATCH != 0 || Arch::native) &&
                                  (LOWBITS_BUILD_VECTOR != 0 || !std::is_same_v<Arch, arch::vector>);

struct end_of_rows;

template <class Row>
struct row_arch {
  using type = typename Row::arch;
};

#define LOWBITS_PRIM(operation, architecture) prim_row<prims::operation, arch::architecture>,
template <class... Rows>
struct row_list;
using written_rows = row_list<
#include <lowbits/kernel/prims.inc>
    LOWBITS_EXTRA_ROWS end_of_rows>;
#undef LOWBITS_PRIM

/// Goes through the rows: those that are built, and all operations and architectures they name.
template <class Rows, class Built, class Ops, class Tags>
struct scanned;
template <class... Built, class Ops, class Tags>
struct scanned<row_list<end_of_rows>, type_list<Built...>, Ops, Tags> {
  using rows = type_list<Built...>;
  using ops = Ops;
  using tags = Tags;
};
template <class Row, class... Rest, class... Built, class Ops, class Tags>
struct scanned<row_list<Row, Rest...>, type_list<Built...>, Ops, Tags>
    : scanned<row_list<Rest...>,
              std::conditional_t<is_needed<typename Row::arch> && can_build<typename Row::arch>, type_list<Built..., Row>,
                                 type_list<Built...>>,
              append_unless_there<Ops, typename Row::op>, append_unless_there<Tags, typename Row::arch>> {};
using scan = scanned<written_rows, type_list<>, type_list<>, type_list<arch::generic, arch::vector>>;

// ---- rows and primitives must match: checked where a program adds its own, because it costs 0.1 to 0.2 s
#if defined(LOWBITS_EXTRA_PRIMS)
template <class Op, class Arch, class... Rows>
constexpr bool is_written(row_list<Rows...>*) noexcept { return (std::is_same_v<prim_row<Op, Arch>, Rows> || ...); }
template <class Op, class Arch>
struct row_check {
  static constexpr bool has_code = requires { sizeof(prim<Op, Arch>); };
  static constexpr bool has_line = is_written<Op, Arch>(static_cast<written_rows*>(nullptr));
  static_assert(has_code || !has_line,
                "lowbits: prims.inc: a row of the table has no primitive; define prim<op, arch> or remove the row");
  static_assert(has_line || !has_code,
                "lowbits: prims.inc: a primitive has no row, so nothing would use or test it; add LOWBITS_PRIM(op, arch)");
  static constexpr bool passed = true;
};
template <class Op, class... Archs>
constexpr bool op_matches(type_list<Archs...>) noexcept { return (row_check<Op, Archs>::passed && ...); }
template <class... Ops>
constexpr bool table_matches(type_list<Ops...>) noexcept { return (op_matches<Ops>(scan::tags{}) && ...); }
static_assert(table_matches(scan::ops{}));
#endif

template <class Tags, class Sorted>
struct sorted;
template <class Sorted>
struct sorted<type_list<>, Sorted> {
  using type = Sorted;
};
template <class Tag, class... Rest, class Sorted>
struct sorted<type_list<Tag, Rest...>, Sorted>
    : sorted<type_list<Rest...>,
             std::conditional_t<is_wanted<Tag> && can_build<Tag>, typename placed<Tag, type_list<>, Sorted>::type, Sorted>> {};

template <class List>
struct first_of;
template <class First, class... Rest>
struct first_of<type_list<First, Rest...>> {
  using type = First;
};

}  // namespace detail

/// The primitives of this build, as prim_row<Op, Arch>.
using prim_table = typename detail::scan::rows;

namespace detail {
/// One class that derives from all rows: compilers search bases faster than lists.
template <class List>
struct all_of;
template <class... Ts>
struct all_of<type_list<Ts...>> : Ts... {};
}  // namespace detail

template <class Op, class Arch>
inline constexpr bool has_row = std::is_base_of_v<prim_row<Op, Arch>, detail::all_of<prim_table>>;

namespace detail {

template <class Op, class... Archs>
struct first_with_row {
  using type = void;
};
template <class Op, class Arch, class... Rest>
struct first_with_row<Op, Arch, Rest...> {
  using type = typename std::conditional_t<has_row<Op, Arch>, first_of<type_list<Arch>>,
                                           first_with_row<Op, Rest...>>::type;
};
template <class Op, class Arch>
struct best_of {
  template <class... Weaker>
  static first_with_row<Op, Arch, Weaker...> find(type_list<Weaker...>);
  using type = typename decltype(find(typename Arch::weaker{}))::type;
};

}  // namespace detail

/// The architecture whose primitive Arch uses for Op: itself, or the first of its weaker ones that
/// has one; void where there is none.
template <class Op, class Arch>
using best = typename detail::best_of<Op, Arch>::type;
template <class Op, class Arch>
inline constexpr bool has_prim = !std::is_void_v<best<Op, Arch>>;
template <class Op, class Arch>
using best_prim = prim<Op, best<Op, Arch>>;

namespace detail {

template <class Ops, class... Archs>
struct first_with_any_row {
  using type = arch::generic;
};
template <class... Ops, class Arch, class... Rest>
struct first_with_any_row<type_list<Ops...>, Arch, Rest...> {
  using type = typename std::conditional_t<(has_row<Ops, Arch> || ...), first_of<type_list<Arch>>,
                                           first_with_any_row<type_list<Ops...>, Rest...>>::type;
};
template <class Arch, class... Ops>
struct weakest_alike {
  template <class... Weaker>
  static first_with_any_row<type_list<Ops...>, Arch, Weaker...> find(type_list<Weaker...>);
  using type = typename decltype(find(typename Arch::weaker{}))::type;
};

}  // namespace detail

/// The weakest architecture with the same primitives as Arch for all of Ops: code that uses no others
/// is compiled for it, once for several architectures.
template <class Arch, class... Ops>
using arch_for = typename detail::weakest_alike<Arch, Ops...>::type;

namespace detail {
using built_archs = typename sorted<typename scan::tags, type_list<>>::type;
template <class List>
struct first_native;
template <class First, class... Rest>
struct first_native<type_list<First, Rest...>>
    : std::conditional_t<First::native, first_of<type_list<First>>, first_native<type_list<Rest...>>> {};
}  // namespace detail

namespace arch {
/// The strongest architecture this translation unit's own flags allow.
using native = typename lowbits::detail::first_native<lowbits::detail::built_archs>::type;
}

/// The architectures a program may choose from at run time, strongest first; in static mode the one
/// it is compiled for.
#if LOWBITS_DISPATCH
using all_archs = detail::built_archs;
#else
using all_archs = type_list<arch::native>;
#endif

}  // namespace lowbits
