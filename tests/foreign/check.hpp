// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What each test of foreign vectors does with a list of cases.

#include <doctest/doctest.h>

#include <cstdio>

#include "foreign/json_data.hpp"
#include "foreign/run.hpp"

namespace foreign {

/// False, with a message, when no data folder is configured: the test then passes as skipped. With a
/// folder, whatever cannot be read or run is a failure.
inline bool data_present() {
  if (data_configured()) return true;
  MESSAGE("skipped: no folder with foreign test vectors (LOWBITS_SHARED is empty)");
  return false;
}

/// Every case must have run and been equal, but for `out_of_scope` of them.
template <class Backend>
void check_all(const std::vector<test_case>& cases, std::size_t count, std::size_t out_of_scope) {
  const tally t = run_all<Backend>(cases);
  MESSAGE(Backend::name() << ": " << t.summary());
  // One line per set, which scripts/test adds up.
  std::printf("foreign cases: %s: ran %zu, failed %zu, skipped %zu\n", Backend::name().c_str(),
              t.total() - t.out_of_scope.size() - t.skipped.size(), t.failed.size(),
              t.skipped.size());
  CHECK(t.total() == cases.size());
  CHECK(cases.size() == count);
  CHECK(t.failed.empty());
  CHECK(t.skipped.empty());
  CHECK(t.out_of_scope.size() == out_of_scope);
}

}  // namespace foreign
