// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

#include <string>

#include "load_model.hpp"

namespace tool {

/// The graph as an SVG picture, inputs at the top. The same model always gives the same text.
std::string draw_svg(const loaded_model& m);

}  // namespace tool
