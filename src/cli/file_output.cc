#include "cli/file_output.h"

#include "cli/output.h"

namespace maeil::cli {

loop::Watcher watcher_of(Progress& progress) {
  return {[&progress](std::string_view line, bool warning) {
            progress.finish();
            note(line, warning ? LogLevel::kWarning : LogLevel::kInfo);
          },
          [&progress](uint64_t done, uint64_t total) { progress.update("rows", done, total); }};
}

store::Document unreadable_document(const table::ReadReport& report) {
  auto out = store::Document::object();
  for (const auto& dates : report.dates) {
    if (dates.unreadable > 0) out[dates.column] = dates.unreadable;
  }
  return out;
}

store::Document with_reading(store::Document document, const table::ReadReport& report) {
  if (!report.how.empty()) document["reading"] = {{"as", report.how}, {"remarks", report.remarks}};
  return document;
}

}  // namespace maeil::cli
