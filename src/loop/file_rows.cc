#include "loop/file_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "base/dataset_name.h"
#include "base/file.h"
#include "format/number_text.h"
#include "loop/evaluation.h"
#include "loop/import.h"
#include "loop/prepared/processed_csv.h"
#include "loop/query_rows.h"
#include "loop/reasons.h"
#include "loop/validation.h"
#include "prep/row_split.h"
#include "prep/transform.h"
#include "table/csv_table.h"
#include "table/row_output.h"
#include "table/spec_difference.h"

namespace maeil::loop {
namespace {

// `work` makes an Out of prepared rows, `finish` takes them in order.
template <class Out>
Result<table::ReadReport> transform_rows(
    const FileRows& rows, table::ReadOptions options, const Watcher& watcher,
    const std::function<Status(const table::CsvChunk&, const prep::Prepared&, Out&)>& work,
    const std::function<Status(Out&)>& finish) {
  struct Piece {
    uint64_t rows = 0;
    Out out;
  };
  uint64_t done = 0;
  const table::DatasetSpec& spec = prep::spec_of(*rows.model.preparation, rows.spec);
  for (const auto& line : model_differences(*rows.model.preparation, rows.spec, rows.model_name))
    watcher.note(line, true);
  MAEIL_ASSIGN(auto file, open_rows(rows.settings, rows.path, &spec));
  // Rows of any file: what a day's file must keep as a whole is only said.
  MAEIL_ASSIGN(const auto set_aside, hold_to_contract(file, rows.spec, table::FileRules::kSaid, watcher));
  options.set_aside = &set_aside;
  MAEIL_ASSIGN(auto report, table::read_csv_file_as<Piece>(
                                file, spec, options,
                                [&](const table::CsvChunk& chunk, Piece& piece) {
                                  piece.rows = chunk.table.rows;
                                  return work(chunk,
                                              prep::transform(spec, *rows.model.preparation, chunk.table),
                                              piece.out);
                                },
                                [&](Piece& piece) {
                                  watcher.rows(done += piece.rows, 0);
                                  return finish(piece.out);
                                }));
  note_read(report, rows.path, watcher);
  MAEIL_TRY(table::check_read(report, rows.path));
  return report;
}

// The chances of default of prepared rows. An error says which rows of the file it lies among.
Result<std::vector<double>> chances(const model::ModelFile& model, const std::string& path,
                                    const prep::Prepared& prepared, const std::vector<uint64_t>& rows) {
  auto scores = model::probabilities(model, prepared);
  if (scores || rows.empty()) return scores;
  return with_context(fmt::format("{}, among the rows {} to {}", path, rows.front(), rows.back()),
                      std::move(scores.error()));
}

}  // namespace

std::vector<std::string> model_differences(const prep::Preparation& preparation,
                                           const table::DatasetSpec& present, const std::string& model) {
  if (!preparation.spec || preparation.spec->text == present.text) return {};
  std::vector<std::string> out;
  const auto trained = table::parse_dataset_spec(preparation.spec->text, model);
  if (!trained) return out;
  for (const auto& difference : table::spec_differences(*trained, present)) {
    out.push_back(fmt::format("{} was trained before {} was edited, and prepares as it was then: {}", model,
                              present.file, difference));
  }
  return out;
}

void note_read(const table::ReadReport& report, const std::string& file, const Watcher& watcher) {
  if (!report.how.empty()) watcher.note(fmt::format("{}: read as {}", file, report.how), false);
  for (const auto& remark : report.remarks) watcher.note(fmt::format("{}: {}", file, remark), true);
  for (const auto& row : report.examples)
    watcher.note(fmt::format("{}:{}: set aside: {}", file, row.line, row.reason), true);
  if (!report.ignored_columns.empty())
    watcher.note(fmt::format("{}: {} columns that the dataset does not know are ignored, '{}' the first",
                             file, report.ignored_columns.size(), report.ignored_columns.front()),
                 false);
  for (const auto& line : table::describe_unreadable(report, file)) watcher.note(line, true);
  if (const auto line = table::describe_other_labels(report, file); !line.empty()) watcher.note(line, true);
}

Result<table::ReadReport> write_prepared_rows(const FileRows& rows, uint64_t seed, Days date,
                                              const std::string& out, const Watcher& watcher) {
  MAEIL_ASSIGN(AtomicFile csv, AtomicFile::create(out));
  MAEIL_TRY(csv.write(
      processed_csv_header(prep::spec_of(*rows.model.preparation, rows.spec), *rows.model.preparation)));
  MAEIL_ASSIGN(auto report, transform_rows<format::TextBuffer>(
                                rows, {.target_required = false, .other_label_is_none = true}, watcher,
                                [&](const table::CsvChunk& chunk, const prep::Prepared& prepared,
                                    format::TextBuffer& text) -> Status {
                                  text.clear();
                                  append_processed_rows(
                                      prepared,
                                      prep::splits_of(prep::spec_of(*rows.model.preparation, rows.spec),
                                                      chunk.table, seed, date, chunk.row_index),
                                      text);
                                  return {};
                                },
                                [&](format::TextBuffer& text) { return csv.write(text.view()); }));
  MAEIL_TRY(csv.commit());
  return report;
}

Result<table::ReadReport> predict_rows(const FileRows& rows, const std::string& out, int64_t reasons,
                                       const Watcher& watcher) {
  MAEIL_TRY(rows.model.predictor->check_scores(rows.model_name));
  const double threshold = model::threshold_of(rows.model);
  // The built-in dataset's name is what its users' programs read.
  const bool of_default = rows.spec.name == kBuiltinDataset;
  const std::string probability = of_default ? "probability_of_default" : "probability";
  using columnar::OutKind;
  const ReasonWriter why(*rows.model.preparation, rows.spec, reasons, rows.settings.reason_language);
  std::vector<columnar::OutColumn> columns = {
      {"row", OutKind::kWhole}, {probability, OutKind::kNumber}, {"prediction", OutKind::kWhole}};
  std::ranges::move(why.columns(), std::back_inserter(columns));
  MAEIL_ASSIGN(auto file, table::RowOutput::create(out, std::move(columns)));
  MAEIL_TRY(file.write(fmt::format("row,{},prediction{}\n", probability, why.header())));
  MAEIL_ASSIGN(auto report, transform_rows<std::string>(
                                rows, {.target_required = false, .other_label_is_none = true}, watcher,
                                [&](const table::CsvChunk& chunk, const prep::Prepared& prepared,
                                    std::string& text) -> Status {
                                  const auto& index = chunk.row_index;
                                  MAEIL_ASSIGN(const auto p, chances(rows.model, rows.path, prepared, index));
                                  MAEIL_ASSIGN(const auto told, why.of(rows.model, prepared));
                                  text.clear();
                                  for (size_t i = 0; i < p.size(); ++i) {
                                    text += fmt::format("{},", index[i]);
                                    format::append_float(text, p[i]);
                                    text += p[i] >= threshold ? ",1" : ",0";
                                    text += told[i];
                                    text += '\n';
                                  }
                                  return {};
                                },
                                [&](std::string& text) { return file.write(text); }));
  MAEIL_TRY(file.commit());
  return report;
}

Result<ScoredRows> score_rows(const FileRows& rows, const Watcher& watcher) {
  MAEIL_TRY(rows.model.predictor->check_scores(rows.model_name));
  ScoredRows out;
  Scores& scores = out.scores;
  scores.threshold = model::threshold_of(rows.model);
  MAEIL_ASSIGN(out.read,
               transform_rows<Scores>(
                   rows, {.other_label_is_none = true}, watcher,
                   [&](const table::CsvChunk& chunk, const prep::Prepared& prepared, Scores& some) -> Status {
                     MAEIL_ASSIGN(const auto p, chances(rows.model, rows.path, prepared, chunk.row_index));
                     some = {};
                     for (size_t i = 0; i < p.size(); ++i) {
                       if (prepared.labels[i] < 0) {
                         ++some.unlabelled;
                         continue;
                       }
                       some.probabilities.push_back(p[i]);
                       some.labels.push_back(static_cast<uint8_t>(prepared.labels[i]));
                     }
                     return {};
                   },
                   [&](Scores& some) -> Status {
                     scores.probabilities.insert(scores.probabilities.end(), some.probabilities.begin(),
                                                 some.probabilities.end());
                     scores.labels.insert(scores.labels.end(), some.labels.begin(), some.labels.end());
                     scores.unlabelled += some.unlabelled;
                     return {};
                   }));
  if (scores.unlabelled > 0) {
    watcher.note(
        fmt::format("{}: {} of {} rows have no label in column '{}'{}", rows.path, scores.unlabelled,
                    out.read.rows - out.read.quarantined, rows.spec.target,
                    scores.labels.empty() ? ": there is nothing to evaluate on" : ": they are left out"),
        true);
  }
  return out;
}

Result<EvaluatedRows> evaluate_rows(const FileRows& rows, const Settings& settings, const Watcher& watcher) {
  MAEIL_ASSIGN(auto scored, score_rows(rows, watcher));
  EvaluatedRows out{.read = std::move(scored.read), .unlabelled = scored.scores.unlabelled};
  MAEIL_ASSIGN(out.metrics, evaluate_scores(scored.scores, static_cast<uint64_t>(settings.seed),
                                            std::filesystem::path(rows.path).filename().string()));
  out.judged = judge(out.metrics, settings);
  return out;
}

}  // namespace maeil::loop
