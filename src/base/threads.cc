// A fixed pool that takes pieces of one loop at a time from a shared counter. Workers spin briefly before
// they sleep: a training step starts several loops of some milliseconds each, and a wake-up costs about 50
// us.
#include "base/threads.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/processors.h"

namespace maeil {
namespace {

// Looked up once: loops ask for it often, and a pool should not change its size in the middle of a run.
int default_threads() {
  static const int threads = allowed_processors();
  return threads;
}

using Body = std::function<void(size_t, size_t, int)>;

class Pool {
 public:
  explicit Pool(int threads) {
    for (int worker = 1; worker < threads; ++worker) threads_.emplace_back([this, worker] { serve(worker); });
  }
  ~Pool() {
    {
      std::lock_guard lock(mutex_);
      stop_ = true;
      generation_.fetch_add(1);
    }
    wake_.notify_all();
    for (auto& thread : threads_) thread.join();
  }
  int size() const { return static_cast<int>(threads_.size()) + 1; }

  void run(size_t n, size_t grain, const Body& body) {
    {
      std::lock_guard lock(mutex_);
      n_ = n;
      grain_ = grain;
      body_ = &body;
      next_.store(0);
      busy_.store(static_cast<int>(threads_.size()));
      generation_.fetch_add(1);
    }
    wake_.notify_all();
    work(0);
    while (busy_.load(std::memory_order_acquire) != 0) std::this_thread::yield();
  }

 private:
  void work(int worker) {
    for (;;) {
      const size_t first = next_.fetch_add(grain_);
      if (first >= n_) return;
      (*body_)(first, std::min(n_, first + grain_), worker);
    }
  }
  void serve(int worker);

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<uint64_t> generation_{0};
  std::atomic<size_t> next_{0};
  std::atomic<int> busy_{0};
  size_t n_ = 0, grain_ = 1;
  const Body* body_ = nullptr;
  bool stop_ = false;
};

thread_local bool inside_loop = false;
std::mutex pool_mutex;  // one loop at a time; a second caller from another thread runs its loop alone
int wanted_threads = 0;
std::unique_ptr<Pool> pool;

void Pool::serve(int worker) {
  uint64_t seen = 0;
  inside_loop = true;
  for (;;) {
    for (int spin = 0; spin < 2000 && generation_.load(std::memory_order_acquire) == seen; ++spin) {
      std::this_thread::yield();
    }
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return generation_.load() != seen; });
      seen = generation_.load();
      if (stop_) return;
    }
    work(worker);
    busy_.fetch_sub(1, std::memory_order_release);
  }
}

}  // namespace

int thread_count() { return wanted_threads > 0 ? wanted_threads : default_threads(); }

void set_thread_count(int threads) {
  std::lock_guard lock(pool_mutex);
  wanted_threads = std::clamp(threads, 0, 1024);
  pool.reset();
}

void parallel_for_workers(size_t n, size_t grain, const Body& body) {
  if (n == 0) return;
  grain = std::max<size_t>(1, grain);
  std::unique_lock lock(pool_mutex, std::defer_lock);
  if (inside_loop || n <= grain || !lock.try_lock()) {
    for (size_t first = 0; first < n; first += grain) body(first, std::min(n, first + grain), 0);
    return;
  }
  if (!pool || pool->size() != thread_count()) pool = std::make_unique<Pool>(thread_count());
  inside_loop = true;
  pool->run(n, grain, body);
  inside_loop = false;
}

void parallel_for(size_t n, size_t grain, const std::function<void(size_t, size_t)>& body) {
  parallel_for_workers(n, grain, [&](size_t first, size_t last, int) { body(first, last); });
}

Status run_pipeline(size_t slots, const std::function<Result<bool>(size_t)>& next,
                    const std::function<Status(size_t)>& work, const std::function<Status(size_t)>& finish) {
  std::mutex mutex;
  std::condition_variable room;
  std::vector<bool> ready(slots);
  std::vector<Status> worked(slots);  // how each slot's work ended
  uint64_t taken = 0, finished = 0;   // items
  bool finishing = false, ended = false;
  Status items, results;  // the first error of `next`; of `work` and `finish`, which comes before it

  const auto finish_in_order = [&](std::unique_lock<std::mutex>& lock) {
    finishing = true;
    while (results && finished < taken && ready[finished % slots]) {
      const size_t slot = finished % slots;
      lock.unlock();
      Status done = worked[slot];
      if (done) done = finish(slot);
      lock.lock();
      if (!done) {
        results = std::move(done);
        ended = true;
      }
      ready[slot] = false;
      ++finished;
      room.notify_all();
    }
    finishing = false;
  };

  const auto threads = static_cast<size_t>(thread_count());
  parallel_for(threads, 1, [&](size_t, size_t) {
    std::unique_lock lock(mutex);
    for (;;) {
      room.wait(lock, [&] { return ended || taken - finished < slots; });
      if (ended) return;
      const size_t slot = taken % slots;
      Result<bool> more = next(slot);
      if (!more || !*more) {
        if (!more) items = tl::unexpected(std::move(more).error());
        ended = true;
        room.notify_all();
        return;
      }
      ++taken;
      lock.unlock();
      Status done = work(slot);
      lock.lock();
      worked[slot] = std::move(done);
      ready[slot] = true;
      if (!finishing) finish_in_order(lock);
    }
  });
  return results ? items : results;
}

}  // namespace maeil
