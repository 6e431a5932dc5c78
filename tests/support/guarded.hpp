// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once

// Memory between two protected pages: whatever touches a byte in front of the first or behind the
// last page ends the test. An array placed at the front begins at a protected page, one at the back
// ends at one, with whatever alignment its size leaves.

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace guarded {

enum class place { front, back };
inline constexpr place both_places[] = {place::front, place::back};

class memory {
public:
  explicit memory(std::size_t capacity = 1 << 20) {
    page_ = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    size_ = (capacity + page_ - 1) / page_ * page_;
    void* all = mmap(nullptr, size_ + 2 * page_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) std::abort();
    front_ = static_cast<unsigned char*>(all) + page_;
    if (mprotect(front_, size_, PROT_READ | PROT_WRITE) != 0) std::abort();
  }
  memory(const memory&) = delete;
  memory& operator=(const memory&) = delete;
  ~memory() { munmap(front_ - page_, size_ + 2 * page_); }

  /// An array of n elements, filled with a byte that stands out.
  template <class T>
  T* take(std::size_t n, place where) {
    if (n * sizeof(T) > size_) std::abort();
    unsigned char* at = where == place::front ? front_ : front_ + size_ - n * sizeof(T);
    std::memset(at, 0x5a, n * sizeof(T));
    return reinterpret_cast<T*>(at);
  }
  template <class T>
  T* copy(const std::vector<T>& from, place where) {
    T* to = take<T>(from.size(), where);
    if (!from.empty()) std::memcpy(to, from.data(), from.size() * sizeof(T));
    return to;
  }

private:
  std::size_t page_ = 0, size_ = 0;
  unsigned char* front_ = nullptr;
};

}  // namespace guarded
