// `maeil store copy`: everything from one store into another, both ways.
#include <fmt/format.h>

#include "base/progress.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "store/copy.h"
#include "store/mongo/mongo_store.h"
#include "store/sqlite/sqlite_store.h"

namespace maeil::cli {
namespace {

// "mongodb://host/database", "sqlite:./maeil.db" or just a file's path.
Result<std::unique_ptr<store::Store>> open_named(const std::string& name, bool create) {
  if (name.starts_with("mongodb://") || name.starts_with("mongodb+srv://")) return store::open_mongo(name, "");
  store::SqliteOptions options;
  options.create = create;
  return store::open_sqlite(name.starts_with("sqlite:") ? name.substr(7) : name, options);
}

}  // namespace

Result<int> store_copy(Context& context, const StoreCopyOptions& options) {
  MAEIL_ASSIGN(const auto from, open_named(options.from, false));
  MAEIL_ASSIGN(const auto from_lock, from->lock("runner", "maeil store copy"));
  Progress bar(!context.json);
  const auto progress = [&](std::string_view what, uint64_t done, uint64_t total) { bar.update(what, done, total); };
  store::CopyReport report;
  std::string target = store::redact_uri(options.to);
  if (options.dry_run) {
    MAEIL_ASSIGN(report, store::survey(*from, progress));
  } else {
    MAEIL_ASSIGN(const auto to, open_named(options.to, true));
    if (to->description() == from->description()) return usage_error("--from and --to name the same store");
    MAEIL_ASSIGN(const auto to_lock, to->lock("runner", "maeil store copy"));
    MAEIL_ASSIGN(report, store::copy_store(*from, *to, progress));
    target = to->description();
  }
  bar.finish();
  if (context.json) {
    auto collections = store::Document::array();
    for (const auto& c : report.collections) collections.push_back({{"name", c.name}, {"documents", c.documents}, {"rows", c.rows}, {"digest", c.digest}});
    print_json({{"dry_run", options.dry_run}, {"collections", collections}, {"blobs", report.blobs}, {"blob_bytes", report.blob_bytes}});
    return 0;
  }
  for (const auto& c : report.collections) print_line(fmt::format("{:<22} {:>9} documents {:>9} rows  {}", c.name, c.documents, c.rows, c.digest));
  print_line(fmt::format("{} blobs, {:.1f} MB", report.blobs, static_cast<double>(report.blob_bytes) / 1e6));
  print_line(options.dry_run ? fmt::format("nothing was written; without --dry-run this goes from {} to {}", from->description(), target)
                             : fmt::format("copied from {} to {}; both hold the same", from->description(), target));
  return 0;
}

}  // namespace maeil::cli
