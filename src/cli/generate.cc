// `maeil generate`: rows of a source into a file.
#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <filesystem>

#include "base/file.h"
#include "base/progress.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "loop/own_file.h"
#include "loop/source.h"
#include "table/row_output.h"

namespace maeil::cli {
namespace {

// "LABEL=SHARE"; "" is none.
Result<loop::ClassShare> class_share_of(const std::string& text) {
  if (text.empty()) return loop::ClassShare();
  const auto equals = text.rfind('=');
  double value = 0;
  const char* end = text.data() + text.size();
  if (equals == std::string::npos || std::from_chars(text.data() + equals + 1, end, value).ptr != end ||
      equals + 1 == text.size()) {
    return usage_error(fmt::format("--class: '{}' is not of the form LABEL=SHARE", text));
  }
  return loop::ClassShare(std::in_place, text.substr(0, equals), value);
}

Result<Days> day_or_today(const Context& context, const std::string& text) {
  if (text.empty()) return date_in_zone(now(), context.settings.time_zone);
  auto date = parse_date(text);
  if (!date) return usage_error(fmt::format("--date: {}", date.error().message));
  return *date;
}

// A Parquet or Arrow file has the types of the source's tables; a row tells them. Its dates are texts, as in
// CSV.
Result<table::RowOutput> create_output(const loop::Source& source, const std::string& path, Days date,
                                       uint64_t seed) {
  std::vector<columnar::OutColumn> columns;
  if (columnar::kind_by_name(path)) {
    Table row;
    MAEIL_TRY(source.draw(source.portfolio ? date : Days{}, 0, 1, seed, row));
    for (size_t c = 0; c < row.columns.size(); ++c) {
      const bool number = row.columns[c].type == ColumnType::kNumber;
      const bool whole = source.formats[c] == NumberFormat::kInteger;
      columns.push_back({source.names[c], !number ? columnar::OutKind::kText
                                          : whole ? columnar::OutKind::kWhole
                                                  : columnar::OutKind::kNumber});
    }
  }
  return table::RowOutput::create(path, std::move(columns));
}

}  // namespace

Result<int> generate(Context& context, const GenerateOptions& options) {
  const auto& settings = context.settings;
  if (!options.model.empty()) {
    std::error_code error;
    if (!std::filesystem::exists(options.model, error))
      return not_found(fmt::format("--model: {} does not exist", options.model));
  }
  MAEIL_ASSIGN(auto share, class_share_of(options.class_share));
  loop::SourcePlan plan = options.model.empty() ? loop::day_source(settings)
                                                : loop::SourcePlan{.distribution_model = options.model};
  plan.scenario = options.scenario;
  if (!options.book.empty()) plan.book = options.book;
  plan.with_truth = options.with_truth;
  plan.share = std::move(share);
  plan.where = options.where;
  MAEIL_ASSIGN(const auto source, loop::open_source(plan));
  if (!source.portfolio && !options.date.empty()) {
    return usage_error(fmt::format(
        "--date is the built-in portfolio's: rows of {} do not depend on it (--seed gives others)",
        source.description));
  }
  if (!source.portfolio && !options.book.empty()) {
    return usage_error(fmt::format("--book is the built-in portfolio's, and rows come from {}: leave it out",
                                   source.description));
  }
  if (!source.warning.empty()) note("warning: " + source.warning, LogLevel::kWarning);
  MAEIL_ASSIGN(const Days date, day_or_today(context, options.date));
  const std::string path = options.out.empty() ? settings.data_path : options.out;
  MAEIL_TRY(check_output(path, {options.model, settings.distribution_model, options.scenario}));
  Progress progress;
  const auto seed = static_cast<uint64_t>(options.seed.value_or(settings.seed));
  // A copula's rows do not depend on the date here, so that --seed alone names them.
  const auto begin = std::chrono::steady_clock::now();
  const auto fill = [&](auto file) -> Status {
    if (!file) return tl::make_unexpected(file.error());
    MAEIL_TRY(loop::write_rows_csv(
        source, source.portfolio ? date : Days{}, static_cast<uint64_t>(options.rows), seed,
        [&](std::string_view bytes) { return file->write(bytes); },
        [&](uint64_t done) { progress.update("rows", done, static_cast<uint64_t>(options.rows)); }));
    return file->commit();
  };
  const bool is_data_path = same_place(path, settings.data_path);
  MAEIL_TRY(is_data_path ? fill(loop::OwnFile::begin(path, loop::kRawDataFile,
                                                     [&context] { return context.store_to_read(); }))
                         : fill(create_output(source, path, date, seed)));
  progress.finish();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  if (context.json)
    print_json({{"path", path},
                {"rows", options.rows},
                {"columns", source.names.size()},
                {"source", source.description},
                {"seed", seed},
                {"seconds", seconds.count()}});
  else
    print_line(fmt::format("{} rows of {} columns from {} -> {}", options.rows, source.names.size(),
                           source.description, path));
  return 0;
}

}  // namespace maeil::cli
