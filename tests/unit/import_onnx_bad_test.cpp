// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// What import_onnx says about models it refuses, what it notes about those it takes, and that no
// truncated or changed file does harm.

#include <doctest/doctest.h>

#include <functional>
#include <string>

#include <lowbits/hosted/import_onnx.hpp>
#include <lowbits/hosted/runtime_model.hpp>

#include "foreign/json_data.hpp"

namespace lb = lowbits;

namespace {

const std::string folder = LOWBITS_TEST_DATA "/onnx_ops/";

std::vector<unsigned char> read_file(const std::string& path) {
  const std::string text = foreign::read_text(path);
  return {text.begin(), text.end()};
}

std::string sentence(const std::vector<unsigned char>& bytes, const lb::onnx_options& options = {}) {
  try {
    lb::import_onnx(bytes, "m.onnx", options);
  } catch (const lb::model_error& e) {
    return e.what();
  }
  return "accepted";
}
std::string refused(const std::string& name) { return sentence(read_file(folder + "refused/" + name + ".onnx")); }

}  // namespace

TEST_CASE("import_onnx: sentences") {
  CHECK(refused("empty_file") == "lowbits: import_onnx: m.onnx: the file is empty; give a .onnx file");
  CHECK(refused("unknown_operator") ==
        "lowbits: import_onnx: m.onnx: node 'dense_node' (Gemmm): the operator is not supported; replace it; docs/importing.md lists what there is");
  CHECK(refused("scale_nan") ==
        "lowbits: import_onnx: m.onnx: node 'x_codes_node' (QuantizeLinear): a scale in 'scale_1' is zero, negative, infinite or NaN; quantize the model "
        "again");
  CHECK(refused("raw_short") ==
        "lowbits: import_onnx: m.onnx: node 'w_2_real_node' (DequantizeLinear): constant 'w_2' has 23 bytes of data instead of 24; export the model again");
  CHECK(refused("conv_pads_type") ==
        "lowbits: import_onnx: m.onnx: node 'y_node' (Conv): the attribute pads has the type FLOAT; give it as INTS");
  CHECK(refused("cycle").find("is neither a constant nor an input of the model nor made by a node before this one") != std::string::npos);
  CHECK_THROWS_WITH(lb::import_onnx("no/such/file.onnx"), "lowbits: import_onnx: no/such/file.onnx: the file cannot be opened; check the path");
}

TEST_CASE("import_onnx: codes where floats belong") {
  namespace schema = lowbits::onnx_file;
  const auto good = read_file(folder + "qdq/gemm_codes.onnx");
  schema::ModelProto m;
  REQUIRE(m.ParseFromArray(good.data(), static_cast<int>(good.size())));
  for (auto& n : *m.mutable_graph()->mutable_node())
    if (n.op_type() == "Gemm") n.set_input(2, "zero_point_1");
  const std::string changed = m.SerializeAsString();
  CHECK(sentence({changed.begin(), changed.end()}).find("'zero_point_1' has the type INT8; put DequantizeLinear before it") != std::string::npos);
}

TEST_CASE("import_onnx: a block as large as an integer can be") {
  namespace schema = lowbits::onnx_file;
  const auto good = read_file(folder + "qdq/weights_uint2_blocks_of_16_opset25.onnx");
  schema::ModelProto m;
  REQUIRE(m.ParseFromArray(good.data(), static_cast<int>(good.size())));
  for (auto& n : *m.mutable_graph()->mutable_node())
    for (auto& a : *n.mutable_attribute())
      if (a.name() == "block_size") a.set_i(2147483647);
  const std::string changed = m.SerializeAsString();
  CHECK(sentence({changed.begin(), changed.end()}).find("blocks of 2147483647 need scales of shape [1, 6], not [4, 6]") != std::string::npos);
}

TEST_CASE("import_onnx: thousands of names that end alike") {
  namespace schema = lowbits::onnx_file;
  schema::ModelProto m;
  m.add_opset_import()->set_version(13);
  auto& g = *m.mutable_graph();
  auto& in = *g.add_input();
  in.set_name("x");
  in.mutable_type()->mutable_tensor_type()->set_elem_type(schema::TensorProto::FLOAT);
  for (const int e : {2, 3}) in.mutable_type()->mutable_tensor_type()->mutable_shape()->add_dim()->set_dim_value(e);
  std::string last = "x";
  for (int i = 0; i < 4000; ++i) {
    auto& n = *g.add_node();
    n.set_op_type("Transpose");
    n.add_input(last);
    n.add_output(last = std::to_string(i) + std::string(100, 'x'));
  }
  g.add_output()->set_name(last);
  const std::string bytes = m.SerializeAsString();
  const lb::imported_model made = lb::import_onnx({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()}, "m.onnx");
  CHECK(made.graph().node_count() == 4001);
  CHECK(std::string(made.graph()[4000].name.c_str()) == std::string(57, 'x') + "_4000");
}

TEST_CASE("import_onnx: what stays float is noted, or refused") {
  const auto model = read_file(folder + "qdq/float_between.onnx");
  CHECK(lb::import_onnx(model, "m.onnx").notes.size() == 2);
  CHECK(sentence(model, {.integer_only = true}).find("it would compute with floats") != std::string::npos);
  for (const std::string name : {"network/qdq_int8_opset13", "network/qdq_uint8_opset10", "network/qoperator_uint8", "qdq/residual", "qdq/matmul_add"}) {
    CAPTURE(name);
    const lb::imported_model m = lb::import_onnx(read_file(folder + name + ".onnx"), "m.onnx", {.integer_only = true});
    CHECK(m.notes.empty());
    int real_nodes = 0;
    for (int i = 0; i < m.graph().node_count(); ++i) real_nodes += m.graph()[i].out.kind == lb::element::reals ? 1 : 0;
    CHECK(real_nodes == 2);  // the input, and the output behind dequantize
  }
  CHECK(lb::import_onnx(read_file(folder + "qdq/named_batch.onnx"), "m.onnx").notes.at(0) == "input 'x': the extent 'batch' is taken as 1");
}

TEST_CASE("import_onnx: images are turned once at each end") {
  const lb::imported_model m = lb::import_onnx(folder + "network/qoperator_uint8.onnx");
  int transposes = 0;
  for (int i = 0; i < m.graph().node_count(); ++i) transposes += m.graph()[i].kind == lb::op_kind::transpose ? 1 : 0;
  CHECK(transposes == 1);  // the matrix behind Reshape has its rows in the order of the image
  CHECK(m.inputs.at(0).name == "image");
  CHECK(m.inputs.at(0).desc.shape == lb::tensor_shape{4, {1, 3, 12, 10}});
  CHECK(m.outputs.at(0).desc.shape == lb::tensor_shape{2, {1, 10}});
}

TEST_CASE("import_onnx: truncated and changed files do no harm") {
  for (const std::string name : {"network/qdq_int8_opset21", "network/dynamic_conv", "qdq/weights_int4_blocks_rows"}) {
    const auto good = read_file(folder + name + ".onnx");
    std::size_t accepted = 0;
    const std::size_t step = good.size() / 150 + 1;
    for (std::size_t n = 0; n < good.size(); n += step) {
      const std::string truncated = sentence({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(n)});
      if (truncated == "accepted") ++accepted;
      auto changed = good;
      changed[n] = static_cast<unsigned char>(changed[n] ^ (n % 2 == 0 ? 0xff : 0x08));
      const std::string text = sentence(changed);
      CHECK((text == "accepted" || text.rfind("lowbits: import_onnx: m.onnx: ", 0) == 0));
    }
    CHECK(accepted == 0);
  }
}

namespace {

namespace schema = lowbits::onnx_file;

schema::ModelProto relu_model() {
  schema::ModelProto m;
  m.add_opset_import()->set_version(21);
  auto& g = *m.mutable_graph();
  auto& in = *g.add_input();
  in.set_name("x");
  in.mutable_type()->mutable_tensor_type()->set_elem_type(schema::TensorProto::FLOAT);
  in.mutable_type()->mutable_tensor_type()->mutable_shape()->add_dim()->set_dim_value(3);
  g.add_output()->set_name("y");
  auto& n = *g.add_node();
  n.set_op_type("Relu");
  n.add_input("x");
  n.add_output("y");
  return m;
}
schema::NodeProto& node(schema::ModelProto& m, const char* kind, std::initializer_list<std::string> in, const std::string& out) {
  auto& n = *m.mutable_graph()->add_node();
  n.set_op_type(kind);
  for (const std::string& i : in) n.add_input(i);
  n.add_output(out);
  return n;
}
void set(schema::NodeProto& n, const char* name, std::int64_t value) {
  auto& a = *n.add_attribute();
  a.set_name(name);
  a.set_type(schema::AttributeProto_AttributeType_INT);
  a.set_i(value);
}
schema::TensorProto& constant(schema::ModelProto& m, const char* name, int type, std::int64_t count, const std::string& raw) {
  auto& t = *m.mutable_graph()->add_initializer();
  t.set_name(name);
  t.set_data_type(type);
  t.add_dims(count);
  t.set_raw_data(raw);
  return t;
}
std::string sentence_of(const schema::ModelProto& m) {
  const std::string bytes = m.SerializeAsString();
  return sentence({bytes.begin(), bytes.end()});
}

}  // namespace

TEST_CASE("import_onnx: small files do not grow without end") {
  const auto grows = [](const schema::ModelProto& m) {
    const std::string s = sentence_of(m);
    CHECK_MESSAGE(s.find("the constants grow far beyond the size of the file; store those that differ only") != s.npos, s);
  };
  schema::ModelProto doubled = relu_model();
  constant(doubled, "c0", schema::TensorProto::INT64, 2, std::string(16, '\1'));
  for (int i = 0; i < 29; ++i) {
    const std::string c = "c" + std::to_string(i);
    set(node(doubled, "Concat", {c, c}, "c" + std::to_string(i + 1)), "axis", 0);
  }
  grows(doubled);

  // Copies of 2^18 ones, which are 64 KB in the file.
  constexpr std::int64_t count = 1 << 18;
  const auto copies = [&](const std::function<void(schema::ModelProto&, const std::string&)>& add) {
    schema::ModelProto m = relu_model();
    constant(m, "c", schema::TensorProto::INT2, count, std::string(count / 4, 'U'));
    constant(m, "shape", schema::TensorProto::INT64, 1, std::string("\0\0\4\0\0\0\0\0", 8));
    constant(m, "one", schema::TensorProto::FLOAT, 1, std::string("\0\0\x80\x3f", 4));
    node(m, "DequantizeLinear", {"c", "one"}, "real");
    set(node(m, "Cast", {"c"}, "number"), "to", schema::TensorProto::FLOAT);
    for (int i = 0; i < 300; ++i) add(m, "copy" + std::to_string(i));
    grows(m);
  };
  copies([](schema::ModelProto& m, const std::string& out) { node(m, "Reshape", {"c", "shape"}, out); });
  copies([](schema::ModelProto& m, const std::string& out) { node(m, "Reshape", {"real", "shape"}, out); });
  copies([](schema::ModelProto& m, const std::string& out) { node(m, "Transpose", {"c"}, out); });
  copies([](schema::ModelProto& m, const std::string& out) { node(m, "Transpose", {"real"}, out); });
  copies([](schema::ModelProto& m, const std::string& out) { set(node(m, "Cast", {"c"}, out), "to", schema::TensorProto::INT32); });
  copies([](schema::ModelProto& m, const std::string& out) { set(node(m, "Cast", {"c"}, out), "to", schema::TensorProto::FLOAT); });
  copies([](schema::ModelProto& m, const std::string& out) { node(m, "Gather", {"c", "c"}, out); });
  copies([](schema::ModelProto& m, const std::string& out) { node(m, "QuantizeLinear", {"number", "one"}, out); });
  copies([](schema::ModelProto& m, const std::string& out) { set(node(m, "DequantizeLinear", {"c", "number"}, out), "axis", 0); });
}
