// A store in front of another that passes everything on: whoever derives from it changes the rest.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "store/store.h"

namespace maeil::store {

class ForwardingStore : public Store {
 public:
  explicit ForwardingStore(Store& below) : below_(below) {}  // borrowed
  Result<Instant> time() override { return below_.time(); }
  Status commit(const Batch& batch) override { return below_.commit(batch); }
  Status find_each(std::string_view collection, const FindOptions& options,
                   const std::function<bool(Document&&)>& visit) override {
    return below_.find_each(collection, options, visit);
  }
  Result<std::vector<std::string>> collections() override { return below_.collections(); }
  Result<std::unique_ptr<RowWriter>> write_rows(std::string_view c, std::string_view p,
                                                const Document& constants) override {
    return below_.write_rows(c, p, constants);
  }
  Status read_rows(std::string_view c, std::string_view p, const std::vector<std::string>& columns,
                   const std::function<Status(const RowChunk&)>& visit, RowSpan span) override {
    return below_.read_rows(c, p, columns, visit, span);
  }
  Status erase_rows(std::string_view c, std::string_view p) override { return below_.erase_rows(c, p); }
  Result<std::vector<std::string>> row_partitions(std::string_view c) override {
    return below_.row_partitions(c);
  }
  Result<Document> row_constants(std::string_view c, std::string_view p) override {
    return below_.row_constants(c, p);
  }
  Result<std::unique_ptr<BlobWriter>> write_blob(std::string_view name, const Document& metadata,
                                                 std::string_view id, Instant uploaded) override {
    return below_.write_blob(name, metadata, id, uploaded);
  }
  Status read_blob(std::string_view id, const std::function<Status(std::string_view)>& sink) override {
    return below_.read_blob(id, sink);
  }
  Result<BlobInfo> blob_info(std::string_view id) override { return below_.blob_info(id); }
  Result<std::vector<BlobInfo>> blobs() override { return below_.blobs(); }
  Status erase_blob(std::string_view id) override { return below_.erase_blob(id); }
  Result<int64_t> collect_garbage(Instant before) override { return below_.collect_garbage(before); }
  Result<std::unique_ptr<Lock>> lock(std::string_view name, std::string_view holder) override {
    return below_.lock(name, holder);
  }
  Result<std::optional<LockHolder>> lock_holder(std::string_view name) override {
    return below_.lock_holder(name);
  }
  Result<std::vector<std::string>> foreign() override { return below_.foreign(); }
  std::string name_here(std::string_view name) const override { return below_.name_here(name); }
  Status check() override { return below_.check(); }
  uint64_t nulled() const override { return below_.nulled(); }
  std::string description() const override { return below_.description(); }

 protected:
  Store& below_;
};

}  // namespace maeil::store
