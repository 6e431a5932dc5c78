// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// What the subcommands of the program share: how they announce themselves, files, errors.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <lowbits/hosted/model_error.hpp>

namespace CLI {
class App;
}

namespace tool {

namespace lb = lowbits;
using bytes = std::vector<unsigned char>;

/// What is to be done once the command line has been read; the result is the exit code.
using action = std::function<int()>;

// Each adds one subcommand, whose callback sets the action.
void add_inspect(CLI::App& app, action& todo);
void add_run(CLI::App& app, action& todo);
void add_emit(CLI::App& app, action& todo);
void add_compare(CLI::App& app, action& todo);
void add_operators(CLI::App& app, action& todo);

/// Throws "lowbits: <command>: <file>: <what>; <cure>".
[[noreturn]] inline void fail(std::string_view command, std::string_view file, std::string_view what,
                              std::string_view cure) {
  lb::refuse(lb::joined(command, ": ", file), what, cure);
}

bytes read_file(std::string_view command, const std::string& path);
/// Writes to a temporary file beside path and renames it: path is whole or not there.
void write_file(std::string_view command, const std::string& path, std::string_view content);
inline void write_file(std::string_view command, const std::string& path, const bytes& content) {
  write_file(command, path, {reinterpret_cast<const char*>(content.data()), content.size()});
}

/// The last part of a path; what stands before its last dot; that dot and what follows, in lower case.
std::string file_name(const std::string& path);
std::string stem(const std::string& path);
std::string extension(const std::string& path);

}  // namespace tool
