// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Reads the bytes of data/digits.bin in place, without heap or files: the same on a PC, where they
// come from the file, and on bare metal, where they are linked in. The format: data/README.md.

#include <lowbits/pack/packed_view.hpp>

namespace digits {

class image_set {
public:
  static constexpr int height = 8, width = 8, pixels = height * width;
  static constexpr int full_ink = 16;  ///< pixels run from 0, blank paper, to this

  constexpr image_set() = default;
  /// An empty set when the bytes are not such a file.
  constexpr image_set(const unsigned char* bytes, std::size_t size) noexcept {
    if (size < header || bytes[0] != 'L' || bytes[1] != 'B' || bytes[2] != 'D' || bytes[3] != 'G')
      return;
    if (bytes[4] != 1 || bytes[5] != 0 || bytes[8] != height || bytes[9] != width || bytes[10] != 5)
      return;
    const std::size_t n = bytes[6] + 256u * bytes[7];
    const std::size_t label_bytes = lowbits::bytes_for<lowbits::u4>(n);
    if (size != header + label_bytes + lowbits::bytes_for<lowbits::u5>(n * pixels)) return;
    labels_ = {bytes + header, n};
    pixels_ = {bytes + header + label_bytes, n * pixels};
  }

  constexpr int size() const noexcept { return static_cast<int>(labels_.size()); }
  /// The digit of image i, 0 to 9.
  constexpr int label(int i) const noexcept { return labels_[static_cast<std::size_t>(i)]; }
  /// Pixel k of image i, rows from the top, 0 to full_ink.
  constexpr int pixel(int i, int k) const noexcept {
    return pixels_[static_cast<std::size_t>(i * pixels + k)];
  }
  /// The pixels of image i as codes of the model's input.
  template <class T>
  constexpr void read(int i, T* codes) const noexcept {
    for (int k = 0; k < pixels; ++k) codes[k] = static_cast<T>(pixel(i, k));
  }

private:
  static constexpr std::size_t header = 12;
  lowbits::packed_view<lowbits::u4> labels_{};
  lowbits::packed_view<lowbits::u5> pixels_{};
};

/// The index of the largest of the ten results; the first one of equals.
template <class T>
constexpr int answer(const T* logits) noexcept {
  int best = 0;
  for (int i = 1; i < 10; ++i)
    if (logits[i] > logits[best]) best = i;
  return best;
}

}  // namespace digits
