// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Layers that combine blobs element by element: BinaryOp, Eltwise.

#include <lowbits/hosted/ncnn/maps.hpp>

namespace lowbits::inline LOWBITS_ABI::ncnn {

/// v seen with `rank` axes, as ncnn does for the one with fewer: a vector as long as the other's
/// outermost axis counts along that one, any other along the last; a matrix gets a third axis behind.
inline value widened_to(importer& m, value& v, const value& other, size_t k) {
  const int rank = other.shape.rank;
  if (v.shape.rank >= rank) return v;
  tensor_shape s{rank, {1, 1, 1}};
  if (v.shape.rank == 2) {
    s = {3, {v.shape.extent[0], v.shape.extent[1], 1}};
  } else {
    const int n = v.shape.extent[0];
    s.extent[n == other.shape.extent[0] ? 0 : rank - 1] = n;
  }
  return importer::planar_value(s, m.reshaped(v.planar, s, joined("operand", k)));
}

enum class pair_kind : uint8_t { add, sub, mul, div, maximum, minimum, power };

inline edge pair_of(importer& m, std::string_view purpose, edge x, edge y, pair_kind kind) {
  auto& g = m.graph();
  switch (kind) {
    case pair_kind::add: return plus(m, purpose, x, y);
    case pair_kind::sub: return m.checked(g.sub(m.name(purpose), x, y, {}));
    case pair_kind::mul: return times(m, purpose, x, y);
    case pair_kind::maximum: return m.checked(g.maximum(m.name(purpose), x, y, {}));
    case pair_kind::minimum: return m.checked(g.minimum(m.name(purpose), x, y, {}));
    case pair_kind::div:
    case pair_kind::power: break;
  }
  infer::verdict v;
  const tensor_desc out{.shape = infer::broadcast(m.desc(x).shape, m.desc(y).shape, v), .kind = element::reals};
  m.check(v);
  return m.custom(purpose, {x, y}, out, kind == pair_kind::power ? imported::power : imported::quotient);
}

/// The two values as edges of one order; is_image where that is rows, columns, channels.
inline value pair_values(importer& m, std::string_view purpose, value& x, value& y, pair_kind kind) {
  const bool is_image = x.is_image() && y.is_image() && (x.planar.node < 0 || y.planar.node < 0);
  if (is_image) return m.image_value(pair_of(m, purpose, m.image(x), m.image(y), kind));
  const edge e = pair_of(m, purpose, m.planar(x), m.planar(y), kind);
  return importer::planar_value(m.desc(e).shape, e);
}

/// BinaryOp with a number on the right, or on the left where the operation is a reversed one. A quotient
/// in double rounds to the same float as one in float.
inline edge with_number(importer& m, edge x, int kind, float b) {
  const auto number = [&] { return m.constant("number", {1, {1}}, {b}); };
  switch (kind) {
    case 0: return plus(m, {}, x, b);
    case 1: return plus(m, {}, x, -b);
    case 2: return times(m, {}, x, b);
    case 3: return m.checked(m.graph().function(m.name(), x, functions::divided, {}, static_cast<double>(b)));
    case 4: return at_least(m, {}, x, b);
    case 5: return at_most(m, {}, x, b);
    case 6: return pair_of(m, {}, x, number(), pair_kind::power);
    case 7: return pair_of(m, {}, number(), x, pair_kind::sub);
    case 8: return m.checked(m.graph().function(m.name(), x, functions::divides, {}, static_cast<double>(b)));
    default: return pair_of(m, {}, number(), x, pair_kind::power);
  }
}

/// Operations of BinaryOp: add, sub, mul, div, max, min, pow, rsub, rdiv, rpow.
inline void binary_op(importer& m) {
  const int kind = m.integer(0, 0);
  m.require(kind >= 0 && kind <= 9, joined("the operation ", kind, " is not supported"), "use one of 0 to 9");
  if (m.integer(1, 0) != 0) {
    const float b = m.real(2, 0);
    return define_map(m, [&](edge e) { return with_number(m, e, kind, b); });
  }
  m.require_counts(2, 1);
  constexpr pair_kind kinds[] = {pair_kind::add,     pair_kind::sub,   pair_kind::mul, pair_kind::div, pair_kind::maximum,
                                 pair_kind::minimum, pair_kind::power, pair_kind::sub, pair_kind::div, pair_kind::power};
  for (size_t k = 0; k < 2; ++k) m.require_reals(m.x(k));
  m.is_real();
  value x = widened_to(m, m.x(0), m.x(1), 0), y = widened_to(m, m.x(1), m.x(0), 1);
  const bool is_turned = kind >= 7;
  m.define(pair_values(m, {}, is_turned ? y : x, is_turned ? x : y, kinds[kind]));
}

/// Product, sum with or without coefficients, maximum of any number of blobs of one shape.
inline void eltwise(importer& m) {
  const int kind = m.integer(0, 0);
  m.require(kind >= 0 && kind <= 2, joined("the operation ", kind, " is not supported"), "use one of 0 to 2");
  const std::vector<float> factors = m.reals(1);
  m.require(m.bottom_count() >= 2, "there are fewer than two inputs");
  m.require(m.top_count() == 1, "there is not one output");
  m.require(kind != 1 || factors.empty() || factors.size() == m.bottom_count(),
            joined("there are ", factors.size(), " coefficients for ", m.bottom_count(), " inputs"));
  for (size_t k = 0; k < m.bottom_count(); ++k) {
    m.require_reals(m.x(k));
    m.require(m.x(k).shape == m.x().shape, joined("input ", k, " has another shape than the first"));
  }
  m.is_real();
  constexpr pair_kind kinds[] = {pair_kind::mul, pair_kind::add, pair_kind::maximum};
  const auto operand = [&](size_t k) {
    value& x = m.x(k);
    if (kind != 1 || factors.empty()) return x;
    return importer::like(x, times(m, joined("part", k), importer::any(x), factors[k]));
  };
  value sum = operand(0);
  for (size_t k = 1; k < m.bottom_count(); ++k) {
    value next = operand(k);
    sum = pair_values(m, k + 1 == m.bottom_count() ? std::string() : joined("part", k), sum, next, kinds[kind]);
  }
  m.define(sum);
}

}  // namespace lowbits::ncnn
