// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Any bytes as files of ncnn: import_ncnn gives a graph without errors or throws model_error. A text
// .param ends at the first zero byte, what follows is the .bin; any other input is a .param, whose
// weights are all 1 (a block of them begins with a tag that makes them a table).

#include <algorithm>
#include <cstdlib>

#include <lowbits/hosted/import_ncnn.hpp>

#include "run_small.hpp"

namespace {

const std::vector<unsigned char>& ones() {
  static const std::vector<unsigned char> bytes = [] {
    std::vector<unsigned char> b;
    for (int i = 0; i < 1 << 16; ++i) b.insert(b.end(), {0x00, 0x00, 0x80, 0x3f});
    return b;
  }();
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::span<const unsigned char> all(data, size);
  std::span<const unsigned char> param = all, weights = ones();
  if (size != 0 && data[0] == '7') {
    const auto end = static_cast<std::size_t>(std::find(data, data + size, 0) - data);
    param = all.first(end);
    if (end + 1 < size) weights = all.subspan(end + 1);
  }
  try {
    const lowbits::imported_model m = lowbits::import_ncnn(param, weights, "fuzz.param");
    if (m.graph().error().code != lowbits::graph_errc::ok || m.outputs.empty() ||
        m.origins.size() != static_cast<std::size_t>(m.graph().node_count()))
      std::abort();
    run_small(m);
  } catch (const lowbits::model_error&) {
  }
  return 0;
}
