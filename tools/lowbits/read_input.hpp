// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Tensors from files: .npy arrays, pictures, sound, or the bytes themselves.

#include <optional>
#include <string>
#include <vector>

#include <lowbits/op/tensor_desc.hpp>

#include "load_model.hpp"
#include "tool.hpp"

namespace CLI {
class App;
}

namespace tool {

struct input_options {
  std::vector<std::string> files{};
  /// The real numbers of black and white pixels; by default the ends of the input's range.
  std::optional<float> black{}, white{};
};
void add_input_options(CLI::App& command, input_options& options);

/// What a file says about a tensor: codes as they are, or real numbers.
struct input_value {
  bool is_codes = false;
  bytes codes{};
  std::vector<float> reals{};
  std::string note{};  ///< how the file was understood
};

/// The elements of tensor `port` from a file; is_planar: pictures have their channels first.
input_value read_input(std::string_view command, const std::string& path, const lb::model_port& port, bool is_planar,
                       const input_options& options);

/// As the tensor's elements: real numbers are quantized with its parameters, ties to even.
bytes encoded(const input_value& value, const lb::tensor_desc& d);
/// The real numbers of a tensor's elements.
std::vector<float> decoded(const void* elements, const lb::tensor_desc& d);

/// One file for each input of the model, in their order, or by "name=path". Notes go to stderr.
std::vector<bytes> read_inputs(std::string_view command, const loaded_model& m, const input_options& options);
/// The file for every input, checked for number and names.
std::vector<std::string> files_of_inputs(std::string_view command, const loaded_model& m, const input_options& options);
inline bool has_planar_pictures(const loaded_model& m) { return m.model.format != "TFLite"; }

struct picture {
  int h = 0, w = 0, c = 0;
  bytes pixels{};  ///< [h][w][c]
};
/// channels: 1 (grey), 3 or 4.
picture read_picture(std::string_view command, const std::string& path, int channels);

struct sound {
  int channels = 0, rate = 0;
  std::vector<float> samples{};  ///< -1..1, [frame][channel]
};
sound read_sound(std::string_view command, const std::string& path);

}  // namespace tool
