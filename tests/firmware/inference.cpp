// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "inference.hpp"

namespace {

alignas(lowbits::arena_alignment) unsigned char arena[firmware::model::arena_bytes];

}  // namespace

lowbits::status firmware::infer(input_view x, output_view y) noexcept {
  if constexpr (model::output_count == 1) {
    return model::run(arena, x, y);
  } else {
    static model::output_type<1> second[model::output_desc<1>.count()];
    return model::run(arena, x, y, second);
  }
}
