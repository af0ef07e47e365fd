#include "loop/day_scores.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "base/hash.h"
#include "format/csv.h"
#include "format/number_text.h"
#include "loop/prepared/part_report.h"
#include "loop/prepared/raw_data.h"
#include "loop/prepared/read_rows.h"
#include "loop/reasons.h"
#include "prep/columns.h"
#include "prep/row_split.h"
#include "prep/transform.h"
#include "registry/version_file.h"
#include "table/csv_table.h"

namespace maeil::loop {

std::string scores_header(const table::DatasetSpec& spec, int64_t reasons) {
  std::string out;
  for (const auto& name : spec.roles.id) {
    format::append_csv_text(out, name);
    out += ',';
  }
  if (spec.roles.id.empty()) out = "row,";
  out += "probability,decision,model_version";
  return out + ReasonWriter({}, spec, reasons, "en").header() + "\n";
}

std::string scores_path(const Settings& settings, Days date) {
  return std::filesystem::path(settings.data_dir) / "scores" /
         fmt::format("scores_{}.csv", format_date(date));
}

IdCounts count_ids(std::vector<uint64_t>& ids, uint64_t rows) {
  std::ranges::sort(ids);
  const auto again = std::ranges::unique(ids);
  return {rows, rows - ids.size(), static_cast<uint64_t>(again.size())};
}

Result<DayScores> DayScores::begin(dag::TaskContext& context, const Day& day,
                                   const registry::ModelVersion& version) {
  MAEIL_ASSIGN(store::Document raw, raw_document(context));
  MAEIL_ASSIGN(auto model, registry::load_version(context.store, version, day.spec,
                                                  static_cast<int>(day.settings.nhead)));
  ValidatedRows validated;
  if (!raw.contains("pruned")) {
    MAEIL_ASSIGN(validated, validated_rows(context.store, context.logical_date, day.spec, raw));
  }
  return DayScores(context, day, version, std::move(raw), std::move(validated), std::move(model));
}

Result<table::ReadReport> DayScores::make(RowRange rows, const Sink& sink) {
  if (rows.count == 0) return table::ReadReport();
  MAEIL_ASSIGN(auto from, rows_to_read(context_, day_.settings, raw_, rows));
  const uint64_t first_row = from.first_row;
  const double threshold = this->threshold();
  uint64_t done = 0;
  const table::DatasetSpec& spec = prep::spec_of(*model_.preparation, day_.spec);
  if (spec.roles.id != day_.spec.roles.id) {
    return bad_input(fmt::format(
        "version {} was trained when other columns were the id ({}): train one with the ids of {}",
        version_.version, fmt::join(spec.roles.id, ", "), day_.spec.file));
  }
  const ReasonWriter why(*model_.preparation, day_.spec, day_.settings.score_reasons,
                         day_.settings.reason_language);
  const auto score = [&](const table::CsvChunk& chunk, ScoredPiece& piece) -> Status {
    const auto prepared = prep::transform(spec, *model_.preparation, chunk.table);
    auto scored = model::probabilities(model_, prepared);
    if (!scored && !chunk.row_index.empty()) {
      return with_context(
          fmt::format("{}, among the rows {} to {}", from.name, first_row + chunk.row_index.front(),
                      first_row + chunk.row_index.back()),
          std::move(scored.error()));
    }
    MAEIL_ASSIGN(piece.probabilities, std::move(scored));
    MAEIL_ASSIGN(const auto told, why.of(model_, prepared));
    piece.lines.clear();
    piece.ids.clear();
    if (!day_.spec.roles.id.empty()) {
      for (const auto& hash : prep::id_hashes(spec, chunk.table)) {
        if (hash) piece.ids.push_back(*hash);
      }
    }
    std::vector<const Column*> ids;
    for (const auto& name : day_.spec.roles.id)
      ids.push_back(&chunk.table.columns[prep::column_index(spec, name)]);
    for (size_t i = 0; i < piece.probabilities.size(); ++i) {
      const double p = piece.probabilities[i];
      for (const Column* id : ids) {
        if (!id->is_missing(i)) format::append_csv_text(piece.lines, id->text(i));
        piece.lines += ',';
      }
      if (ids.empty()) fmt::format_to(std::back_inserter(piece.lines), "{},", first_row + chunk.row_index[i]);
      format::append_float(piece.lines, p);
      piece.lines += p >= threshold ? ",1," : ",0,";
      piece.lines += version_.version;
      piece.lines += told[i];
      piece.lines += '\n';
    }
    return {};
  };
  const auto take = [&](ScoredPiece& piece) -> Status {
    context_.progress("score", done += piece.probabilities.size(), from.expected);
    return sink(piece);
  };
  auto csv = table::RowFile::own(std::move(from.file), from.name);
  MAEIL_ASSIGN(auto report, table::read_csv_file_as<ScoredPiece>(csv, spec,
                                                                 {.target_required = false,
                                                                  .other_label_is_none = true,
                                                                  .set_aside = &validated_.set_aside,
                                                                  .first_row = first_row},
                                                                 score, take));
  table::shift_lines(report, first_row);
  return report;
}

RowCuts DayScores::cuts() const {
  const uint64_t rows = raw_.value("rows", uint64_t{0});
  return {rows, raw_step(rows)};
}

namespace {

// What the words of reasons hang on, none where none are asked for.
std::string reason_words(const Day& day) {
  if (day.settings.score_reasons == 0) return "";
  std::string all = day.settings.reason_language;
  for (const auto& [name, words] : day.spec.reasons)
    all += fmt::format("/{}={}={}", name, words.en, words.ko);
  return sha256_hex(all);
}

}  // namespace

// The version's name too: two may have the same bytes, and each line names one.
Result<store::Document> DayScores::inputs() const {
  return store::Document{{"raw_sha256", raw_.value("sha256", "")},    {"model_version", version_.version},
                         {"validation_id", validated_.validation_id}, {"model_sha256", version_.sha256},
                         {"reasons", day_.settings.score_reasons},    {"reason_words", reason_words(day_)}};
}

Status DayScores::write(const ScoredPiece& piece, PartWriter& part) const {
  return part.write_frame({{"lines", store::Document::binary({piece.lines.begin(), piece.lines.end()})},
                           {"probabilities", packed(piece.probabilities)},
                           {"ids", packed(piece.ids)}});
}

PartSummary DayScores::summary(const table::ReadReport& report, RowRange rows) const {
  return {report_facts(report),
          fmt::format("rows {} to {} of {} scored", rows.first, rows.first + rows.count, cuts().rows)};
}

Status DayScores::read(const store::Document& part, const Sink& sink, table::ReadReport& report) const {
  ScoredPiece piece;
  MAEIL_TRY(read_part_frames(context_, part, [&](const store::Document& frame) -> Status {
    MAEIL_ASSIGN(const auto lines, unpacked<char>(frame.value("lines", store::Document())));
    MAEIL_ASSIGN(piece.probabilities, unpacked<double>(frame.value("probabilities", store::Document())));
    MAEIL_ASSIGN(piece.ids, unpacked<uint64_t>(frame.value("ids", store::Document())));
    piece.lines.assign(lines.begin(), lines.end());
    return sink(piece);
  }));
  return add_report(part, day_.spec, report);
}

}  // namespace maeil::loop
