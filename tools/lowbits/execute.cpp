// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "execute.hpp"

#include <algorithm>
#include <chrono>

#include <lowbits/hosted/progress.hpp>
#include <lowbits/hosted/runtime_model.hpp>

namespace tool {

namespace {

template <class Function>
void for_each_usable_arch(Function f) {
  [&]<class... Archs>(lb::type_list<Archs...>) {
    ((lb::is_usable<Archs>() ? f(lb::arch_id_of<Archs>, std::string(Archs::name)) : void()), ...);
  }(lb::all_archs{});
}

}  // namespace

std::string arch_names() {
  std::string names;
  for_each_usable_arch([&](lb::arch_id, const std::string& name) { names += lb::joined(names.empty() ? "" : ", ", name); });
  return names;
}

execution execute(std::string_view command, const loaded_model& m, const std::vector<bytes>& inputs, const std::string& arch,
                  int repeat) {
  lb::arch_id id = lb::select_arch();
  if (!arch.empty()) {
    bool known = false;
    for_each_usable_arch([&](lb::arch_id other, const std::string& name) {
      if (name == arch) id = other, known = true;
    });
    if (!known)
      fail(command, lb::joined("--arch ", arch), "this processor or build does not have it", lb::joined("choose one of ", arch_names()));
  }
  const lb::runtime_model model(m.graph(), id);
  execution e{.arch = lb::arch_name(id), .arena_bytes = model.arena_bytes(), .prepared_bytes = model.prepared_bytes()};
  e.outputs = model.run(inputs, [&](const lb::node_output& o) {
    if (o.kind == lb::op_kind::constant) return;
    const auto* const at = static_cast<const unsigned char*>(o.data);
    e.layers.push_back({o.index, *o.desc, bytes(at, at + o.desc->bytes())});
  });
  if (repeat <= 0) return e;

  lb::aligned_bytes arena(model.arena_bytes());
  std::vector<bytes> results = e.outputs;
  std::vector<const void*> in;
  std::vector<void*> out;
  for (const bytes& x : inputs) in.push_back(x.data());
  for (bytes& y : results) out.push_back(y.data());
  std::vector<double> times;
  double sum = 0;
  lb::progress_bar bar;
  for (int i = 0; i < repeat; ++i) {
    const auto start = std::chrono::steady_clock::now();
    static_cast<void>(model.run(arena.span(), in, out));
    times.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
    sum += times.back();
    if (sum > 2e6 || times.front() * repeat > 4e6)  // microseconds: from here on somebody waits
      bar("running", static_cast<size_t>(i) + 1, static_cast<size_t>(repeat));
  }
  std::sort(times.begin(), times.end());
  e.best_us = times.front();
  e.median_us = times[times.size() / 2];
  return e;
}

}  // namespace tool
