// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// lowbits: quantized neural-network arithmetic, 1 to 16 bits, for PCs and microcontrollers.
//
//   quant/    number types q1..q16, u1..u16; scales and zero points; quantize, dequantize
//   fixed/    integer scaling: multipliers, rounding policies, requantizers, integer functions
//   pack/     codes of 1..16 bits in bytes, layouts
//   ref/      what every operation means: plain constexpr loops
//   arch/     what a processor offers; kernel/: the algorithms that use it; both equal ref/ bit for bit
//   op/       layers: options, shape rules, what runs them
//   graph/    builder, checks, memory plan, model
//
//   namespace lb = lowbits;
//   constexpr std::int8_t w[10 * 64] = {/* ... */};
//   constexpr float w_scale[10] = {/* ... */};
//   constexpr auto make_net() {
//     lb::builder<8> g;
//     auto x = g.input("x", lb::tensor<lb::q8, 64>({.scale = 1 / 16.f}));
//     return g.output(g.dense("y", x, {.units = 10, .weights = lb::weights(w, w_scale), .out = {.scale = .1f}}));
//   }
//   using net = lb::model<make_net>;                      // checked and planned by the compiler
//   alignas(lb::arena_alignment) unsigned char arena[net::arena_bytes];
//   lb::status s = net::run(arena, x, y);                 // integers only, same bits everywhere

#include <lowbits/config.hpp>

#include <lowbits/core/status.hpp>
#include <lowbits/core/types.hpp>

#include <lowbits/quant/scheme.hpp>

#include <lowbits/fixed/accumulator.hpp>
#include <lowbits/fixed/requantize.hpp>

#include <lowbits/pack/coded_array.hpp>
#include <lowbits/pack/layout.hpp>
#include <lowbits/pack/packed_array.hpp>
#include <lowbits/pack/quantized_tensor.hpp>

#include <lowbits/ref/compensated_sampling.hpp>

#include <lowbits/kernel/dynamic_quantize.hpp>

#include <lowbits/kernel/compensated_gemm.hpp>
#include <lowbits/kernel/prepared_gemm.hpp>

#include <lowbits/op/coded_weights.hpp>
#include <lowbits/op/imported_ops.hpp>

#include <lowbits/graph/builder.hpp>
#include <lowbits/graph/model.hpp>

// Few programs need these, and not all pay for them.
#if defined(LOWBITS_GROUPS)
#include <lowbits/graph/grouped_steps.hpp>
#include <lowbits/kernel/grouped_gemm.hpp>
#endif
#if defined(LOWBITS_RECURRENT)
#include <lowbits/ref/gru.hpp>
#include <lowbits/ref/lstm.hpp>
#include <lowbits/ref/real_recurrent.hpp>
#include <lowbits/ref/rnn.hpp>
#include <lowbits/ref/svdf.hpp>
#include <lowbits/ref/tflite_lstm.hpp>
#endif
#if defined(LOWBITS_BINARY)
#include <lowbits/kernel/binary_conv2d.hpp>
#include <lowbits/kernel/binary_gemm.hpp>
#endif
#if defined(LOWBITS_TRITS)
#include <lowbits/kernel/trit_gemm.hpp>
#endif
#if defined(LOWBITS_WEIGHT_ONLY)
#include <lowbits/kernel/weight_only_gemm.hpp>
#include <lowbits/op/weight_only_steps.hpp>
#endif
