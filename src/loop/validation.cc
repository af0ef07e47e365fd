#include "loop/validation.h"

#include <fmt/format.h>

#include <algorithm>

#include "table/csv_table.h"

namespace maeil::loop {
namespace {

using table::ContractCheck;
using table::Finding;
using table::Severity;

struct Piece {
  ContractCheck::Piece checked;
  table::Summarizing::Piece summary;
  std::vector<uint64_t> row_index;
  std::vector<uint8_t> is_out;
};

// The spec as far as the file has its columns: those that it lacks are found, and read as missing.
struct Header {
  table::DatasetSpec spec;
  std::vector<bool> absent;  // (columns)
  std::vector<Finding> findings;
};

Result<Header> read_header(const table::RowFile& file, const table::DatasetSpec& spec, bool target_required) {
  MAEIL_ASSIGN(const auto reader, table::RowReader::begin(file));
  Header out{spec, {}, {}};
  for (auto& column : out.spec.columns) {
    const bool absent = std::ranges::find(reader.names(), column.name) == reader.names().end();
    out.absent.push_back(absent);
    const bool may_lack = column.optional || (column.name == spec.target && !target_required);
    if (!absent || may_lack) continue;
    column.optional = true;
    out.findings.push_back(
        {"column",
         column.name,
         Severity::kError,
         0,
         1,
         {},
         fmt::format("the header lacks the column '{}' of dataset {}", column.name, spec.name)});
  }
  return out;
}

}  // namespace

const char* Validation::status() const {
  return failed() ? "failed" : findings.empty() ? "passed" : "passed_with_warnings";
}

Result<Validation> validate_rows(table::RowFile& file, const table::DatasetSpec& spec,
                                 const ValidationOptions& options) {
  Validation out;
  const auto found = [&](const Error& error) -> Result<Validation> {
    if (error.code != ErrorCode::kBadInput) return tl::make_unexpected(error);
    out.findings.push_back({"file", "", Severity::kError, 0, 1, {}, error.message});
    return std::move(out);
  };
  auto header = read_header(file, spec, options.target_required);
  if (!header) return found(header.error());
  out.findings = std::move(header->findings);
  ContractCheck contract(header->spec, header->absent);
  table::Summarizing summarizing(header->spec);
  uint64_t done = 0;
  auto report = table::read_csv_file_as<Piece>(
      file, header->spec,
      // A label of neither value is none where rows are scored, and a row less where they are learnt from.
      {.target_required = false, .other_label_is_none = options.file_rules != table::FileRules::kNotRows},
      [&](const table::CsvChunk& chunk, Piece& piece) -> Status {
        contract.look(chunk.table, piece.checked);
        piece.row_index = chunk.row_index;
        if (!options.summarize) return {};
        piece.is_out.assign(chunk.table.rows, 0);
        for (size_t i = 0; i < piece.is_out.size(); ++i)
          piece.is_out[i] = piece.checked.broken_by[i] != ContractCheck::kNone;
        summarizing.look(chunk.table, chunk.row_index, piece.is_out, piece.summary);
        return {};
      },
      [&](Piece& piece) -> Status {
        contract.add(piece.checked, piece.row_index);
        if (options.summarize) summarizing.add(piece.summary);
        if (options.progress) options.progress(done += piece.row_index.size());
        return {};
      });
  if (!report) return found(report.error());
  for (auto& one : contract.findings(*report, file.name(), options.file_rules))
    out.findings.push_back(std::move(one));
  if (report->rows == 0)
    out.findings.push_back(
        {"file", "", Severity::kError, 0, 0, {}, file.name() + " has a header and no rows"});
  out.set_aside = contract.set_aside();
  out.rows = report->rows;
  out.quarantined = report->quarantined + out.set_aside.rows.size();
  out.labelled = contract.labelled();
  out.positives = contract.positives();
  if (options.summarize) out.columns = summarizing.summaries();
  return out;
}

Result<table::SetAside> hold_to_contract(table::RowFile& file, const table::DatasetSpec& spec,
                                         table::FileRules file_rules, const Watcher& watcher) {
  if (!spec.contract.has_rules()) return table::SetAside();
  MAEIL_ASSIGN(Validation found, validate_rows(file, spec,
                                               {.file_rules = file_rules,
                                                .target_required = false,
                                                .progress = [&](uint64_t rows) { watcher.rows(rows, 0); }}));
  for (const auto& one : found.findings) {
    // What the reading finds by itself it says by itself (note_read).
    if (one.rule != "type" && one.rule != "date")
      watcher.note(fmt::format("{}: {}", file.name(), one.message), true);
  }
  if (found.failed()) return bad_input(describe_failure(found, file.name()));
  return std::move(found.set_aside);
}

store::Document findings_document(const std::vector<Finding>& findings) {
  auto out = store::Document::array();
  for (const auto& one : findings) {
    out.push_back({{"rule", one.rule},
                   {"column", one.column.empty() ? store::Document() : store::Document(one.column)},
                   {"severity", one.severity == Severity::kError ? "error" : "warning"},
                   {"count", one.count},
                   {"share", one.share},
                   {"examples", one.examples},
                   {"message", one.message}});
  }
  return out;
}

std::string describe_failure(const Validation& validation, const std::string& what) {
  const Finding* first = nullptr;
  size_t errors = 0;
  for (const auto& one : validation.findings) {
    if (one.severity != Severity::kError) continue;
    if (!first) first = &one;
    ++errors;
  }
  return fmt::format(
      "{} breaks the contract of its dataset: {}{}", what, first->message,
      errors == 1 ? "" : fmt::format("; and {} more error{}", errors - 1, errors == 2 ? "" : "s"));
}

}  // namespace maeil::loop
