#include "loop/health.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "alerting/deliveries.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/threads.h"
#include "kernels/instruction_set.h"
#include "loop/alerts/ring_alerts.h"
#include "loop/challengers.h"
#include "loop/query_rows.h"
#include "loop/retention.h"
#include "loop/source.h"
#include "model/boosted_trees.h"
#include "nn/slow_shape.h"
#include "registry/deployed_link.h"
#include "registry/versions.h"
#include "table/dataset_spec.h"

namespace maeil::loop {
namespace fs = std::filesystem;
namespace {

// A folder that is not there is not made for the sake of the question.
Finding check_writable(const fs::path& folder) {
  std::error_code ignored_error;
  if (!fs::exists(folder, ignored_error)) {
    fs::path above = fs::absolute(folder, ignored_error);
    while (above.has_relative_path() && !fs::exists(above, ignored_error)) above = above.parent_path();
    if (::access(above.c_str(), W_OK | X_OK) == 0)
      return {Health::kOk, "permissions", fmt::format("{} can be made", folder.string())};
    return {Health::kProblem, "permissions",
            fmt::format("{} cannot be made: give this user the right to write in {}", folder.string(),
                        above.string())};
  }
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    return {Health::kProblem, "permissions",
            fmt::format("cannot write in {}: {}: give this user the right to write there", folder.string(),
                        std::generic_category().message(errno))};
  }
  return {Health::kOk, "permissions", fmt::format("{} can be written", folder.string())};
}

Finding check_disk(const fs::path& folder) {
  struct statvfs info{};
  if (::statvfs(folder.c_str(), &info) != 0)
    return {Health::kWarning, "disk", fmt::format("cannot ask for the free space of {}", folder.string())};
  const double free_gb = static_cast<double>(info.f_bavail) * info.f_frsize / 1e9;
  // A day of 10,000 rows takes about 20 MB in the store and 15 MB in files.
  const Health health = free_gb < 0.1 ? Health::kProblem : free_gb < 1 ? Health::kWarning : Health::kOk;
  return {health, "disk",
          fmt::format("{:.1f} GB free in {}{}", free_gb, folder.string(),
                      health == Health::kOk ? "" : ": make room, or `maeil prune`")};
}

Finding check_files(const Settings& settings) {
  const auto files = left_by_killed_runs(settings, now());
  if (!files) return {Health::kWarning, "files", files.error().message};
  if (files->empty()) return {Health::kOk, "files", "no killed run left half-written files"};
  uintmax_t bytes = 0;
  for (const auto& file : *files) {
    std::error_code gone;
    if (const auto size = fs::file_size(file, gone); !gone) bytes += size;
  }
  return {Health::kWarning, "files",
          fmt::format(
              "killed runs left {} half-written file{}, {:.1f} MB, {} for one: `maeil prune` removes them",
              files->size(), files->size() > 1 ? "s" : "", static_cast<double>(bytes) / 1e6, files->front())};
}

Finding check_lock(store::Store& store) {
  const auto holder = store.lock_holder("runner");
  if (!holder) return {Health::kProblem, "lock", holder.error().message};
  if (!*holder) return {Health::kOk, "lock", "nobody runs a day on this store"};
  return {Health::kWarning, "lock",
          fmt::format("{} (process {} on {}) is at work on this store", (*holder)->holder, (*holder)->pid,
                      (*holder)->host)};
}

void check_models(const Settings& settings, store::Store& store, std::vector<Finding>& out) {
  const auto versions = registry::list_versions(store);
  if (!versions) {
    out.push_back({Health::kProblem, "models", versions.error().message});
    return;
  }
  if (versions->empty()) {
    out.push_back(
        {Health::kWarning, "models",
         "no version is registered: `maeil run` trains the first, `maeil model import F.pth` takes one in"});
    return;
  }
  int sound = 0;
  for (const auto& version : *versions) {
    const auto bytes = version.file_id.empty() ? Result<std::string>(not_found("no bytes in the store"))
                                               : store.read_whole_blob(version.file_id, uint64_t{2} << 30);
    if (!bytes)
      out.push_back({Health::kProblem, "models",
                     fmt::format("version {}: {}", version.version, bytes.error().message)});
    else if (sha256_hex(*bytes) != version.sha256) {
      out.push_back(
          {Health::kProblem, "models",
           fmt::format("version {}: its bytes in the store do not match its sha256; restore a backup",
                       version.version)});
    } else
      ++sound;
  }
  out.push_back({Health::kOk, "models",
                 fmt::format("{} of {} versions have sound bytes in the store", sound, versions->size())});

  const auto linked = registry::linked_version(settings.model_save_path);
  if (!linked) {
    out.push_back({Health::kProblem, "deployment", linked.error().message});
    return;
  }
  for (const auto& version : *versions) {
    if (version.status != "deployed" || version.model_name != registry::kClassifier) continue;
    const auto file = registry::current_file(settings.model_save_path, version);
    const auto bytes = read_file(file);
    if (*linked != version.version) {
      out.push_back({Health::kProblem, "deployment",
                     fmt::format("the registry says {} is deployed, the link says {}: the next `maeil run` "
                                 "or `maeil task` mends it",
                                 version.version, linked->value_or("nothing"))});
    } else if (!bytes || sha256_hex(*bytes) != version.sha256) {
      out.push_back(
          {Health::kProblem, "deployment",
           fmt::format("{} is not the file of version {}: the next `maeil run` or `maeil task` mends it",
                       file.string(), version.version)});
    } else {
      out.push_back(
          {Health::kOk, "deployment", fmt::format("{} is version {}", file.string(), version.version)});
    }
    return;
  }
  out.push_back({Health::kOk, "deployment", "nothing is deployed yet"});
}

Finding check_dataset(const Settings& settings) {
  if (settings.dataset_spec.empty()) return {Health::kOk, "dataset", "the built-in corporate_loan"};
  if (const auto& wrong = settings.dataset_error)
    return {Health::kProblem, "dataset", wrong->message, wrong->code};
  const auto spec = table::read_dataset_spec(settings.dataset_spec);
  if (!spec) return {Health::kProblem, "dataset", spec.error().message, spec.error().code};
  const auto text =
      fmt::format("{} ({}): {} columns", spec->name, settings.dataset_spec, spec->columns.size());
  if (const auto target = table::require_target(*spec); !target)
    return {Health::kWarning, "dataset", fmt::format("{}; {}", text, target.error().message)};
  return {Health::kOk, "dataset", fmt::format("{}, target '{}'", text, spec->target)};
}

Finding check_source(const Settings& settings) {
  const auto source = open_source(day_source(settings));
  if (!source)
    return {Health::kProblem, "distribution model", "DISTRIBUTION_MODEL: " + source.error().message,
            source.error().code};
  if (source->fallback) return {Health::kWarning, "distribution model", source->warning};
  return {Health::kOk, "distribution model", fmt::format("{} can be read", settings.distribution_model)};
}

// What the model is computed with, and whether the shape of the settings has fast kernels.
Finding check_engine(const Settings& settings) {
  nn::ModelShape shape;
  shape.width = static_cast<int>(settings.d_model), shape.heads = static_cast<int>(settings.nhead);
  shape.feed_forward = static_cast<int>(settings.dim_feedforward);
  const std::string slow = nn::slow_shape_sentence(shape);
  return {slow.empty() ? Health::kOk : Health::kWarning, "engine",
          fmt::format("instruction set {} of {}, {} threads{}{}", kernels::instruction_set(),
                      fmt::join(kernels::instruction_sets(), ", "), thread_count(), slow.empty() ? "" : "; ",
                      slow)};
}

// Whether the families of CHALLENGERS can be trained here.
Finding check_challengers(const Settings& settings) {
  const auto families = challenger_families(settings);
  const bool trees = std::ranges::find(families, model::kBoostedTrees) != families.end();
  if (const auto can =
          trees ? model::can_learn_trees(", or take boosted_trees out of CHALLENGERS") : Status{};
      !can)
    return {Health::kWarning, "challengers", can.error().message};
  return {Health::kOk, "challengers",
          fmt::format("{}, when the gate fails and every {} days; approved by {}", settings.challengers,
                      settings.retrain_every, settings.approval == "manual" ? "a person" : "the comparison")};
}

// Whether the channels of the settings are sound, and what never reached them; `store` null: there is none
// yet.
Finding check_channels(const Settings& settings, store::Store* store) {
  const auto names = alerting::names_of(channels_of(settings));
  if (const auto routes = alerting::routed(channels_of(settings), "CRITICAL"); !routes)
    return {Health::kProblem, "alerts", routes.error().message, routes.error().code};
  if (const auto& url = settings.heartbeat_url;
      !url.empty() && !url.starts_with("https://") && !url.starts_with("http://"))
    return {Health::kProblem, "alerts", "HEARTBEAT_URL must begin with https:// or http://",
            ErrorCode::kUsage};
  const auto outbox = store ? alerting::look_into(*store) : Result<alerting::Outbox>();
  if (!outbox) return {Health::kProblem, "alerts", outbox.error().message, outbox.error().code};
  if (!outbox->failed.empty())
    return {Health::kWarning, "alerts",
            fmt::format("{} never arrived: {}", outbox->failed.size(), outbox->failed.back())};
  return {Health::kOk, "alerts",
          fmt::format("{}{}",
                      names->empty() ? "no channel is set: docs/alerts.md"
                                     : fmt::format("go to {}", fmt::join(*names, ", ")),
                      outbox->pending > 0 ? fmt::format("; {} wait", outbox->pending) : "")};
}

// The database, the queries that the settings name, and the table of scores.
void check_database(const Settings& settings, std::vector<Finding>& out) {
  const auto problem = [&](const Error& error) {
    out.push_back({Health::kProblem, "database", error.message, error.code});
  };
  const auto connection = database::Connection::open(database_access(settings));
  if (!connection) return problem(connection.error());
  out.push_back({Health::kOk, "database", fmt::format("{} answers", (*connection)->description())});
  for (const auto& [setting, name] :
       {std::pair("DAY_DATA", settings.day_data), {"LABELS", settings.labels}}) {
    if (!is_query(name) || name.find("{date}") != std::string::npos) continue;
    if (const auto read = query_has_date(settings, name); !read)
      out.push_back({Health::kProblem, "database", fmt::format("{}: {}", setting, read.error().message),
                     read.error().code});
  }
  if (settings.scores_table.empty()) return;
  const auto spec = settings.dataset_spec.empty() ? table::builtin_dataset_spec()
                                                  : table::read_dataset_spec(settings.dataset_spec);
  if (!spec) return;  // said of the dataset
  const auto table = database::check_scores_table(database_access(settings), scores_table(settings, *spec));
  if (!table) return problem(table.error());
  out.push_back({Health::kOk, "database", fmt::format("SCORES_TABLE {} has its columns", *table)});
}

}  // namespace

std::vector<Finding> check_health(const Settings& settings, store::Store* store,
                                  const std::string& store_error) {
  std::vector<Finding> out;
  out.push_back(check_writable(settings.model_save_path));
  out.push_back(check_writable(settings.data_dir));
  out.push_back(check_disk(settings.data_dir));
  out.push_back(check_files(settings));
  out.push_back(check_engine(settings));
  out.push_back(check_dataset(settings));
  if (!settings.challengers.empty()) out.push_back(check_challengers(settings));
  if (!settings.distribution_model.empty()) out.push_back(check_source(settings));
  if (!settings.database_url.empty() || is_query(settings.day_data) || is_query(settings.labels) ||
      !settings.scores_table.empty())
    check_database(settings, out);
  if (!store) {
    out.push_back({Health::kProblem, "store", store_error});
    return out;
  }
  const auto sound = store->check();
  if (!sound && sound.error().code == ErrorCode::kNotFound) {  // none is there yet
    out.push_back({Health::kWarning, "store", sound.error().message});
    out.push_back(check_channels(settings, nullptr));
    return out;
  }
  out.push_back(sound ? Finding{Health::kOk, "store", fmt::format("{} is sound", store->description())}
                      : Finding{Health::kProblem, "store", sound.error().message});
  out.push_back(check_lock(*store));
  check_models(settings, *store, out);
  out.push_back(check_channels(settings, store));
  return out;
}

}  // namespace maeil::loop
