// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Small .onnx models, put together in memory.

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <lowbits/hosted/import_onnx.hpp>
#include <lowbits/hosted/runtime_model.hpp>

namespace onnx_net {

namespace lb = lowbits;
namespace schema = lowbits::onnx_file;

using numbers = std::vector<float>;

/// A model with an input "x" of that shape and an output "y".
class net {
public:
  explicit net(const std::vector<int>& shape, int type = schema::TensorProto::FLOAT, int opset = 18) {
    model_.set_ir_version(8);
    model_.add_opset_import()->set_version(opset);
    input("x", type, shape);
    output("y");
  }
  void input(const std::string& name, int type, const std::vector<int>& shape) {
    auto& in = *graph().add_input();
    in.set_name(name);
    in.mutable_type()->mutable_tensor_type()->set_elem_type(type);
    auto& there = *in.mutable_type()->mutable_tensor_type()->mutable_shape();
    for (const int e : shape) there.add_dim()->set_dim_value(e);
  }
  void output(const std::string& name) { graph().add_output()->set_name(name); }
  std::string integers(const std::vector<std::int64_t>& v) {
    auto& t = add(schema::TensorProto::INT64, static_cast<int>(v.size()));
    for (const std::int64_t i : v) t.add_int64_data(i);
    return t.name();
  }
  std::string real(float v) {
    auto& t = add(schema::TensorProto::FLOAT, 1);
    t.add_float_data(v);
    return t.name();
  }
  std::string reals(const numbers& v, const std::vector<int>& shape) {
    auto& t = add(schema::TensorProto::FLOAT, 0);
    for (const int e : shape) t.add_dims(e);
    for (const float r : v) t.add_float_data(r);
    return t.name();
  }
  std::string code(int v) {
    auto& t = add(schema::TensorProto::INT8, 1);
    t.add_int32_data(v);
    return t.name();
  }
  schema::NodeProto& node(const std::string& op, const std::vector<std::string>& in, const std::string& out) {
    auto& n = *graph().add_node();
    n.set_op_type(op);
    for (const auto& i : in) n.add_input(i);
    n.add_output(out);
    return n;
  }
  static void set(schema::NodeProto& n, const std::string& name, float v) {
    auto& a = *n.add_attribute();
    a.set_name(name);
    a.set_type(schema::AttributeProto_AttributeType_FLOAT);
    a.set_f(v);
  }
  static void set(schema::NodeProto& n, const std::string& name, std::int64_t v) {
    auto& a = *n.add_attribute();
    a.set_name(name);
    a.set_type(schema::AttributeProto_AttributeType_INT);
    a.set_i(v);
  }
  /// A pair of QuantizeLinear and DequantizeLinear with scale 1/16.
  std::string quantized(const std::string& in, const std::string& out, int zero = 3) {
    const std::string s = real(0.0625f), z = code(zero);
    node("QuantizeLinear", {in, s, z}, out + "_codes");
    node("DequantizeLinear", {out + "_codes", s, z}, out);
    return out;
  }
  /// A constant of integers; of one number without axes where `shape` is empty.
  std::string constant(int type, const std::vector<int>& v, const std::vector<int>& shape) {
    auto& t = add(type, 0);
    for (const int e : shape) t.add_dims(e);
    for (const int i : v) t.add_int32_data(i);
    return t.name();
  }
  lb::imported_model imported() const {
    const std::string bytes = model_.SerializeAsString();
    return lb::import_onnx({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()}, "made.onnx");
  }
  numbers run(const numbers& x) const {
    const lb::imported_model m = imported();
    std::vector<unsigned char> in(x.size() * 4);
    std::memcpy(in.data(), x.data(), in.size());
    const auto out = lb::runtime_model(m.graph()).run({in});
    numbers y(out.at(0).size() / 4);
    std::memcpy(y.data(), out[0].data(), out[0].size());
    return y;
  }

private:
  schema::GraphProto& graph() { return *model_.mutable_graph(); }
  schema::TensorProto& add(int type, int count) {
    auto& t = *graph().add_initializer();
    t.set_name("c" + std::to_string(graph().initializer_size()));
    t.set_data_type(type);
    if (type == schema::TensorProto::INT64) t.add_dims(count);
    return t;
  }
  schema::ModelProto model_{};
};

}  // namespace onnx_net
