// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Matrix products against prepared weights, on every architecture this processor can run:
// gemm/<types>_<rows>x<cols>x<depth>/<arch>, by the public call. Rows of codes are brought into the kernel's own form inside
// the timed call. s8s8s8q and u8s8u8q are requantized per column with zero points and a bias, s8s8s32
// gives the accumulators.

#include <string>

#include "weighted.hpp"

#include <lowbits/kernel/prepared_gemm.hpp>

namespace {

using namespace bench;

struct product_size {
  int rows, cols, depth;
};
constexpr product_size sizes[] = {
    // matrix times vector, few rows, squares
    {1, 1024, 1024}, {1, 4096, 4096}, {2, 1024, 1024}, {4, 1024, 1024}, {8, 1024, 1024}, {16, 1024, 1024},
    {32, 1024, 1024}, {64, 1024, 1024}, {256, 256, 256}, {384, 384, 384}, {512, 512, 512}, {1024, 1024, 1024},
    {2048, 2048, 2048},
    // the matrix products inside ResNet-50's convolutions
    {3136, 64, 576}, {784, 128, 1152}, {196, 256, 2304}, {49, 512, 4608}, {12544, 32, 27},
    // tiny
    {1, 16, 16}, {1, 64, 64}, {1, 128, 128}, {1, 256, 256}, {1, 512, 512}, {16, 16, 16}, {32, 32, 32}, {64, 64, 64},
    {128, 128, 128},
    // odd
    {7, 10, 100}, {17, 33, 65}, {100, 100, 100}, {255, 255, 255}, {257, 257, 257}, {1, 1000, 2048}, {33, 1000, 1000},
    {1000, 1000, 1000}, {49, 160, 960}};

/// The public call, which also checks its arguments and the buffer.
template <class Arch, class X, class Rq>
struct product_call {
  using arch = Arch;
  using code = X;
  using requantizer = Rq;

  lb::conv2d_shape shape;
  lb::gemm<X, Rq> product{{.rows = shape.batch, .cols = shape.out_c, .depth = shape.in_c}, lb::arch_id_of<Arch>};

  size_t packed_bytes() const { return product.packed_bytes(); }
  size_t scratch_bytes() const { return product.scratch_bytes(); }
  void pack(const int8_t* w, const int32_t* bias, int x_zero, std::span<unsigned char> packed) const {
    static_cast<void>(product.pack(w, 0, bias, x_zero, packed));  // a refusal shows as wrong results
  }
  void run(const X* x, int, const int8_t*, const int32_t*, std::span<const unsigned char> packed, const Rq& rq,
           typename Rq::output::storage* y, std::span<unsigned char> scratch) const {
    static_cast<void>(product.run(x, packed, rq, y, scratch));
  }
};

template <class Arch, class X, class Rq>
void add_sizes(const std::string& types) {
  for (const auto& [rows, cols, depth] : sizes)
    add_call("gemm/" + types + "_" + std::to_string(rows) + "x" + std::to_string(cols) + "x" + std::to_string(depth),
             product_call<Arch, X, Rq>{lb::dense_shape(rows, depth, cols)});
}

const bool registered = [] {
  add_controls();
  for_usable_archs([]<class Arch>(Arch) {
    add_sizes<Arch, int8_t, s8_codes>("s8s8s8q");
    add_sizes<Arch, uint8_t, u8_codes>("u8s8u8q");
    add_sizes<Arch, int8_t, lb::raw_accumulator<int32_t>>("s8s8s32");
  });
  return true;
}();

}  // namespace
