// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "read_input.hpp"

#include <cstdio>
#include <cstring>

#include <CLI/CLI.hpp>

#include <lowbits/hosted/model_text.hpp>
#include <lowbits/hosted/npy.hpp>
#include <lowbits/quant/quantize.hpp>

namespace tool {

namespace {

std::string wanted_text(const lb::model_port& port) {
  return lb::joined("input '", port.name, "' is ", lb::shape_text(port.desc.shape), " of ", lb::type_text(port.desc));
}

input_value from_bytes(std::string_view command, const std::string& path, const lb::model_port& port) {
  input_value v{.is_codes = true, .codes = read_file(command, path)};
  if (v.codes.size() != port.desc.bytes())
    fail(command, path, lb::joined("the file has ", v.codes.size(), " bytes, but ", wanted_text(port)),
         lb::joined("give exactly ", port.desc.bytes(), " bytes, row-major"));
  if (port.desc.kind == lb::element::reals) {
    v.reals = decoded(v.codes.data(), port.desc);
    v.is_codes = false;
  }
  return v;
}

input_value from_npy(std::string_view command, const std::string& path, const lb::model_port& port) {
  const lb::npy_array a = lb::read_npy(read_file(command, path), path);
  const lb::tensor_desc& d = port.desc;
  std::vector<size_t> got, want;
  std::string shape;
  for (const size_t e : a.shape) {
    if (e != 1) got.push_back(e);
    shape += lb::joined(shape.empty() ? "" : ", ", e);
  }
  for (int i = 0; i < d.shape.rank; ++i)
    if (d.shape.extent[i] != 1) want.push_back(static_cast<size_t>(d.shape.extent[i]));
  if (got != want)
    fail(command, path, lb::joined("the array has the shape [", shape, "], but ", wanted_text(port)), "reshape it");
  input_value v;
  if (a.kind == 'f' || d.kind == lb::element::reals) {
    for (size_t i = 0; i < a.count(); ++i) v.reals.push_back(static_cast<float>(a[i]));
    if (d.kind == lb::element::codes) v.note = lb::joined("floats, quantized by ", lb::meaning_text(d));
    return v;
  }
  if ((a.kind == 'i') != d.format.is_signed || a.kind == 'b' || a.element_bytes != d.format.storage_bytes())
    fail(command, path, lb::joined("the array has elements of ", a.type_name(), ", but ", wanted_text(port)),
         lb::joined("give floats, which are quantized, or ", d.format.is_signed ? "int" : "uint", 8 * d.format.storage_bytes(),
                    ", which are the codes"));
  for (size_t i = 0; i < a.count(); ++i)
    if (a[i] < d.format.lowest() || a[i] > d.format.highest())
      fail(command, path, lb::joined("element ", i, " is outside of ", d.format.lowest(), "..", d.format.highest()), "clamp the array");
  v.is_codes = true;
  v.codes = a.bytes;
  return v;
}

input_value from_picture(std::string_view command, const std::string& path, const lb::model_port& port, bool is_planar,
                         const input_options& o) {
  const lb::tensor_desc& d = port.desc;
  // Without the batch; two axes are a grey picture.
  std::vector<int> e(d.shape.extent, d.shape.extent + d.shape.rank);
  while (e.size() > 3 && e.front() == 1) e.erase(e.begin());
  if (e.size() == 2) e.insert(is_planar ? e.begin() : e.end(), 1);
  const int c = e.size() != 3 ? 0 : is_planar ? e[0] : e[2];
  if (c != 1 && c != 3 && c != 4)
    fail(command, path, lb::joined("a picture does not fit: ", wanted_text(port)),
         lb::joined("give a .npy file; pictures are for inputs of 1, 3 or 4 channels, the channels ", is_planar ? "first" : "last"));
  const int h = e[is_planar ? 1 : 0], w = e[is_planar ? 2 : 1];
  const picture p = read_picture(command, path, c);
  if (p.h != h || p.w != w)
    fail(command, path, lb::joined("the picture is ", p.w, " x ", p.h, " pixels instead of ", w, " x ", h),
         lb::joined("scale it, for example: convert ", file_name(path), " -resize ", w, "x", h, "! scaled.png"));
  float black = 0, white = 1;
  if (d.kind == lb::element::codes) {
    black = (static_cast<float>(d.format.lowest()) - static_cast<float>(d.params.zero_point)) * d.params.scale;
    white = (static_cast<float>(d.format.highest()) - static_cast<float>(d.params.zero_point)) * d.params.scale;
  }
  black = o.black.value_or(black);
  white = o.white.value_or(white);
  input_value v{.note = lb::joined("picture, black is ", lb::number_text(double{black}, 6), " and white is ",
                                   lb::number_text(double{white}, 6))};
  const size_t plane = static_cast<size_t>(h) * static_cast<size_t>(w), channels = static_cast<size_t>(c);
  for (size_t i = 0; i < p.pixels.size(); ++i) {
    const unsigned char pixel = p.pixels[is_planar ? i % plane * channels + i / plane : i];
    v.reals.push_back(black + (white - black) * (static_cast<float>(pixel) / 255.0f));
  }
  return v;
}

input_value from_sound(std::string_view command, const std::string& path, const lb::model_port& port) {
  const sound s = read_sound(command, path);
  input_value v{.note = lb::joined("sound of ", s.rate, " Hz")};
  const size_t count = port.desc.count(), channels = static_cast<size_t>(s.channels), frames = s.samples.size() / channels;
  if (s.samples.size() == count) {
    v.reals = s.samples;
    return v;
  }
  if (frames != count)
    fail(command, path, lb::joined("the sound has ", frames, " frames, but ", wanted_text(port)),
         lb::joined("give exactly ", count, " frames"));
  v.note += ", channels averaged";
  for (size_t f = 0; f < frames; ++f) {
    double sum = 0;
    for (size_t k = 0; k < channels; ++k) sum += double{s.samples[f * channels + k]};
    v.reals.push_back(static_cast<float>(sum / static_cast<double>(channels)));
  }
  return v;
}

template <class Storage>
Storage load(const void* at, size_t i) {
  Storage v;
  std::memcpy(&v, static_cast<const unsigned char*>(at) + i * sizeof v, sizeof v);
  return v;
}

int code_at(const void* at, size_t i, const lb::tensor_desc& d) {
  switch (lb::number_type_of(d)) {
    case lb::number_type::q8: return load<int8_t>(at, i);
    case lb::number_type::u8: return load<uint8_t>(at, i);
    case lb::number_type::q16: return load<int16_t>(at, i);
    case lb::number_type::q32: return load<int32_t>(at, i);
    default: return load<uint16_t>(at, i);
  }
}

}  // namespace

input_value read_input(std::string_view command, const std::string& path, const lb::model_port& port, bool is_planar,
                       const input_options& options) {
  const std::string e = extension(path);
  if (e == ".bin") return from_bytes(command, path, port);
  if (e == ".npy") return from_npy(command, path, port);
  if (e == ".wav" || e == ".flac" || e == ".ogg") return from_sound(command, path, port);
  if (e == ".png" || e == ".jpg" || e == ".jpeg" || e == ".bmp" || e == ".pgm" || e == ".ppm")
    return from_picture(command, path, port, is_planar, options);
  fail(command, path, lb::joined("'", e, "' is not the extension of an input"), "give a .npy, .png, .jpg, .wav or .bin file");
}

bytes encoded(const input_value& value, const lb::tensor_desc& d) {
  if (value.is_codes) return value.codes;
  bytes out(d.bytes());
  if (d.kind == lb::element::reals) {
    if (!out.empty()) std::memcpy(out.data(), value.reals.data(), out.size());
    return out;
  }
  for (size_t i = 0; i < value.reals.size(); ++i) {
    // The widest type gives the nearest code, the format's ends cut it.
    const int64_t code = (lb::fp::is_nan(value.reals[i]) ? int64_t{0}
                                                         : lb::fp::to_nearest<lb::fp::tie::to_even>(
                                                               lb::fp::quotient(value.reals[i], d.params.scale))) +
        d.params.zero_point;
    const int held = static_cast<int>(lb::clamp<int64_t>(code, d.format.lowest(), d.format.highest()));
    if (d.format.storage_bytes() == 1) {
      out[i] = static_cast<unsigned char>(held & 255);
    } else if (d.format.storage_bytes() == 2) {
      const auto wide = static_cast<uint16_t>(held & 65535);
      std::memcpy(out.data() + 2 * i, &wide, 2);
    } else {
      std::memcpy(out.data() + 4 * i, &held, 4);
    }
  }
  return out;
}

std::vector<float> decoded(const void* elements, const lb::tensor_desc& d) {
  std::vector<float> out(d.count());
  for (size_t i = 0; i < out.size(); ++i)
    out[i] = d.kind == lb::element::reals
        ? load<float>(elements, i)
        : lb::fp::product(static_cast<float>(code_at(elements, i, d) - d.params.zero_point), d.params.scale);
  return out;
}

std::vector<std::string> files_of_inputs(std::string_view command, const loaded_model& m, const input_options& options) {
  const auto& inputs = m.model.inputs;
  std::vector<std::string> files(inputs.size());
  std::string names;
  for (const auto& p : inputs) names += lb::joined(names.empty() ? "'" : ", '", p.name, "'");
  if (options.files.size() != inputs.size())
    fail(command, file_name(m.path),
         lb::joined("the model has ", inputs.size(), inputs.size() == 1 ? " input (" : " inputs (", names, "), but ",
                    options.files.size(), options.files.size() == 1 ? " file is given" : " files are given"),
         "give one --input for each");
  for (size_t k = 0; k < files.size(); ++k) {
    size_t place = k;
    std::string path = options.files[k];
    for (size_t j = 0; j < inputs.size(); ++j)
      if (path.starts_with(inputs[j].name + "=")) {
        place = j;
        path.erase(0, inputs[j].name.size() + 1);
        break;
      }
    if (!files[place].empty())
      fail(command, path, lb::joined("input '", inputs[place].name, "' is given twice"), "give one --input for each");
    files[place] = path;
  }
  return files;
}

std::vector<bytes> read_inputs(std::string_view command, const loaded_model& m, const input_options& options) {
  const std::vector<std::string> files = files_of_inputs(command, m, options);
  std::vector<bytes> in;
  for (size_t k = 0; k < files.size(); ++k) {
    const lb::model_port& port = m.model.inputs[k];
    const input_value v = read_input(command, files[k], port, has_planar_pictures(m), options);
    if (!v.note.empty()) std::fprintf(stderr, "%s: %s\n", file_name(files[k]).c_str(), v.note.c_str());
    in.push_back(encoded(v, port.desc));
  }
  return in;
}

void add_input_options(CLI::App& command, input_options& o) {
  command
      .add_option("-i,--input", o.files,
                  ".npy (floats are quantized, integers are the codes), .png or .jpg, .wav, or .bin (the "
                  "tensor's bytes); once for each input of the model, in order or as NAME=PATH")
      ->required()
      ->allow_extra_args(false);
  command.add_option("--black", o.black, "what a black pixel stands for; by default the lowest number of the input, or 0");
  command.add_option("--white", o.white, "what a white pixel stands for; by default the highest number of the input, or 1");
}

}  // namespace tool
