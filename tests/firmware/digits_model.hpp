// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The network of examples/digits as its demo emits it: DIGITS_VERSION is digits_int8 or one of the
// others, DIGITS_HEADER the emitted header.
#include DIGITS_HEADER

namespace firmware {

using model = lowbits::model<DIGITS_VERSION::make_net>;

}  // namespace firmware
