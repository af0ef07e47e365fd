// The report that `maeil fit` writes beside its model.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/file.h"
#include "cli/output.h"
#include "cli/quality.h"
#include "copula/mixture.h"
#include "loop/source.h"
#include "quality/page.h"
#include "table/sdv_metadata.h"

namespace maeil::cli {
namespace {

// A file's name that goes when it does.
struct Temporary {
  std::string path;
  ~Temporary() {
    std::error_code error;
    std::filesystem::remove(path, error);
  }
};

}  // namespace

std::string quality_page_path(const std::string& model) {
  return std::filesystem::path(model).replace_extension(".quality.html").string();
}

Result<std::optional<double>> report_fit(const FitOptions& options, const table::DatasetSpec& columns,
                                         const std::string& target, uint64_t rows, uint64_t seed) {
  const Temporary drawn{fmt::format("{}.drawn-{}.csv", options.out, ::getpid())};
  const uint64_t drawn_rows = std::min<uint64_t>(rows, kFitReportRows);
  {
    MAEIL_ASSIGN(const auto source, loop::open_source({.distribution_model = options.out}));
    MAEIL_ASSIGN(AtomicFile file, AtomicFile::create(drawn.path));
    MAEIL_TRY(loop::write_rows_csv(source, Days{}, drawn_rows, seed,
                                   [&](std::string_view bytes) { return file.write(bytes); }));
    MAEIL_TRY(file.commit());
  }
  MAEIL_ASSIGN(const auto data, quality::read_data({.real = options.in,
                                                    .synthetic = drawn.path,
                                                    .metadata = table::to_sdv_metadata(columns),
                                                    .real_spec = &columns,
                                                    .max_rows = kFitReportRows}));
  auto report = quality::make_report(data, target);
  // A target that no learner can take (too many classes, one row of a class) costs its part of the report
  // only.
  if (!report) {
    const Error why = report.error();
    report = quality::make_report(data, "");
    if (!report) return tl::make_unexpected(report.error());
    report->not_learned = why;
  }
  if (report->not_learned) note(quality::describe(*report->not_learned), LogLevel::kWarning);
  const auto name = [](const std::string& path) { return std::filesystem::path(path).filename().string(); };
  MAEIL_TRY(
      write_file_atomically(quality_page_path(options.out),
                            quality::report_page(data, *report, name(options.in),
                                                 fmt::format("rows drawn from {}", name(options.out)))));
  const double score = report->scores.overall;
  if (!std::isfinite(score)) return std::optional<double>();
  MAEIL_ASSIGN(auto mixture, copula::read_mixture(options.out));
  mixture.quality_score = score;
  MAEIL_TRY(copula::write_mixture(mixture, options.out));
  return std::optional(score);
}

}  // namespace maeil::cli
