// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// One call of the kernel of a layer with weights, compared with the operation's definition.

#include <string>

#include "support/conv_cases.hpp"
#include "support/kernel_operands.hpp"

namespace kernel_operands {

inline std::size_t count(int a, int b, int c, int d) { return static_cast<std::size_t>(a * b) * static_cast<std::size_t>(c * d); }

/// 0 as often as not, else any code.
template <class T>
int some_zero(naive::random_numbers& random) {
  return random.in(0, 1) == 0 ? 0 : random.in(lb::lowest_of<T>, lb::highest_of<T>);
}

template <class X, class Weights, class Bias, class Rq>
struct layer_operands {
  std::vector<X> x;
  Weights w;
  std::vector<Bias> bias;
  Rq rq;
  int x_zero, w_zero;
  bool has_bias;

  layer_operands(std::size_t inputs, std::size_t weights, int channels, int depth, naive::random_numbers& random)
      : x(codes<X>(inputs, random)), w(weights, random), bias(conv_cases::cast<Bias>(conv_cases::fill_bias(channels, random))),
        rq(channels, depth, random), x_zero(some_zero<X>(random)), w_zero(zero_point<Weights>(random)), has_bias(random.in(0, 3) != 0) {}
  layer_operands(const lb::conv2d_shape& s, naive::random_numbers& random)
      : layer_operands(count(s.batch, s.in_h, s.in_w, s.in_c), count(s.out_c, s.window.kernel_h, s.window.kernel_w, s.group_in()),
                       s.out_c, s.depth(), random) {}
  const Bias* biases(const std::vector<Bias>& v) const { return has_bias ? v.data() : nullptr; }
};

/// Runs Kernel with all buffers at the front and at the back of their pages. define takes what ref::conv2d takes. `text`
/// names the shape. Returns the comparisons made.
template <class Kernel, class Shape, class X, class Weights, class Bias, class Rq, class Define>
int check_layer(const Shape& s, std::size_t outputs, const std::string& text, const layer_operands<X, Weights, Bias, Rq>& o,
                buffers& memory, Define&& define) {
  std::vector<typename Kernel::Y> expected(outputs);
  define(s, o.x.data(), o.x_zero, o.w.read(memory.w, guarded::place::front), o.w_zero, o.biases(o.bias),
         o.rq.get(memory.factors, guarded::place::front), expected.data());
  for (const auto where : guarded::both_places) {
    INFO("shape ", text, ", at the ", where == guarded::place::front ? "front" : "back");
    const auto reader = o.w.read(memory.w, where);
    const Bias* bias = o.has_bias ? memory.bias.copy(o.bias, where) : nullptr;
    auto* packed = memory.packed.take<unsigned char>(Kernel::packed_bytes(s), where);
    auto* scratch = memory.scratch.take<unsigned char>(Kernel::scratch_bytes(s), where);
    auto* y = memory.y.take<typename Kernel::Y>(expected.size(), where);
    const X* x = memory.x.copy(o.x, where);
    Kernel::pack(s, reader, bias, o.x_zero, packed);
    Kernel::run(s, x, o.x_zero, reader, o.w_zero, bias, Kernel::packed_bytes(s) != 0 ? packed : nullptr, o.rq.get(memory.factors, where), y,
                scratch);
    const std::string wrong = difference(y, expected);
    if (!wrong.empty()) FAIL_CHECK(wrong);
  }
  return 2;
}

/// check(Arch{}, shape, memory, seed) for every shape on every architecture.
template <class Shape, class Check>
void check_on_archs(const std::vector<Shape>& all, uint64_t seed, Check&& check) {
  buffers memory;
  kernel_archs::for_each([&]<class Arch>(Arch arch) {
    INFO("arch ", std::string(Arch::name));
    const auto shapes = kernel_archs::sample(all);
    int ran = 0;
    for (std::size_t i = 0; i < shapes.size(); ++i) ran += check(arch, shapes[i], memory, seed + i);
    MESSAGE(std::string(Arch::name), ": ", ran, " comparisons");
    CHECK(ran == 2 * static_cast<int>(shapes.size()));
  });
}

}  // namespace kernel_operands
