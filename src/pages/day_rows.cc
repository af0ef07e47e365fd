// What came in, what was found wrong with it, and what rang.
#include <fmt/format.h>

#include "pages/day_sections.h"
#include "store/field_rules.h"

namespace maeil::pages {
namespace {

using store::Document;
using store::field_at;
using store::text_field;

constexpr size_t kShownRows = 20;  // of rows that were set aside, of values that the model never saw

// The members of a list; none of what is no list.
const Document& items_of(const Document& document, std::string_view path) {
  static const Document none = Document::array();
  const Document& list = field_at(document, path);
  return list.is_array() ? list : none;
}

void add_labels(const DayRecord& record, Section& out) {
  const Document& labelled = field_at(record.data_validations, "statistics.labelled");
  if (labelled.is_null()) return;
  if (labelled == 0) {
    out.blocks.emplace_back("No labels yet: no row came with one.");
    return;
  }
  out.blocks.emplace_back(
      Table{"Labels that came with the rows",
            {},
            facts_of(record.data_validations, {{"statistics.labelled", "rows with a label"},
                                               {"statistics.target_rate", "rate of the target"}})});
}

void add_findings(const DayRecord& record, Section& out) {
  const Document& validation = record.data_validations;
  const Document& findings = items_of(validation, "findings");
  if (findings.empty()) {
    const Document& days = field_at(validation, "compared_with_days");
    const bool compared = days.is_number() && days > 0;
    out.blocks.emplace_back(
        compared ? "Nothing was found: the rows keep their contract and are like those of the days before."
                 : "Nothing was found: the rows keep their contract. There were too few days before to "
                   "compare with.");
    return;
  }
  Table table{"Findings", {"severity", "rule", "column", "what was found", "rows", "share"}, {}, 4};
  for (const auto& one : findings) {
    table.rows.push_back({fact(field_at(one, "severity")), fact(field_at(one, "rule")),
                          fact(field_at(one, "column"), "of all"), fact(field_at(one, "message")),
                          fact(field_at(one, "count")), fact(field_at(one, "share"))});
  }
  out.blocks.emplace_back(std::move(table));
}

void add_prepared(const DayRecord& record, Section& out) {
  const Document& prepared = record.processing_metadata;
  add_source(out, "processing_metadata", prepared);
  note_earlier(record, "preprocess_data", out);
  out.blocks.emplace_back(Table{"Prepared for the model",
                                {},
                                facts_of(prepared, {{"num_records", "rows"},
                                                    {"quarantined.count", "rows set aside"},
                                                    {"num_categorical_features", "columns of texts"},
                                                    {"num_numerical_features", "columns of numbers"}})});
  Table aside{"The first rows that were set aside", {"why", "line"}, {}, 1};
  for (const auto& row : items_of(prepared, "quarantined.rows")) {
    if (aside.rows.size() < kShownRows)
      aside.rows.push_back({fact(field_at(row, "reason")), fact(field_at(row, "line"))});
  }
  if (!aside.rows.empty()) out.blocks.emplace_back(std::move(aside));
  Table unseen{"Values that the model never saw", {"column", "rows"}, {}, 1};
  const Document& counts = field_at(prepared, "unseen");
  for (const auto& [column, count] : counts.items()) {
    if (counts.is_object() && count.is_number() && count != 0 && unseen.rows.size() < kShownRows)
      unseen.rows.push_back({column, fact(count)});
  }
  if (!unseen.rows.empty()) out.blocks.emplace_back(std::move(unseen));
}

const Document* state_of(const DayRecord& record, const Document& alert) {
  const std::string key = text_field(alert, "alert_key");
  for (const auto& state : record.alert_states) {
    if (!key.empty() && store::id_text(field_at(state, "_id")) == key) return &state;
  }
  return nullptr;
}

}  // namespace

Section rows_section(const DayRecord& record) {
  Section out{"What came in", {}, {}};
  const Document& raw = record.raw_data;
  if (raw.is_null()) {
    const bool waited = text_field(task_of(record, "wait_for_source"), "state") != "success";
    out.blocks.emplace_back("Nothing was taken in. " +
                            why_absent(record, waited ? "wait_for_source" : "generate_data"));
    return out;
  }
  add_source(out, "raw_data", raw);
  note_earlier(record, "generate_data", out);
  const bool taken = raw.contains("source_sha256");
  out.blocks.emplace_back(Table{"",
                                {},
                                facts_of(raw, {{"source", taken ? "rows from" : "rows drawn from"},
                                               {"source_path", "path"},
                                               {"source_dialect", "written as"},
                                               {"source_sha256", "SHA-256 of the file"},
                                               {"scenario", "scenario"},
                                               {"seed", "seed"},
                                               {"rows", "rows"},
                                               {"columns", "columns"},
                                               {"sha256", "SHA-256 of the rows kept"},
                                               {"file_id", "kept as"},
                                               {"timestamp", "when"},
                                               {"pruned", "removed since (retention)"}})});
  if (field_at(raw, "fallback") == true)
    out.blocks.emplace_back(
        "The rows are made up: the distribution model was absent (SOURCE_FALLBACK). They approve nothing.");
  return out;
}

Section findings_section(const DayRecord& record) {
  Section out{"What was found", {}, {}};
  const Document& validation = record.data_validations;
  if (validation.is_null()) {
    out.blocks.emplace_back("The rows were not held against a contract. " +
                            why_absent(record, "validate_data"));
  } else {
    add_source(out, "data_validations", validation);
    note_earlier(record, "validate_data", out);
    if (text_field(validation, "status") == "failed")
      out.blocks.emplace_back("The contract is broken: the day ended here.");
    out.blocks.emplace_back(Table{"",
                                  {},
                                  facts_of(validation, {{"status", "contract"},
                                                        {"rows", "rows"},
                                                        {"quarantined", "rows that cannot be used"},
                                                        {"set_aside", "of them set aside by the contract"},
                                                        {"file_id", "which, and why, is kept as"},
                                                        {"compared_with_days", "compared with earlier days"},
                                                        {"contract_hash", "hash of the contract"}})});
    add_findings(record, out);
    add_labels(record, out);
  }
  if (record.processing_metadata.is_null())
    out.blocks.emplace_back("The rows were not prepared for a model. " +
                            why_absent(record, "preprocess_data"));
  else
    add_prepared(record, out);
  return out;
}

Section alerts_section(const DayRecord& record) {
  Section out{"What rang, and why", {}, {}};
  if (record.alerts.empty()) out.blocks.emplace_back("No alert was raised for this date.");
  for (const auto& alert : record.alerts) {
    add_source(out, "alerts", alert);
    Table table{fact(field_at(alert, "alert_type")),
                {},
                facts_of(alert, {{"severity", "severity"}, {"message", "what it says"}})};
    const auto add = [&](std::vector<std::vector<std::string>> rows) {
      for (auto& row : rows) table.rows.push_back(std::move(row));
    };
    if (const Document* state = state_of(record, alert)) {
      add_source(out, "alert_states", *state);
      add(facts_of(*state, {{"state", "state of this trouble now"},
                            {"first_seen", "first seen"},
                            {"last_seen", "last seen"},
                            {"count", "on so many dates"},
                            {"by", "last act by"},
                            {"comment", "comment"}}));
      std::erase_if(table.rows, [](const auto& row) { return row[1].empty(); });
    } else {
      table.rows.push_back({"state of this trouble now", "not counted yet"});
    }
    const Document& why = field_at(alert, "diagnosis");
    if (const std::string cause = text_field(why, "cause"); !cause.empty())
      table.rows.push_back({"likely cause", cause});
    else
      table.rows.push_back({"likely cause", "none was told"});
    add(facts_of(why, {{"good_day", "last good day before"}}));
    for (const auto& change : items_of(why, "changes")) table.rows.push_back({"unlike then", fact(change)});
    for (const auto& command : items_of(why, "commands")) table.rows.push_back({"what helps", fact(command)});
    out.blocks.emplace_back(std::move(table));
  }
  return out;
}

}  // namespace maeil::pages
