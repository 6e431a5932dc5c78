// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A .param file as values: layers in their order, the blobs between them, numbered parameters. What
// the numbers mean is checked by those who ask for them.

#include <bit>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <lowbits/hosted/import_common.hpp>

namespace lowbits::inline LOWBITS_ABI::ncnn {

/// The value of one parameter. Binary files do not say whether a number is an integer.
struct param {
  enum class form : uint8_t { either, integer, real, text };
  form what = form::integer;
  bool is_array = false;
  std::vector<uint32_t> words{};  ///< bits of int32 or float
};

struct layer {
  std::string kind{};
  std::string name{};
  std::vector<int> bottoms{}, tops{};  ///< blobs read and made
  std::map<int, param> params{};
};

struct network {
  std::vector<layer> layers{};
  std::vector<std::string> blobs{};  ///< names; every blob is made by one layer, before it is read
};

/// A name of a file, fit for a message.
inline std::string shown(std::string_view name) {
  std::string text(name.substr(0, 60));
  for (char& c : text)
    if (c < ' ' || c > '~') c = '?';
  return text;
}

/// "lowbits: import_ncnn: <file>: <place>: <what>; <cure>"
class reporter {
public:
  explicit reporter(std::string_view file_name) : file_(file_name) {}
  const std::string& file() const noexcept { return file_; }

  [[noreturn]] void fail(std::string_view place, std::string_view what, std::string_view cure) const {
    refuse(place.empty() ? joined("import_ncnn: ", file_) : joined("import_ncnn: ", file_, ": ", place), what, cure);
  }
  void require(bool holds, std::string_view place, std::string_view what, std::string_view cure) const {
    if (!holds) fail(place, what, cure);
  }

private:
  std::string file_{};
};

inline constexpr int magic = 7767517;
inline constexpr int param_count = 32;      ///< numbers of parameters end before it
inline constexpr int largest_list = 4096;   ///< inputs, outputs, or numbers of a parameter
inline constexpr size_t longest_name = 255;

/// Blobs while a file is read.
class blob_list {
public:
  blob_list(const reporter& report, network& net, int64_t announced)
      : report_(report), net_(net), announced_(announced) {}

  int made(const std::string& name, const std::string& place) {
    report_.require(!numbers_.contains(name), place, joined("blob '", shown(name), "' is made a second time"),
                    "give every blob one layer that makes it");
    report_.require(static_cast<int64_t>(net_.blobs.size()) < announced_, place,
                    joined("there are more blobs than the ", announced_, " announced"), "correct the second line");
    const int number = static_cast<int>(net_.blobs.size());
    numbers_.emplace(name, number);
    net_.blobs.push_back(name);
    return number;
  }
  int read(const std::string& name, const std::string& place) const {
    const auto at = numbers_.find(name);
    report_.require(at != numbers_.end(), place,
                    joined("blob '", shown(name), "' is not made by a layer before this one"),
                    "order the layers so that they can be run one after the other");
    return at->second;
  }

private:
  const reporter& report_;
  network& net_;
  int64_t announced_ = 0;
  std::map<std::string, int> numbers_{};
};

}  // namespace lowbits::ncnn
