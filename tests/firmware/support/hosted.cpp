// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The test programs on an operating system.
#include <cstdio>

#include "support/program.hpp"

void firmware::print(const char* text) { std::fputs(text, stdout); }

int main() { return firmware::run(); }
