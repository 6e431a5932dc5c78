// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// The unit test vectors of CMSIS-NN (made there with TFLite). Rules: data/cmsis-nn/README.md.

#include <string>

#include "foreign/json_data.hpp"

namespace foreign {

/// One file of the folder: parameters by name (with an optional prefix) and arrays.
struct cmsis_file {
  json root;
  std::string prefix{};

  bool has(const std::string& name) const { return root["params"].contains(prefix + name); }
  int param(const std::string& name) const { return root["params"].at(prefix + name).get<int>(); }
  int param(const std::string& name, int otherwise) const {
    return has(name) ? param(name) : otherwise;
  }
  std::string type(const std::string& array) const {
    const json& a = root["arrays"];
    return a.contains(array) && !a[array].is_null() ? a[array]["type"].get<std::string>() : "";
  }
  /// Empty when the array is null; packed 4-bit values are unpacked, `count` of them.
  values array(const std::string& name, std::size_t count = 0) const {
    if (type(name).empty()) return {};
    const values v = integers(root["arrays"][name]["data"]);
    if (type(name) != "int4_packed") return v;
    values out;
    for (std::size_t i = 0; i < count; ++i) {
      const std::int64_t nibble = v.at(i / 2) >> (i % 2 * 4) & 15;
      out.push_back(nibble >= 8 ? nibble - 16 : nibble);
    }
    return out;
  }
  std::string text(const std::string& name) const {
    return root.at(name).is_null() ? "" : root.at(name).get<std::string>();
  }
  bool is_16_bit() const { return text("dtype") == "s16"; }
  lb::qformat format() const { return {static_cast<std::uint8_t>(is_16_bit() ? 16 : 8)}; }
};

namespace cmsis {

inline std::vector<lb::fixed_multiplier> multipliers(const values& mantissas,
                                                     const values& shifts) {
  std::vector<lb::fixed_multiplier> m;
  for (std::size_t i = 0; i < mantissas.size(); ++i)
    m.push_back({static_cast<std::int32_t>(mantissas[i]), static_cast<std::int32_t>(shifts.at(i))});
  return m;
}
inline lb::fixed_multiplier multiplier(const cmsis_file& f, const std::string& mantissa,
                                       const std::string& shift) {
  return {f.param(mantissa), f.param(shift)};
}
inline lb::output_stage stage(const cmsis_file& f,
                              const std::string& range_prefix = "OUT_ACTIVATION") {
  return {f.param("OUTPUT_OFFSET"), f.param(range_prefix + "_MIN"), f.param(range_prefix + "_MAX")};
}
inline lb::window2d window(const cmsis_file& f) {
  return {f.param("FILTER_Y"), f.param("FILTER_X"),      f.param("STRIDE_Y"),
          f.param("STRIDE_X"), f.param("DILATION_Y", 1), f.param("DILATION_X", 1),
          f.param("PAD_Y"),    f.param("PAD_X")};
}
inline lb::rounding policy(const cmsis_file& f) {
  return f.text("requantize") == "s64" ? lb::rounding::tflite_int64 : lb::rounding::double_gemmlowp;
}

/// Formats, zero points, operands and the requantization that all linear operations share. `arrays`
/// names weights, bias, multipliers and shifts.
inline linear_case linear(const cmsis_file& f, std::size_t weight_count,
                          const std::string (&arrays)[4]) {
  linear_case c;
  c.x_format = f.format();
  c.w_format = {static_cast<std::uint8_t>(f.type(arrays[0]) == "int4_packed" ? 4 : 8)};
  c.out.policy = policy(f);
  c.wide_accumulator = c.out.policy == lb::rounding::tflite_int64;
  c.x_zero = -f.param("INPUT_OFFSET");
  c.w_zero = -f.param("FILTER_OFFSET", 0);
  c.x = f.array("input");
  c.w = f.array(arrays[0], weight_count);
  if (c.w_format.bits == 4)
    for (const auto& byte : f.root["arrays"][arrays[0]]["data"])
      c.w_bytes.push_back(byte.get<std::uint8_t>());
  c.bias = f.array(arrays[1]);
  c.out.fixed = f.type(arrays[2]).empty()
      ? std::vector{multiplier(f, "OUTPUT_MULTIPLIER", "OUTPUT_SHIFT")}
      : multipliers(f.array(arrays[2]), f.array(arrays[3]));
  c.out.stage = stage(f);
  return c;
}
inline const std::string plain_arrays[4] = {"weights", "bias", "output_multiplier", "output_shift"};

inline linear_case conv(const cmsis_file& f, linear_case::kind op,
                        const std::string (&arrays)[4] = plain_arrays) {
  const int in_c = f.param("IN_CH"), group_in = f.param("FILTER_CH", in_c);
  const lb::conv2d_shape s{
      f.param("INPUT_BATCHES"), f.param("INPUT_H"),  f.param("INPUT_W"), in_c,
      f.param("OUTPUT_H"),      f.param("OUTPUT_W"), f.param("OUT_CH"),  window(f),
      in_c / group_in};
  linear_case c = linear(f, static_cast<std::size_t>(s.out_c * s.depth()), arrays);
  c.op = op;
  c.shape = s;
  return c;
}

inline linear_case depthwise(const cmsis_file& f, const std::string (&arrays)[4] = plain_arrays) {
  const int in_c = f.param("IN_CH");
  const lb::depthwise_shape s{
      f.param("INPUT_BATCHES"), f.param("INPUT_H"),  f.param("INPUT_W"),       in_c,
      f.param("OUTPUT_H"),      f.param("OUTPUT_W"), f.param("OUT_CH") / in_c, window(f)};
  linear_case c = linear(f, static_cast<std::size_t>(s.window.taps() * s.out_c()), arrays);
  c.op = linear_case::kind::depthwise;
  c.depthwise = s;
  return c;
}

inline linear_case fully_connected(const cmsis_file& f) {
  const int depth = f.param("ACCUMULATION_DEPTH"), out_c = f.param("OUT_CH");
  linear_case c = linear(f, static_cast<std::size_t>(depth * out_c), plain_arrays);
  c.shape = lb::dense_shape(f.param("INPUT_BATCHES"), depth, out_c);
  return c;
}

inline matmul_case batch_matmul(const cmsis_file& f) {
  const bool adjoint_x = f.param("ADJ_X") != 0, adjoint_y = f.param("ADJ_Y") != 0;
  matmul_case c;
  c.shape = {{f.param("LHS_BATCH"), f.param("LHS_HEIGHT")},
             {f.param("RHS_BATCH"), f.param("RHS_HEIGHT")},
             f.param("OUTPUT_ROWS"),
             f.param(adjoint_x ? "LHS_ROWS" : "LHS_COLS"),
             f.param("OUTPUT_COLS"),
             adjoint_x,
             adjoint_y};
  c.format = f.format();
  c.x_zero = -f.param("LHS_OFFSET");
  c.w_zero = -f.param("RHS_OFFSET");
  c.x = f.array("lhs_input_tensor");
  c.w = f.array("rhs_input_tensor");
  c.out.policy = policy(f);
  c.out.fixed = {multiplier(f, "OUTPUT_MULTIPLIER", "OUTPUT_SHIFT")};
  c.out.stage = stage(f, "ACTIVATION");
  return c;
}

inline pool_case pool(const cmsis_file& f, bool take_largest) {
  pool_case c{take_largest,
              {},
              f.format(),
              {f.param("ACTIVATION_MIN"), f.param("ACTIVATION_MAX")},
              f.array("input")};
  c.shape = {f.param("BATCH_SIZE"),
             f.param("INPUT_H"),
             f.param("INPUT_W"),
             f.param("INPUT_C"),
             f.param("OUTPUT_H"),
             f.param("OUTPUT_W"),
             {f.param("FILTER_H"), f.param("FILTER_W"), f.param("STRIDE_H"), f.param("STRIDE_W"), 1,
              1, f.param("PADDING_H"), f.param("PADDING_W")}};
  return c;
}

inline softmax_case softmax(const cmsis_file& f) {
  return {f.param("NUM_ROWS"),
          f.param("ROW_SIZE"),
          f.format(),
          multiplier(f, "INPUT_MULT", "INPUT_LEFT_SHIFT"),
          f.param("DIFF_MIN", 0),
          0.0f,
          f.array("input")};
}

inline lb::tensor_shape flat(const values& v) {
  return tensor_shape_of({static_cast<std::int64_t>(v.size())});
}

inline sum_case add(const cmsis_file& f) {
  sum_case c;
  c.x = f.array("input1");
  c.y = f.array("input2");
  c.x_shape = c.y_shape = c.out_shape = flat(c.x);
  c.format = f.format();
  c.x_zero = -f.param("INPUT1_OFFSET");
  c.y_zero = -f.param("INPUT2_OFFSET");
  c.left_shift = f.param("LEFT_SHIFT");
  c.x_factor = multiplier(f, "INPUT1_MULT", "INPUT1_SHIFT");
  c.y_factor = multiplier(f, "INPUT2_MULT", "INPUT2_SHIFT");
  c.out_factor = multiplier(f, "OUTPUT_MULT", "OUTPUT_SHIFT");
  c.stage = stage(f);
  return c;
}

inline product_case mul(const cmsis_file& f) {
  product_case c;
  c.x = f.array("input1");
  c.y = f.array("input2");
  c.x_shape = c.y_shape = c.out_shape = flat(c.x);
  c.format = f.format();
  c.x_zero = -f.param("INPUT1_OFFSET");
  c.y_zero = -f.param("INPUT2_OFFSET");
  c.factor = multiplier(f, "OUTPUT_MULT", "OUTPUT_SHIFT");
  c.stage = stage(f);
  return c;
}

inline extremum_case min_max(const cmsis_file& f) {
  const auto shape = [&](const std::string& n) {
    return tensor_shape_of({f.param("BATCH_" + n), f.param("HEIGHT_" + n), f.param("WIDTH_" + n),
                            f.param("CHANNEL_" + n)});
  };
  const auto out = tensor_shape_of({f.param("OUTPUT_BATCH"), f.param("OUTPUT_HEIGHT"),
                                    f.param("OUTPUT_WIDTH"), f.param("OUTPUT_CHANNEL")});
  return {shape("1"),
          shape("2"),
          out,
          f.format(),
          f.root["params"]["LAYER_TYPE"] == "maximum",
          f.array("input1"),
          f.array("input2")};
}

inline pad_case pad(const cmsis_file& f) {
  pad_case c;
  c.format = f.format();
  c.value = f.param("PAD_VALUE");
  c.x = f.array("input");
  for (const char* axis : {"N", "H", "W", "C"}) {
    const int at = c.shape.rank++, extent = f.param(std::string("INPUT_") + axis);
    c.shape.extent[at] = extent;
    c.before[at] = f.param(std::string("PRE_PAD_") + axis);
    c.out_shape.extent[c.out_shape.rank++] =
        extent + c.before[at] + f.param(std::string("POST_PAD_") + axis);
  }
  return c;
}

inline transpose_case transpose(const cmsis_file& f) {
  transpose_case c;
  const values axes = integers(f.root["params"]["PERM"]);
  const auto shape = [&](const char* name) {  // filled up to four extents with zeros
    values extents = integers(f.root["params"][name]);
    extents.resize(axes.size());
    return tensor_shape_of(extents);
  };
  c.shape = shape("IN_DIM");
  c.out_shape = shape("OUT_DIM");
  for (std::size_t i = 0; i < axes.size(); ++i) c.axes[i] = static_cast<int>(axes[i]);
  c.format = f.format();
  c.x = f.array("input");
  return c;
}

}  // namespace cmsis
}  // namespace foreign
