#include "store/empty_store.h"

#include <fmt/format.h>

#include <utility>

namespace maeil::store {
namespace {

class EmptyStore : public Store {
 public:
  explicit EmptyStore(std::string description) : description_(std::move(description)) {}

  Result<Instant> time() override { return now(); }
  Status commit(const Batch&) override { return absent(); }
  Status find_each(std::string_view, const FindOptions&, const std::function<bool(Document&&)>&) override {
    return {};
  }
  Result<std::vector<std::string>> collections() override { return std::vector<std::string>(); }
  Result<std::unique_ptr<RowWriter>> write_rows(std::string_view, std::string_view,
                                                const Document&) override {
    return absent();
  }
  Status read_rows(std::string_view, std::string_view, const std::vector<std::string>&,
                   const std::function<Status(const RowChunk&)>&, RowSpan) override {
    return absent();
  }
  Status erase_rows(std::string_view, std::string_view) override { return absent(); }
  Result<std::vector<std::string>> row_partitions(std::string_view) override {
    return std::vector<std::string>();
  }
  Result<Document> row_constants(std::string_view, std::string_view) override { return absent(); }
  Result<std::unique_ptr<BlobWriter>> write_blob(std::string_view, const Document&, std::string_view,
                                                 Instant) override {
    return absent();
  }
  Status read_blob(std::string_view, const std::function<Status(std::string_view)>&) override {
    return absent();
  }
  Result<BlobInfo> blob_info(std::string_view) override { return absent(); }
  Result<std::vector<BlobInfo>> blobs() override { return std::vector<BlobInfo>(); }
  Status erase_blob(std::string_view) override { return absent(); }
  Result<int64_t> collect_garbage(Instant) override { return 0; }
  Result<std::optional<LockHolder>> lock_holder(std::string_view) override { return std::nullopt; }
  Result<std::unique_ptr<Lock>> lock(std::string_view, std::string_view) override {
    return std::make_unique<Lock>();
  }
  Status check() override { return absent(); }
  uint64_t nulled() const override { return 0; }
  std::string description() const override { return description_; }

 private:
  tl::unexpected<Error> absent() const {
    return not_found(fmt::format("there is no store {} yet: `maeil run` makes one", description_));
  }
  const std::string description_;
};

}  // namespace

std::unique_ptr<Store> make_empty_store(std::string description) {
  return std::make_unique<EmptyStore>(std::move(description));
}

}  // namespace maeil::store
