// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Weights in the layout of one architecture, in a buffer of the caller's. The buffer starts with a
// header, so that one that was made for something else is recognised.

#include <span>

#include <lowbits/core/bytes.hpp>
#include <lowbits/core/status.hpp>
#include <lowbits/graph/layout.hpp>
#include <lowbits/kernel/layout_version.hpp>

namespace lowbits::inline LOWBITS_ABI {

struct prepared_header {
  uint32_t magic = 0x3162'6c51u;
  uint32_t layout_version = packed_layout_version;
  uint32_t arch = 0;
  uint32_t model = 0;     ///< fingerprint of the graph
  uint32_t contents = 0;  ///< fingerprint of its weights and biases
  uint32_t reserved = 0;
  uint64_t bytes = 0;  ///< of the whole buffer

  constexpr bool operator==(const prepared_header&) const = default;
};
static_assert(sizeof(prepared_header) <= packed_alignment);

template <class Model>
class bound_model;

template <class Model>
class prepared_model {
public:
  /// status::ok, or why there is nothing to run.
  status error() const noexcept { return error_; }
  arch_id arch() const noexcept { return arch_; }

  /// As Model::run, on the architecture the weights were prepared for.
  template <class... Io>
  status run(std::span<unsigned char> arena, Io&&... io) const noexcept {
    return observe(no_observer{}, arena, io...);
  }
  template <class Observer, class... Io>
  status observe(Observer&& observer, std::span<unsigned char> arena, Io&&... io) const noexcept {
    if (error_ != status::ok) return error_;
    return layout::run(table_, packed_, blob_, arena, observer, io...);
  }

private:
  friend Model;
  friend bound_model<Model>;
  using layout = model_layout<Model>;

  static prepared_header header(arch_id arch, const unsigned char* blob, uint64_t bytes) noexcept {
    return {.arch = static_cast<uint32_t>(arch),
            .model = layout::fingerprint,
            .contents = layout::contents(blob),
            .bytes = bytes};
  }
  static prepared_model refused(status why) noexcept {
    prepared_model p;
    p.error_ = why;
    return p;
  }
  template <class Arch>
  static prepared_model ready(const unsigned char* blob, const unsigned char* buffer) noexcept {
    prepared_model p;
    p.error_ = status::ok;
    p.arch_ = arch_id_of<Arch>;
    p.table_ = layout::template table<Arch>();
    p.packed_ = buffer;
    p.blob_ = blob;
    return p;
  }

  static prepared_model make(arch_id id, const unsigned char* blob, std::span<unsigned char> buffer) noexcept {
    if (!is_aligned(buffer.data(), packed_alignment)) return refused(status::misaligned);
    prepared_model result = refused(status::unsupported);
    with_usable_arch(id, [&]<class Arch>(Arch) {
      constexpr size_t end = layout::template packed_end<Arch>;
      if (buffer.size() < layout::template packing_end<Arch>)
        return void(result = refused(status::too_small));
      fill_elements(buffer.data(), static_cast<unsigned char>(0), sizeof(prepared_header));
      if (const status s = layout::pack(layout::template table<Arch>(), blob, buffer.data(), end); s != status::ok)
        return void(result = refused(s));
      const prepared_header h = header(arch_id_of<Arch>, blob, end);
      copy_elements(reinterpret_cast<const unsigned char*>(&h), buffer.data(), sizeof h);
      result = ready<Arch>(blob, buffer.data());
    });
    return result;
  }
  static prepared_model attach(const unsigned char* blob, std::span<const unsigned char> buffer) noexcept {
    if (buffer.size() < sizeof(prepared_header)) return refused(status::too_small);
    if (!is_aligned(buffer.data(), packed_alignment)) return refused(status::misaligned);
    prepared_header h;
    copy_elements(buffer.data(), reinterpret_cast<unsigned char*>(&h), sizeof h);
    prepared_model result = refused(status::foreign);
    with_arch(static_cast<arch_id>(h.arch), [&]<class Arch>(Arch) {
      if (h != header(arch_id_of<Arch>, blob, layout::template packed_end<Arch>)) return;
      if (!is_usable<Arch>()) return void(result = refused(status::unsupported));
      if (buffer.size() < h.bytes) return void(result = refused(status::too_small));
      result = ready<Arch>(blob, buffer.data());
    });
    return result;
  }

  status error_ = status::unsupported;
  arch_id arch_{};
  typename layout::step_table table_{};
  const unsigned char* packed_ = nullptr;
  const unsigned char* blob_ = nullptr;
};

}  // namespace lowbits
