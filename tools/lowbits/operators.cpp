// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// lowbits operators: what the importers of this build take.

#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "load_model.hpp"
#include "tool.hpp"

namespace tool {

namespace {

int operators(bool json) {
  nlohmann::ordered_json all = nlohmann::ordered_json::object();
  for (const model_format& f : model_formats()) {
    if (json) {
      if (f.operators != nullptr) all[f.name] = f.operators();
      continue;
    }
    std::printf("%s (%s): ", f.name, f.extension);
    if (f.operators == nullptr) {
      std::printf("not in this build, it needs %s\n\n", f.needs);
      continue;
    }
    const std::vector<std::string> names = f.operators();
    std::printf("%zu operators\n", names.size());
    std::string line = " ";
    for (const std::string& name : names) {
      if (line.size() + 1 + name.size() > 96) {
        std::printf("%s\n", line.c_str());
        line = " ";
      }
      line += " " + name;
    }
    std::printf("%s\n\n", line.c_str());
  }
  if (json) std::printf("%s\n", all.dump(1).c_str());
  return 0;
}

}  // namespace

void add_operators(CLI::App& app, action& todo) {
  auto json = std::make_shared<bool>(false);
  CLI::App* c = app.add_subcommand("operators", "List the operators that can be imported, for each format");
  c->add_flag("--json", *json, "print JSON instead of text");
  c->callback([json, &todo] { todo = [json] { return operators(*json); }; });
}

}  // namespace tool
