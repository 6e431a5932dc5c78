// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "read_input.hpp"

#if defined(LOWBITS_TOOL_SOUND)
#include <sndfile.h>

#include <memory>
#endif

namespace tool {

#if defined(LOWBITS_TOOL_SOUND)
sound read_sound(std::string_view command, const std::string& path) {
  static_cast<void>(read_file(command, path));  // for its message
  SF_INFO info{};
  const std::unique_ptr<SNDFILE, int (*)(SNDFILE*)> file(sf_open(path.c_str(), SFM_READ, &info), sf_close);
  if (file == nullptr)
    fail(command, path, lb::joined("the sound cannot be read (", sf_strerror(nullptr), ")"), "give a WAV, FLAC or OGG file");
  sound s{.channels = info.channels, .rate = info.samplerate};
  // The header's number of frames is not believed: what is there is read piece by piece.
  constexpr size_t piece = 65536, longest = size_t{1} << 28;
  for (;;) {
    const size_t before = s.samples.size();
    s.samples.resize(before + piece * static_cast<size_t>(info.channels));
    const sf_count_t frames = sf_readf_float(file.get(), s.samples.data() + before, piece);
    s.samples.resize(before + static_cast<size_t>(frames < 0 ? 0 : frames) * static_cast<size_t>(info.channels));
    if (frames <= 0) return s;
    if (s.samples.size() > longest) fail(command, path, "the sound has more than 2^28 samples", "give a shorter one");
  }
}
#else
sound read_sound(std::string_view command, const std::string& path) {
  fail(command, path, "this build of lowbits cannot read sound", "install libsndfile1-dev and build it again, or give a .npy file");
}
#endif

}  // namespace tool
