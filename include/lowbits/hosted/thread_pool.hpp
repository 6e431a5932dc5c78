// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// An executor (kernel/threads.hpp) on std::threads of its own. A thread without work spins for some
// microseconds, so that calls that follow each other closely find it awake, then sleeps.

#include <atomic>
#include <thread>
#include <vector>

#include <lowbits/core/types.hpp>

namespace lowbits::inline LOWBITS_ABI {

/// pool(n, f) calls f(0), ..., f(n - 1) on the pool's threads and the calling one, and returns when all
/// have returned. f must not throw. Calls from several threads, and from within f, are allowed; while
/// the pool is busy they run on the thread that makes them.
class thread_pool {
public:
  /// `threads` with the calling one; 0 stands for one per processor.
  explicit thread_pool(int threads = 0) {
    if (threads <= 0) threads = larger(1, static_cast<int>(std::thread::hardware_concurrency()));
    for (int i = 1; i < threads; ++i) threads_.emplace_back([this] { work(); });
  }
  ~thread_pool() {
    stopping_ = true;
    announce();
    for (auto& t : threads_) t.join();
  }
  thread_pool(const thread_pool&) = delete;
  thread_pool& operator=(const thread_pool&) = delete;

  /// How many parts make sense.
  int size() const noexcept { return static_cast<int>(threads_.size()) + 1; }

  template <class Function>
  void operator()(int n, Function&& f) {
    if (n <= 1 || threads_.empty() || in_use_.test_and_set(std::memory_order_acquire)) {
      for (int i = 0; i < n; ++i) f(i);
      return;
    }
    call_ = [](void* context, int i) { (*static_cast<std::remove_reference_t<Function>*>(context))(i); };
    context_ = const_cast<void*>(static_cast<const void*>(&f));
    count_ = n;
    next_.store(0, std::memory_order_relaxed);
    working_.store(static_cast<int>(threads_.size()), std::memory_order_relaxed);
    announce();
    take_parts();
    wait_while(working_, [](int left) { return left != 0; });
    in_use_.clear(std::memory_order_release);
  }

private:
  /// Where a pause takes 140 clocks (x86 since Skylake), 0.2 ms or less; where it is nothing, some microseconds.
  static constexpr int spins = 4000;

  static void pause() noexcept {
#if LOWBITS_GNU && LOWBITS_X86
    __builtin_ia32_pause();
#endif
  }
  /// Waits as long as `holds` is true of the value; returns the first value of which it is not.
  template <class Predicate>
  static int wait_while(const std::atomic<int>& value, Predicate holds) noexcept {
    for (int i = 0; i < spins; ++i) {
      const int v = value.load(std::memory_order_acquire);
      if (!holds(v)) return v;
      pause();
    }
    for (;;) {
      const int v = value.load(std::memory_order_acquire);
      if (!holds(v)) return v;
      value.wait(v, std::memory_order_acquire);
    }
  }
  void announce() noexcept {
    round_.fetch_add(1, std::memory_order_release);
    round_.notify_all();
  }
  void take_parts() {
    for (int i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < count_;) call_(context_, i);
  }
  void work() {
    for (int seen = 0;;) {
      seen = wait_while(round_, [seen](int now) { return now == seen; });
      if (stopping_) return;
      take_parts();
      if (working_.fetch_sub(1, std::memory_order_acq_rel) == 1) working_.notify_one();
    }
  }

  std::vector<std::thread> threads_;
  std::atomic_flag in_use_;
  void (*call_)(void*, int) = nullptr;
  void* context_ = nullptr;
  int count_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> round_{0}, next_{0}, working_{0};
};

}  // namespace lowbits
