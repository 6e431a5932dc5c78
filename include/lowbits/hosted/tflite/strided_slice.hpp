// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// STRIDED_SLICE: begin, end and stride per axis as numpy has them, with masks for those that are
// left out, for axes that are added and for axes that are dropped.

#include <lowbits/hosted/tflite/moves.hpp>

namespace lowbits::inline LOWBITS_ABI::tflite {

struct slice_axis {
  int begin = 0, count = 0, step = 1;
};
/// The indices that begin:end:step takes of an axis.
inline slice_axis indices_of(int64_t begin, int64_t end, int step, int extent, bool whole_begin,
                             bool whole_end) noexcept {
  const int64_t lowest = step > 0 ? 0 : -1, highest = step > 0 ? extent : extent - 1;
  const auto inside = [&](int64_t i) { return clamp(i < 0 ? i + extent : i, lowest, highest); };
  const int64_t first = whole_begin ? (step > 0 ? lowest : highest) : inside(begin);
  const int64_t last = whole_end ? (step > 0 ? highest : lowest) : inside(end);
  const int64_t span = step > 0 ? last - first : first - last, by = step > 0 ? step : -int64_t{step};
  return {static_cast<int>(first), static_cast<int>(span > 0 ? (span + by - 1) / by : 0), step};
}

inline void strided_slice(importer& m) {
  const auto& f = m.options<schema::StridedSliceOptions>();
  const std::vector<int> begin = m.integers(m.input(1)), end = m.integers(m.input(2)),
                         step = m.integers(m.input(3));
  m.require(begin.size() == end.size() && begin.size() == step.size() && begin.size() < 32,
            "begin, end and strides have different lengths", "export the model again");
  const edge x = m.x(0);
  const tensor_shape s = m.graph().desc(x).shape;
  const auto is_set = [](int mask, size_t bit) { return (mask >> bit & 1) != 0; };
  // Axes of the input that the entries behind an ellipsis take.
  int taken = 0;
  for (size_t k = 0; k < begin.size(); ++k)
    if (!is_set(f.new_axis_mask(), k) && !is_set(f.ellipsis_mask(), k)) ++taken;
  m.require(taken <= s.rank, "there are more entries than axes", "export the model again");

  slice_options o{.extent = list_of(s)};
  o.begin.count = o.step.count = s.rank;
  for (int& v : o.step.value) v = 1;
  axis_list shape;  // with added and without dropped axes
  const auto keep_axis = [&](int extent) {
    m.require(shape.count < max_rank, "the output has more than 6 axes", "use up to 6 axes");
    shape.value[shape.count++] = extent;
  };
  int axis = 0;
  bool has_ellipsis = false;
  for (size_t k = 0; k < begin.size(); ++k) {
    if (is_set(f.ellipsis_mask(), k)) {
      m.require(!has_ellipsis, "there are two ellipses", "export the model again");
      has_ellipsis = true;
      for (int n = s.rank - taken; n > 0; --n, ++axis) keep_axis(s.extent[axis]);
      continue;
    }
    if (is_set(f.new_axis_mask(), k)) {
      keep_axis(1);
      continue;
    }
    const int extent = s.extent[axis];
    m.require(step[k] != 0, "a stride is 0", "export the model again");
    // With an offset, the end is counted from the beginning.
    const int64_t stop = f.offset() ? int64_t{begin[k]} + end[k] : int64_t{end[k]};
    slice_axis i = indices_of(begin[k], stop, step[k], extent, is_set(f.begin_mask(), k),
                              is_set(f.end_mask(), k));
    if (is_set(f.shrink_axis_mask(), k)) {
      // One index; the end does not count.
      const int64_t at = is_set(f.begin_mask(), k) ? 0 : begin[k] < 0 ? int64_t{begin[k]} + extent : begin[k];
      m.require(at >= 0 && at < extent, joined("the index ", begin[k], " is outside of the axis"),
                "export the model again");
      i = {static_cast<int>(at), 1, 1};
    } else {
      m.require(i.count >= 1, "the slice is empty", "export the model again");
      keep_axis(i.count);
    }
    o.begin.value[axis] = i.begin;
    o.extent.value[axis] = i.count;
    o.step.value[axis] = i.step;
    ++axis;
  }
  for (; axis < s.rank; ++axis) keep_axis(s.extent[axis]);
  if (shape.count == 0) shape = {1};  // one number

  bool same = shape.count == s.rank;
  for (int a = 0; same && a < s.rank; ++a) same = shape.value[a] == o.extent.value[a];
  edge e = m.graph().slice(same ? m.name() : m.name("slice"), x, o);
  if (!same) e = m.graph().reshape(m.name(), e, shape);
  m.define_copied(e);
}

}  // namespace lowbits::tflite
