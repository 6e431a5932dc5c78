// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tool.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

namespace tool {

namespace fs = std::filesystem;

bytes read_file(std::string_view command, const std::string& path) {
  std::error_code ec;
  if (fs::is_directory(path, ec)) fail(command, path, "it is a folder", "name a file");
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in)
    fail(command, path, lb::joined("the file cannot be opened (", std::strerror(errno), ")"), "check the path");
  bytes content(std::istreambuf_iterator<char>(in), {});
  if (in.bad()) fail(command, path, "the file cannot be read", "check the disk");
  return content;
}

void write_file(std::string_view command, const std::string& path, std::string_view content) {
  const fs::path folder = fs::path(path).parent_path();
  std::error_code ec;
  if (!folder.empty() && !fs::is_directory(folder, ec))
    fail(command, path, lb::joined("the folder '", folder.string(), "' does not exist"), "make it first");
  if (fs::is_directory(path, ec)) fail(command, path, "it is a folder", "name a file in it");
  const std::string part = lb::joined(path, ".part", std::random_device{}() % 1000000u);
  errno = 0;
  bool written = false;
  {
    std::ofstream out(part, std::ios::binary);
    out.write(content.data(), static_cast<std::streamsize>(content.size()));
    out.close();
    written = !out.fail();
  }
  if (written) fs::rename(part, path, ec);
  if (written && !ec) return;
  const std::string reason = ec ? ec.message() : std::strerror(errno);
  fs::remove(part, ec);
  fail(command, path, lb::joined("the file cannot be written (", reason, ")"),
       "check the permissions and the space on the disk");
}

std::string file_name(const std::string& path) { return fs::path(path).filename().string(); }
std::string stem(const std::string& path) { return fs::path(path).stem().string(); }
std::string extension(const std::string& path) {
  std::string e = fs::path(path).extension().string();
  for (char& c : e)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return e;
}

}  // namespace tool
