// `maeil dataset list | show | rename | remove`.
#include "cli/datasets.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "base/dataset_choice.h"
#include "base/dataset_name.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "loop/datasets.h"
#include "loop/pipelines.h"
#include "registry/deployed_link.h"
#include "store/dataset_store.h"

namespace maeil::cli {
namespace {

constexpr const char* kFolder = ".";

// A dataset that a file describes, or of which only the store knows.
struct Known {
  DescribedDataset described;  // spec "": no file
  bool is_builtin() const { return described.recorded_as == kBuiltinDataset; }
  std::string file() const {
    return !described.spec.empty()                       ? described.spec.lexically_normal().string()
           : is_builtin()                                ? "built in"
           : described.recorded_as.ends_with(kRehearsal) ? "a rehearsal"
                                                         : "no file";
  }
};

Result<std::vector<Known>> known_datasets(store::Store& whole) {
  std::vector<Known> out;
  for (auto& one : datasets_in(kFolder)) out.push_back({std::move(one)});
  MAEIL_ASSIGN(const auto recorded, loop::datasets_of(whole));
  for (const auto& name : recorded) {
    const bool is_there = std::ranges::any_of(
        out, [&](const Known& one) { return !one.described.wrong && one.described.recorded_as == name; });
    if (!is_there) out.push_back({{name, name, {}}});
  }
  return out;
}

Result<Known> find_known(store::Store& whole, const std::string& name) {
  MAEIL_ASSIGN(auto all, known_datasets(whole));
  std::vector<std::string> names;
  std::vector<Known> found;
  for (auto& one : all) {
    names.push_back(one.described.name);
    if (one.described.name == name || one.described.recorded_as == name) found.push_back(std::move(one));
  }
  if (found.size() > 1)
    return usage_error(fmt::format("{} and {} are both called '{}': leave one of them", found[0].file(),
                                   found[1].file(), name));
  if (found.size() == 1 && found[0].described.wrong) return tl::make_unexpected(*found[0].described.wrong);
  if (found.size() == 1) return std::move(found[0]);
  if (name == kBuiltinDataset) return Known{{name, name, {}}};
  return not_found(
      fmt::format("there is no dataset '{}', neither in this folder nor in the store; there are {}", name,
                  names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
}

// With its folders, also where only the store knows it, and whatever DATASET and SYNTHETIC_DAY say.
Result<Settings> settings_of(const Known& known) {
  const std::string& name = known.described.recorded_as;
  MAEIL_ASSIGN(Settings own, settings_here(name));  // a rehearsal's by its real dataset's file
  if (own.dataset == name) return own;
  MAEIL_ASSIGN(Settings out, settings_here(kBuiltinDataset));
  if (out.dataset_error) return tl::make_unexpected(*out.dataset_error);
  out.dataset = name;
  go_below_dataset(out);
  return out;
}

std::string dates(const loop::DatasetContents& contents) {
  if (!contents.first || !contents.last) return "-";
  return contents.first == contents.last
             ? format_date(*contents.first)
             : fmt::format("{} to {}", format_date(*contents.first), format_date(*contents.last));
}

store::Document to_json(const Known& known, const loop::DatasetContents& contents) {
  auto files = store::Document::array();
  for (const auto& file : contents.files) files.push_back(file.string());
  return {{"name", known.described.name},
          {"recorded_as", known.described.recorded_as},
          {"spec", known.described.spec.empty() ? store::Document() : store::Document(known.file())},
          {"first_date", contents.first ? store::Document(format_date(*contents.first)) : store::Document()},
          {"last_date", contents.last ? store::Document(format_date(*contents.last)) : store::Document()},
          {"deployed", contents.deployed.empty() ? store::Document() : store::Document(contents.deployed)},
          {"documents", contents.documents},
          {"partitions", contents.partitions},
          {"blobs", contents.blobs},
          {"blob_bytes", contents.blob_bytes},
          {"files", std::move(files)}};
}

void print_contents(const Known& known, const loop::DatasetContents& contents) {
  const auto& d = known.described;
  print_line(fmt::format("{} ({}){}", d.name, known.file(),
                         d.name == d.recorded_as ? "" : fmt::format(", recorded as {}", d.recorded_as)));
  print_line(fmt::format("  days       {}", dates(contents)));
  print_line(fmt::format("  deployed   {}", contents.deployed.empty() ? "-" : contents.deployed));
  for (const auto& [collection, count] : contents.documents)
    print_line(fmt::format("  documents  {:<22} {:>9}", collection, count));
  for (const auto& [collection, count] : contents.partitions)
    print_line(fmt::format("  rows of    {:<22} {:>9} preparations", collection, count));
  print_line(fmt::format("  blobs      {}, {:.1f} MB", contents.blobs,
                         static_cast<double>(contents.blob_bytes) / 1e6));
  for (const auto& file : contents.files) print_line(fmt::format("  file       {}", file.string()));
}

}  // namespace

Result<Settings> settings_here(std::string_view dataset) {
  return load_settings(kFolder, [](const char* name) { return std::getenv(name); }, dataset);
}

Result<std::vector<Settings>> settings_of_all(const Settings& meant) {
  std::vector<Settings> out;
  std::set<std::string> seen;
  const auto add = [&](Settings settings) -> Status {
    if (settings.dataset_error) return tl::make_unexpected(*settings.dataset_error);
    if (seen.insert(settings.dataset).second) out.push_back(std::move(settings));
    return {};
  };
  const auto described = datasets_in(kFolder);
  const bool unclear = meant.dataset.empty() && meant.dataset_spec.empty() && !described.empty();
  if (!unclear) MAEIL_TRY(add(meant));
  for (const auto& one : described) {
    if (one.wrong) return tl::make_unexpected(*one.wrong);
    if (seen.contains(one.recorded_as)) continue;
    MAEIL_ASSIGN(auto settings, settings_here(one.recorded_as));
    MAEIL_TRY(add(std::move(settings)));
  }
  return out;
}

Result<int> dataset_list(Context& context) {
  MAEIL_ASSIGN(store::Store & whole, context.whole_store(Access::kRead));
  MAEIL_ASSIGN(const auto all, known_datasets(whole));
  std::vector<std::vector<std::string>> rows;
  auto list = store::Document::array();
  for (const auto& one : all) {
    if (const auto& wrong = one.described.wrong) {
      rows.push_back({one.described.name, wrong->message, "", "", "", ""});
      list.push_back({{"name", one.described.name}, {"spec", one.file()}, {"error", wrong->message}});
      continue;
    }
    MAEIL_ASSIGN(const Settings settings, settings_of(one));
    const auto view = store::dataset_view(whole, one.described.recorded_as);
    MAEIL_ASSIGN(const auto contents, loop::survey_dataset(*view, settings));
    const bool meant = one.described.recorded_as == context.settings.dataset;
    rows.push_back({one.described.name, one.file(), dates(contents),
                    contents.deployed.empty() ? "-" : contents.deployed,
                    name_in_dataset(one.described.recorded_as, loop::kDataDag), meant ? "yes" : ""});
    list.push_back(to_json(one, contents));
    list.back()["meant"] = meant;
  }
  if (context.json)
    print_json(list);
  else if (rows.empty())
    print_line(
        "there is none: `maeil init --in history.csv` describes one, `maeil run` uses the built-in one");
  else
    print_table({"dataset", "described by", "days", "deployed", "first DAG", "meant here"}, rows);
  return 0;
}

Result<int> dataset_show(Context& context, const DatasetOptions& options) {
  MAEIL_ASSIGN(store::Store & whole, context.whole_store(Access::kRead));
  MAEIL_ASSIGN(const Known known, find_known(whole, options.name));
  MAEIL_ASSIGN(const Settings settings, settings_of(known));
  const auto view = store::dataset_view(whole, known.described.recorded_as);
  MAEIL_ASSIGN(const auto contents, loop::survey_dataset(*view, settings));
  context.json ? print_json(to_json(known, contents)) : print_contents(known, contents);
  return 0;
}

Result<int> dataset_rename(Context& context, const DatasetOptions& options) {
  MAEIL_ASSIGN(store::Store & whole, context.whole_store(Access::kRead));
  MAEIL_ASSIGN(const Known known, find_known(whole, options.name));
  const auto& described = known.described;
  if (described.spec.empty())
    return usage_error(
        fmt::format("no file of this folder describes '{}': there is nothing to rename", described.name));
  MAEIL_ASSIGN(const auto recorded, loop::datasets_of(whole));
  if (recorded.contains(options.new_name) && options.new_name != described.recorded_as)
    return usage_error(fmt::format("the store has a dataset '{}' already", options.new_name));
  MAEIL_ASSIGN(const auto spec, loop::rename_dataset(kFolder, described, options.new_name));
  const bool differs = options.new_name != described.recorded_as;
  if (context.json)
    print_json({{"name", options.new_name},
                {"recorded_as", described.recorded_as},
                {"spec", spec.lexically_normal().string()}});
  else
    print_line(fmt::format(
        "{} is called {} now ({}){}", described.name, options.new_name, spec.lexically_normal().string(),
        differs ? fmt::format(": its documents, DAGs and folders stay under {}", described.recorded_as)
                : ""));
  return 0;
}

Result<int> dataset_remove(Context& context, const DatasetOptions& options) {
  MAEIL_ASSIGN(store::Store & whole,
               context.whole_store(options.dry_run ? Access::kRead : Access::kExisting));
  MAEIL_ASSIGN(const Known known, find_known(whole, options.name));
  MAEIL_ASSIGN(const Settings settings, settings_of(known));
  const auto view = store::dataset_view(whole, known.described.recorded_as);
  MAEIL_ASSIGN(auto contents, loop::survey_dataset(*view, settings));
  if (contents.empty()) {
    context.json ? print_json(to_json(known, contents))
                 : print_line(fmt::format("there is nothing of {}, neither in the store nor in its folders",
                                          known.described.name));
    return 0;
  }
  if (!context.json) {
    print_contents(known, contents);
    print_line(fmt::format("all of this {}; what stays: its entries of audit_log, files of yours{}{}",
                           options.dry_run ? "would be removed" : "is removed for good",
                           known.described.spec.empty() ? "" : ", " + known.file(),
                           known.is_builtin() ? ", and its own files" : ""));
  }
  if (options.dry_run) {
    if (context.json) print_json(to_json(known, contents));
    return 0;
  }
  if (!options.yes && (context.json || !confirmed("Remove it? [y/N] ")))
    return usage_error(
        "nothing was removed: --yes removes it without asking, --dry-run only shows what there is");
  std::vector<std::unique_ptr<store::Lock>> locks;
  for (const char* name : {"runner", "labels", registry::kDeploymentLock}) {
    MAEIL_ASSIGN(auto lock, view->lock(name, "maeil dataset remove"));
    locks.push_back(std::move(lock));
  }
  MAEIL_TRY(loop::check_nobody_works(*view));
  MAEIL_ASSIGN(contents, loop::survey_dataset(*view, settings));
  MAEIL_TRY(loop::remove_dataset(*view, settings, contents));
  context.json ? print_json(to_json(known, contents)) : print_line("removed");
  return 0;
}

}  // namespace maeil::cli
