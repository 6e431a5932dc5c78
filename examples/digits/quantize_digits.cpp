// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Makes the integer versions of the digits network: calibrates on 300 of the 1,200 training images
// and writes one header per version.
//
//   digits_quantize digits.bin folder
#include <cstdio>
#include <filesystem>
#include <string>

#include <lowbits/hosted/emit_header.hpp>
#include <lowbits/hosted/quantize_model.hpp>

#include "digits_float.hpp"

namespace lb = lowbits;

namespace {

struct version {
  const char* name;
  int activation_bits, weight_bits;
  lb::error_compensation ec = lb::error_compensation::none;
};
// 2 bits are -1, 0 and 1; one bit is -1 and 1.
constexpr version versions[] = {
    {"int8", 8, 8},
    {"w6a8", 8, 6},
    {"w4a8", 8, 4},
    {"w3a8", 8, 3},
    {"w2a8", 8, 2},
    {"w1a8", 8, 1},
    {"a16w8", 16, 8},
    {"a16w16", 16, 16},
    {"a16w16ec", 16, 16, lb::error_compensation::three_products},
};

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file)
    lb::refuse("digits_quantize", "cannot write " + path.string(),
               "check the folder and the disk's room");
}

void quantize_all(const std::string& images_path, const std::filesystem::path& folder) {
  const std::vector<unsigned char> bytes = digits::read_file(images_path);
  const digits::image_set images(bytes.data(), bytes.size());
  if (images.size() != digits::image_count)
    lb::refuse("digits_quantize", images_path + " is not the file of digits",
               "give the path of data/digits.bin");

  constexpr int wanted = 300;
  std::vector<lb::sample> samples;
  for (int k = 0; k < wanted; ++k)
    samples.push_back({digits::real_image(images, k * digits::test_first / wanted)});

  const lb::progress show = lb::progress_bar{};
  const lb::float_model model = digits::make_float_model();
  const lb::calibration seen = lb::calibrate(model, samples, lb::make_min_max_observer, show);

  std::filesystem::create_directories(folder);
  for (const version& v : versions) {
    const std::string name = std::string("digits_") + v.name;
    // An input code is a pixel as it is: 0 to 16.
    const lb::quantization_recipe recipe{
        .activation_bits = v.activation_bits,
        .weight_bits = v.weight_bits,
        .ec = v.ec,
        .fixed = {{"image", {1.0f / digits::image_set::full_ink, 0}}}};
    const lb::quantized_model q =
        lb::quantize_model(model, seen, samples, recipe, [&](auto, size_t done, size_t total) {
          show("quantizing to " + std::string(v.name), done, total);
        });
    std::vector<std::string> notice{
        lb::joined("Handwritten digits with ", v.activation_bits, "-bit activations and ",
                   v.weight_bits, "-bit weights:"),
        "examples/digits of the library. An input code is a pixel, 0 to 16.", ""};
    for (const std::string& line : lb::summary(q)) notice.push_back("  " + line);
    for (const lb::quantization_note& n : q.notes)
      std::fprintf(stderr, "%s: %s: %s\n", v.name, n.node.c_str(), n.text.c_str());
    write_file(folder / (name + ".hpp"),
               lb::emit_header(
                   q.graph(),
                   {.space = name, .licence = "Apache-2.0 WITH LLVM-exception", .notice = notice}));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s digits.bin folder\n", argv[0]);
    return 2;
  }
  try {
    quantize_all(argv[1], argv[2]);
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
