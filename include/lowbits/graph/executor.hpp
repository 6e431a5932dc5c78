// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What a run needs at run time: from a node's table entry to the pointers its step gets.

#include <span>
#include <type_traits>

#include <lowbits/core/bytes.hpp>
#include <lowbits/core/status.hpp>
#include <lowbits/graph/routes.hpp>
#include <lowbits/op/step.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// The steps of one architecture and where each one's prepared weights begin.
struct prepared_steps {
  const step* steps = nullptr;
  const size_t* packed_at = nullptr;
  const size_t* expanded_at = nullptr;  ///< null where no node has coded weights
};

struct run_memory {
  unsigned char* arena = nullptr;
  const void* const* in = nullptr;
  void* const* out = nullptr;
  const void* const* constants = nullptr;
  const unsigned char* blob = nullptr;

  void* address(const location& l) const noexcept {
    switch (l.where) {
      case memory::model_input:  // inputs and constants are only read: steps take them as const
        return const_cast<unsigned char*>(elements<unsigned char>(in[l.index])) + l.offset;
      case memory::model_output: return elements<unsigned char>(out[l.index]) + l.offset;
      case memory::constant:
        return const_cast<unsigned char*>(elements<unsigned char>(constants[l.index])) + l.offset;
      case memory::arena: break;
    }
    return arena + l.offset;
  }
  step_io operands(const route& r, const location* inputs,
                   const unsigned char* packed) const noexcept {
    step_io io;
    for (int k = 0; k < r.in_count; ++k) io.in[k] = address(inputs[r.first_in + k]);
    io.out = address(r.out);
    io.packed = packed;
    io.blob = blob;
    io.scratch = arena + r.scratch;
    return io;
  }
};

/// The caller's buffers, checked against the model's tensors.
template <class Model>
struct io_buffers {
  const void* in[Model::input_count + 1]{};
  void* out[Model::output_count + 1]{};

  template <class... Io>
  status bind(Io&... io) noexcept {
    status s = status::ok;
    [&]<int... I>(std::integer_sequence<int, I...>) {
      ((s = s == status::ok ? take<I>(io) : s), ...);
    }
    (std::make_integer_sequence<int, static_cast<int>(sizeof...(Io))>{});
    return s;
  }

private:
  template <int I, class Buffer>
  status take(Buffer& buffer) noexcept {
    if constexpr (I < Model::input_count) {
      const std::span<const typename Model::template input_type<I>> s(buffer);
      if (s.size() != Model::template input_desc<I>.count()) return status::wrong_size;
      in[I] = s.data();
    } else {
      constexpr int k = I - Model::input_count;
      const std::span<typename Model::template output_type<k>> s(buffer);
      if (s.size() != Model::template output_desc<k>.count()) return status::wrong_size;
      out[k] = s.data();
    }
    return status::ok;
  }
};

/// A node's result, as an observer sees it. data is valid during the call.
struct node_output {
  int index = 0;
  const char* name = "";
  op_kind kind = op_kind::input;
  const tensor_desc* desc = nullptr;
  const void* data = nullptr;
};

struct no_observer {};

constexpr const char* visible_name(const node_name& name) noexcept {
#if defined(LOWBITS_NO_STRINGS)
  static_cast<void>(name);
  return "";
#else
  return name.c_str();
#endif
}

}  // namespace lowbits
