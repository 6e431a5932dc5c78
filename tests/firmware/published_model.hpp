// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A published model as it is emitted from its .tflite file; PUBLISHED_HEADER names the header.
#include PUBLISHED_HEADER

namespace firmware {

using model = lowbits::model<published::make_net>;

}  // namespace firmware
