// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// The command-line program: looks into models, runs them, writes them as headers, compares them.

#include <cstdio>
#include <exception>
#include <new>

#include <CLI/CLI.hpp>

#include <lowbits/config.hpp>

#include "load_model.hpp"
#include "tool.hpp"

namespace {

std::string version_text() {
  std::string text = lowbits::joined("lowbits ", LOWBITS_VERSION_MAJOR, ".", LOWBITS_VERSION_MINOR, ".", LOWBITS_VERSION_PATCH);
  for (const tool::model_format& f : tool::model_formats()) {
    text += lowbits::joined("\n  ", f.name, " (", f.extension, "): ");
    text += f.import != nullptr ? "yes" : lowbits::joined("no, it needs ", f.needs);
  }
  const auto yes = [](bool there, const char* needs) { return there ? std::string("yes") : lowbits::joined("no, it needs ", needs); };
#if defined(LOWBITS_TOOL_PICTURES)
  constexpr bool pictures = true;
#else
  constexpr bool pictures = false;
#endif
#if defined(LOWBITS_TOOL_SOUND)
  constexpr bool sound = true;
#else
  constexpr bool sound = false;
#endif
  return lowbits::joined(text, "\n  pictures as inputs: ", yes(pictures, "libstb-dev"), "\n  sound as inputs: ",
                         yes(sound, "libsndfile1-dev"));
}

/// A misused command line: "lowbits: run: --input is required; lowbits run --help shows how".
int usage_error(const CLI::App& app, const CLI::ParseError& e) {
  std::string command;
  for (const CLI::App* sub : app.get_subcommands()) command = sub->get_name();
  std::string what = e.what();
  for (char& c : what)
    if (c == '\n') c = ' ';
  while (!what.empty() && (what.back() == ' ' || what.back() == '.')) what.pop_back();
  std::fprintf(stderr, "lowbits: %s%s%s; lowbits %s%s--help shows how\n", command.c_str(), command.empty() ? "" : ": ", what.c_str(),
               command.c_str(), command.empty() ? "" : " ");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Quantized neural networks: look into a model, run it, make a C++ header of it, compare two.", "lowbits");
  app.require_subcommand(1);
  app.set_version_flag("--version", version_text);
  app.footer("Examples:\n"
             "  lowbits inspect kws.tflite --svg kws.svg       what is in it, and a drawing\n"
             "  lowbits run kws.tflite --input features.npy    what it answers, and how fast\n"
             "  lowbits emit kws.tflite -o kws.hpp             a header for a program or for firmware\n"
             "  lowbits compare float.tflite int8.tflite --input features.npy\n"
             "  lowbits run --help                             more about one command\n\n"
             "Exit code: 0 when all went well, 1 for an error in a file or a model, 2 for the command line.");
  tool::action todo;
  tool::add_inspect(app, todo);
  tool::add_run(app, todo);
  tool::add_emit(app, todo);
  tool::add_compare(app, todo);
  tool::add_operators(app, todo);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& e) {
    return app.exit(e);  // --help and --version
  } catch (const CLI::ParseError& e) {
    return usage_error(app, e);
  }
  try {
    return todo();
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "lowbits: the memory does not suffice; close other programs or use a smaller model\n");
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
  }
  return 1;
}
