// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// A model whose weights are in a blob (graph/blob.hpp), with its blob.

#include <lowbits/graph/prepared.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// The blob outlives it.
template <class Model>
class bound_model {
public:
  constexpr bound_model() = default;  ///< of nothing: every run is refused
  /// status::ok, or why there is nothing to run: foreign where another model's or version's blob was
  /// given, or a damaged one.
  status error() const noexcept { return error_; }

  /// As Model::run and Model::observe.
  template <class... Io>
  status run(std::span<unsigned char> arena, Io&&... io) const noexcept {
    return observe(no_observer{}, arena, io...);
  }
  template <class Observer, class... Io>
  status observe(Observer&& observer, std::span<unsigned char> arena, Io&&... io) const noexcept {
    Model::require_expanded();
    if (error_ != status::ok) return error_;
    return layout::run(layout::template table<arch::native>(), nullptr, blob_, arena, observer, io...);
  }

  /// As those of Model. The blob is still read by layers that have no layout of their own on the
  /// architecture.
  prepared_model<Model> prepare(std::span<unsigned char> buffer) const noexcept {
    return prepare_for(select_arch(), buffer);
  }
  prepared_model<Model> prepare_for(arch_id id, std::span<unsigned char> buffer) const noexcept {
    return error_ != status::ok ? prepared_model<Model>::refused(error_) : prepared_model<Model>::make(id, blob_, buffer);
  }
  prepared_model<Model> attach(std::span<const unsigned char> buffer) const noexcept {
    return error_ != status::ok ? prepared_model<Model>::refused(error_) : prepared_model<Model>::attach(blob_, buffer);
  }

private:
  friend Model;
  using layout = model_layout<Model>;

  explicit bound_model(std::span<const unsigned char> blob) noexcept
      : error_(check_blob(blob, layout::fingerprint, layout::blob_bytes)), blob_(blob.data()) {}

  status error_ = status::unsupported;
  const unsigned char* blob_ = nullptr;
};

}  // namespace lowbits
