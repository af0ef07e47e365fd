// The datasets of a store and of a folder: which there are, what each has, and taking one out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/dataset_choice.h"
#include "base/error.h"
#include "base/settings.h"
#include "base/time.h"
#include "store/store.h"

namespace maeil::loop {

// Of documents and blobs of `whole`, a store of all datasets, by the names under which they are recorded. The
// built-in dataset's are those that name none, too. Reads the runs, the versions and the list of blobs.
Result<std::set<std::string>> datasets_of(store::Store& whole);

// The locks "runner" of all of them: while they are held no day runs. kConflict: one does.
Result<std::vector<std::unique_ptr<store::Lock>>> lock_all_datasets(store::Store& whole,
                                                                    const std::string& holder);

struct DatasetContents {
  std::map<std::string, uint64_t> documents;   // by collection
  std::map<std::string, uint64_t> partitions;  // of prepared rows, by collection
  uint64_t blobs = 0, blob_bytes = 0;
  std::optional<Days> first, last;           // logical dates of its runs
  std::string deployed;                      // version; "": none
  std::vector<std::filesystem::path> files;  // what maeil wrote on this machine
  bool empty() const { return documents.empty() && partitions.empty() && blobs == 0 && files.empty(); }
};

// `view`: the dataset's part of a store (store/dataset_store.h); `settings`: with its folders. Reads every
// document's id.
Result<DatasetContents> survey_dataset(store::Store& view, const Settings& settings);

// kConflict, where a task of the dataset is at work that another process started (`maeil task`).
Status check_nobody_works(store::Store& view);

// Removes what survey_dataset finds, and says so in `audit_log`, whose entries stay: they say who did what
// when. Of files and folders what maeil writes; the dataset's folders where nothing else is in them; none of
// the built-in dataset's, beside which the others' lie. Killed in the middle it is done again. REQUIRES:
// `settings` are those of the view's dataset; the caller holds its locks "runner", "labels" and "deployment".
Status remove_dataset(store::Store& view, const Settings& settings, const DatasetContents& contents);

// Gives the dataset another name in its spec. What is recorded keeps the old one, which the spec then names
// (recorded_as). Returns the path of the spec: datasets/OLD.toml becomes datasets/NEW.toml.
// kUsage: the new name is taken, or cannot be one.
Result<std::filesystem::path> rename_dataset(const std::filesystem::path& folder,
                                             const DescribedDataset& dataset, const std::string& name);

}  // namespace maeil::loop
