// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Any bytes as a .onnx file: import_onnx gives a graph without errors or throws model_error. Beside what
// libFuzzer does to bytes, files are changed as messages, so that the parser lets them through.

#include <cstdlib>
#include <random>
#include <string>

#include <lowbits/hosted/import_onnx.hpp>

#include "run_small.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  try {
    const lowbits::imported_model m = lowbits::import_onnx({data, size}, "fuzz.onnx");
    if (m.graph().error().code != lowbits::graph_errc::ok || m.outputs.empty() ||
        m.origins.size() != static_cast<std::size_t>(m.graph().node_count()))
      std::abort();
    run_small(m);
  } catch (const lowbits::model_error&) {
  }
  return 0;
}

extern "C" std::size_t LLVMFuzzerMutate(unsigned char* data, std::size_t size, std::size_t max_size);

namespace {

namespace schema = lowbits::onnx_file;

class changes {
public:
  explicit changes(unsigned seed) : random_(seed) {}

  void apply(schema::ModelProto& m) {
    auto& g = *m.mutable_graph();
    switch (below(12)) {
      case 0: m.mutable_opset_import(0)->set_version(1 + below(26)); break;
      case 1:
        if (g.node_size() != 0) g.mutable_node()->SwapElements(below(g.node_size()), below(g.node_size()));
        break;
      case 2:
        if (g.node_size() != 0) *g.add_node() = g.node(below(g.node_size()));
        break;
      case 3: info(g); break;
      case 4:
      case 5: tensor(g); break;
      default:
        if (g.node_size() != 0) node(g, *g.mutable_node(below(g.node_size())));
    }
  }

private:
  int below(int n) { return n <= 0 ? 0 : static_cast<int>(random_() % static_cast<unsigned>(n)); }
  std::int64_t number() {
    static constexpr std::int64_t some[] = {-1, 0, 1, 2, 3, 4, 7, 64, 255, 65536, 2147483647, -2147483648LL, 1LL << 40, -9};
    return some[below(14)];
  }
  /// A name that is in the graph somewhere.
  std::string name(const schema::GraphProto& g) {
    const int which = below(3);
    if (which == 0 && g.initializer_size() != 0) return g.initializer(below(g.initializer_size())).name();
    if (which == 1 && g.input_size() != 0) return g.input(below(g.input_size())).name();
    if (g.node_size() == 0) return "x";
    const auto& n = g.node(below(g.node_size()));
    return n.output_size() != 0 ? n.output(below(n.output_size())) : "";
  }
  void node(schema::GraphProto& g, schema::NodeProto& n) {
    switch (below(7)) {
      case 0: n.set_op_type(lowbits::onnx::operators[below(std::size(lowbits::onnx::operators))].name); break;
      case 1:
        if (n.input_size() != 0) n.set_input(below(n.input_size()), name(g));
        break;
      case 2: n.add_input(name(g)); break;
      case 3:
        if (n.input_size() != 0) n.mutable_input()->RemoveLast();
        break;
      case 4:
        if (n.output_size() != 0) n.set_output(below(n.output_size()), "made" + std::to_string(below(100)));
        break;
      case 5: {
        static constexpr const char* names[] = {"axis", "pads", "strides", "group", "perm", "kernel_shape", "block_size", "dilations", "alpha",
                                                "ceil_mode", "count_include_pad", "transA", "transB", "to", "axes", "output_dtype"};
        auto& a = *n.add_attribute();
        a.set_name(names[below(16)]);
        a.set_type(below(2) == 0 ? schema::AttributeProto_AttributeType_INT : schema::AttributeProto_AttributeType_INTS);
        a.set_i(number());
        for (int k = below(5); k > 0; --k) a.add_ints(number());
        break;
      }
      default:
        if (n.attribute_size() == 0) break;
        auto& a = *n.mutable_attribute(below(n.attribute_size()));
        a.set_i(number());
        if (a.ints_size() != 0) a.set_ints(below(a.ints_size()), number());
        if (below(4) == 0) a.mutable_ints()->Resize(below(6), number());
    }
  }
  void tensor(schema::GraphProto& g) {
    if (g.initializer_size() == 0) return;
    auto& t = *g.mutable_initializer(below(g.initializer_size()));
    switch (below(4)) {
      case 0: t.set_data_type(1 + below(26)); break;
      case 1: t.add_dims(number()); break;
      case 2:
        if (t.dims_size() != 0) t.set_dims(below(t.dims_size()), number());
        break;
      default: t.mutable_raw_data()->resize(static_cast<std::size_t>(below(65)));
    }
  }
  void info(schema::GraphProto& g) {
    if (g.input_size() == 0) return;
    auto& type = *g.mutable_input(below(g.input_size()))->mutable_type()->mutable_tensor_type();
    if (below(3) == 0) type.set_elem_type(1 + below(26));
    auto& dims = *type.mutable_shape()->mutable_dim();
    if (dims.size() != 0 && below(3) != 0) dims.Mutable(below(dims.size()))->set_dim_value(number());
    else if (below(2) == 0) dims.Add()->set_dim_value(number());
    else if (dims.size() != 0) dims.RemoveLast();
  }

  std::minstd_rand random_;
};

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(unsigned char* data, std::size_t size, std::size_t max_size, unsigned seed) {
  schema::ModelProto m;
  if (seed % 4 == 0 || !m.ParseFromArray(data, static_cast<int>(size)) || m.opset_import_size() == 0)
    return LLVMFuzzerMutate(data, size, max_size);
  changes c(seed);
  for (unsigned k = 0; k <= seed / 4 % 3; ++k) c.apply(m);
  const std::string changed = m.SerializeAsString();
  if (changed.empty() || changed.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::copy(changed.begin(), changed.end(), data);
  return changed.size();
}
