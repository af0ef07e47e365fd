#include "base/dataset_choice.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>

#include "base/dataset_name.h"
#include "base/file.h"

namespace maeil {
namespace {

// Of all but the built-in one.
std::string names_of(const std::vector<DescribedDataset>& datasets) {
  std::string out;
  for (const auto& one : datasets) {
    if (one.recorded_as != kBuiltinDataset) out += (out.empty() ? "" : ", ") + one.name;
  }
  return out;
}

bool is_called(const DescribedDataset& dataset, std::string_view name) {
  return dataset.name == name || dataset.recorded_as == name;
}

// The file that describes the dataset; "": none, which is the built-in one's.
Result<std::filesystem::path> find_spec(const std::filesystem::path& folder, const std::string& wanted) {
  MAEIL_TRY(check_dataset_name(wanted));
  const auto all = datasets_in(folder);
  std::vector<std::filesystem::path> found;
  for (const auto& one : all) {
    if (is_called(one, wanted)) found.push_back(one.spec);
  }
  if (found.size() > 1) {
    return usage_error(fmt::format("{} and {} both describe the dataset '{}': leave one of them",
                                   found[0].string(), found[1].string(), wanted));
  }
  if (found.size() == 1) return found[0];
  const auto expected = folder / kDatasetsFolder / (wanted + ".toml");
  std::error_code ignored;
  if (std::filesystem::exists(expected, ignored)) return expected;  // whoever reads it says what is wrong
  if (wanted == kBuiltinDataset) return std::filesystem::path();
  const std::string names = names_of(all);
  return usage_error(fmt::format("there is no dataset '{}' here: {} would describe it{}", wanted,
                                 expected.string(),
                                 names.empty() ? "" : fmt::format("; there are {}", names)));
}

// Without a name: dataset.toml, or the built-in one where there is no other.
Result<std::filesystem::path> only_spec(const std::filesystem::path& folder) {
  std::error_code ignored;
  if (std::filesystem::exists(folder / kDatasetFile, ignored)) return folder / kDatasetFile;
  const std::string names = names_of(datasets_in(folder));
  if (names.empty()) return std::filesystem::path();
  return usage_error(
      fmt::format("which dataset? {}/ describes {}: DATASET={} names one (DATASET={} is the built-in one)",
                  (folder / kDatasetsFolder).lexically_normal().string(), names,
                  names.substr(0, names.find(',')), kBuiltinDataset));
}

}  // namespace

Result<DescribedDataset> read_dataset_name(const std::filesystem::path& spec) {
  MAEIL_ASSIGN(const std::string text, read_file(spec, 1 << 26));
  DescribedDataset out{"", "", spec};
  try {
    const toml::table document = toml::parse(text, spec.string());
    out.name = document["name"].value_or(std::string());
    out.recorded_as = document["recorded_as"].value_or(out.name);
  } catch (const toml::parse_error& error) {
    return bad_input(fmt::format("{}:{}: {}", spec.string(), error.source().begin.line, error.description()));
  }
  if (out.name.empty()) return bad_input(fmt::format("{}: it has no name = \"...\"", spec.string()));
  for (const std::string& name : {out.name, out.recorded_as}) {
    if (name.ends_with(kRehearsal))
      return bad_input(
          fmt::format("{}: '{}' would be called as a rehearsal is (SYNTHETIC_DAY)", spec.string(), name));
    if (const Status fits = check_dataset_name(name); !fits)
      return bad_input(fmt::format("{}: {}", spec.string(), fits.error().message));
  }
  return out;
}

std::vector<DescribedDataset> datasets_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (std::filesystem::directory_iterator file(folder / kDatasetsFolder, error), end; !error && file != end;
       file.increment(error)) {
    if (file->path().extension() == ".toml") files.push_back(file->path());
  }
  std::ranges::sort(files);
  files.insert(files.begin(), folder / kDatasetFile);
  std::vector<DescribedDataset> out;
  for (const auto& file : files) {
    if (auto described = read_dataset_name(file)) out.push_back(std::move(*described));
  }
  return out;
}

Status choose_dataset(const std::filesystem::path& folder, std::string_view asked, Settings& settings) {
  std::string& spec = settings.dataset_spec;
  if (asked.ends_with(kRehearsal)) {
    asked.remove_suffix(kRehearsal.size());
    settings.synthetic_day = 1;
  }
  const std::string wanted(asked.empty() ? std::string_view(settings.dataset) : asked);
  // A DAG's name counts more than a setting, which is the same for all DAGs.
  if (!asked.empty() && !spec.empty()) {
    if (const auto named = read_dataset_name(spec); !named || !is_called(*named, asked)) spec.clear();
  }
  if (spec.empty()) {
    MAEIL_ASSIGN(const auto found, wanted.empty() ? only_spec(folder) : find_spec(folder, wanted));
    spec = found.string();
    if (!spec.empty())
      settings.origins.emplace_back("DATASET_SPEC",
                                    wanted.empty() ? "is in the working directory" : "describes the dataset");
  }
  if (spec.empty()) {
    settings.dataset = kBuiltinDataset;
    return {};
  }
  MAEIL_ASSIGN(const DescribedDataset described, read_dataset_name(spec));
  if (!wanted.empty() && !is_called(described, wanted)) {
    return usage_error(
        fmt::format("{} describes the dataset '{}', and DATASET is '{}'", spec, described.name, wanted));
  }
  settings.dataset = described.recorded_as;
  return {};
}

void become_rehearsal(Settings& settings) {
  if (settings.dataset.empty()) return;
  settings.rehearsal_of = settings.dataset;
  settings.dataset += kRehearsal;
  settings.day_data.clear();
  settings.labels.clear();
  settings.scores_table.clear();
}

void go_below_dataset(Settings& settings) {
  if (settings.dataset.empty() || settings.dataset == kBuiltinDataset) return;
  const auto below = [&](const std::filesystem::path& folder) { return folder / settings.dataset; };
  settings.model_save_path = below(settings.model_save_path).string();
  settings.data_dir = below(settings.data_dir).string();
  const std::filesystem::path rows = settings.data_path;
  settings.data_path = (below(rows.parent_path()) / rows.filename()).string();
}

}  // namespace maeil
