// `maeil metrics`, and METRICS_FILE: how everything stands, for Prometheus.
#include "cli/metrics.h"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>

#include "base/dataset_choice.h"
#include "cli/output.h"
#include "telemetry/exposition.h"
#include "telemetry/read_metrics.h"

namespace maeil::cli {
namespace {

// Of the embedded store; nullopt: it is on a server, or not there yet.
std::optional<uint64_t> size_of_store(const Settings& settings) {
  const auto name = store_of_settings(settings);
  if (!name || !name->is_file()) return std::nullopt;
  std::error_code absent;
  const uint64_t size = std::filesystem::file_size(name->file, absent);
  if (absent) return std::nullopt;
  const uint64_t log = std::filesystem::file_size(name->file + "-wal", absent);
  return size + (absent ? 0 : log);
}

Result<telemetry::Families> read_families(Context& context, Access access) {
  telemetry::Scope scope{{}, size_of_store(context.settings)};
  if (!context.settings.dataset.empty()) scope.datasets.push_back(context.settings.dataset);
  for (const auto& one : datasets_in(".")) {
    if (!one.wrong) scope.datasets.push_back(one.recorded_as);
  }
  MAEIL_ASSIGN(store::Store & whole, context.whole_store(access));
  return telemetry::read_metrics(whole, scope);
}

store::Document to_json(const telemetry::Families& families) {
  auto out = store::Document::array();
  for (const auto& family : families.all()) {
    auto samples = store::Document::array();
    for (const auto& sample : family.samples) {
      auto labels = store::Document::object();
      for (const auto& [name, value] : sample.labels) labels[name] = value;
      samples.push_back({{"labels", std::move(labels)}, {"value", sample.value}});
    }
    out.push_back({{"name", family.name},
                   {"type", "gauge"},
                   {"help", family.help},
                   {"labels", family.labels},
                   {"samples", std::move(samples)}});
  }
  return out;
}

}  // namespace

Result<int> metrics(Context& context) {
  MAEIL_ASSIGN(const auto families, read_families(context, Access::kRead));
  if (const size_t count = families.unreadable_values(); count > 0) {
    note(fmt::format(
             "warning: {} recorded values are not as maeil writes them and were left out; the first: {}",
             count, families.first_unreadable()),
         LogLevel::kWarning);
  }
  const auto& left_out = families.of(telemetry::Metric::kLeftOut).samples;
  if (!left_out.empty() && left_out.front().value > 0) {
    note(fmt::format("warning: {} series were left out, since more than {} are too many",
                     left_out.front().value, telemetry::kMostSeries),
         LogLevel::kWarning);
  }
  if (context.json)
    print_json(to_json(families));
  else
    std::fputs(telemetry::exposition(families).c_str(), stdout);
  return 0;
}

void keep_metrics_file(Context& context) {
  const std::string& path = context.settings.metrics_file;
  if (path.empty()) return;
  static std::string said;
  const telemetry::Turn turn(path);
  const auto families = read_families(context, Access::kCreate);
  const Status written = families ? telemetry::write_metrics_file(path, *families)
                                  : Status(tl::make_unexpected(families.error()));
  const std::string warning =
      written ? "" : fmt::format("warning: METRICS_FILE was not written: {}", written.error().message);
  if (!warning.empty() && warning != said) note(warning, LogLevel::kWarning);
  said = warning;
}

}  // namespace maeil::cli
