// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The digits network in floats, and the images as its samples. tools/train_digits/train.py describes
// and trains it.

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <lowbits/hosted/calibrate.hpp>

#include "data/float_weights.hpp"
#include "digits_data.hpp"

namespace digits {

inline lowbits::float_model make_float_model() {
  constexpr auto relu = lowbits::activation::relu;
  lowbits::float_model m;
  const auto image = m.input("image", {8, 8, 1});
  const auto stem = m.conv2d(
      "stem", image,
      {.out_c = 16, .kernel = 3, .pad = 1, .weights = stem_w, .bias = stem_b, .fused = relu});
  const auto depth = m.depthwise(
      "depth", stem, {.kernel = 3, .pad = 1, .weights = depth_w, .bias = depth_b, .fused = relu});
  const auto point = m.conv2d("point", depth, {.out_c = 16, .weights = point_w, .bias = point_b});
  const auto skip = m.add("skip", stem, point, relu);
  const auto down = m.conv2d("down", skip,
                             {.out_c = 32,
                              .kernel = 3,
                              .stride = 2,
                              .pad = 1,
                              .weights = down_w,
                              .bias = down_b,
                              .fused = relu});
  const auto body = m.conv2d(
      "body", down,
      {.out_c = 32, .kernel = 3, .pad = 1, .weights = body_w, .bias = body_b, .fused = relu});
  const auto pool = m.average_pool("pool", body, {.kernel = 2, .stride = 2});
  m.output(m.dense("logits", pool, {.units = 10, .weights = logits_w, .bias = logits_b}));
  return m;
}

/// The bytes of a file; empty when it cannot be read.
inline std::vector<unsigned char> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Image i as the float network's input: pixel / 16.
inline lowbits::float_tensor real_image(const image_set& images, int i) {
  lowbits::float_tensor x(image_set::pixels);
  for (int k = 0; k < image_set::pixels; ++k)
    x[static_cast<std::size_t>(k)] = static_cast<float>(images.pixel(i, k)) / image_set::full_ink;
  return x;
}

}  // namespace digits
