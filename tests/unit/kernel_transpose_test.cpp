// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Transposes by every permutation of up to four axes: the elements of the definition.

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include <lowbits/kernel/transpose.hpp>

#include "support/guarded.hpp"
#include "support/kernel_operands.hpp"

namespace {

using namespace kernel_operands;

template <class T>
void check() {
  static guarded::memory x_memory, y_memory;
  naive::random_numbers random(11);
  for (int rank = 1; rank <= 4; ++rank)
    for (const int big : {0, 1, 2, 31, 32, 33, 67})
      for (int turn = 0; turn < rank; ++turn) {
        int axes[lb::max_rank]{};
        for (int a = 0; a < rank; ++a) axes[a] = a;
        do {
          lb::tensor_shape shape, out;
          shape.rank = out.rank = rank;
          for (int a = 0; a < rank; ++a) shape.extent[a] = a == turn ? big : a + 2;
          for (int a = 0; a < rank; ++a) out.extent[a] = shape.extent[axes[a]];
          const auto x = codes<T>(shape.count(), random);
          std::vector<T> expected(x.size());
          lb::ref::transpose(shape, x.data(), axes, out, expected.data());
          for (const auto where : guarded::both_places) {
            T* y = y_memory.take<T>(expected.size(), where);
            lb::kernel::transpose(shape, x_memory.copy(x, where), axes, out, y);
            INFO("rank ", rank, ", extent ", big, " on axis ", turn);
            CHECK(difference(y, expected) == "");
          }
        } while (std::next_permutation(axes, axes + rank));
      }
}

}  // namespace

TEST_CASE("transpose: 8 bits") { check<int8_t>(); }
TEST_CASE("transpose: 16 bits") { check<int16_t>(); }
