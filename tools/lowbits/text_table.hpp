// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Columns of text, aligned. Plain characters only.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace tool {

class text_table {
public:
  enum side { left, right };

  text_table& column(std::string title, side s = left) {
    columns_.push_back({std::move(title), s});
    return *this;
  }
  void row(std::vector<std::string> cells) {
    cells.resize(columns_.size());
    rows_.push_back(std::move(cells));
  }
  bool empty() const noexcept { return rows_.empty(); }

  /// With a line below the titles, where there are titles. Columns without any text are left out.
  std::string text() const {
    std::vector<size_t> width(columns_.size());
    bool titled = false;
    for (size_t c = 0; c < columns_.size(); ++c) {
      bool used = false;
      for (const auto& r : rows_) {
        width[c] = std::max(width[c], r[c].size());
        used = used || !r[c].empty();
      }
      if (used) width[c] = std::max(width[c], columns_[c].title.size());
      titled = titled || !columns_[c].title.empty();
    }
    std::string out;
    if (titled) {
      std::vector<std::string> titles, rules;
      for (size_t c = 0; c < columns_.size(); ++c) {
        titles.push_back(columns_[c].title);
        rules.push_back(std::string(width[c], '-'));
      }
      append(out, titles, width);
      append(out, rules, width);
    }
    for (const auto& r : rows_) append(out, r, width);
    return out;
  }

private:
  struct heading {
    std::string title{};
    side align = left;
  };
  void append(std::string& out, const std::vector<std::string>& cells, const std::vector<size_t>& width) const {
    std::string line;
    for (size_t c = 0; c < cells.size(); ++c) {
      if (width[c] == 0) continue;
      const std::string fill(width[c] - std::min(width[c], cells[c].size()), ' ');
      line += (line.empty() ? "" : "  ") + (columns_[c].align == right ? fill + cells[c] : cells[c] + fill);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }

  std::vector<heading> columns_{};
  std::vector<std::vector<std::string>> rows_{};
};

/// 1234567 as 1,234,567
inline std::string grouped(uint64_t n) {
  std::string s = std::to_string(n);
  for (size_t at = s.size(); at > 3; at -= 3) s.insert(at - 3, 1, ',');  // a character: g++ 12 warns at -O3 about a text
  return s;
}

/// At most `longest` characters; a longer text loses its middle.
inline std::string shortened(const std::string& s, size_t longest) {
  if (s.size() <= longest) return s;
  const size_t kept = longest - 2, front = kept / 3;
  return s.substr(0, front) + ".." + s.substr(s.size() - (kept - front));
}

}  // namespace tool
