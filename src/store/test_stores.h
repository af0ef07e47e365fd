// Stores that go wrong in one way each. Only for tests.
#pragma once

#include <functional>
#include <string_view>

#include "store/forwarding_store.h"

namespace maeil::store {

// Once armed, one commit (the `at`-th from then) reaches the store, and its answer is lost. With
// `goes_blind`, nothing can be read afterwards either.
class DeafStore : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  int at = 0;
  bool goes_blind = false;
  ErrorCode code = ErrorCode::kUnavailable;
  Status commit(const Batch& batch) override {
    MAEIL_TRY(below_.commit(batch));
    if (at == 0 || --at > 0) return {};
    blind_ = goes_blind;
    return fail(code, "the connection broke");
  }
  Status find_each(std::string_view collection, const FindOptions& options,
                   const std::function<bool(Document&&)>& visit) override {
    if (blind_) return fail(ErrorCode::kUnavailable, "no server answers");
    return below_.find_each(collection, options, visit);
  }

 private:
  bool blind_ = false;
};

// A server whose clock is `ahead` of this machine's.
class ShiftedStore : public ForwardingStore {
 public:
  ShiftedStore(Store& below, std::chrono::milliseconds ahead) : ForwardingStore(below), ahead_(ahead) {}
  Result<Instant> time() override { return now() + ahead_; }

 private:
  const std::chrono::milliseconds ahead_;
};

}  // namespace maeil::store
