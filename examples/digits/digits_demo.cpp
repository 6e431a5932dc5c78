// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Handwritten digits from float to integer: runs the float network and its nine integer versions on
// the 597 test images and compares them. Fails when a version loses more images than it may.
//
//   digits_demo [--check] [digits.bin]      --check leaves the timing out
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <string>

#include "digits_float.hpp"
#include "network.hpp"

namespace lb = lowbits;

namespace {

/// Ten logits for each test image.
using results = std::vector<lb::float_tensor>;

struct version {
  const digits::network* network;
  int may_lose;  ///< test images, net, against float; negative: no limit
  results logits{};
};

struct score {
  int correct = 0, lost = 0, won = 0;
  double sqnr = 0;  ///< dB
};

score compare(const digits::image_set& images, const results& exact, const results& logits) {
  score s;
  double signal = 0, noise = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const int label = images.label(digits::test_first + static_cast<int>(i));
    const bool right = digits::answer(logits[i].data()) == label,
               was_right = digits::answer(exact[i].data()) == label;
    s.correct += right;
    s.lost += was_right && !right;
    s.won += right && !was_right;
    for (std::size_t k = 0; k < 10; ++k) {
      const double x = static_cast<double>(exact[i][k]), e = static_cast<double>(logits[i][k]) - x;
      signal += x * x;
      noise += e * e;
    }
  }
  s.sqnr = noise > 0 ? 10 * std::log10(signal / noise) : 0;
  return s;
}

/// Runs the float network; gives the time per image in microseconds.
double run_float(const digits::image_set& images, const lb::float_model& model, results& logits) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = digits::test_first; i < images.size(); ++i) {
    const lb::float_tensor x[] = {digits::real_image(images, i)};
    logits.push_back(std::move(lb::run(model, x).back()));
  }
  const std::chrono::duration<double, std::micro> spent = std::chrono::steady_clock::now() - start;
  return spent.count() / digits::test_count;
}

void print_rule() { std::printf("%s\n", std::string(92, '-').c_str()); }
void print_score(const char* name, const score& s) {
  std::printf("%-8s %4d  %6.2f %%", name, s.correct, 100.0 * s.correct / digits::test_count);
}

/// Images side by side, with what the networks say.
void draw(const digits::image_set& images, const std::vector<int>& shown, const results& exact,
          const version& integer) {
  static const char* const shades[] = {"  ", "░░", "▒▒", "▓▓", "██"};
  for (int row = 0; row < digits::image_set::height; ++row) {
    for (int i : shown) {
      std::printf("  ");
      for (int c = 0; c < digits::image_set::width; ++c)
        std::printf("%s",
                    shades[(images.pixel(i, row * digits::image_set::width + c) * 4 + 8) /
                           digits::image_set::full_ink]);
    }
    std::printf("\n");
  }
  const auto line = [&](const char* what, auto&& digit) {
    for (int i : shown) std::printf("  %-11s %d   ", what, digit(i));
    std::printf("\n");
  };
  const auto at = [](int i) { return static_cast<std::size_t>(i - digits::test_first); };
  line("written", [&](int i) { return images.label(i); });
  line("float says", [&](int i) { return digits::answer(exact[at(i)].data()); });
  line("int8 says", [&](int i) { return digits::answer(integer.logits[at(i)].data()); });
}

/// The first 0, 3 and 8, and the first two that int8 reads wrongly.
std::vector<int> choose_images(const digits::image_set& images, const version& integer) {
  std::vector<int> shown;
  for (int label : {0, 3, 8}) {
    int i = digits::test_first;
    while (images.label(i) != label) ++i;
    shown.push_back(i);
  }
  for (int i = digits::test_first; i < images.size() && shown.size() < 5; ++i) {
    const auto at = static_cast<std::size_t>(i - digits::test_first);
    if (digits::answer(integer.logits[at].data()) != images.label(i)) shown.push_back(i);
  }
  return shown;
}

int demonstrate(const std::string& path, bool timing) {
  const std::vector<unsigned char> bytes = digits::read_file(path);
  const digits::image_set images(bytes.data(), bytes.size());
  if (images.size() != digits::image_count)
    lb::refuse("digits_demo", path + " is not the file of digits",
               "give the path of data/digits.bin");

  // 0.5 points of 597 images are 2.985, 1.5 points 8.955; the bars are 3 and 8 images.
  version versions[] = {{&digits::network_int8, 3},  {&digits::network_w6a8, 3},
                        {&digits::network_w4a8, 8},  {&digits::network_w3a8, -1},
                        {&digits::network_w2a8, -1}, {&digits::network_w1a8, -1},
                        {&digits::network_a16w8, 3}, {&digits::network_a16w16, 3},
                        {&digits::network_a16w16ec, 3}};
  int failures = 0;
  std::size_t arena_here = 0;
  const auto require = [&](bool condition, const std::string& name, const char* what) {
    if (!condition) std::fprintf(stderr, "digits_demo: %s: %s\n", name.c_str(), what);
    failures += condition ? 0 : 1;
  };

  const lb::float_model model = digits::make_float_model();
  std::size_t float_bytes = 0;
  for (int i = 0; i < static_cast<int>(model.size()); ++i)
    float_bytes += (model[i].weights.size() + model[i].bias.size()) * sizeof(float);
  results exact;
  const double float_time = run_float(images, model, exact);
  const score reference = compare(images, exact, exact);
  require(reference.correct == digits::test_correct, "float",
          "another number of correct answers than in float_weights.hpp");

  std::printf(
      "\nHandwritten digits, %d test images that neither training nor calibration has seen\n\n",
      digits::test_count);
  std::printf(
      "         correct           lost/won   output   weights   arena   microseconds per image\n");
  std::printf("network  answers           vs float  SQNR, dB    bytes   bytes   generic   best\n");
  print_rule();
  print_score("float", reference);
  std::printf("                           %7zu       -", float_bytes);
  if (timing) std::printf("  %8.1f   (float reference, not tuned)", float_time);
  std::printf("\n");
  for (version& v : versions) {
    const digits::network& n = *v.network;
    for (int i = digits::test_first; i < images.size(); ++i) {
      v.logits.emplace_back(10);
      require(n.logits(images, i, v.logits.back().data()), n.name, "the model refused its buffers");
    }
    arena_here = lb::larger(arena_here, n.arena_bytes_here);
    const score s = compare(images, exact, v.logits);
    print_score(n.name, s);
    std::printf("  %9d/%-3d %9.1f  %8zu %7zu", s.lost, s.won, s.sqnr, n.weight_bytes,
                n.arena_bytes);
    if (timing) {
      const std::string best = n.best_arch(), generic = "generic";
      std::printf("  %8.1f", n.time(images, digits::test_first, generic.c_str()));
      if (best != generic) std::printf("  %7.1f", n.time(images, digits::test_first, best.c_str()));
      else std::printf("         ");
      std::printf(" %s", best.c_str());
    }
    std::printf("\n");
    std::fflush(stdout);
    require(v.may_lose < 0 || s.correct >= reference.correct - v.may_lose, n.name,
            "more images lost against float than the bar allows");
    const std::string differing = n.differing(images, digits::test_first, v.logits);
    require(differing.empty(), n.name, ("other bytes on " + differing).c_str());
  }
  print_rule();
  std::printf("lost/won: images that float reads rightly and the version does not, and the other "
              "way round\narena: on a microcontroller; the fastest kernels of this processor want "
              "%zu bytes\n\n",
              arena_here);
  draw(images, choose_images(images, versions[0]), exact, versions[0]);
  return failures == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  std::string path = DIGITS_IMAGES;
  bool timing = true;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--check") == 0) timing = false;
    else if (argv[i][0] != '-') path = argv[i];
    else return std::fprintf(stderr, "usage: %s [--check] [digits.bin]\n", argv[0]), 2;
  }
  try {
    return demonstrate(path, timing);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
