// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Emitted headers and blobs of layers with factors for groups: the text is the file's, and what it describes gives
// the bytes of the graph it was made from.

#define LOWBITS_GROUPS
#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <lowbits/hosted/emit_blob.hpp>
#include <lowbits/hosted/emit_header.hpp>

#include "support/golden_groups.hpp"
#include "support/golden_groups_blob.hpp"
#include "support/group_network.hpp"

namespace lb = lowbits;

namespace {

using original = lb::model<group_network::make_net>;
using net = lb::model<golden_groups::make_net>;
using blob_net = lb::model<golden_groups_blob::make_net>;

void compare_with_file(const std::string& name, const std::string& text) {
  const std::string path = (std::filesystem::path(__FILE__).parent_path().parent_path() / "support" / name).string();
  if (std::getenv("LOWBITS_RENEW_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << text;
  std::ostringstream file;
  file << std::ifstream(path, std::ios::binary).rdbuf();
  CHECK(text == file.str());
}

struct results {
  std::vector<std::int8_t> codes = std::vector<std::int8_t>(63);
  std::vector<std::int32_t> sums = std::vector<std::int32_t>(63);
  std::vector<float> real = std::vector<float>(63), dynamic = real, dynamic_bytes = real;
  bool operator==(const results&) const = default;
};
template <class Model>
results run(const Model& model) {
  alignas(lb::arena_alignment) static unsigned char arena[lb::larger(original::arena_bytes, blob_net::arena_bytes)];
  std::vector<std::int8_t> x(3 * 83);
  std::vector<float> r(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<std::int8_t>(i * 97), r[i] = static_cast<float>(i % 31) * .1f - 1;
  results out;
  REQUIRE(model.run(arena, x, r, out.codes, out.sums, out.real, out.dynamic, out.dynamic_bytes) == lb::status::ok);
  return out;
}

}  // namespace

TEST_CASE("groups: emitted headers and blobs") {
  compare_with_file("golden_groups.hpp", lb::emit_header(original::graph, {.space = "golden_groups"}));
  compare_with_file("golden_groups_blob.hpp", lb::emit_header(original::graph, {.space = "golden_groups_blob", .weights_in_blob = true}));
  const results want = run(original{});
  CHECK(run(net{}) == want);
  const std::vector<unsigned char> bytes = lb::emit_blob(original::graph);
  REQUIRE(bytes.size() == blob_net::blob_bytes);
  alignas(64) static unsigned char blob[blob_net::blob_bytes], packed[blob_net::prepared_bytes];
  std::copy(bytes.begin(), bytes.end(), blob);
  const auto bound = blob_net::bind(blob);
  REQUIRE(bound.error() == lb::status::ok);
  CHECK(run(bound) == want);
  CHECK(run(bound.prepare(packed)) == want);
}
