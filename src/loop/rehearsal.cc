#include "loop/rehearsal.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <unordered_map>

#include "base/hash.h"
#include "loop/deployment.h"
#include "registry/status.h"
#include "registry/versions.h"
#include "store/certain_commit.h"
#include "table/dates.h"

namespace maeil::loop {
namespace {

using registry::ModelVersion;
using store::Document;

constexpr uint64_t kMostModelBytes = uint64_t{2} << 30;

// The copy as it was registered; its id is made of the original's, so of two who copy at once one does.
Status register_copy(store::Store& real, store::Store& rehearsal, const ModelVersion& original,
                     const std::string& id) {
  MAEIL_ASSIGN(const std::string bytes, real.read_whole_blob(original.file_id, kMostModelBytes));
  MAEIL_ASSIGN(const auto blob,
               rehearsal.write_blob(fmt::format("classifier_{}.{}", original.version, original.format),
                                    {{"type", "model"}}));
  MAEIL_TRY(blob->write(bytes));
  registry::NewVersion copy{.id = id,
                            .model_name = original.model_name,
                            .version = original.version,
                            .sha256 = original.sha256,
                            .format = original.format,
                            .family = original.document.value("model_family", ""),
                            .decision = original.document.value("decision", Document()),
                            .hyperparameters = original.document.value("hyperparameters", Document::object()),
                            .metrics = original.document.value("metrics", Document::object()),
                            .notes = fmt::format("version {} of the real dataset, copied", original.version)};
  MAEIL_ASSIGN(copy.file_id, blob->finish());
  const Instant when = now();
  Document document = registry::make_version_document(copy, when);
  document.update({{"copied_from", store::id_value(original.id)},
                   {"timestamp", store::date_value(when)},
                   {"run_id", kByHand},
                   {"logical_date", format_date(std::chrono::floor<std::chrono::days>(when))}});
  store::Batch batch;
  batch.expects.push_back({registry::kCollection, id, Document()});
  batch.puts.push_back({registry::kCollection, std::move(document)});
  const Status done = rehearsal.commit(batch);
  return !done && done.error().code == ErrorCode::kConflict ? Status{} : done;
}

Status approve(store::Store& rehearsal, const ModelVersion& version) {
  store::Batch batch;
  MAEIL_TRY(registry::change_status(
      version, {.status = "approved", .run_id = kByHand, .note = "", .metrics = {}, .replaced = ""}, now(),
      batch));
  return registry::commit_change(rehearsal, batch, version);
}

// A column of dates: which it is in the source's tables, and how its texts are read and written.
struct DateColumn {
  std::string name;
  std::optional<table::DateFormat> format;
};

// The text `days` later, written as it is; as it is where it is no date.
std::string moved(const std::string& text, const DateColumn& column, int64_t days) {
  const auto seconds = table::read_date(text, column.format);
  if (!seconds) return text;
  const double later = *seconds + 86400.0 * static_cast<double>(days);
  return column.format ? column.format->write(later, text) : table::write_date_like(text, later);
}

// How many days each row is moved by; 0 where its time is missing or cannot be read.
std::vector<int64_t> shifts_of(const Table& table, const DateColumn& time, Days date) {
  std::vector<int64_t> out(table.rows, 0);
  const Column& column = *table.find(time.name);
  const auto days = table::days_of_texts(column.dictionary, time.format);
  for (size_t row = 0; row < table.rows; ++row) {
    if (column.is_missing(row) || !days[column.codes[row]]) continue;
    out[row] = (date - *days[column.codes[row]]).count();
  }
  return out;
}

void move_column(const DateColumn& dates, const std::vector<int64_t>& shifts, Table& table) {
  Column& column = const_cast<Column&>(*table.find(dates.name));
  std::vector<std::string> dictionary;
  std::unordered_map<std::string, uint32_t> code_of;
  for (size_t row = 0; row < table.rows; ++row) {
    if (column.is_missing(row)) continue;
    std::string text = moved(column.dictionary[column.codes[row]], dates, shifts[row]);
    const auto [found, first] = code_of.try_emplace(text, static_cast<uint32_t>(dictionary.size()));
    if (first) dictionary.push_back(std::move(text));
    column.codes[row] = found->second;
  }
  column.dictionary = std::move(dictionary);
}

}  // namespace

Result<std::string> take_model_in_force(store::Store& real, store::Store& rehearsal,
                                        const Settings& settings) {
  MAEIL_ASSIGN(const auto original, registry::model_in_force(real));
  if (!original)
    return not_found(
        fmt::format("dataset {} has no model that could be rehearsed: `maeil train --in "
                    "history.csv` makes one",
                    settings.rehearsal_of));
  const std::string id = sha256_hex("rehearsal of " + original->id).substr(0, 24);
  MAEIL_ASSIGN(bool is_there, store::has_document(rehearsal, registry::kCollection, id));
  if (!is_there) MAEIL_TRY(register_copy(real, rehearsal, *original, id));
  MAEIL_ASSIGN(auto version, registry::find_version(rehearsal, id));
  if (version.status == "registered") {
    MAEIL_TRY(approve(rehearsal, version));
    MAEIL_ASSIGN(version, registry::find_version(rehearsal, id));
  }
  if (version.status != "approved") return std::string();  // it was deployed here once
  MAEIL_ASSIGN(const auto event, deploy_now(rehearsal, settings, version, {}));
  return fmt::format("the rehearsal begins with version {}, which is in force in dataset {}", version.version,
                     settings.rehearsal_of);
}

Result<Source> on_the_day(Source source, const table::DatasetSpec& spec) {
  if (spec.roles.time.empty()) return source;
  Table rows;
  MAEIL_TRY(source.draw(Days{}, 0, 1, 0, rows));
  std::vector<DateColumn> dates;
  for (const auto& column : spec.columns) {
    const Column* found = rows.find(column.name);
    if (column.type == table::SpecType::kDate && found && found->type == ColumnType::kText)
      dates.push_back({column.name, column.format});
  }
  const auto time = std::ranges::find(dates, spec.roles.time, &DateColumn::name);
  if (time == dates.end()) {
    return usage_error(
        fmt::format("rows of {} have no dates in '{}', the time of dataset {}: `maeil fit` it "
                    "by the dataset's own spec",
                    source.description, spec.roles.time, spec.name));
  }
  source.draw = [draw = std::move(source.draw), dates, time = *time](
                    Days date, uint64_t first, uint64_t count, uint64_t seed, Table& out) -> Status {
    MAEIL_TRY(draw(date, first, count, seed, out));
    const auto shifts = shifts_of(out, time, date);
    for (const auto& column : dates) move_column(column, shifts, out);
    return {};
  };
  return source;
}

}  // namespace maeil::loop
