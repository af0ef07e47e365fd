// Memory for large, short-lived buffers, on huge pages where the system grants them (madvise; else plain
// ones): the kernel prepares it in pieces of 2 MiB instead of 4 KiB. Touching small pages was a third of the
// processor time of storing a day's rows (docs/performance.md).
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdlib>
#include <new>
#include <vector>

namespace maeil {

inline constexpr size_t kHugePage = 2 << 20;

// An allocator for buffers of whole huge pages; what is smaller than one comes from the heap as usual.
template <class T>
struct HugePages {
  using value_type = T;
  HugePages() = default;
  template <class U>
  HugePages(const HugePages<U>&) {}

  T* allocate(size_t count) {
    const size_t bytes = count * sizeof(T);
    if (bytes < kHugePage) return static_cast<T*>(::operator new(bytes));
    const size_t whole = (bytes + kHugePage - 1) / kHugePage * kHugePage;
    void* memory = std::aligned_alloc(kHugePage, whole);
    if (!memory) throw std::bad_alloc();
    (void)::madvise(memory, whole, MADV_HUGEPAGE);  // a hint: without it everything works, slower
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, size_t count) {
    if (count * sizeof(T) < kHugePage)
      ::operator delete(memory);
    else
      std::free(memory);
  }
  friend bool operator==(const HugePages&, const HugePages&) { return true; }
};

using HugeBytes = std::vector<char, HugePages<char>>;

}  // namespace maeil
