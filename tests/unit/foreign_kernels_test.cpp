// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The vectors of other libraries through the kernels of every architecture this processor can run.
#include "support/every_arch.hpp"

#include <doctest/doctest.h>

#include <string>

#include <lowbits/kernel/select.hpp>

#include "foreign/check.hpp"
#include "foreign/kernel_backend.hpp"
#include "foreign/load_cmsis_index.hpp"
#include "foreign/load_models.hpp"
#include "foreign/load_onnx.hpp"

namespace {

template <class Arch, class Function>
void on_arch(Function&& check) {
  if (!lowbits::is_usable<Arch>()) {
    MESSAGE("not on this processor: ", std::string(Arch::name));
    return;
  }
  foreign::kernel_backend::arch = lowbits::arch_id_of<Arch>;
  check();
}

/// Calls check() with the backend set to every architecture of this build that runs here.
template <class Function>
void for_each_arch(Function&& check) {
  [&]<class... Archs>(lowbits::type_list<Archs...>) {
    (on_arch<Archs>(check), ...);
  }(lowbits::all_archs{});
}

void expect(const std::vector<foreign::test_case>& cases, std::size_t count,
            std::size_t out_of_scope) {
  foreign::check_all<foreign::kernel_backend>(cases, count, out_of_scope);
}

/// Products with 16-bit activations or 4-bit weights.
std::vector<foreign::test_case> other_widths(const std::vector<foreign::test_case>& cases) {
  std::vector<foreign::test_case> some;
  for (const foreign::test_case& c : cases) {
    if (c.steps.size() != 1) continue;
    const auto* layer = std::get_if<foreign::linear_case>(&c.steps[0]);
    const auto* product = std::get_if<foreign::matmul_case>(&c.steps[0]);
    if ((layer != nullptr && (layer->x_format.bits == 16 || layer->w_format.bits == 4)) ||
        (product != nullptr && product->format.bits == 16))
      some.push_back(c);
  }
  return some;
}

}  // namespace

TEST_CASE("foreign vectors, kernels of every architecture") {
  if (!foreign::data_present()) return;
  const auto cmsis = foreign::load_cmsis(), onnx = foreign::load_onnx(),
             seanet = foreign::load_seanet();
  for_each_arch([&] {
    expect(cmsis, 124, 0);
    expect(onnx, 29, 0);
    expect(seanet, 40, 0);
  });
}

TEST_CASE("foreign vectors of 16-bit activations and 4-bit weights run on primitives") {
  if (!foreign::data_present()) return;
  const auto cases = other_widths(foreign::load_cmsis());
  for_each_arch([&] {
    using foreign::kernel_backend;
    kernel_backend::fast = kernel_backend::plain = 0;
    expect(cases, 45, 0);
    lowbits::with_arch(kernel_backend::arch, []<class Arch>(Arch) {
      INFO("kernels of ", std::string(Arch::name), ": ", kernel_backend::fast, " prepared, ",
           kernel_backend::plain, " plain");
      constexpr bool words = lowbits::has_prim<lowbits::prims::gemm_words, Arch>,
                     bytes = lowbits::has_prim<lowbits::prims::gemm, Arch>;
      CHECK(kernel_backend::fast == (words ? 45u : bytes ? 25u : 0u));
      CHECK(kernel_backend::fast + kernel_backend::plain == 45);
    });
  });
}

TEST_CASE("golden networks, kernels of every architecture") {
  if (!foreign::data_present()) return;
  const auto kws = foreign::load_golden("kws"), resnet = foreign::load_golden("resnet"),
             ad = foreign::load_golden("ad");
  for_each_arch([&] {
    expect(kws, 26, 0);
    expect(resnet, 32, 0);
    expect(ad, 30, 0);
  });
}
