// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// A model whose file leaves its shape open.

#include "open_shape.hpp"

using net = lowbits::model<open_shape::make_net>;
static_assert(net::input_desc<0>.count() == 3 * 2 * 4);

int main() {}
