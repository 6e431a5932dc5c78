// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// How far a long task has come: a callback that the tools take, and a bar for the terminal.

#include <cstdio>
#include <functional>
#include <string>
#include <string_view>

#if __has_include(<unistd.h>)
#include <unistd.h>
#endif

#include <lowbits/core/types.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// Called with the name of the task and how many of its steps are done; may be empty.
using progress = std::function<void(std::string_view task, size_t done, size_t total)>;

/// A bar that is redrawn in place; where the output is not a terminal, one line per finished task.
class progress_bar {
public:
  explicit progress_bar(std::FILE* out = stderr) noexcept : out_(out) {
#if __has_include(<unistd.h>)
    terminal_ = isatty(fileno(out)) != 0;
#endif
  }

  void operator()(std::string_view task, size_t done, size_t total) {
    const size_t percent = total == 0 ? 100 : done * 100 / total;
    const bool finished = done >= total;
    if (!terminal_) {
      if (finished)
        std::fprintf(out_, "%.*s: %zu of %zu\n", static_cast<int>(task.size()), task.data(), done,
                     total);
      return;
    }
    if (!finished && percent == last_) return;
    last_ = finished ? nothing : percent;
    constexpr size_t width = 40;
    const std::string full(percent * width / 100, '#'), rest(width - full.size(), '.');
    std::fprintf(out_, "\r%-28.*s [%s%s] %3zu %%%s", static_cast<int>(task.size()), task.data(),
                 full.c_str(), rest.c_str(), percent, finished ? "\n" : "");
    std::fflush(out_);
  }

private:
  static constexpr size_t nothing = ~size_t{0};
  std::FILE* out_;
  bool terminal_ = false;
  size_t last_ = nothing;
};

}  // namespace lowbits
