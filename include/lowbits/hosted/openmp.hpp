// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// An executor (kernel/threads.hpp) on OpenMP's threads; compile with -fopenmp. Without it, everything
// runs on the calling thread.

#include <lowbits/config.hpp>

namespace lowbits::inline LOWBITS_ABI {

struct openmp_threads {
  template <class Function>
  void operator()(int n, Function&& f) const {
#if defined(_OPENMP)
#pragma omp parallel for schedule(static, 1)
#endif
    for (int i = 0; i < n; ++i) f(i);
  }
};

}  // namespace lowbits
