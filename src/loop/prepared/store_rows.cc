#include "loop/prepared/store_rows.h"

#include <fmt/format.h>

#include <algorithm>

#include "loop/prepared/part_report.h"
#include "loop/prepared/processed_csv.h"

namespace maeil::loop {
namespace {

store::Document counts_by_name(const std::vector<uint64_t>& counts, const auto& features) {
  store::Document out = store::Document::object();
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) out[features[i].name] = counts[i];
  }
  return out;
}

store::Document metadata_document(const Day& day, const prep::Preparation& preparation,
                                  const table::ReadReport& report, const prep::Counts& counts) {
  auto categorical = store::Document::array(), numeric = store::Document::array();
  store::Document cat_max = store::Document::object(), scaler = store::Document::object(),
                  imputer = store::Document::object();
  for (size_t i = 0; i < preparation.categorical.size(); ++i) {
    categorical.push_back(preparation.categorical[i].name);
    cat_max[std::to_string(i)] = preparation.categorical[i].cardinality;
  }
  for (const auto& f : preparation.numeric) {
    numeric.push_back(f.name);
    scaler[f.name] = {{"median", f.median}, {"iqr", f.iqr}};
    imputer[f.name] = f.most_frequent;
  }
  auto examples = store::Document::array();
  for (const auto& row : report.examples) examples.push_back({{"line", row.line}, {"reason", row.reason}});
  store::Document unreadable = store::Document::object();  // dates, by column
  for (const auto& dates : report.dates) {
    if (dates.unreadable > 0) unreadable[dates.column] = dates.unreadable;
  }
  return {{"dataset_name", day.spec.name},
          {"num_records", report.rows - report.quarantined},
          {"num_categorical_features", preparation.categorical.size()},
          {"num_numerical_features", preparation.numeric.size()},
          {"categorical_features", categorical},
          {"numerical_features", numeric},
          {"cat_max_dict", cat_max},
          {"status", "completed"},
          {"scaler", scaler},
          {"imputer", imputer},
          {"quarantined", {{"count", report.quarantined}, {"rows", examples}}},
          {"unseen", counts_by_name(counts.unseen, preparation.categorical)},
          {"nulls", counts_by_name(counts.nulls, preparation.numeric)},
          {"out_of_range", counts_by_name(counts.out_of_range, preparation.numeric)},
          {"unreadable", unreadable},
          {"feature_spec_hash", prep::feature_spec_hash(preparation)}};
}

}  // namespace

std::string partition_of(Days date, const prep::Preparation& preparation) {
  return fmt::format("{}/{}", format_date(date), prep::feature_spec_hash(preparation).substr(0, 16));
}

Result<DayWriter> DayWriter::begin(dag::TaskContext& context, const Day& day,
                                   const prep::Preparation& preparation, const store::Document& raw,
                                   const std::string& validation_id, const std::string& csv_path) {
  DayWriter out;
  out.partition_ = partition_of(context.logical_date, preparation);
  out.target_ = day.spec.target;
  store::Document constants = {{"processing_timestamp", store::date_value(now())},
                               {"dataset_name", day.spec.name},
                               {"raw_data_id", raw.at("_id")},
                               {"timestamp", store::date_value(now())},
                               {"run_id", context.run_id},
                               {"logical_date", format_date(context.logical_date)}};
  if (!validation_id.empty()) constants["validation_id"] = store::id_value(validation_id);
  MAEIL_ASSIGN(out.rows_, context.store.write_rows(kRows, out.partition_, constants));
  if (!csv_path.empty()) {
    MAEIL_ASSIGN(AtomicFile file, AtomicFile::create(csv_path));
    out.csv_.emplace(std::move(file));
    MAEIL_TRY(out.csv_->write(processed_csv_header(prep::spec_of(preparation, day.spec), preparation)));
  }
  return out;
}

Status DayWriter::add(const store::RowChunk& chunk, std::string_view text) {
  const auto target = std::ranges::find(chunk, target_, &store::RowColumn::name);
  if (target != chunk.end()) {
    const auto& labels = std::get<std::vector<int64_t>>(target->values);
    unlabelled_ += static_cast<uint64_t>(std::ranges::count_if(labels, [](int64_t x) { return x < 0; }));
  }
  MAEIL_TRY(rows_->append(chunk));
  return csv_ ? csv_->write(text) : Status{};
}

Result<PreparedDay> DayWriter::finish(dag::TaskContext& context, const Day& day,
                                      const prep::Preparation& preparation, const PreparedTotals& totals,
                                      const store::Document& raw) {
  const auto& report = totals.report;
  MAEIL_TRY(table::check_read(report, day.settings.data_path));
  if (csv_) MAEIL_TRY(csv_->commit());

  PreparedDay out;
  out.rows = report.rows - report.quarantined;
  out.quarantined = report.quarantined;
  out.unlabelled = unlabelled_;
  for (const uint64_t count : totals.counts.unseen) out.unseen += count;
  for (const auto& row : report.examples)
    context.log(fmt::format("{}:{}: set aside: {}", day.settings.data_path, row.line, row.reason));
  for (const auto& line : table::describe_unreadable(report, day.settings.data_path)) context.log(line);
  if (const auto line = table::describe_other_labels(report, day.settings.data_path); !line.empty())
    context.log("warning: " + line);
  MAEIL_ASSIGN(const std::string generation, rows_->finish());
  out.batch.publishes.push_back({kRows, partition_, generation});
  store::Document metadata = metadata_document(day, preparation, report, totals.counts);
  if (report.other_labels > 0) metadata["other_labels"] = other_labels_document(report);
  metadata["raw_data_id"] = raw.at("_id");
  metadata["raw_sha256"] = raw.value("sha256", "");
  out.batch.puts.push_back(
      {"processing_metadata", stamped(context, "processing_metadata", std::move(metadata))});
  return out;
}

}  // namespace maeil::loop
