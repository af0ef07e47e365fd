#include "telemetry/exposition.h"

#include <fmt/format.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <filesystem>
#include <sstream>
#include <system_error>
#include <vector>

#include "base/file.h"

namespace maeil::telemetry {

std::string exposition(const Families& families) {
  std::vector<prometheus::MetricFamily> out;
  for (const auto& family : families.all()) {
    if (family.samples.empty()) continue;
    auto& to = out.emplace_back();
    to.name = family.name;
    to.help = family.help;
    to.type = prometheus::MetricType::Gauge;
    for (const auto& sample : family.samples) {
      auto& metric = to.metric.emplace_back();
      for (const auto& [name, value] : sample.labels) metric.label.push_back({name, value});
      metric.gauge.value = sample.value;
    }
  }
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, out);
  return std::move(text).str();
}

Status write_metrics_file(const std::string& path, const Families& families) {
  namespace fs = std::filesystem;
  if (!path.ends_with(".prom"))
    return usage_error(fmt::format("{}: node_exporter reads files whose names end in .prom", path));
  MAEIL_ASSIGN(auto file, AtomicFile::create(path));
  MAEIL_TRY(file.write(exposition(families)));
  MAEIL_TRY(file.commit());
  // Whatever the umask, or what was there before, says.
  std::error_code error;
  fs::permissions(path, fs::perms(0644), error);
  if (error) return io_error(fmt::format("{}: cannot make it readable: {}", path, error.message()));
  return {};
}

}  // namespace maeil::telemetry
