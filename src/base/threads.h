// The process's worker threads: one pool, sized once, and parallel loops over independent outputs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/error.h"

namespace maeil {

// The number of threads that parallel_for uses, the caller included; at least 1. The default is
// allowed_processors(): what this process may run on, or what its control group's quota lets it consume when
// that is less.
int thread_count();

// Sets it (0: back to the default). Not while a parallel_for runs.
void set_thread_count(int threads);

// Calls body(first, last) over disjoint pieces of [0, n), each at most `grain` long, on all threads, and
// returns when all are done. Which thread takes which piece is not fixed, so a body may only write what
// belongs to its own piece: then results do not depend on the number of threads. The body must not throw. A
// parallel_for inside a body runs on the calling thread alone.
void parallel_for(size_t n, size_t grain, const std::function<void(size_t first, size_t last)>& body);

// The same, telling the body which worker runs it: 0 <= worker < thread_count(). For per-worker scratch
// memory.
void parallel_for_workers(size_t n, size_t grain,
                          const std::function<void(size_t first, size_t last, int worker)>& body);

// A line of work on items that come one after another: `next` makes an item (false: there is none any more),
// `work` does the heavy part on any thread, `finish` takes the results in the items' order. An item lives in
// one of `slots` places from next to finish, so memory is bounded and can be used again. next and finish are
// never called at once with themselves; finish may run on any thread. The error that comes first in the
// items' order is returned, and what was before it is finished. Inside a parallel_for it runs on the calling
// thread alone.
Status run_pipeline(size_t slots, const std::function<Result<bool>(size_t slot)>& next,
                    const std::function<Status(size_t slot)>& work,
                    const std::function<Status(size_t slot)>& finish);

// Slots enough that no thread waits for another's item in the ordinary case.
inline size_t pipeline_slots() { return 4 * static_cast<size_t>(thread_count()); }

// run_pipeline over the numbers first .. first + count - 1, cut at the multiples of `step`. A piece's result
// lives in a slot of type Out that later pieces use again. REQUIRES: first + count does not overflow.
template <class Out>
Status run_pieces(uint64_t first, uint64_t count, uint64_t step,
                  const std::function<Status(uint64_t first, uint64_t count, Out& out)>& work,
                  const std::function<Status(Out& out)>& finish) {
  struct Piece {
    uint64_t first = 0, count = 0;
    Out out{};
  };
  std::vector<Piece> pieces(pipeline_slots());
  const uint64_t end = first + count;
  return run_pipeline(
      pieces.size(),
      [&](size_t slot) -> Result<bool> {
        if (first == end) return false;
        const uint64_t stop = end - first > step - first % step ? first - first % step + step : end;
        pieces[slot].first = first, pieces[slot].count = stop - first;
        first = stop;
        return true;
      },
      [&](size_t slot) { return work(pieces[slot].first, pieces[slot].count, pieces[slot].out); },
      [&](size_t slot) { return finish(pieces[slot].out); });
}

}  // namespace maeil
