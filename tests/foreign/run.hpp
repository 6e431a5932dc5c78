// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Runs a list of cases through a backend and counts. Nothing is dropped: a case has run, has failed,
// was skipped because the backend lacks it, or is out of scope because the library lacks it.

#include <bit>
#include <cmath>
#include <sstream>
#include <string>

#include "foreign/run_elements.hpp"
#include "foreign/run_linear.hpp"
#include "foreign/run_quantize.hpp"
#include "foreign/run_recurrent.hpp"

namespace foreign {

inline std::optional<result> as_result(std::optional<values> v) {
  if (!v) return std::nullopt;
  return result{*std::move(v), {}};
}
inline std::optional<result> as_result(std::optional<result> r) { return r; }

/// All steps of a case; nothing when the backend lacks one.
template <class Backend>
std::optional<result> run(const test_case& c) {
  std::optional<result> last;
  for (operation step : c.steps) {
    if (last)
      std::visit(
          [&](auto& s) {
            if constexpr (std::is_same_v<decltype(s.x), values>) s.x = last->codes;
            else throw std::runtime_error("a chain through real numbers");
          },
          step);
    last = std::visit([](const auto& s) { return as_result(run<Backend>(s)); }, step);
    if (!last) return std::nullopt;
  }
  return last;
}

/// What differs, or nothing. Floats are compared by their bits.
inline std::string difference(const result& got, const result& want) {
  std::ostringstream text;
  if (got.codes.size() != want.codes.size() || got.numbers.size() != want.numbers.size()) {
    text << got.codes.size() << " codes and " << got.numbers.size() << " reals instead of "
         << want.codes.size() << " and " << want.numbers.size();
    return text.str();
  }
  std::size_t wrong = 0;
  std::int64_t largest = 0;
  for (std::size_t i = 0; i < got.codes.size(); ++i) {
    const std::int64_t by = got.codes[i] - want.codes[i];
    if (by == 0) continue;
    if (wrong++ == 0)
      text << "element " << i << ": " << got.codes[i] << " instead of " << want.codes[i] << "; ";
    largest = std::max(largest, by < 0 ? -by : by);
  }
  if (wrong != 0)
    text << wrong << " of " << got.codes.size() << " differ, by up to " << largest << "; ";
  for (std::size_t i = 0; i < got.numbers.size(); ++i)
    if (want.tolerance > 0.0f ? !(std::abs(got.numbers[i] - want.numbers[i]) <= want.tolerance)
                              : std::bit_cast<std::uint32_t>(got.numbers[i]) != std::bit_cast<std::uint32_t>(want.numbers[i]))
      text << "real " << i << ": " << got.numbers[i] << " instead of " << want.numbers[i] << "; ";
  return text.str();
}

struct tally {
  std::size_t run = 0;
  std::vector<std::string> failed, skipped, out_of_scope;

  std::size_t total() const { return run + failed.size() + skipped.size() + out_of_scope.size(); }
  /// One line of numbers, then the names behind each number that is not zero.
  std::string summary() const {
    std::ostringstream text;
    text << "foreign cases run " << run + failed.size() << ", failed " << failed.size()
         << ", skipped " << skipped.size() << ", out of scope " << out_of_scope.size();
    const auto list = [&](const char* title, const std::vector<std::string>& names) {
      for (const std::string& name : names) text << "\n  " << title << ": " << name;
    };
    list("failed", failed);
    list("skipped", skipped);
    list("out of scope", out_of_scope);
    return text.str();
  }
};

template <class Backend>
tally run_all(const std::vector<test_case>& cases) {
  tally t;
  for (const test_case& c : cases) {
    const std::string label = c.family + "/" + c.name + " (" + c.op + ")";
    if (c.steps.empty()) {
      t.out_of_scope.push_back(label + ": " + c.why);
      continue;
    }
    try {
      const std::optional<result> got = run<Backend>(c);
      const std::string wrong = got ? difference(*got, c.expected) : "";
      if (!got) t.skipped.push_back(label + ": backend " + Backend::name() + " lacks it");
      else if (!wrong.empty()) t.failed.push_back(label + ": " + wrong);
      else ++t.run;
    } catch (const std::exception& e) { t.failed.push_back(label + ": " + e.what()); }
  }
  return t;
}

}  // namespace foreign
