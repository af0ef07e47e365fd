#include "telemetry/exposition.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <sstream>
#include <system_error>
#include <thread>
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

Turn::Turn(const std::string& path, std::chrono::milliseconds patience) {
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) folder = ".";
  if (!make_directories(folder)) return;  // who writes the file says why
  folder_ = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_ < 0) return;
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!(taken_ = ::flock(folder_, LOCK_EX | LOCK_NB) == 0) && std::chrono::steady_clock::now() < until)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

Turn::~Turn() {
  if (folder_ >= 0) ::close(folder_);
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
