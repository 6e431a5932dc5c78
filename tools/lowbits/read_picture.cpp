// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "read_input.hpp"

#if defined(LOWBITS_TOOL_PICTURES)
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_ONLY_BMP
#define STBI_ONLY_PNM
#define STBI_MAX_DIMENSIONS 16384
#define STBI_NO_STDIO
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#endif
#include <stb_image.h>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
#endif

namespace tool {

#if defined(LOWBITS_TOOL_PICTURES)
picture read_picture(std::string_view command, const std::string& path, int channels) {
  const bytes file = read_file(command, path);
  if (file.size() > (size_t{1} << 30)) fail(command, path, "the picture has more than 2^30 bytes", "give a smaller one");
  picture p{.c = channels};
  int found = 0;
  unsigned char* const pixels =
      stbi_load_from_memory(file.data(), static_cast<int>(file.size()), &p.w, &p.h, &found, channels);
  if (pixels == nullptr)
    fail(command, path, lb::joined("the picture cannot be read (", stbi_failure_reason(), ")"),
         "give a PNG, JPEG, BMP or PNM file");
  p.pixels.assign(pixels, pixels + size_t{1} * static_cast<size_t>(p.w) * static_cast<size_t>(p.h) * static_cast<size_t>(channels));
  stbi_image_free(pixels);
  return p;
}
#else
picture read_picture(std::string_view command, const std::string& path, int) {
  fail(command, path, "this build of lowbits cannot read pictures", "install libstb-dev and build it again, or give a .npy file");
}
#endif

}  // namespace tool
