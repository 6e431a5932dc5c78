// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The handwritten digits, in flash.
#include "../../examples/digits/digits_data.hpp"

namespace firmware {

digits::image_set digits_images();

}  // namespace firmware
