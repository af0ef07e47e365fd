#include "loop/validate_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <charconv>
#include <deque>

#include "base/hash.h"
#include "dag/task_record.h"
#include "format/csv.h"
#include "loop/pipelines.h"
#include "loop/prepared/raw_data.h"
#include "loop/run_in_shards.h"
#include "loop/validation.h"
#include "monitor/usual_days.h"
#include "store/field_rules.h"

namespace maeil::loop {
namespace {

using dag::TaskContext;
using dag::TaskOutcome;
using dag::TaskState;
using store::Document;
using table::Finding;
using table::Severity;

constexpr const char* kAlertDocuments = "alerts";
constexpr const char* kBroken = "DATA_CONTRACT_BROKEN";
constexpr size_t kLoggedFindings = 20;

// A line a row; reasons in words, so that people can read it.
Result<std::string> write_set_aside(TaskContext& context, const table::DatasetSpec& spec,
                                    const table::SetAside& out) {
  MAEIL_ASSIGN(const auto blob,
               context.store.write_blob(fmt::format("set_aside_{}.csv", format_date(context.logical_date)),
                                        {{"type", "set_aside"}, {"dataset", spec.name}}));
  std::string piece = "row,reason\n";
  for (size_t i = 0; i < out.rows.size(); ++i) {
    piece += fmt::format("{},", out.rows[i]);
    format::append_csv_text(piece, out.reasons[out.reason_of[i]]);
    piece += '\n';
    if (piece.size() < (1 << 20)) continue;
    MAEIL_TRY(blob->write(piece));
    piece.clear();
  }
  MAEIL_TRY(blob->write(piece));
  return blob->finish();
}

Result<table::SetAside> read_set_aside(store::Store& store, const std::string& file_id) {
  std::string text;
  MAEIL_TRY(store.read_blob(file_id, [&](std::string_view bytes) -> Status {
    text += bytes;
    return {};
  }));
  table::SetAside out;
  boost::unordered_flat_map<std::string, uint16_t> known;
  format::CsvReader reader(text, "the rows that are set aside");
  format::CsvRecord record;
  std::vector<std::string_view> fields;
  std::deque<std::string> unescaped;
  const auto damaged = [] {
    return bad_input("data_validations: the rows that are set aside are damaged: run validate_data again");
  };
  MAEIL_ASSIGN(bool more, reader.next(record));  // the names
  for (;;) {
    MAEIL_ASSIGN(more, reader.next(record));
    if (!more) break;
    unescaped.clear();
    uint64_t row = 0;
    if (!format::split_record(record.bytes, fields, unescaped, 3).empty() || fields.size() != 2)
      return damaged();
    const auto [end, error] = std::from_chars(fields[0].data(), fields[0].data() + fields[0].size(), row);
    if (error != std::errc() || end != fields[0].data() + fields[0].size() ||
        (!out.rows.empty() && row <= out.rows.back()) || known.size() >= UINT16_MAX)
      return damaged();
    const auto [reason, fresh] =
        known.try_emplace(std::string(fields[1]), static_cast<uint16_t>(known.size()));
    if (fresh) out.reasons.emplace_back(fields[1]);
    out.rows.push_back(row);
    out.reason_of.push_back(reason->second);
  }
  return out;
}

// Another day whose rows came in the same file.
Status find_same_file(TaskContext& context, const table::DatasetSpec& spec, const Document& raw,
                      std::vector<Finding>& findings) {
  const std::string sha256 = store::text_field(raw, "source_sha256");
  if (sha256.empty()) return {};
  store::FindOptions same;
  same.filter = {{"source_sha256", sha256},
                 {"logical_date", {{"$ne", format_date(context.logical_date)}}},
                 {"superseded_by", {{"$exists", false}}}};
  same.projection = {"logical_date"};
  MAEIL_ASSIGN(const Document other, context.store.find_one("raw_data", same));
  if (other.is_null()) return {};
  findings.push_back({"unique_file",
                      "",
                      spec.contract.unique_file ? Severity::kError : Severity::kWarning,
                      raw.value("rows", uint64_t{0}),
                      1,
                      {},
                      fmt::format("{} is the file of {}, byte for byte", raw.value("source", ""),
                                  store::text_field(other, "logical_date"))});
  return {};
}

// The statistics of the dataset's newest earlier days that kept their contract, newest first.
Result<std::vector<monitor::DaySummary>> earlier_days(TaskContext& context, const table::DatasetSpec& spec) {
  store::FindOptions earlier;
  earlier.filter = {{"dataset_name", spec.name},
                    {"logical_date", {{"$lt", format_date(context.logical_date)}}},
                    {"status", {{"$ne", "failed"}}},
                    {"superseded_by", {{"$exists", false}}}};
  earlier.sort = {{"logical_date", -1}};
  earlier.limit = monitor::kUsualDays;
  earlier.projection = {"statistics"};
  MAEIL_ASSIGN(const auto documents, context.store.find(kValidations, earlier));
  std::vector<monitor::DaySummary> out;
  for (const auto& document : documents)
    out.push_back(monitor::summary_from(document.value("statistics", Document())));
  return out;
}

// What this date said of its data before, whatever it was about, counts no more.
Status supersede_earlier(TaskContext& context, Document& validation, store::Batch& batch) {
  const std::string id = store::id_text(validation.at("_id"));
  for (const std::string_view collection : {kValidations, kAlertDocuments}) {
    const bool is_alert = collection == kAlertDocuments;
    store::FindOptions present;
    present.filter = {{"logical_date", format_date(context.logical_date)},
                      {"superseded_by", {{"$exists", false}}}};
    if (is_alert) present.filter["alert_type"] = kBroken;
    present.projection = {"logical_date"};
    MAEIL_ASSIGN(const auto documents, context.store.find(collection, present));
    for (const auto& document : documents) {
      const std::string old = store::id_text(document.at("_id"));
      const bool same =
          old == id || std::ranges::any_of(batch.puts, [&](const auto& put) {
            return put.collection == collection && store::id_text(put.document.at("_id")) == old;
          });
      if (same) continue;
      if (!is_alert) validation["supersedes"] = document.at("_id");
      batch.sets.push_back({std::string(collection), old, {{"superseded_by", validation.at("_id")}}});
    }
  }
  return {};
}

// A failure's documents are about these rows and this contract: said again they are the same, of others they
// stay beside. A success's are the task's.
Document with_id(const TaskContext& context, const char* collection, Document document, const Document& raw,
                 bool failed) {
  const std::string what =
      fmt::format("{} {} {} {}", context.name().key(), collection, store::text_field(document, "raw_sha256"),
                  store::text_field(document, "contract_hash"));
  Document out = stamped(context, collection, std::move(document));
  if (failed) out["_id"] = store::id_value(sha256_hex(what + store::id_text(raw.at("_id"))).substr(0, 24));
  return out;
}

// The file that people know, and whose lines those of the stored rows are: of another dialect what
// `maeil data convert` makes of it.
std::string name_of_rows(const Document& raw, const std::string& stored) {
  const std::string source = raw.contains("source_sha256") ? raw.value("source", "") : "";
  if (source.empty()) return stored;
  return raw.contains("source_dialect") ? source + " as plain CSV" : source;
}

std::string describe(const Validation& found) {
  std::string out = fmt::format("{} rows, {} set aside", found.rows, found.quarantined);
  if (found.findings.empty()) return out + ", nothing found";
  return out + fmt::format(", {} finding{}: {}{}", found.findings.size(),
                           found.findings.size() == 1 ? "" : "s", found.findings.front().message,
                           found.findings.size() == 1 ? "" : " ...");
}

}  // namespace

Result<TaskOutcome> validate_data(const Day& day, TaskContext& context) {
  MAEIL_ASSIGN(const Document raw, raw_document(context));
  MAEIL_ASSIGN(auto from, rows_to_read(context, day.settings, raw, kAllRows));
  auto file = table::RowFile::own(std::move(from.file), name_of_rows(raw, from.name));
  MAEIL_ASSIGN(
      Validation found,
      validate_rows(file, day.spec,
                    {.target_required = !raw.contains("source_sha256"),
                     .summarize = true,
                     .progress = [&](uint64_t rows) { context.progress("validate", rows, from.expected); }}));
  MAEIL_TRY(find_same_file(context, day.spec, raw, found.findings));
  monitor::DaySummary today{found.rows, found.labelled, std::nullopt, std::move(found.columns)};
  if (found.labelled > 0)
    today.target_rate = static_cast<double>(found.positives) / static_cast<double>(found.labelled);
  MAEIL_ASSIGN(const auto earlier, earlier_days(context, day.spec));
  for (auto& one : monitor::unusual(today, earlier)) found.findings.push_back(std::move(one));
  const bool failed = found.failed();
  for (size_t i = 0; i < std::min(found.findings.size(), kLoggedFindings); ++i)
    context.log(fmt::format("{}{}", found.findings[i].severity == Severity::kError ? "error: " : "warning: ",
                            found.findings[i].message));

  TaskOutcome out;
  const std::string raw_id = store::id_text(raw.at("_id"));
  Document document = {
      {"dataset_name", day.spec.name},
      {"status", found.status()},
      {"findings", findings_document(found.findings)},
      {"rows", found.rows},
      {"quarantined", found.quarantined},
      {"set_aside", found.set_aside.rows.size()},
      {"contract_hash", table::contract_hash(day.spec)},
      {"raw_data_id", raw.at("_id")},
      {"raw_sha256", raw.value("sha256", "")},
      {"compared_with_days", earlier.size() < monitor::kFewestUsualDays ? 0 : earlier.size()},
      {"statistics", monitor::summary_document(today)}};
  out.result = {{"status", found.status()},
                {"rows", found.rows},
                {"quarantined", found.quarantined},
                {"findings", found.findings.size()},
                {"contract_hash", document["contract_hash"]},
                {"raw_data_id", raw_id}};
  if (!failed && !found.set_aside.empty()) {
    MAEIL_ASSIGN(const std::string file_id, write_set_aside(context, day.spec, found.set_aside));
    document["file_id"] = store::id_value(file_id);
    out.result["set_aside_file_id"] = file_id;
  }
  Document validation = with_id(context, kValidations, std::move(document), raw, failed);
  out.result["validation_id"] = store::id_text(validation["_id"]);
  out.message = describe(found);
  if (failed) {
    out.state = TaskState::kFailed;
    const std::string date = format_date(context.logical_date);
    out.message = fmt::format(
        "{}; `maeil redo {} --in F` takes in another file, and after a change of the contract "
        "`maeil run --date {}` goes on",
        describe_failure(found, raw.value("source", from.name)), date, date);
    out.error = Error{ErrorCode::kBadInput, out.message};
    Document alert = {
        {"alert_type", kBroken},
        {"severity", "CRITICAL"},
        {"dataset_name", day.spec.name},
        {"validation_id", validation["_id"]},
        {"raw_sha256", validation["raw_sha256"]},
        {"contract_hash", validation["contract_hash"]},
        {"findings", validation["findings"]},
        {"message", fmt::format("{}. The day ends; docs/contract.md says what to do.", out.message)}};
    out.batch.puts.push_back(
        {kAlertDocuments, with_id(context, kAlertDocuments, std::move(alert), raw, true)});
  }
  MAEIL_TRY(supersede_earlier(context, validation, out.batch));
  out.batch.puts.push_back({kValidations, std::move(validation)});
  return out;
}

Result<Validated> validated(store::Store& store, Days date, const table::DatasetSpec& spec,
                            const Document& raw) {
  MAEIL_ASSIGN(const auto record,
               dag::read_record(store, {date, store.name_here(kDataDag), "validate_data"}));
  // A failure that says nothing of the rows (a full disk) is not told.
  const bool broken = record && record->state == TaskState::kFailed &&
                      store::text_field(record->result, "status") == "failed";
  const bool told = record && (record->state == TaskState::kSuccess || broken) &&
                    store::text_field(record->result, "raw_data_id") == store::id_text(raw.at("_id"));
  if (!told) {
    if (!spec.contract.has_rules()) return Validated();
    return not_found(
        fmt::format("the rows of {} were not held against the contract of {} yet: run validate_data "
                    "first (`maeil redo {}` does the whole date again)",
                    format_date(date), spec.file, format_date(date)));
  }
  if (broken)
    return bad_input(
        fmt::format("the rows of {} break their contract: {}", format_date(date), record->message));
  Validated out;
  out.file_id = store::text_field(record->result, "set_aside_file_id");
  if (!out.file_id.empty()) out.id = store::text_field(record->result, "validation_id");
  return out;
}

Result<ValidatedRows> validated_rows(store::Store& store, Days date, const table::DatasetSpec& spec,
                                     const Document& raw) {
  ValidatedRows out;
  MAEIL_ASSIGN(const Validated said, validated(store, date, spec, raw));
  out.validation_id = said.id;
  if (said.file_id.empty()) return out;
  MAEIL_ASSIGN(out.set_aside, read_set_aside(store, said.file_id));
  return out;
}

}  // namespace maeil::loop
