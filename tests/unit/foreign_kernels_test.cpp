// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The vectors of other libraries through the kernels of every architecture this processor can run.
#include <doctest/doctest.h>

#include <lowbits/kernel/select.hpp>

#include "foreign/check.hpp"
#include "foreign/kernel_backend.hpp"
#include "foreign/load_cmsis_index.hpp"
#include "foreign/load_models.hpp"
#include "foreign/load_onnx.hpp"

namespace {

template <class Arch, class Function>
void on_arch(Function&& f) {
  if (lowbits::is_usable<Arch>()) f(Arch{});
  else MESSAGE("not on this processor: ", std::string(Arch::name));
}

/// Calls f(Arch{}) for every architecture of this build that runs here.
template <class Function>
void for_each_arch(Function&& f) {
  [&]<class... Archs>(lowbits::type_list<Archs...>) {
    (on_arch<Archs>(f), ...);
  }(lowbits::all_archs{});
}

}  // namespace

TEST_CASE("foreign vectors, kernels of every architecture") {
  if (!foreign::data_present()) return;
  const auto cmsis = foreign::load_cmsis(), onnx = foreign::load_onnx(),
             seanet = foreign::load_seanet();
  for_each_arch([&]<class Arch>(Arch) {
    using backend = foreign::kernel_backend<Arch>;
    foreign::check_all<backend>(cmsis, 124, 7);
    foreign::check_all<backend>(onnx, 29, 6);
    foreign::check_all<backend>(seanet, 40, 0);
  });
}

TEST_CASE("golden networks, kernels of every architecture") {
  if (!foreign::data_present()) return;
  const auto kws = foreign::load_golden("kws"), resnet = foreign::load_golden("resnet"),
             ad = foreign::load_golden("ad");
  for_each_arch([&]<class Arch>(Arch) {
    using backend = foreign::kernel_backend<Arch>;
    foreign::check_all<backend>(kws, 26, 0);
    foreign::check_all<backend>(resnet, 32, 0);
    foreign::check_all<backend>(ad, 30, 0);
  });
}
