#include "base/dataset_choice.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>

#include "base/dataset_name.h"
#include "base/file.h"

namespace maeil {
namespace {

std::string names_of(const std::vector<DescribedDataset>& datasets) {
  std::string out;
  for (const auto& one : datasets) {
    if (!one.wrong) out += (out.empty() ? "" : ", ") + one.name;
  }
  return out;
}

bool is_called(const DescribedDataset& dataset, std::string_view name) {
  return dataset.name == name || dataset.recorded_as == name;
}

using Found = Result<std::optional<DescribedDataset>>;  // none: the built-in one, which no file describes

Found find_described(const std::vector<DescribedDataset>& all, const std::filesystem::path& folder,
                     const std::string& wanted) {
  MAEIL_TRY(check_dataset_name(wanted));
  const DescribedDataset* found = nullptr;
  for (const auto& one : all) {
    if (!is_called(one, wanted)) continue;
    if (found)
      return usage_error(fmt::format("{} and {} both describe the dataset '{}': leave one of them",
                                     found->spec.string(), one.spec.string(), wanted));
    found = &one;
  }
  if (found) return *found;
  if (wanted == kBuiltinDataset) return std::nullopt;
  const std::string names = names_of(all);
  return usage_error(fmt::format("there is no dataset '{}' here: {} would describe it{}", wanted,
                                 (folder / kDatasetsFolder / (wanted + ".toml")).string(),
                                 names.empty() ? "" : fmt::format("; there are {}", names)));
}

// Without a name: dataset.toml, or the built-in one where there is no other.
Found only_described(const std::vector<DescribedDataset>& all, const std::filesystem::path& folder) {
  if (all.empty()) return std::nullopt;
  if (all[0].spec == folder / kDatasetFile) return all[0];
  for (const auto& one : all) {
    if (one.wrong) return tl::make_unexpected(*one.wrong);
  }
  if (all.size() == 1 && all[0].recorded_as == kBuiltinDataset) return all[0];
  return usage_error(fmt::format(
      "which dataset? {}/ describes {}: DATASET={} names one (DATASET={} is the built-in one)",
      (folder / kDatasetsFolder).lexically_normal().string(), names_of(all), all[0].name, kBuiltinDataset));
}

// Whether no other file describes a dataset that is recorded under the same name: they would share a history.
Status check_alone(const std::vector<DescribedDataset>& all, const DescribedDataset& described) {
  for (const auto& other : all) {
    std::error_code ignored;
    if (other.wrong || other.recorded_as != described.recorded_as ||
        std::filesystem::equivalent(other.spec, described.spec, ignored))
      continue;
    return usage_error(fmt::format("{} and {} both describe the dataset that is recorded as '{}': leave one",
                                   described.spec.string(), other.spec.string(), described.recorded_as));
  }
  return {};
}

}  // namespace

Result<DescribedDataset> read_dataset_name(const std::string& text, const std::filesystem::path& spec) {
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

namespace {

DescribedDataset described_by(const std::filesystem::path& spec) {
  const auto text = read_file(spec, 1 << 26);
  auto out = text ? read_dataset_name(*text, spec) : tl::make_unexpected(text.error());
  if (out) return std::move(*out);
  const std::string stem = spec.stem().string();
  return {stem, stem, spec, out.error()};
}

}  // namespace

std::vector<DescribedDataset> datasets_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (std::filesystem::directory_iterator file(folder / kDatasetsFolder, error), end; !error && file != end;
       file.increment(error)) {
    if (file->path().extension() == ".toml") files.push_back(file->path());
  }
  std::ranges::sort(files);
  if (std::filesystem::exists(folder / kDatasetFile, error))
    files.insert(files.begin(), folder / kDatasetFile);
  std::vector<DescribedDataset> out;
  for (const auto& file : files) out.push_back(described_by(file));
  return out;
}

Status choose_dataset(const std::filesystem::path& folder, std::string_view asked, Settings& settings) {
  std::string wanted(asked.empty() ? std::string_view(settings.dataset) : asked);
  // A DAG's name counts more than a setting, which is the same for all DAGs.
  if (!asked.empty()) settings.synthetic_day = 0;
  if (wanted.ends_with(kRehearsal)) {
    wanted.resize(wanted.size() - kRehearsal.size());
    settings.synthetic_day = 1;
  }
  const auto all = datasets_in(folder);
  std::optional<DescribedDataset> described;
  if (!settings.dataset_spec.empty()) {
    described = described_by(settings.dataset_spec);
    if (!asked.empty() && (described->wrong || !is_called(*described, wanted))) described.reset();
  }
  if (!described) {
    MAEIL_ASSIGN(described,
                 wanted.empty() ? only_described(all, folder) : find_described(all, folder, wanted));
    settings.dataset_spec = described ? described->spec.string() : "";
    if (described)
      settings.origins.emplace_back("DATASET_SPEC",
                                    wanted.empty() ? "is in the working directory" : "describes the dataset");
  }
  if (!described) {
    settings.dataset = kBuiltinDataset;
    return {};
  }
  if (described->wrong) return tl::make_unexpected(*described->wrong);
  if (!wanted.empty() && !is_called(*described, wanted)) {
    return usage_error(fmt::format("{} describes the dataset '{}', and DATASET is '{}'",
                                   settings.dataset_spec, described->name, wanted));
  }
  MAEIL_TRY(check_alone(all, *described));
  settings.dataset = described->recorded_as;
  return {};
}

void become_rehearsal(Settings& settings) {
  if (settings.dataset.empty()) return;
  settings.rehearsal_of = settings.dataset;
  settings.dataset += kRehearsal;
  settings.day_data.clear();
  settings.labels.clear();
  settings.scores_table.clear();
  // What is rehearsed is nobody's trouble.
  for (auto* channel : {&settings.smtp_url, &settings.slack_webhook_url, &settings.pagerduty_routing_key,
                        &settings.alert_webhook_url, &settings.alert_command, &settings.alert_routes,
                        &settings.heartbeat_url})
    channel->clear();
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
