// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A compiled integer network behind plain functions, so that each one is a translation unit of its
// own (network.cpp, compiled once per version).

#include <span>
#include <string>
#include <vector>

#include "digits_data.hpp"

namespace digits {

struct network {
  const char* name;
  std::size_t weight_bytes;      ///< weights and biases, as stored
  std::size_t arena_bytes;       ///< with portable kernels, as on a microcontroller
  std::size_t arena_bytes_here;  ///< enough for every architecture of this build

  /// The ten logits of image i as real numbers, on the unprepared weights.
  bool (*logits)(const image_set& images, int i, float* real);
  /// The architectures of this processor that give other bits than these logits of the images from
  /// `first` on; "" is the promise kept. Every third image is tried.
  std::string (*differing)(const image_set& images, int first,
                           const std::vector<std::vector<float>>& logits);
  /// What this processor runs it on; "generic" where no layer has anything faster.
  const char* (*best_arch)();
  /// Microseconds per image on the named architecture.
  double (*time)(const image_set& images, int first, const char* arch);
};

extern const network network_int8, network_w6a8, network_w4a8, network_w3a8, network_w2a8,
    network_w1a8, network_a16w8, network_a16w16, network_a16w16ec;

}  // namespace digits
