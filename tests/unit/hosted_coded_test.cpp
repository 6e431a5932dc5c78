// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// Emitted headers and blobs with coded weights: the same text as on every machine, and the results of the
// plain weights.

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <lowbits/hosted/emit_c_api.hpp>
#include <lowbits/hosted/unpack_weights.hpp>

#include "support/coded_network.hpp"
#include "support/golden_coded.hpp"
#include "support/golden_coded_blob.hpp"

namespace lb = lowbits;

namespace {

using plain_net = lb::model<coded_network::make_net<false>>;
using net = lb::model<golden_coded::make_net>;
using blob_net = lb::model<golden_coded_blob::make_net>;

lb::header_options options(bool blob) {
  return {.space = blob ? "golden_coded_blob" : "golden_coded", .weights_in_blob = blob, .compress = true};
}
void compare_with_file(const std::string& name, const std::string& text) {
  const std::string path = (std::filesystem::path(__FILE__).parent_path().parent_path() / "support" / name).string();
  if (std::getenv("LOWBITS_RENEW_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << text;
  std::ostringstream file;
  file << std::ifstream(path, std::ios::binary).rdbuf();
  CHECK(text == file.str());
}

}  // namespace

TEST_CASE("coded headers: the text is the file's") {
  compare_with_file("golden_coded.hpp", lb::emit_header(plain_net::graph, options(false)));
  compare_with_file("golden_coded_blob.hpp", lb::emit_header(plain_net::graph, options(true)));
  const lb::c_api c = lb::emit_c_api(plain_net::graph, options(true), "m.hpp", "m.h");
  CHECK(c.header.find("int golden_coded_blob_prepare(void* packed, size_t packed_bytes);") != std::string::npos);
  CHECK(c.source.find("ready = bound.prepare(") != std::string::npos);
  CHECK(c.source.find("ready.run(") != std::string::npos);
}

TEST_CASE("coded headers: the emitted network gives the plain one's bytes") {
  const auto want = coded_network::run(plain_net{}, 1);
  REQUIRE(want.status == lb::status::ok);
  alignas(64) static unsigned char packed[lb::larger(net::prepared_bytes, blob_net::prepared_bytes)];
  const auto ready = net::prepare(packed);
  REQUIRE(ready.error() == lb::status::ok);
  CHECK(coded_network::run(ready, 1).bytes == want.bytes);
}

TEST_CASE("coded blobs: smaller than plain ones, bound, expanded, and refused where they are damaged") {
  const auto want = coded_network::run(plain_net{}, 1);
  const std::vector<unsigned char> bytes = lb::emit_blob(plain_net::graph, true);
  CHECK(bytes.size() < lb::emit_blob(plain_net::graph).size() * 9 / 10);
  REQUIRE(bytes.size() == blob_net::blob_bytes);
  alignas(64) static unsigned char blob[blob_net::blob_bytes], packed[blob_net::prepared_bytes];
  std::copy(bytes.begin(), bytes.end(), blob);
  const auto bound = blob_net::bind(blob);
  REQUIRE(bound.error() == lb::status::ok);
  const auto ready = bound.prepare(packed);
  REQUIRE(ready.error() == lb::status::ok);
  CHECK(coded_network::run(ready, 1).bytes == want.bytes);
  blob[100] ^= 1;
  CHECK(blob_net::bind(blob).error() == lb::status::foreign);
}

TEST_CASE("coded weights: expanded for run-time models") {
  lb::runtime_graph coded(net::graph), plain(plain_net::graph);
  const auto a = lb::unpack_weights(coded), b = lb::unpack_weights(plain);
  for (int i = 0; i < plain.node_count(); ++i) {
    if (!lb::has_weights(plain[i].kind)) continue;
    const std::string name = plain[i].name.c_str();
    CAPTURE(name);
    CHECK_FALSE(coded[i].weights.is_coded());
    const std::size_t n = lb::weight_count(plain, i);
    CHECK(lb::codes_of(coded[i].weights, n) == lb::codes_of(plain[i].weights, n));
  }
}
