// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The code of every node that a run-time model may have, compiled once.

#include <lowbits/hosted/runtime_steps.hpp>
