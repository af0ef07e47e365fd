// The process's worker threads: one pool, sized once, and parallel loops over independent outputs.
#pragma once

#include <cstddef>
#include <functional>

namespace maeil {

// The number of threads that parallel_for uses, the caller included; at least 1. The default is the number of
// processors this process may run on (sched_getaffinity).
int thread_count();

// Sets it (0: back to the default). Not while a parallel_for runs.
void set_thread_count(int threads);

// Calls body(first, last) over disjoint pieces of [0, n), each at most `grain` long, on all threads, and returns when
// all are done. Which thread takes which piece is not fixed, so a body may only write what belongs to its own
// piece: then results do not depend on the number of threads. The body must not throw. A parallel_for
// inside a body runs on the calling thread alone.
void parallel_for(size_t n, size_t grain, const std::function<void(size_t first, size_t last)>& body);

// The same, telling the body which worker runs it: 0 <= worker < thread_count(). For per-worker scratch memory.
void parallel_for_workers(size_t n, size_t grain, const std::function<void(size_t first, size_t last, int worker)>& body);

}  // namespace maeil
