// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "load_model.hpp"

#include <charconv>
#include <filesystem>

#include <lowbits/hosted/model_text.hpp>

#include "importers.hpp"
#include "tool.hpp"

namespace tool {

const std::vector<model_format>& model_formats() {
  static const std::vector<model_format> formats{
      {"TFLite", ".tflite", "libflatbuffers-dev, flatbuffers-compiler",
#if defined(LOWBITS_TOOL_TFLITE)
       import_tflite_file, tflite_operators
#else
       nullptr, nullptr
#endif
      },
      {"ONNX", ".onnx", "libprotobuf-dev, protobuf-compiler",
#if defined(LOWBITS_TOOL_ONNX)
       import_onnx_file, onnx_operators
#else
       nullptr, nullptr
#endif
      },
      {"ncnn", ".param", "nothing",
#if defined(LOWBITS_TOOL_NCNN)
       import_ncnn_file, ncnn_operators
#else
       nullptr, nullptr
#endif
      },
  };
  return formats;
}

std::string loaded_model::operator_name(int i) const {
  const lb::node_origin& from = model.origins[static_cast<size_t>(i)];
  const char* const own = lb::kind_name(graph()[i].kind);
  if (from.kind.empty()) return own;
  return from.output < 0 ? lb::joined(from.kind, ": ", own) : from.kind;
}

std::string ncnn_weights_of(const std::string& path) {
  std::filesystem::path p(path);
  if (extension(path) == ".bin") p.replace_extension();
  return p.replace_extension(".bin").string();
}

static extents_by_name parse_shapes(std::string_view command, const std::vector<std::string>& texts) {
  extents_by_name shapes;
  for (const std::string& text : texts) {
    const auto refuse = [&] {
      fail(command, lb::joined("--shape ", text), "it is not a name, '=' and extents above zero",
           "write for example --shape data=3,224,224");
    };
    const size_t equals = text.rfind('=');
    if (equals == text.npos || equals == 0) refuse();
    std::vector<int>& extents = shapes[text.substr(0, equals)];
    const char *at = text.data() + equals + 1, *const end = text.data() + text.size();
    for (;;) {
      int n = 0;
      const auto [next, error] = std::from_chars(at, end, n);
      if (error != std::errc() || n < 1) refuse();
      extents.push_back(n);
      if (next == end) break;
      if (*next != ',') refuse();
      at = next + 1;
    }
  }
  return shapes;
}

loaded_model load_model(std::string_view command, const std::string& path, const load_options& options) {
  std::string ending = extension(path), known;
  if (ending == ".bin" && extension(stem(path)) == ".param") ending = ".param";  // the binary form
  for (const model_format& f : model_formats()) {
    known += lb::joined(known.empty() ? "" : ", ", f.extension);
    if (ending != f.extension) continue;
    if (f.import == nullptr)
      fail(command, path, lb::joined("this build of lowbits cannot read ", f.name, " files"),
           lb::joined("install ", f.needs, " and build it again"));
    const size_t size = read_file(command, path).size();  // its message rather than the importer's
    loaded_model m{f.import(path, parse_shapes(command, options.shapes)), path, size};
    if (std::string(f.name) == "ncnn") {
      std::error_code ec;
      const auto more = std::filesystem::file_size(ncnn_weights_of(path), ec);
      if (!ec) m.file_bytes += more;
    }
    return m;
  }
  fail(command, path, lb::joined("'", ending, "' is not the extension of a model"), lb::joined("give one of ", known));
}

}  // namespace tool
