// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The model of a test program and the one function that runs it. FIRMWARE_MODEL names the header
// that defines firmware::model: one input, any outputs (the first one is used).
#include FIRMWARE_MODEL

namespace firmware {

using input_element = model::input_type<0>;
using output_element = model::output_type<0>;
inline constexpr std::size_t input_count = model::input_desc<0>.count();
inline constexpr std::size_t output_count = model::output_desc<0>.count();

using input_view = std::span<const input_element, input_count>;
using output_view = std::span<output_element, output_count>;

/// In an object of its own (inference.cpp), so that the code of an inference can be inspected: no
/// floating point, no texts.
lowbits::status infer(input_view x, output_view y) noexcept;

}  // namespace firmware
