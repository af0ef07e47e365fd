#include "loop/datasets.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <system_error>

#include "base/dataset_name.h"
#include "base/file.h"
#include "dag/dag_run.h"
#include "dag/task_record.h"
#include "loop/erase_documents.h"
#include "loop/own_file.h"
#include "registry/audit.h"
#include "registry/version_names.h"
#include "registry/versions.h"
#include "store/dataset_store.h"
#include "store/field_rules.h"

namespace maeil::loop {
namespace fs = std::filesystem;
namespace {

using store::Document;

// What a removal leaves: who did what; and what the store's datasets share.
constexpr std::array<std::string_view, 2> kStays = {registry::kAuditLog, registry::kNames};

std::string dataset_of(const Document& document) {
  const std::string name = store::text_field(document, "dataset");
  return name.empty() ? std::string(kBuiltinDataset) : name;
}

// Files that are maeil's alone below the dataset's folders, as far as they are there.
std::vector<fs::path> own_paths(const Settings& settings) {
  const fs::path models = settings.model_save_path, data = settings.data_dir;
  std::vector<fs::path> out;
  std::error_code error;
  for (const fs::path& path :
       {models / "deployed", models / "deployments", data / "processed", data / "parts"}) {
    if (fs::exists(fs::symlink_status(path, error))) out.push_back(path);
  }
  for (fs::directory_iterator file(models, error), end; !error && file != end; file.increment(error)) {
    const std::string name = file->path().filename().string();
    if (name.starts_with("classifier_") || name.starts_with("pretrained_encoder_"))
      out.push_back(file->path());
  }
  return out;
}

// Those under whose names a file of the user's may lie, which maeil then leaves (own_file.h).
Result<std::vector<std::pair<fs::path, OwnFileKind>>> own_files(store::Store& view,
                                                                const Settings& settings) {
  std::vector<std::pair<fs::path, OwnFileKind>> out;
  std::error_code error;
  if (fs::exists(settings.data_path, error)) out.emplace_back(settings.data_path, kRawDataFile);
  for (fs::directory_iterator file(fs::path(settings.data_dir) / "scores", error), end; !error && file != end;
       file.increment(error)) {
    if (file->path().extension() == ".csv") out.emplace_back(file->path(), kScoresFile);
  }
  std::vector<std::pair<fs::path, OwnFileKind>> own;
  for (auto& [path, kind] : out) {
    MAEIL_ASSIGN(const bool wrote, OwnFile::wrote(path.string(), kind, [&] { return std::ref(view); }));
    if (wrote) own.emplace_back(std::move(path), kind);
  }
  return own;
}

// Removes a folder that is empty now; another stays, and so does a link.
void leave_if_empty(const fs::path& folder) {
  std::error_code error;
  if (fs::is_directory(fs::symlink_status(folder, error)) && fs::is_empty(folder, error) && !error)
    fs::remove(folder, error);
}

}  // namespace

Result<std::set<std::string>> datasets_of(store::Store& whole) {
  std::set<std::string> out;
  store::FindOptions find;
  find.projection = {"dataset"};
  for (const char* collection : {dag::kDagRuns, registry::kCollection}) {
    MAEIL_TRY(whole.find_each(collection, find, [&](Document&& document) {
      out.insert(dataset_of(document));
      return true;
    }));
  }
  MAEIL_ASSIGN(const auto blobs, whole.blobs());
  for (const auto& blob : blobs) out.insert(dataset_of(blob.metadata));
  return out;
}

Result<std::vector<std::unique_ptr<store::Lock>>> lock_all_datasets(store::Store& whole,
                                                                    const std::string& holder) {
  MAEIL_ASSIGN(auto names, datasets_of(whole));
  names.emplace(kBuiltinDataset);  // also where nothing is there yet
  std::vector<std::unique_ptr<store::Lock>> out;
  for (const auto& name : names) {
    MAEIL_ASSIGN(auto lock, store::dataset_view(whole, name)->lock("runner", holder));
    out.push_back(std::move(lock));
  }
  return out;
}

Result<DatasetContents> survey_dataset(store::Store& view, const Settings& settings) {
  DatasetContents out;
  MAEIL_ASSIGN(const auto collections, view.collections());
  for (const auto& collection : collections) {
    if (std::ranges::find(kStays, collection) != kStays.end()) continue;
    MAEIL_ASSIGN(const auto ids, ids_of(view, collection, Document::object()));
    if (!ids.empty()) out.documents[collection] = ids.size();
    MAEIL_ASSIGN(const auto partitions, view.row_partitions(collection));
    if (!partitions.empty()) out.partitions[collection] = partitions.size();
  }
  MAEIL_ASSIGN(const auto blobs, view.blobs());
  out.blobs = blobs.size();
  for (const auto& blob : blobs) out.blob_bytes += static_cast<uint64_t>(std::max<int64_t>(blob.length, 0));
  for (const int order : {1, -1}) {
    store::FindOptions find;
    find.sort = {{"logical_date", order}};
    find.limit = 1;
    find.projection = {"logical_date"};
    MAEIL_ASSIGN(const auto run, view.find_one(dag::kDagRuns, find));
    const auto date = parse_date(store::text_field(run, "logical_date"));
    if (date) (order > 0 ? out.first : out.last) = *date;
  }
  MAEIL_ASSIGN(const auto deployed, registry::deployed_version(view));
  if (deployed) out.deployed = deployed->version;
  if (settings.dataset == kBuiltinDataset) return out;
  out.files = own_paths(settings);
  MAEIL_ASSIGN(const auto files, own_files(view, settings));
  for (const auto& [path, kind] : files) out.files.push_back(path);
  return out;
}

Status check_nobody_works(store::Store& view) {
  MAEIL_ASSIGN(const Instant at, view.time());
  store::FindOptions running;
  running.filter = {{"state", {{"$in", {"running", "up_for_retry"}}}}};
  std::string who;
  MAEIL_TRY(view.find_each(dag::kTaskInstances, running, [&](Document&& document) {
    const auto record = dag::record_from(document);
    if (record.alive_until && *record.alive_until > at)
      who = fmt::format("{}.{} of {}", store::text_field(document, "dag_id"),
                        store::text_field(document, "task_id"), store::text_field(document, "logical_date"));
    return who.empty();
  }));
  return who.empty() ? Status{}
                     : fail(ErrorCode::kConflict, fmt::format("{} is at work: wait for its end", who));
}

namespace {

// Names of versions are never given twice: a task that is done anew after the removal takes another.
Status disown_names(store::Store& view) {
  std::vector<Document> names;
  MAEIL_ASSIGN(const auto versions, view.find(registry::kCollection, {}));
  for (const auto& version : versions) {
    store::FindOptions same;
    same.filter = {{"model_version", store::text_field(version, "model_version")},
                   {"taken_by", store::text_field(version, "task_key")}};
    MAEIL_ASSIGN(Document name, view.find_one(registry::kNames, same));
    if (!name.is_null()) names.push_back(std::move(name));
  }
  for (auto& name : names) {
    name["taken_by"] = "a version that was removed with its dataset";
    store::Batch batch;
    batch.puts.push_back({registry::kNames, std::move(name)});
    MAEIL_TRY(view.commit(batch));
  }
  return {};
}

// While the store still knows which of them are maeil's.
Status remove_files(store::Store& view, const Settings& settings) {
  if (settings.dataset == kBuiltinDataset) return {};
  MAEIL_ASSIGN(const auto files, own_files(view, settings));
  for (const auto& [path, kind] : files)
    MAEIL_TRY(OwnFile::remove(path.string(), kind, [&] { return std::ref(view); }));
  for (const auto& path : own_paths(settings)) {
    std::error_code error;
    fs::remove_all(path, error);
    if (error) return io_error(fmt::format("cannot remove {}: {}", path.string(), error.message()));
  }
  const fs::path data = settings.data_dir;
  for (const fs::path& folder : {fs::path(settings.model_save_path), data / "scores", data,
                                 fs::path(settings.data_path).parent_path()})
    leave_if_empty(folder);
  return {};
}

}  // namespace

Status remove_dataset(store::Store& view, const Settings& settings, const DatasetContents& contents) {
  store::Batch said;
  uint64_t documents = 0;
  for (const auto& [collection, count] : contents.documents) documents += count;
  said.puts.push_back(registry::audit_entry({"remove dataset",
                                             settings.dataset,
                                             {{"documents", documents}, {"blobs", contents.blobs}},
                                             nullptr,
                                             "manual"},
                                            now()));
  MAEIL_TRY(view.commit(said));
  MAEIL_TRY(remove_files(view, settings));
  MAEIL_TRY(disown_names(view));
  // Blobs last: while one is there, the dataset is seen to be there.
  for (const auto& [collection, count] : contents.documents) {
    MAEIL_ASSIGN(const auto ids, ids_of(view, collection, Document::object()));
    MAEIL_TRY(erase_documents(view, collection, ids));
  }
  for (const auto& [collection, count] : contents.partitions) {
    MAEIL_ASSIGN(const auto partitions, view.row_partitions(collection));
    for (const auto& partition : partitions) MAEIL_TRY(view.erase_rows(collection, partition));
  }
  MAEIL_ASSIGN(const auto blobs, view.blobs());
  for (const auto& blob : blobs) MAEIL_TRY(view.erase_blob(blob.id));
  return {};
}

Result<fs::path> rename_dataset(const fs::path& folder, const DescribedDataset& dataset,
                                const std::string& name) {
  MAEIL_TRY(check_dataset_name(name));
  if (name.ends_with(kRehearsal))
    return usage_error(fmt::format("'{}' would be called as a rehearsal is (SYNTHETIC_DAY)", name));
  for (const auto& other : datasets_in(folder)) {
    if (name == kBuiltinDataset ||
        (other.spec != dataset.spec && (other.name == name || other.recorded_as == name)))
      return usage_error(fmt::format("there is a dataset '{}' already", name));
  }
  MAEIL_ASSIGN(const std::string text, read_file(dataset.spec, 1 << 26));
  // The lines before the first table, where a top-level key can stand.
  std::string out;
  bool renamed = false, in_table = false;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    const std::string line = text.substr(at, end - at);
    at = end;
    const size_t first = line.find_first_not_of(" \t");
    const std::string_view word = std::string_view(line).substr(std::min(first, line.size()));
    in_table |= word.starts_with('[');
    const auto is_key = [&](std::string_view key) {
      return !in_table && word.starts_with(key) &&
             word.substr(key.size()).find_first_not_of(" \t") == word.substr(key.size()).find('=');
    };
    if (is_key("recorded_as")) continue;
    if (!renamed && is_key("name")) {
      out += fmt::format("name = \"{}\"\n", name);
      if (name != dataset.recorded_as)
        out += fmt::format("recorded_as = \"{}\"  # in documents, DAGs and folders\n", dataset.recorded_as);
      renamed = true;
    } else {
      out += line;
    }
  }
  const fs::path target = dataset.spec.filename() == dataset.name + ".toml"
                              ? dataset.spec.parent_path() / (name + ".toml")
                              : dataset.spec;
  std::error_code error;
  if (target != dataset.spec && fs::exists(target, error))
    return usage_error(fmt::format("{} is there already", target.string()));
  if (!renamed)
    return bad_input(
        fmt::format("{}: its name does not stand in a line of its own: change it there, and add "
                    "recorded_as = \"{}\"",
                    dataset.spec.string(), dataset.recorded_as));
  MAEIL_ASSIGN(const auto described, read_dataset_name(out, dataset.spec));
  if (described.name != name || described.recorded_as != dataset.recorded_as)
    return bad_input(
        fmt::format("{}: its name cannot be changed by a program: change it there, and add "
                    "recorded_as = \"{}\"",
                    dataset.spec.string(), dataset.recorded_as));
  // Whichever name the file has meanwhile, it describes the dataset under its new one.
  MAEIL_TRY(write_file_atomically(dataset.spec, out));
  if (target != dataset.spec) {
    fs::rename(dataset.spec, target, error);
    if (error)
      return io_error(
          fmt::format("{} cannot be called {}: {}", dataset.spec.string(), target.string(), error.message()));
  }
  return target;
}

}  // namespace maeil::loop
