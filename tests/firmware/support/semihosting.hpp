// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// How a bare-metal program ends.

namespace firmware {

[[noreturn]] void exit(int status);

}  // namespace firmware
