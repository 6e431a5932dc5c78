// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Slice, Split, Pad; and Shape and Gather of shapes, which exporters write in front of a Reshape.

#include <lowbits/hosted/onnx/moves.hpp>

namespace lowbits::inline LOWBITS_ABI::onnx {

/// Of one axis: the first element, how many, and the step.
struct axis_slice {
  int begin = 0, extent = 0, step = 1;
};
inline axis_slice fit_slice(importer& m, int64_t start, int64_t end, int64_t step, int extent) {
  m.require(step != 0, "a step is 0", "use another one");
  if (start < 0) start += extent;
  if (end < 0) end += extent;
  start = clamp<int64_t>(start, 0, step > 0 ? extent : extent - 1);
  end = step > 0 ? clamp<int64_t>(end, 0, extent) : clamp<int64_t>(end, -1, extent - 1);
  const int64_t length = step > 0 ? ceil_div(larger<int64_t>(end - start, 0), step) : ceil_div(larger<int64_t>(start - end, 0), -step);
  m.require(length >= 1, "nothing is left of an axis", "keep at least one element");
  return {static_cast<int>(start), static_cast<int>(length), static_cast<int>(step)};
}

/// Output k: these parts of the axes of x.
inline void define_slice(importer& m, value& x, const std::vector<axis_slice>& parts, int k = 0) {
  shape_list shape;
  for (const axis_slice& p : parts) shape.push_back(p.extent);
  if (x.known != nullptr && x.rank() == 1 && !is_real(x.known->type)) {
    m.charge_numbers(count_of(shape));
    constant c{.type = x.known->type, .shape = shape};
    for (int i = 0; i < parts[0].extent; ++i) c.integers.push_back(x.known->integers[static_cast<size_t>(parts[0].begin + i * parts[0].step)]);
    return m.define_known(k, std::move(c));
  }
  stored& s = current_form(m, x);
  const bool image = s.plain.node < 0;
  const edge from = s.any();
  const tensor_shape whole = m.graph().desc(from).shape;
  slice_options o;
  o.begin.count = o.extent.count = o.step.count = whole.rank;
  for (int a = 0; a < whole.rank; ++a) o.extent.value[a] = whole.extent[a], o.step.value[a] = 1;
  for (int a = 0; a < x.rank(); ++a) {
    const int at = image ? image_axis(a, x.rank()) : a;
    const axis_slice& p = parts[static_cast<size_t>(a)];
    o.begin.value[at] = p.begin;
    o.extent.value[at] = p.extent;
    o.step.value[at] = p.step;
  }
  const edge e = m.graph().slice(m.name({}, k), from, o);
  m.check_graph();
  value& y = m.define(k, x.type, shape);
  (m.graph().desc(e).kind == element::reals ? y.reals : y.codes) = image ? stored{{}, e} : stored{e, {}};
  m.record(y.name, k);
}
inline std::vector<axis_slice> whole_of(const value& x) {
  std::vector<axis_slice> parts;
  for (const int e : x.shape) parts.push_back({0, e, 1});
  return parts;
}

inline void slice(importer& m) {
  const bool is_old = m.opset() < 10;
  m.expect(is_old ? 1 : 3, is_old ? 1 : 5);
  value& x = m.input(0);
  const std::vector<int> starts = is_old ? m.integers("starts") : m.integers(1), ends = is_old ? m.integers("ends") : m.integers(2);
  std::vector<int> axes = is_old ? m.integers("axes") : m.has_input(3) ? m.integers(3) : std::vector<int>{};
  std::vector<int> steps = !is_old && m.has_input(4) ? m.integers(4) : std::vector<int>(starts.size(), 1);
  if (axes.empty())
    for (size_t a = 0; a < starts.size(); ++a) axes.push_back(static_cast<int>(a));
  m.require(ends.size() == starts.size() && axes.size() == starts.size() && steps.size() == starts.size(),
            "starts, ends, axes and steps have different lengths", "export the model again");
  std::vector<axis_slice> parts = whole_of(x);
  std::vector<bool> seen(parts.size(), false);
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto a = static_cast<size_t>(m.axis_of(axes[i], x.rank()));
    m.require(!seen[a], "an axis is there twice", "name every axis once");
    seen[a] = true;
    parts[a] = fit_slice(m, starts[i], ends[i], steps[i], x.shape[a]);
  }
  define_slice(m, x, parts);
}

inline void split(importer& m) {
  m.expect(1, 2, 64);
  value& x = m.input(0);
  const int axis = m.axis_of(m.integer("axis", 0), x.rank()), count = m.output_count(), extent = x.extent(axis);
  std::vector<int> sizes = m.opset() < 13 ? m.integers("split") : m.has_input(1) ? m.integers(1) : std::vector<int>{};
  if (sizes.empty()) {
    // The last part may be smaller, since set 18.
    const int each = static_cast<int>(ceil_div(int64_t{extent}, int64_t{count}));
    for (int k = 0, left = extent; k < count; ++k, left -= each) sizes.push_back(smaller(each, left));
  }
  m.require(sizes.size() == static_cast<size_t>(count), joined("there are ", sizes.size(), " sizes for ", count, " outputs"), "export the model again");
  int64_t begin = 0;
  for (int k = 0; k < count; ++k) {
    const int size = sizes[static_cast<size_t>(k)];
    m.require(size >= 1 && begin + size <= extent, joined("the sizes do not fit the extent ", extent), "export the model again");
    std::vector<axis_slice> parts = whole_of(x);
    parts[static_cast<size_t>(axis)] = {static_cast<int>(begin), size, 1};
    if (m.has_output(k)) define_slice(m, x, parts, k);
    begin += size;
  }
  m.require(begin == extent, joined("the sizes do not fit the extent ", extent), "export the model again");
}

inline void pad(importer& m) {
  m.expect(1, 4);
  value& x = m.input(0);
  m.require(m.text("mode", "constant") == "constant", "the mode is not 'constant'", "pad with a number");
  const bool is_old = m.opset() < 11;
  const std::vector<int> pads = is_old ? m.integers("pads") : m.integers(1);
  float number = is_old ? m.number("value", 0.0f) : 0.0f;
  if (!is_old && m.has_input(2)) {
    const value& v = m.input(2);
    m.require(v.known != nullptr && v.count() == 1 && is_real(v.known->type), "the value is not a constant float", "give it as one");
    number = v.known->reals[0];
  }
  std::vector<int> axes;
  if (!is_old && m.has_input(3)) axes = m.integers(3);
  else
    for (int a = 0; a < x.rank(); ++a) axes.push_back(a);
  m.require(pads.size() == 2 * axes.size(), joined("there are ", pads.size(), " pads for ", axes.size(), " axes"), "export the model again");
  m.require_floats({&x});
  m.require(fp::is_finite(number), "the value is not finite", "pad with a number");
  stored& s = current_form(m, x);
  const bool image = s.plain.node < 0;
  const edge from = s.any();
  const tensor_desc d = m.graph().desc(from);
  pad_options o;
  o.before.count = o.after.count = d.shape.rank;
  shape_list shape = x.shape;
  for (size_t i = 0; i < axes.size(); ++i) {
    const int a = m.axis_of(axes[i], x.rank()), at = image ? image_axis(a, x.rank()) : a;
    const int before = pads[i], after = pads[i + axes.size()];
    m.require(infer::is_small(before, 0) && infer::is_small(after, 0), "pads has a number that is negative or above 32767", "use Slice, or smaller pads");
    m.require(o.before.value[at] == 0 && o.after.value[at] == 0, "an axis is there twice", "name every axis once");
    m.require(int64_t{shape[static_cast<size_t>(a)]} + before + after <= highest_of<int32_t>, "the output is too large", "pad less");
    o.before.value[at] = before;
    o.after.value[at] = after;
    shape[static_cast<size_t>(a)] += before + after;
  }
  // Codes stand for the number exactly where it is 0, and nearly elsewhere.
  if (d.kind == element::reals) o.value = pad_value(number);
  else if (number != 0.0f) o.value = pad_value(code_of(number, d.format, d.params));
  const edge e = m.graph().pad(m.name(), from, o);
  define_moved(m, x, shape, image ? stored{{}, e} : stored{e, {}});
}

inline void shape(importer& m) {
  m.expect(1, 1);
  const value& x = m.input(0);
  const int rank = x.rank();
  const auto end_of = [&](int64_t at) { return static_cast<int>(clamp<int64_t>(at < 0 ? at + rank : at, 0, rank)); };
  const int begin = end_of(clamp<int64_t>(m.integer("start", 0), -64, 64)), end = end_of(clamp<int64_t>(m.integer("end", rank), -64, 64));
  constant c{.type = data_type::INT64, .shape = {larger(end - begin, 0)}};
  for (int a = begin; a < end; ++a) c.integers.push_back(x.extent(a));
  m.define_known(0, std::move(c));
}

/// Of a constant vector of integers, as Shape gives it.
inline void gather(importer& m) {
  m.expect(2, 2);
  const value &x = m.input(0), &at = m.input(1);
  m.require(x.known != nullptr && !is_real(x.known->type) && x.rank() == 1 && at.known != nullptr && !is_real(at.known->type),
            "it does not pick from a constant vector of integers", "use Slice");
  m.axis_of(m.integer("axis", 0), 1);
  m.charge_numbers(at.count());
  constant c{.type = x.known->type, .shape = at.shape};
  for (const int32_t i : at.known->integers)
    c.integers.push_back(x.known->integers[static_cast<size_t>(m.axis_of(i, x.extent(0)))]);
  m.define_known(0, std::move(c));
}

}  // namespace lowbits::onnx
