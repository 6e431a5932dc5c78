// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Layers that move elements and never change them: Split, Dropout, Noop, Flatten, Reshape, Permute,
// Concat, Slice, ShuffleChannel, Padding; codes stay codes. And Interp, which makes new floats.

#include <lowbits/hosted/ncnn/maps.hpp>
#include <lowbits/ref/resize.hpp>

namespace lowbits::inline LOWBITS_ABI::ncnn {

/// Every output is the input.
inline void alias(importer& m) {
  m.require(m.bottom_count() == 1 && m.top_count() >= 1, "the layer has not one input");
  for (size_t k = 0; k < m.top_count(); ++k) m.define(m.x(), k);
}
inline void dropout(importer& m) {
  m.require_counts(1, 1);
  const float scale = m.real(0, 1.0f);
  if (scale == 1.0f) alias(m);
  else define_map(m, [&](edge e) { return times(m, {}, e, scale); });
}

inline void define_reshaped(importer& m, const tensor_shape& s) {
  m.require_counts(1, 1);
  value& x = m.x();
  m.require(s.count() == x.shape.count(), joined("the shape ", text_of(s), " has another number of elements than ",
                                                 text_of(x.shape)));
  if (s == x.shape) return m.define(x);
  m.define(importer::planar_value(s, m.reshaped(m.planar(x), s, {})));
}
inline void flatten(importer& m) {
  define_reshaped(m, {1, {saturate<int32_t>(static_cast<int64_t>(m.x().shape.count()))}});
}
/// Parameters 0, 1, 2: columns, rows, channels; 0 keeps an extent, -1 is what remains.
inline void reshape(importer& m) {
  constexpr int not_there = -233;
  m.require(!m.has(11) && !m.has(6), "the new shape has four axes or is an expression", "use up to three extents");
  const tensor_shape in = m.x().shape;
  tensor_shape s;
  int open = -1;
  int64_t known = 1;
  for (const int number : {2, 1, 0}) {
    int extent = m.integer(number, not_there);
    if (extent == not_there && s.rank == 0) continue;
    if (extent == 0) {
      // Columns, rows and channels of fewer axes are 1.
      const int from = in.rank - 1 - number;
      extent = number == 2 ? (in.rank == 3 ? in.extent[0] : 1) : from >= 0 ? in.extent[from] : 1;
    }
    m.require(extent >= 1 || (extent == -1 && open < 0), joined("the new shape has an extent of ", extent));
    if (extent == -1) open = s.rank;
    else known *= extent;
    m.require(known <= highest_of<int32_t>, "the new shape has too many elements");
    s.extent[s.rank++] = extent;
  }
  m.require(s.rank >= 1, "the new shape has no axis");
  if (open >= 0) s.extent[open] = larger(1, static_cast<int>(static_cast<int64_t>(in.count()) / known));
  define_reshaped(m, s);
}

/// The orders of Permute, in ncnn's numbers: axis i of the output is input axis order[i].
inline void permute(importer& m) {
  m.require_counts(1, 1);
  value& x = m.x();
  const int kind = m.integer(0, 0);
  const int count = x.shape.rank == 1 ? 1 : x.shape.rank == 2 ? 2 : 6;
  m.require(kind >= 0 && (kind < count || x.shape.rank == 1), joined("the order ", kind, " is unknown"), "use one of 0 to 5");
  if (kind == 0 || x.shape.rank == 1) return m.define(x);
  if (x.shape.rank == 2) {
    const tensor_shape s{2, {x.shape.extent[1], x.shape.extent[0]}};
    return m.define(importer::planar_value(s, m.transposed(x.planar, s, {1, 0}, {})));
  }
  if (kind == 3) {  // channels last: the order of the graph's own images
    const edge e = m.image(x);
    return m.define(importer::planar_value(m.desc(e).shape, e));
  }
  constexpr int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  const int* const o = orders[kind];
  const tensor_shape s{3, {x.shape.extent[o[0]], x.shape.extent[o[1]], x.shape.extent[o[2]]}};
  m.define(importer::planar_value(s, m.transposed(m.planar(x), s, {o[0], o[1], o[2]}, {})));
}

/// Counted from the end where negative.
inline int axis_of(const importer& m, int axis, int rank) {
  m.require(axis >= -rank && axis < rank, joined("the axis ", axis, " is outside of the ", rank, " axes"));
  return axis < 0 ? axis + rank : axis;
}
/// An axis of channels, rows, columns in an image of the graph.
constexpr int image_axis(int axis) noexcept { return axis == 0 ? 2 : axis - 1; }

inline void concat(importer& m) {
  m.require(m.bottom_count() >= 1 && m.top_count() == 1, "the layer has no input, or not one output");
  const int rank = m.x().shape.rank, axis = axis_of(m, m.integer(0, 0), rank);
  bool are_images = rank == 3;
  for (size_t k = 0; k < m.bottom_count(); ++k) {
    m.require(m.x(k).shape.rank == rank, joined("input ", k, " has another number of axes than the first"));
    are_images = are_images && m.x(k).image.node >= 0;
  }
  std::vector<edge> parts;
  for (size_t k = 0; k < m.bottom_count(); ++k) parts.push_back(are_images ? m.image(m.x(k)) : m.planar(m.x(k)));
  edge all = parts[0];
  if (parts.size() > 1)
    all = concat_in_groups(parts, [&](const edge_list& list, bool is_last) {
      return m.checked(m.graph().concat(m.name(is_last ? "" : "part"), list, are_images ? image_axis(axis) : axis));
    });
  m.define(are_images ? m.image_value(all) : importer::planar_value(m.desc(all).shape, all));
}

/// Piece k of x along an axis of ncnn's order.
inline void define_slice(importer& m, value& x, int axis, int begin, int extent, size_t k) {
  const bool is_image = x.image.node >= 0;
  const edge e = is_image ? x.image : x.planar;
  const int at = is_image ? image_axis(axis) : axis;
  slice_options o{.extent = list_of(m.desc(e).shape)};
  o.begin.count = o.extent.count;
  o.begin.value[at] = begin;
  o.extent.value[at] = extent;
  const edge y = m.checked(m.graph().slice(m.name({}, k), e, o));
  m.define(is_image ? m.image_value(y) : importer::planar_value(m.desc(y).shape, y), k);
}
/// Extents of the pieces (-233: an equal share of what is left), or the positions where they begin.
inline void slice(importer& m) {
  m.require(m.bottom_count() == 1 && m.top_count() >= 1, "the layer has not one input, or no output");
  const std::vector<int> extents = m.integers(0), positions = m.integers(2);
  value& x = m.x();
  const int axis = axis_of(m, m.integer(1, 0), x.shape.rank), all = x.shape.extent[axis];
  const size_t n = m.top_count();
  m.require(!positions.empty() ? positions.size() + 1 == n : extents.size() == n,
            joined("the pieces that are described are not the ", n, " outputs"));
  int64_t begin = 0;
  for (size_t k = 0; k < n; ++k) {
    int64_t extent = all - begin;
    if (!positions.empty()) {
      if (k + 1 < n) extent = (positions[k] < 0 ? int64_t{all} + positions[k] : positions[k]) - begin;
    } else {
      extent = extents[k] == -233 ? (all - begin) / static_cast<int64_t>(n - k) : extents[k];
    }
    m.require(extent >= 1 && begin + extent <= all, joined("piece ", k, " leaves the input"));
    define_slice(m, x, axis, static_cast<int>(begin), static_cast<int>(extent), k);
    begin += extent;
  }
}

/// Channels as a matrix [groups][channels / groups], transposed.
inline void shuffle_channel(importer& m) {
  m.require_counts(1, 1);
  value& x = m.x();
  const int channels = x.shape.extent[0], stated = m.integer(0, 1);
  m.require(x.is_image(), joined("the input has the shape ", text_of(x.shape), " instead of three axes"));
  m.require(stated >= 1 && channels % stated == 0, joined(stated, " groups do not divide ", channels, " channels"));
  const int groups = m.integer(1, 0) != 0 ? channels / stated : stated, each = channels / groups;
  const bool is_image = x.image.node >= 0;
  const tensor_shape s = m.desc(importer::any(x)).shape;
  const tensor_shape apart = is_image ? tensor_shape{4, {s.extent[0], s.extent[1], groups, each}}
                                      : tensor_shape{4, {groups, each, s.extent[1], s.extent[2]}};
  const tensor_shape turned = is_image ? tensor_shape{4, {s.extent[0], s.extent[1], each, groups}}
                                       : tensor_shape{4, {each, groups, s.extent[1], s.extent[2]}};
  const edge e = m.reshaped(importer::any(x), apart, "groups");
  const edge t = m.transposed(e, turned, is_image ? axis_list{0, 1, 3, 2} : axis_list{1, 0, 2, 3}, "turned");
  m.define(importer::like(x, m.reshaped(t, s, {})));
}

/// A vector becomes an image that repeats each number; the rows of a matrix are resized alone.
inline void interp(importer& m) {
  m.require_counts(1, 1);
  value& x = m.x();
  m.require_reals(x);
  const int kind = m.integer(0, 0);
  m.require(!m.has(9) && m.integer(5, 0) == 0, "the size is an expression or that of another blob", "state the size");
  const edge e = x.shape.rank == 1 ? m.reshaped(x.planar, {3, {1, 1, x.shape.extent[0]}}, "hwc") : m.image(x);
  const int h = m.desc(e).shape.extent[0], w = m.desc(e).shape.extent[1];
  const float scale_h = m.real(1, 1.0f), scale_w = m.real(2, 1.0f);
  resize_options o{.out_h = m.integer(3, 0), .out_w = m.integer(4, 0)};
  const bool by_scale = o.out_h == 0 || o.out_w == 0;
  if (by_scale) {
    const double high = static_cast<double>(fp::product(static_cast<float>(h), scale_h)),
                 wide = static_cast<double>(fp::product(static_cast<float>(w), scale_w));
    m.require(high >= 0 && wide >= 0 && high < 1e6 && wide < 1e6, "the new size is not in 1 to 1000000");
    o.out_h = static_cast<int>(high);
    o.out_w = static_cast<int>(wide);
  }
  m.require(o.out_h >= 1 && o.out_w >= 1 && o.out_h < (1 << 20) && o.out_w < (1 << 20), "the new size is not in 1 to 2^20");
  if (x.shape.rank == 2) o.out_h = h;
  if (x.shape.rank != 1) {
    m.require(kind == 1 || kind == 2, joined("the kind ", kind, " is not supported"), "use 1 (nearest) or 2 (bilinear)");
    if (o.out_h == h && o.out_w == w) return m.define(x);
    o.align_corners = kind == 2 && m.integer(6, 0) != 0;
    o.half_pixel_centers = kind == 2 && !o.align_corners;
    if (kind == 2) o.mode = resize_mode::bilinear;
    // Where a factor is stated, ncnn takes its reciprocal for the distance between source positions; for
    // kind 2 some versions do, which does not matter where the factor gives whole extents.
    const auto agree = [&](int in, int out, float factor) {
      for (int i = 0; i < out; ++i)
        if (smaller(static_cast<int>(fp::product(static_cast<float>(i), fp::quotient(1.0f, factor))), in - 1) !=
            ref::nearest_source(i, in, out, false, false))
          return false;
      return true;
    };
    if (by_scale && kind == 2)
      m.require((x.shape.rank == 2 || static_cast<float>(o.out_h) == fp::product(static_cast<float>(h), scale_h)) &&
                    static_cast<float>(o.out_w) == fp::product(static_cast<float>(w), scale_w),
                "the factor does not give a whole number of rows and columns", "state the size");
    if (by_scale && kind == 1)
      m.require(agree(w, o.out_w, scale_w) && (x.shape.rank == 2 || agree(h, o.out_h, scale_h)),
                "the factor leads to other positions than the size", "state the size");
    m.require(kind != 2 || (w > 1 && h > 1) || x.shape.rank == 2, "an image of one row or column is interpolated", "use the kind 1");
  }
  m.is_real();
  const edge y = m.checked(m.graph().resize(m.name(), e, o));
  if (x.shape.rank != 2) return m.define(m.image_value(y));
  const tensor_shape out{2, {h, o.out_w}};
  m.define(importer::planar_value(out, m.reshaped(y, out, "rows")));
}

inline void pad(importer& m) {
  m.require_counts(1, 1);
  m.require(m.integer(4, 0) == 0, "the padding repeats or mirrors the image", "use a constant (type 0)");
  m.require(m.integer(6, 0) == 0, "the padding has a value per channel", "use one value");
  value& x = m.x();
  const int rank = x.shape.rank;
  // By axis of [channels][rows][columns].
  const int before[3] = {m.integer(7, 0), m.integer(0, 0), m.integer(2, 0)};
  const int after[3] = {m.integer(8, 0), m.integer(1, 0), m.integer(3, 0)};
  pad_options o;
  const bool is_image = x.image.node >= 0;
  o.before.count = o.after.count = rank;
  for (int a = 0; a < 3; ++a) {
    m.require(infer::is_small(before[a], 0) && infer::is_small(after[a], 0), "a pad is not in 0 to 32767");
    const int own = a - (3 - rank);
    m.require(own >= 0 || (before[a] == 0 && after[a] == 0), "an axis is padded that the input does not have");
    if (own < 0) continue;
    o.before.value[is_image ? image_axis(own) : own] = before[a];
    o.after.value[is_image ? image_axis(own) : own] = after[a];
  }
  const float around = m.real(5, 0);
  if (m.are_codes(x)) {
    m.require(around >= -127 && around <= 127, "the value of the padding is no code", "use one in -127 to 127");
    o.value = static_cast<int>(around);
  } else {
    o.value = around;
  }
  const edge y = m.checked(m.graph().pad(m.name(), is_image ? x.image : x.planar, o));
  m.define(is_image ? m.image_value(y) : importer::planar_value(m.desc(y).shape, y));
}

}  // namespace lowbits::ncnn
