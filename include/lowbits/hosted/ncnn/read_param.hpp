// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Reads a .param file, as text or in binary (ncnn, src/net.cpp and src/paramdict.cpp; docs/how-to-use-
// and-FAQ). Nothing is reserved by what a file announces, only by what it holds.

#include <charconv>

#include <lowbits/hosted/ncnn/network.hpp>

namespace lowbits::inline LOWBITS_ABI::ncnn {

inline constexpr std::string_view export_again = "export the model again";

/// Words of one line, and numbers from words.
class param_line {
public:
  param_line(const reporter& report, std::string_view text) : report_(report), rest_(text) {}

  std::string place{};

  /// The next word, or nothing. A value in double quotes may hold spaces.
  std::string_view word() {
    const size_t begin = rest_.find_first_not_of(" \t\r");
    if (begin == rest_.npos) return rest_ = {};
    rest_.remove_prefix(begin);
    size_t end = 0;
    for (bool quoted = false; end < rest_.size(); ++end) {
      if (rest_[end] == '"') quoted = !quoted;
      if (!quoted && (rest_[end] == ' ' || rest_[end] == '\t' || rest_[end] == '\r')) break;
    }
    const std::string_view w = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return w;
  }
  std::string name(std::string_view what) {
    const std::string_view w = word();
    report_.require(!w.empty(), place, joined("the line ends before ", what), export_again);
    report_.require(w.size() <= longest_name, place, joined(what, " has more than 255 characters"), "use a shorter one");
    return std::string(w);
  }
  int64_t integer(std::string_view w, std::string_view what) const {
    int32_t v = 0;
    const auto [end, error] = std::from_chars(w.data(), w.data() + w.size(), v);
    if (error == std::errc::result_out_of_range)
      report_.fail(place, joined(what, " '", shown(w), "' does not fit in 32 bits"), export_again);
    report_.require(error == std::errc() && end == w.data() + w.size(), place,
                    joined(what, " '", shown(w), "' is not an integer"), export_again);
    return v;
  }
  float real(std::string_view w, std::string_view what) const {
    double v = 0;
    const auto [end, error] = std::from_chars(w.data(), w.data() + w.size(), v);
    const float f = static_cast<float>(v);
    report_.require(error == std::errc() && end == w.data() + w.size() && fp::is_finite(f), place,
                    joined(what, " '", shown(w), "' is not a number that a float can hold"), export_again);
    return f;
  }

  /// What stands behind the equals sign: a number, or several behind commas. `length` is the count an
  /// array in the old notation states, or -1.
  param value(std::string_view w, std::string_view what, int64_t length) const {
    param p;
    if (length < 0 && !w.empty() && (w[0] == '"' || (w[0] >= 'A' && w[0] <= 'Z') || (w[0] >= 'a' && w[0] <= 'z'))) {
      p.what = param::form::text;
      return p;
    }
    p.is_array = length >= 0 || w.find(',') != w.npos;
    if (p.is_array && w.ends_with(',') && length < 0) w.remove_suffix(1);
    if (w.find_first_of(".eE") != w.npos) p.what = param::form::real;
    while (!w.empty() || p.words.empty()) {
      if (length == 0 && w.empty()) break;
      const size_t end = w.find(',');
      const std::string_view one = w.substr(0, end);
      report_.require(p.words.size() < largest_list, place, joined(what, " has more than 4096 numbers"), export_again);
      p.words.push_back(p.what == param::form::real ? fp::to_bits(real(one, what))
                                                    : static_cast<uint32_t>(integer(one, what)));
      if (end == w.npos) break;
      w.remove_prefix(end + 1);
      report_.require(!w.empty(), place, joined(what, " ends with a comma"), export_again);
    }
    report_.require(length < 0 || static_cast<int64_t>(p.words.size()) == length, place,
                    joined(what, " has ", p.words.size(), " numbers instead of ", length), export_again);
    return p;
  }

  void read_param(std::string_view w, std::map<int, param>& params) const {
    const size_t equals = w.find('=');
    report_.require(equals != w.npos, place, joined("'", shown(w), "' is not a parameter like 0=1"), export_again);
    int64_t number = integer(w.substr(0, equals), "the number of a parameter");
    w.remove_prefix(equals + 1);
    int64_t length = -1;
    if (number <= -23300) {  // the old notation of an array: its length comes first
      number = -number - 23300;
      const size_t comma = w.find(',');
      length = integer(w.substr(0, comma), "the length of an array");
      report_.require(length >= 0 && length <= largest_list, place,
                      joined("parameter ", number, " has a length of ", length), export_again);
      w.remove_prefix(comma == w.npos ? w.size() : comma + 1);
    }
    report_.require(number >= 0 && number < param_count, place,
                    joined("parameter ", number, " does not exist: their numbers are 0 to 31"), export_again);
    params[static_cast<int>(number)] = value(w, joined("parameter ", number), length);
  }

private:
  const reporter& report_;
  std::string_view rest_{};
};

inline void check_counts(const reporter& report, int64_t layers, int64_t blobs, size_t bytes) {
  report.require(layers >= 1 && blobs >= 1, "", joined("the file announces ", layers, " layers and ", blobs, " blobs"),
                 export_again);
  report.require(static_cast<uint64_t>(layers) <= bytes && static_cast<uint64_t>(blobs) <= bytes, "",
                 joined("the file announces ", layers, " layers and ", blobs, " blobs, more than its ", bytes,
                        " bytes can describe"),
                 "copy the file again");
}
inline int64_t checked_list(const reporter& report, int64_t n, const std::string& place, std::string_view what) {
  report.require(n >= 0 && n <= largest_list, place, joined("the layer has ", n, " ", what), export_again);
  return n;
}
inline std::string place_of(const layer& l) { return joined("layer '", shown(l.name), "' (", shown(l.kind), ")"); }

inline network read_text_param(const reporter& report, std::string_view text) {
  const size_t bytes = text.size();
  const auto next_line = [&text] {
    const size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
    return line;
  };
  next_line();  // the magic number
  param_line counts(report, next_line());
  const int64_t layer_count = counts.integer(counts.word(), "the number of layers");
  const int64_t blob_count = counts.integer(counts.word(), "the number of blobs");
  report.require(counts.word().empty(), "", "the second line is not a number of layers and one of blobs", export_again);
  check_counts(report, layer_count, blob_count, bytes);

  network net;
  blob_list blobs(report, net, blob_count);
  while (!text.empty()) {
    param_line line(report, next_line());
    line.place = joined("layer ", net.layers.size());
    const std::string_view kind = line.word();
    if (kind.empty()) continue;
    report.require(static_cast<int64_t>(net.layers.size()) < layer_count, line.place,
                   joined("there are more layers than the ", layer_count, " announced"), "correct the second line");
    layer l;
    l.kind = std::string(kind.substr(0, longest_name));
    l.name = line.name("the layer's name");
    line.place = place_of(l);
    const int64_t bottoms = checked_list(report, line.integer(line.word(), "the number of inputs"), line.place, "inputs");
    const int64_t tops = checked_list(report, line.integer(line.word(), "the number of outputs"), line.place, "outputs");
    for (int64_t i = 0; i < bottoms; ++i) l.bottoms.push_back(blobs.read(line.name("its inputs"), line.place));
    for (int64_t i = 0; i < tops; ++i) l.tops.push_back(blobs.made(line.name("its outputs"), line.place));
    for (std::string_view w = line.word(); !w.empty(); w = line.word()) line.read_param(w, l.params);
    net.layers.push_back(std::move(l));
  }
  report.require(static_cast<int64_t>(net.layers.size()) == layer_count, "",
                 joined("the file has ", net.layers.size(), " layers instead of the ", layer_count, " announced"),
                 "copy the file again");
  return net;
}

/// Layers by the number that a binary file has for them (ncnn, src/CMakeLists.txt).
inline constexpr std::string_view layer_kinds[] = {
    "AbsVal", "ArgMax", "BatchNorm", "Bias", "BNLL", "Concat", "Convolution", "Crop", "Deconvolution", "Dropout",
    "Eltwise", "ELU", "Embed", "Exp", "Flatten", "InnerProduct", "Input", "Log", "LRN", "MemoryData", "MVN", "Pooling",
    "Power", "PReLU", "Proposal", "Reduction", "ReLU", "Reshape", "ROIPooling", "Scale", "Sigmoid", "Slice", "Softmax",
    "Split", "SPP", "TanH", "Threshold", "Tile", "RNN", "LSTM", "BinaryOp", "UnaryOp", "ConvolutionDepthWise", "Padding",
    "Squeeze", "ExpandDims", "Normalize", "Permute", "PriorBox", "DetectionOutput", "Interp", "DeconvolutionDepthWise",
    "ShuffleChannel", "InstanceNorm", "Clip", "Reorg", "YoloDetectionOutput", "Quantize", "Dequantize",
    "Yolov3DetectionOutput", "PSROIPooling", "ROIAlign", "Packing", "Requantize", "Cast", "HardSigmoid", "SELU",
    "HardSwish", "Noop", "PixelShuffle", "DeepCopy", "Mish", "StatisticsPooling", "Swish", "Gemm", "GroupNorm",
    "LayerNorm", "Softplus", "GRU", "MultiHeadAttention", "GELU", "Convolution1D"};

inline network read_binary_param(const reporter& report, std::span<const unsigned char> bytes) {
  size_t at = 0;
  std::string place;
  const auto next = [&] {
    report.require(bytes.size() - at >= 4, place, "the file ends in the middle", "copy the file again");
    uint32_t w = 0;
    for (unsigned i = 0; i < 4; ++i) w |= uint32_t{bytes[at++]} << (8 * i);
    return static_cast<int32_t>(w);
  };
  next();  // the magic number
  const int64_t layer_count = next(), blob_count = next();
  check_counts(report, layer_count, blob_count, bytes.size());

  network net;
  blob_list blobs(report, net, blob_count);
  const auto blob = [&](int64_t number) {
    report.require(number >= 0 && number < blob_count, place, joined("blob ", number, " does not exist"), export_again);
    return std::to_string(number);
  };
  for (int64_t i = 0; i < layer_count; ++i) {
    place = joined("layer ", i);
    const int32_t kind = next();
    report.require(kind >= 0 && static_cast<size_t>(kind) < std::size(layer_kinds), place,
                   joined("a layer of the kind ", kind, " is not known"), "leave out or replace the layer");
    layer l;
    l.kind = std::string(layer_kinds[kind]);
    l.name = std::to_string(i);
    place = place_of(l);
    const int64_t bottoms = checked_list(report, next(), place, "inputs");
    const int64_t tops = checked_list(report, next(), place, "outputs");
    for (int64_t k = 0; k < bottoms; ++k) l.bottoms.push_back(blobs.read(blob(next()), place));
    for (int64_t k = 0; k < tops; ++k) l.tops.push_back(blobs.made(blob(next()), place));
    for (int64_t number = next(); number != -233; number = next()) {
      param p{.what = param::form::either, .is_array = number <= -23300};
      report.require(number > -23400, place, "a parameter is a text", "use layers without expressions");
      if (p.is_array) number = -number - 23300;
      report.require(number >= 0 && number < param_count, place,
                     joined("parameter ", number, " does not exist: their numbers are 0 to 31"), export_again);
      const int64_t length = p.is_array ? next() : 1;
      report.require(length >= 0 && length <= largest_list, place,
                     joined("parameter ", number, " has a length of ", length), export_again);
      for (int64_t k = 0; k < length; ++k) p.words.push_back(static_cast<uint32_t>(next()));
      l.params[static_cast<int>(number)] = std::move(p);
    }
    net.layers.push_back(std::move(l));
  }
  return net;
}

/// Text and binary files are told apart by their first bytes.
inline network read_param(const reporter& report, std::span<const unsigned char> bytes) {
  report.require(bytes.size() <= (size_t{1} << 30), "", "the file has more than 2^30 bytes", "give a .param file");
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with("7767517\n") || text.starts_with("7767517\r\n")) return read_text_param(report, text);
  constexpr unsigned char binary_magic[] = {magic & 255, magic >> 8 & 255, magic >> 16 & 255, magic >> 24 & 255};
  if (bytes.size() >= 4 && text.substr(0, 4) == std::string_view(reinterpret_cast<const char*>(binary_magic), 4))
    return read_binary_param(report, bytes);
  report.fail("", "the file does not begin with the number 7767517", "give a .param or .param.bin file of ncnn");
}

}  // namespace lowbits::ncnn
