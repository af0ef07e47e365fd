// Does something again and again on a thread of its own until destroyed: signs of life.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace maeil::store::mongo {

class Repeating {
 public:
  // The first time after `pause`. `action` may run once more while the destructor waits for it.
  Repeating(std::chrono::milliseconds pause, std::function<void()> action)
      : pause_(pause), action_(std::move(action)), thread_([this] { repeat(); }) {}
  ~Repeating() {
    {
      std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }
  Repeating(const Repeating&) = delete;
  Repeating& operator=(const Repeating&) = delete;

 private:
  void repeat() {
    std::unique_lock lock(mutex_);
    while (!wake_.wait_for(lock, pause_, [this] { return stopped_; })) {
      lock.unlock();
      action_();
      lock.lock();
    }
  }

  const std::chrono::milliseconds pause_;
  const std::function<void()> action_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopped_ = false;
  std::thread thread_;  // last: it uses the others
};

}  // namespace maeil::store::mongo
