// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A .bin file: the weights of the layers one behind the other, in the order of the layers (ncnn,
// src/modelbin.cpp). Every block is padded to 4 bytes; blocks of weights begin with a tag that says
// how they are stored.

#include <lowbits/hosted/ncnn/network.hpp>

namespace lowbits::inline LOWBITS_ABI::ncnn {

/// Weights of a layer: floats, or codes where the file has int8.
struct stored_weights {
  std::vector<float> reals{};
  std::vector<int8_t> codes{};
  bool are_codes = false;
};

class weight_file {
public:
  weight_file(const reporter& report, std::span<const unsigned char> bytes) : report_(report), rest_(bytes) {}

  size_t bytes_left() const noexcept { return rest_.size(); }

  /// Biases and scales: floats without a tag.
  std::vector<float> floats(int64_t count, const std::string& place, std::string_view what) {
    const auto bytes = take(count, 4, place, what);
    std::vector<float> v;
    v.reserve(static_cast<size_t>(count));
    for (size_t i = 0; i < bytes.size(); i += 4) {
      const float f = fp::from_bits(word(bytes.subspan(i, 4)));
      report_.require(fp::is_finite(f), place, joined(what, ", number ", i / 4, ", is NaN or infinite"),
                      "train or quantize the model again");
      v.push_back(f);
    }
    return v;
  }
  /// Weights behind their tag.
  stored_weights tagged(int64_t count, const std::string& place) {
    constexpr std::string_view what = "the weights";
    const uint32_t tag = word(take(1, 4, place, what));
    stored_weights w;
    if (tag == 0 || tag == 0x0002C056u) {
      w.reals = floats(count, place, what);
    } else if (tag == 0x01306B47u) {
      const auto bytes = take(count, 2, place, what);
      w.reals.reserve(static_cast<size_t>(count));
      for (size_t i = 0; i < bytes.size(); i += 2)
        w.reals.push_back(half_to_float(uint32_t{bytes[i]} | uint32_t{bytes[i + 1]} << 8));
      for (const float f : w.reals)
        report_.require(fp::is_finite(f), place, "a weight is NaN or infinite", "train the model again");
    } else if (tag == 0x000D4B38u) {
      for (const unsigned char b : take(count, 1, place, what)) w.codes.push_back(static_cast<int8_t>(b));
      w.are_codes = true;
    } else {  // any other: 256 floats, then an index for each weight
      const std::vector<float> table = floats(256, place, "the table of weights");
      const auto bytes = take(count, 1, place, what);
      w.reals.reserve(bytes.size());
      for (const unsigned char b : bytes) w.reals.push_back(table[b]);
    }
    return w;
  }

private:
  static uint32_t word(std::span<const unsigned char> b) noexcept {
    return uint32_t{b[0]} | uint32_t{b[1]} << 8 | uint32_t{b[2]} << 16 | uint32_t{b[3]} << 24;
  }
  /// The bytes of a block without its padding. Comes before any memory is reserved for the block.
  std::span<const unsigned char> take(int64_t count, int64_t size, const std::string& place, std::string_view what) {
    report_.require(count >= 1 && count <= highest_of<int32_t>, place, joined(what, ": a count of ", count),
                    "export the model again");
    const auto bytes = static_cast<size_t>(count * size), padded = (bytes + 3) / 4 * 4;
    report_.require(rest_.size() >= padded, place,
                    joined(what, " need ", padded, " bytes, but the .bin file has only ", rest_.size(), " left"),
                    "give the .bin file that belongs to this .param file");
    const auto block = rest_.first(bytes);
    rest_ = rest_.subspan(padded);
    return block;
  }

  const reporter& report_;
  std::span<const unsigned char> rest_{};
};

}  // namespace lowbits::ncnn
