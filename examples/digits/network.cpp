// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One version of the digits network: DIGITS_HEADER is the emitted header, DIGITS_VERSION its name.
#include DIGITS_HEADER

#include <chrono>
#include <memory>
#include <string>

#include "network.hpp"

#define DIGITS_JOIN_(a, b) a##b
#define DIGITS_JOIN(a, b) DIGITS_JOIN_(a, b)
#define DIGITS_TEXT_(a) #a
#define DIGITS_TEXT(a) DIGITS_TEXT_(a)

namespace lb = lowbits;

namespace {

using net = lb::model<DIGITS_JOIN(digits_, DIGITS_VERSION)::make_net>;
using pixel = net::input_type<0>;
using logit = net::output_type<0>;
static_assert(net::report.wide_accumulators == 0 || sizeof(pixel) == 2);

alignas(lb::arena_alignment) unsigned char arena[net::arena_bytes];
struct alignas(lb::packed_alignment) packed_weights {
  unsigned char bytes[net::prepared_bytes];
};

/// Runs image i on anything with a run(); gives the logits as real numbers.
template <class Runner>
bool run_image(Runner&& run, const digits::image_set& images, int i, float* real) {
  pixel x[digits::image_set::pixels];
  logit y[10];
  images.read(i, x);
  if (run(x, y) != lb::status::ok) return false;
  constexpr lb::affine p = net::output_desc<0>.params;
  for (int k = 0; k < 10; ++k) real[k] = lb::dequantize<lb::q16>(y[k], p);
  return true;
}

bool logits(const digits::image_set& images, int i, float* real) {
  return run_image([](auto& x, auto& y) { return net::run(arena, x, y); }, images, i, real);
}

std::string differing(const digits::image_set& images, int first,
                      const std::vector<std::vector<float>>& expected) {
  std::string names;
  const auto packed = std::make_unique<packed_weights>();
  const auto check = [&](const char* name, const auto& prepared) {
    if (prepared.error() == lb::status::unsupported) return;
    bool same = true;
    for (int i = first; i < images.size() && same; i += 3) {
      float own[10];
      same = run_image([&](auto& x, auto& y) { return prepared.run(arena, x, y); }, images, i, own);
      for (int k = 0; k < 10; ++k)
        same = same &&
            own[k] == expected[static_cast<std::size_t>(i - first)][static_cast<std::size_t>(k)];
    }
    if (!same) names += std::string(names.empty() ? "" : ", ") + name;
  };
  [&]<class... Archs>(lb::type_list<Archs...>) {
    (check(Archs::name, net::prepare_for(lb::arch_id_of<Archs>, packed->bytes)), ...);
  }(lb::all_archs{});
  return names;
}

const char* best_arch() {
  const lb::arch_id id = lb::select_arch();
  bool has_prepared_weights = false;
  lb::with_arch(id, [&]<class Arch>(Arch) {
    has_prepared_weights = lb::model_layout<net>::packed_end<Arch> > lb::packed_alignment;
  });
  return has_prepared_weights ? lb::arch_name(id) : lb::arch::generic::name;
}

double time(const digits::image_set& images, int first, const char* arch) {
  const auto packed = std::make_unique<packed_weights>();
  const auto prepared = net::prepare_for(lb::arch_id_from(arch), packed->bytes);
  std::vector<pixel> x(
      static_cast<std::size_t>((images.size() - first) * digits::image_set::pixels));
  for (int i = first; i < images.size(); ++i)
    images.read(i, &x[static_cast<std::size_t>((i - first) * digits::image_set::pixels)]);
  logit y[10];
  // The fastest of many short passes: what the processor can do when nobody disturbs it.
  using clock = std::chrono::steady_clock;
  constexpr std::size_t batch = 20;
  double best = 1e9;
  const auto end = clock::now() + std::chrono::milliseconds(250);
  for (std::size_t at = 0; clock::now() < end;
       at = (at + batch) % (x.size() / digits::image_set::pixels - batch)) {
    const auto start = clock::now();
    for (std::size_t i = at; i < at + batch; ++i) {
      const std::span image(&x[i * digits::image_set::pixels], digits::image_set::pixels);
      // A build for one architecture has no other to prepare for: unprepared weights are generic.
      const bool runs = prepared.error() == lb::status::ok;
      static_cast<void>(runs ? prepared.run(arena, image, y) : net::run(arena, image, y));
    }
    const std::chrono::duration<double, std::micro> spent = clock::now() - start;
    best = spent.count() / batch < best ? spent.count() / batch : best;
  }
  return best;
}

}  // namespace

namespace digits {

const network DIGITS_JOIN(network_, DIGITS_VERSION) = {DIGITS_TEXT(DIGITS_VERSION),
                                                       net::weight_bytes,
                                                       net::arena_bytes_on<lb::arch::generic>,
                                                       net::arena_bytes,
                                                       logits,
                                                       differing,
                                                       best_arch,
                                                       time};

}  // namespace digits
