#include "store/dataset_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/dataset_name.h"
#include "base/hash.h"
#include "store/forwarding_store.h"

namespace maeil::store {
namespace {

constexpr const char* kDataset = "dataset";
constexpr std::array<std::string_view, 1> kShared = {"version_names"};

bool is_shared(std::string_view collection) {
  return std::ranges::find(kShared, collection) != kShared.end();
}

class DatasetStore : public ForwardingStore {
 public:
  DatasetStore(Store& below, std::string dataset)
      : ForwardingStore(below), dataset_(std::move(dataset)), is_builtin_(dataset_ == kBuiltinDataset) {}
  std::string name_here(std::string_view name) const override {
    return below_.name_here(name_in_dataset(dataset_, name));
  }

  Status commit(const Batch& batch) override {
    Batch here = batch;
    for (auto& put : here.puts) {
      if (!is_shared(put.collection)) put.document[kDataset] = dataset_;
    }
    for (auto& publish : here.publishes) publish.partition = name_in_dataset(dataset_, publish.partition);
    return below_.commit(here);
  }

  Status find_each(std::string_view collection, const FindOptions& options,
                   const std::function<bool(Document&&)>& visit) override {
    return is_shared(collection) ? below_.find_each(collection, options, visit)
                                 : below_.find_each(collection, of_dataset(options), visit);
  }

  Result<std::unique_ptr<RowWriter>> write_rows(std::string_view collection, std::string_view partition,
                                                const Document& constants) override {
    Document here = constants;
    here[kDataset] = dataset_;
    return below_.write_rows(collection, name_in_dataset(dataset_, partition), here);
  }
  Status read_rows(std::string_view collection, std::string_view partition,
                   const std::vector<std::string>& columns,
                   const std::function<Status(const RowChunk&)>& visit, RowSpan span) override {
    return below_.read_rows(collection, name_in_dataset(dataset_, partition), columns, visit, span);
  }
  Status erase_rows(std::string_view collection, std::string_view partition) override {
    return below_.erase_rows(collection, name_in_dataset(dataset_, partition));
  }
  Result<std::vector<std::string>> row_partitions(std::string_view collection) override {
    MAEIL_ASSIGN(const auto all, below_.row_partitions(collection));
    std::vector<std::string> out;
    for (const auto& partition : all) {
      const std::string of = dataset_of_dag(partition);
      if (is_builtin_ && of.empty()) out.push_back(partition);
      if (!is_builtin_ && of == dataset_) out.push_back(partition.substr(of.size() + kAfterDataset.size()));
    }
    return out;
  }
  Result<Document> row_constants(std::string_view collection, std::string_view partition) override {
    return below_.row_constants(collection, name_in_dataset(dataset_, partition));
  }

  Result<std::unique_ptr<BlobWriter>> write_blob(std::string_view filename, const Document& metadata,
                                                 std::string_view id, Instant uploaded) override {
    Document here = metadata.is_object() ? metadata : Document::object();
    here[kDataset] = dataset_;
    return below_.write_blob(filename, here, id, uploaded);
  }
  Result<std::vector<BlobInfo>> blobs() override {
    MAEIL_ASSIGN(auto all, below_.blobs());
    std::erase_if(all, [&](const BlobInfo& blob) {
      const auto found = blob.metadata.is_object() ? blob.metadata.find(kDataset) : blob.metadata.end();
      const bool says = blob.metadata.is_object() && found != blob.metadata.end() && found->is_string();
      return says ? found->get_ref<const std::string&>() != dataset_ : !is_builtin_;
    });
    return all;
  }

  Result<std::unique_ptr<Lock>> lock(std::string_view name, std::string_view holder) override {
    return below_.lock(lock_here(name), holder);
  }
  Result<std::unique_ptr<Lock>> wait_for_lock(std::string_view name, std::string_view holder,
                                              const std::function<bool(std::string_view)>& waiting) override {
    return below_.wait_for_lock(lock_here(name), holder, waiting);
  }
  Result<std::optional<LockHolder>> lock_holder(std::string_view name) override {
    return below_.lock_holder(lock_here(name));
  }

 private:
  FindOptions of_dataset(const FindOptions& options) const {
    FindOptions here = options;
    const Document own = is_builtin_ ? Document{{"$in", {nullptr, dataset_}}} : Document(dataset_);
    if (here.filter.contains(kDataset))
      here.filter = {{"$and", {options.filter, {{kDataset, own}}}}};
    else
      here.filter[kDataset] = own;
    return here;
  }

  // A lock's name has small letters only (lock_name.h).
  std::string lock_here(std::string_view name) const {
    return is_builtin_ ? std::string(name) : fmt::format("{}-{:016x}", name, hash64(dataset_));
  }

  const std::string dataset_;
  const bool is_builtin_;
};

}  // namespace

std::unique_ptr<Store> dataset_view(Store& below, const std::string& dataset) {
  return std::make_unique<DatasetStore>(below, dataset);
}

}  // namespace maeil::store
