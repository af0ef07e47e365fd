// `maeil generate | fit | preprocess | predict | evaluate | train`: files in, files out.
#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cmath>

#include "base/file.h"
#include "base/progress.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/quality.h"
#include "copula/fit.h"
#include "format/number_text.h"
#include "loop/evaluation.h"
#include "loop/import.h"
#include "loop/judging.h"
#include "loop/own_file.h"
#include "loop/prepared/processed_csv.h"
#include "loop/source.h"
#include "loop/training.h"
#include "prep/split.h"
#include "store/certain_commit.h"
#include "table/infer.h"
#include "table/sdv_metadata.h"

namespace maeil::cli {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

Result<Days> day_or_today(const Context& context, const std::string& text) {
  if (text.empty()) return date_in_zone(now(), context.settings.time_zone);
  auto date = parse_date(text);
  if (!date) return usage_error(fmt::format("--date: {}", date.error().message));
  return *date;
}

void report_quarantine(const table::ReadReport& report, const std::string& file) {
  for (const auto& row : report.examples)
    note(fmt::format("{}:{}: set aside: {}", file, row.line, row.reason), LogLevel::kWarning);
  if (!report.ignored_columns.empty())
    note(fmt::format("{}: {} columns that the dataset does not know are ignored, '{}' the first", file,
                     report.ignored_columns.size(), report.ignored_columns.front()));
  for (const auto& line : table::describe_unreadable(report, file)) note(line, LogLevel::kWarning);
}

// By column, the rows whose date cannot be read.
store::Document unreadable_document(const table::ReadReport& report) {
  auto out = store::Document::object();
  for (const auto& dates : report.dates) {
    if (dates.unreadable > 0) out[dates.column] = dates.unreadable;
  }
  return out;
}

// Transforms a CSV chunk by chunk on all threads: `work` makes an Out of prepared rows, `finish` takes them
// in order. With a progress bar; the report's quarantine is checked.
template <class Out>
Result<table::ReadReport> transform_file(
    const std::string& path, const table::DatasetSpec& spec, const prep::Preparation& preparation,
    table::ReadOptions options,
    const std::function<Status(const prep::Prepared&, const std::vector<uint64_t>&, Out&)>& work,
    const std::function<Status(Out&)>& finish) {
  struct Piece {
    uint64_t rows = 0;
    Out out;
  };
  Progress progress;
  uint64_t done = 0;
  MAEIL_ASSIGN(MappedFile file, MappedFile::open(path));
  MAEIL_ASSIGN(auto report, table::read_csv_file_as<Piece>(
                                std::move(file), path, spec, options,
                                [&](const table::CsvChunk& chunk, Piece& piece) {
                                  piece.rows = chunk.table.rows;
                                  return work(prep::transform(spec, preparation, chunk.table),
                                              chunk.row_index, piece.out);
                                },
                                [&](Piece& piece) {
                                  progress.update("rows", done += piece.rows, 0);
                                  return finish(piece.out);
                                }));
  progress.finish();
  report_quarantine(report, path);
  MAEIL_TRY(table::check_read(report, path));
  return report;
}

// Says of an error among a piece's rows which rows of the file those are.
Result<std::vector<double>> scored(const std::string& path, const std::vector<uint64_t>& rows,
                                   Result<std::vector<double>> scores) {
  if (scores || rows.empty()) return scores;
  return with_context(fmt::format("{}, among the rows {} to {}", path, rows.front(), rows.back()),
                      std::move(scores.error()));
}

// The constraints between columns that the file has; an optional column that it lacks is missing in every
// row, and so are its constraints.
std::vector<table::Constraint> constraints_of(const table::DatasetSpec& known,
                                              const table::DatasetSpec& present) {
  std::vector<table::Constraint> out = known.constraints;
  std::erase_if(out, [&](const table::Constraint& constraint) {
    const auto lacks = [&](const std::string& column) { return !present.find(column); };
    if (std::none_of(constraint.columns.begin(), constraint.columns.end(), lacks)) return false;
    note(fmt::format("{}: {} is left out: the file lacks a column of it", constraint.place,
                     table::describe(constraint)));
    return true;
  });
  return out;
}

// How many rows of the data break each constraint: warned of, since rows drawn then differ from the data
// there.
class BrokenRows {
 public:
  explicit BrokenRows(const std::vector<table::Constraint>& constraints)
      : constraints_(constraints), counts_(constraints.size()) {}
  Status add(const Table& chunk) {
    for (size_t k = 0; k < counts_.size(); ++k) {
      MAEIL_ASSIGN(const size_t broken, table::count_broken(constraints_[k], chunk));
      counts_[k] += broken;
    }
    rows_ += chunk.rows;
    return {};
  }
  void warn() const {
    for (size_t k = 0; k < counts_.size(); ++k) {
      if (counts_[k] == 0) continue;
      note(fmt::format("warning: {}: {} of {} rows break the constraint {}", constraints_[k].place,
                       counts_[k], rows_, table::describe(constraints_[k])),
           LogLevel::kWarning);
    }
  }
  store::Document document() const {
    auto out = store::Document::array();
    for (size_t k = 0; k < counts_.size(); ++k) {
      out.push_back({{"constraint", table::describe(constraints_[k])},
                     {"place", constraints_[k].place},
                     {"broken_rows", counts_[k]}});
    }
    return out;
  }

 private:
  const std::vector<table::Constraint>& constraints_;
  std::vector<uint64_t> counts_;
  uint64_t rows_ = 0;
};

// The columns whose values are made anew, marked in `columns`. What is a date, the target, a number with a
// marginal of its own in the spec, or part of an order or a sum is a quantity.
std::vector<copula::GeneratedColumn> generated_columns(table::InferredColumns& columns,
                                                       const std::string& target,
                                                       const std::vector<table::Constraint>& constraints,
                                                       const std::string& file, store::Document& document) {
  std::vector<copula::GeneratedColumn> out;
  document = store::Document::array();
  for (size_t c = 0; c < columns.spec.columns.size(); ++c) {
    auto& column = columns.spec.columns[c];
    const bool bound =
        std::any_of(constraints.begin(), constraints.end(), [&](const table::Constraint& constraint) {
          return constraint.kind != table::Constraint::Kind::kOnlyWhen &&
                 std::find(constraint.columns.begin(), constraint.columns.end(), column.name) !=
                     constraint.columns.end();
        });
    if (column.name == target || column.type == table::SpecType::kDate || bound || !column.marginal.empty())
      continue;
    const auto found = table::find_identifier(column.name, column.type == table::SpecType::kNumber,
                                              column.identifier, columns.values[c]);
    column.identifier = found.has_value();
    if (!found) continue;
    const auto pattern = table::describe(found->pattern);
    note(
        fmt::format("{}: column '{}' is an identifier ({:.0f} different values in {} rows): its values are "
                    "not learned, new ones are made as {}",
                    file, column.name, found->values, found->rows, pattern));
    document.push_back(
        {{"column", column.name}, {"values", found->values}, {"rows", found->rows}, {"pattern", pattern}});
    out.push_back({column.name, found->pattern});
  }
  return out;
}

// What was withheld, said and as a document.
store::Document note_rare_values(const std::vector<copula::RareValues>& rare, const std::string& file) {
  auto out = store::Document::array();
  for (const auto& one : rare) {
    note(fmt::format("{}: {}", file, copula::describe(one)));
    static constexpr const char* kKinds[] = {"pooled_labels", "grouped_dates", "emptied_column"};
    out.push_back({{"column", one.column},
                   {"kind", kKinds[static_cast<size_t>(one.kind)]},
                   {"values", one.values},
                   {"rows", one.rows},
                   {"into", one.into}});
  }
  return out;
}

std::function<Result<std::reference_wrapper<store::Store>>()> store_of(Context& context) {
  return [&context] { return context.store_to_read(); };
}

bool same_place(const std::string& a, const std::string& b) {
  if (a == b) return true;
  std::error_code no_such_folder;
  const auto one = std::filesystem::weakly_canonical(a, no_such_folder);
  const auto other = std::filesystem::weakly_canonical(b, no_such_folder);
  return !one.empty() && one == other;
}

std::vector<float> to_floats(const std::vector<double>& numbers) { return {numbers.begin(), numbers.end()}; }

}  // namespace

Result<int> generate(Context& context, const GenerateOptions& options) {
  const auto& settings = context.settings;
  if (!options.model.empty()) {
    std::error_code error;
    if (!std::filesystem::exists(options.model, error))
      return not_found(fmt::format("--model: {} does not exist", options.model));
  }
  loop::ClassShare share;
  if (!options.class_share.empty()) {
    const auto equals = options.class_share.rfind('=');
    double value = 0;
    const char* end = options.class_share.data() + options.class_share.size();
    if (equals == std::string::npos ||
        std::from_chars(options.class_share.data() + equals + 1, end, value).ptr != end ||
        equals + 1 == options.class_share.size()) {
      return usage_error(fmt::format("--class: '{}' is not of the form LABEL=SHARE", options.class_share));
    }
    share.emplace(options.class_share.substr(0, equals), value);
  }
  loop::SourcePlan plan = options.model.empty() ? loop::day_source(settings)
                                                : loop::SourcePlan{.distribution_model = options.model};
  plan.scenario = options.scenario;
  plan.share = share;
  plan.where = options.where;
  MAEIL_ASSIGN(const auto source, loop::open_source(plan));
  if (!source.portfolio && !options.date.empty()) {
    return usage_error(fmt::format(
        "--date is the built-in portfolio's: rows of {} do not depend on it (--seed gives others)",
        source.description));
  }
  if (!source.warning.empty()) note("warning: " + source.warning, LogLevel::kWarning);
  MAEIL_ASSIGN(const Days date, day_or_today(context, options.date));
  const std::string path = options.out.empty() ? settings.data_path : options.out;
  MAEIL_TRY(check_output(path, {options.model, settings.distribution_model, options.scenario}));
  Progress progress;
  const auto seed = static_cast<uint64_t>(options.seed.value_or(settings.seed));
  // A copula's rows do not depend on the date here, so that --seed alone names them.
  const auto begin = Clock::now();
  const auto fill = [&](auto file) -> Status {
    if (!file) return tl::make_unexpected(file.error());
    MAEIL_TRY(loop::write_rows_csv(
        source, source.portfolio ? date : Days{}, static_cast<uint64_t>(options.rows), seed,
        [&](std::string_view bytes) { return file->write(bytes); },
        [&](uint64_t done) { progress.update("rows", done, static_cast<uint64_t>(options.rows)); }));
    return file->commit();
  };
  const bool is_data_path = same_place(path, settings.data_path);
  MAEIL_TRY(is_data_path ? fill(loop::OwnFile::begin(path, store_of(context)))
                         : fill(AtomicFile::create(path)));
  progress.finish();
  if (context.json)
    print_json({{"path", path},
                {"rows", options.rows},
                {"columns", source.names.size()},
                {"source", source.description},
                {"seed", seed},
                {"seconds", seconds_since(begin)}});
  else
    print_line(fmt::format("{} rows of {} columns from {} -> {}", options.rows, source.names.size(),
                           source.description, path));
  return 0;
}

Result<int> fit(Context& context, const FitOptions& options) {
  const std::string page = options.no_report ? "" : quality_page_path(options.out);
  for (const auto& out : {options.out, options.metadata, page})
    MAEIL_TRY(check_output(out, {options.in, options.spec}));
  std::optional<table::DatasetSpec> named;
  const table::DatasetSpec* known = nullptr;
  if (!options.spec.empty()) {
    const bool sdv = options.spec.ends_with(".json");
    MAEIL_ASSIGN(named,
                 sdv ? table::read_sdv_metadata(options.spec) : table::read_dataset_spec(options.spec));
    known = &*named;
  } else {
    MAEIL_ASSIGN(const table::DatasetSpec& spec, context.spec_to_fit());
    MAEIL_ASSIGN(const auto has_columns, table::has_columns_of(options.in, spec));
    if (has_columns) known = &spec;
  }
  const std::string target = !options.target.empty() ? options.target : known ? known->target : "";
  MAEIL_ASSIGN(auto inferred, table::infer_columns(options.in, known, target));
  copula::FitPlan plan{.target = target,
                       .formats = inferred.formats,
                       .seed = static_cast<uint64_t>(options.seed.value_or(context.settings.seed))};
  for (const auto& column : inferred.spec.columns) {
    if (column.type == table::SpecType::kDate) plan.dates.push_back({column.name, column.format});
  }
  const auto everywhere = copula::parse_marginal_choice(options.marginals);
  if (!everywhere)
    return usage_error(
        fmt::format("--marginals: '{}' is none of {}", options.marginals, copula::kMarginalChoices));
  for (const auto& column : inferred.spec.columns) {
    const auto* own = known ? known->find(column.name) : nullptr;
    const auto choice =
        own && !own->marginal.empty() ? copula::parse_marginal_choice(own->marginal) : everywhere;
    if (!choice)
      return bad_input(fmt::format("the dataset spec: column '{}': marginal '{}' is none of {}", column.name,
                                   own->marginal, copula::kMarginalChoices));
    plan.marginals.push_back(*choice);
  }
  if (known) plan.constraints = constraints_of(*known, inferred.spec);
  BrokenRows broken(plan.constraints);
  for (const auto& line : inferred.notes) note(fmt::format("{}: {}", options.in, line));
  store::Document identifiers;
  copula::CopulaFitter fitter(generated_columns(inferred, target, plan.constraints, options.in, identifiers));
  Progress progress;
  uint64_t rows = 0;
  MAEIL_ASSIGN(const auto report,
               table::read_csv_file(options.in, inferred.spec, {.target_required = false},
                                    [&](Table&& chunk, const std::vector<uint64_t>&) -> Status {
                                      progress.update("rows", rows += chunk.rows, inferred.rows);
                                      fitter.add(chunk);
                                      return broken.add(chunk);
                                    }));
  progress.finish();
  report_quarantine(report, options.in);
  MAEIL_TRY(table::check_read(report, options.in));
  broken.warn();
  const auto begin = Clock::now();
  MAEIL_ASSIGN(auto fitted, fitter.fit(plan));
  const double seconds = seconds_since(begin);
  const auto rare = note_rare_values(fitted.rare, options.in);
  auto merged = store::Document::array();
  for (const auto& one : fitted.merged) {
    const std::string label = one.label.empty() ? "(missing)" : one.label;
    note(fmt::format("warning: {} = {} has {} rows, fewer than {}: they are merged with all others, so that "
                     "class is drawn as the whole file is, under its label",
                     target, label, one.rows, copula::kLeastClassRows),
         LogLevel::kWarning);
    merged.push_back({{"class", one.label}, {"rows", one.rows}});
  }
  fitted.mixture.source = std::filesystem::path(options.in).filename().string();
  if (!options.metadata.empty())
    MAEIL_TRY(write_file_atomically(options.metadata, table::to_sdv_metadata(inferred.spec)));
  MAEIL_TRY(copula::write_mixture(fitted.mixture, options.out));
  std::error_code ignored;
  std::filesystem::remove(quality_page_path(options.out), ignored);  // that of an earlier model
  std::optional<double> quality;
  if (!options.no_report) {
    const auto scored =
        report_fit(options, inferred.spec, target, rows, static_cast<uint64_t>(context.settings.seed));
    if (scored)
      quality = *scored;
    else
      note("no quality report: " + scored.error().message, LogLevel::kWarning);
  }
  const size_t columns = fitted.mixture.columns(), classes = fitted.mixture.classes.size();
  if (context.json) {
    print_json(
        {{"path", options.out},
         {"rows", rows},
         {"columns", columns},
         {"target", target},
         {"classes", classes},
         {"unreadable", unreadable_document(report)},
         {"seconds", seconds},
         {"constraints", broken.document()},
         {"identifiers", identifiers},
         {"rare_values", rare},
         {"merged_classes", merged},
         {"missing_patterns", fitted.mixture.missing_sets.size()},
         {"correlation_repair",
          {{"largest", fitted.repair.largest},
           {"rms", fitted.repair.rms},
           {"class", fitted.repair.label},
           {"columns", {fitted.repair.left, fitted.repair.right}}}},
         {"quality_score", quality ? store::Document(*quality) : store::Document()},
         {"quality_page", quality ? store::Document(quality_page_path(options.out)) : store::Document()}});
  } else {
    print_line(fmt::format("{} of {} columns{}, fitted on {} rows -> {}",
                           classes == 1 ? std::string("a copula") : fmt::format("{} copulas", classes),
                           columns, target.empty() ? "" : " by class of " + target, rows, options.out));
    if (const auto& repair = fitted.repair; repair.largest > 0) {
      print_line(
          fmt::format("correlations were made positive definite: moved by {:.3f} (root mean square), at most "
                      "by {:.3f} ({} and {}{})",
                      repair.rms, repair.largest, repair.left, repair.right,
                      repair.label.empty() ? "" : fmt::format(", {} = {}", target, repair.label)));
    }
    if (!quality && !options.no_report) print_line("drawn rows have no quality score: no column has one");
    if (quality)
      print_line(
          fmt::format("quality score of drawn rows {:.4f} -> {}", *quality, quality_page_path(options.out)));
  }
  return 0;
}

Result<int> preprocess(Context& context, const PreprocessOptions& options) {
  MAEIL_TRY(check_output(options.out, {options.in, options.model}));
  MAEIL_ASSIGN(const table::DatasetSpec& spec, context.spec());
  std::string name = options.model;
  if (name.empty()) {
    MAEIL_ASSIGN(store::Store & store, context.store_to_read());
    MAEIL_ASSIGN(const auto in_force, registry::model_in_force(store));
    if (!in_force)
      return not_found(
          "there is no model in force whose fitted values could prepare the rows: name one with --model");
    name = in_force->version;
  }
  MAEIL_ASSIGN(const auto model, loop::open_model(store_of(context), context.settings, spec, name, true));
  MAEIL_ASSIGN(AtomicFile csv, AtomicFile::create(options.out));
  MAEIL_TRY(csv.write(loop::processed_csv_header(spec, *model.preparation)));
  MAEIL_ASSIGN(const Days date, day_or_today(context, ""));
  MAEIL_ASSIGN(const auto report,
               transform_file<format::TextBuffer>(
                   options.in, spec, *model.preparation, {.target_required = false},
                   [&](const prep::Prepared& prepared, const std::vector<uint64_t>& rows,
                       format::TextBuffer& text) -> Status {
                     text.clear();
                     loop::append_processed_rows(
                         prepared, loop::splits_of(static_cast<uint64_t>(context.settings.seed), date, rows),
                         text);
                     return {};
                   },
                   [&](format::TextBuffer& text) { return csv.write(text.view()); }));
  MAEIL_TRY(csv.commit());
  if (context.json)
    print_json({{"path", options.out},
                {"rows", report.rows - report.quarantined},
                {"quarantined", report.quarantined},
                {"unreadable", unreadable_document(report)},
                {"model", name}});
  else
    print_line(fmt::format("{} rows prepared for model {}, {} set aside -> {}",
                           report.rows - report.quarantined, name, report.quarantined, options.out));
  return 0;
}

Result<int> predict(Context& context, const PredictOptions& options) {
  MAEIL_TRY(check_output(options.out, {options.in, options.model}));
  MAEIL_ASSIGN(const table::DatasetSpec& spec, context.spec());
  MAEIL_ASSIGN(auto model, loop::open_model(store_of(context), context.settings, spec, options.model, true));
  for (const auto& remark : model.remarks)
    note(fmt::format("{}: {}", options.model, remark), LogLevel::kWarning);
  MAEIL_ASSIGN(const auto scorer, loop::scorer_of(model, options.model));
  MAEIL_ASSIGN(AtomicFile file, AtomicFile::create(options.out));
  MAEIL_TRY(file.write("row,probability_of_default,prediction\n"));
  MAEIL_ASSIGN(const auto report,
               transform_file<std::string>(
                   options.in, spec, *model.preparation, {.target_required = false},
                   [&](const prep::Prepared& prepared, const std::vector<uint64_t>& rows,
                       std::string& text) -> Status {
                     const auto numbers = to_floats(prepared.numbers);
                     MAEIL_ASSIGN(
                         const auto p,
                         scored(options.in, rows,
                                loop::predict_default(scorer, {prepared.codes, numbers, prepared.rows})));
                     text.clear();
                     for (size_t i = 0; i < p.size(); ++i) {
                       text += fmt::format("{},", rows[i]);
                       format::append_float(text, p[i]);
                       text += p[i] >= 0.5 ? ",1\n" : ",0\n";
                     }
                     return {};
                   },
                   [&](std::string& text) { return file.write(text); }));
  MAEIL_TRY(file.commit());
  const uint64_t scored = report.rows - report.quarantined;
  if (context.json)
    print_json({{"path", options.out},
                {"rows", scored},
                {"quarantined", report.quarantined},
                {"unreadable", unreadable_document(report)}});
  else
    print_line(fmt::format("{} rows scored, {} set aside -> {}", scored, report.quarantined, options.out));
  return 0;
}

Result<int> evaluate(Context& context, const PredictOptions& options) {
  MAEIL_ASSIGN(const table::DatasetSpec& spec, context.spec());
  MAEIL_ASSIGN(auto model, loop::open_model(store_of(context), context.settings, spec, options.model, true));
  for (const auto& remark : model.remarks)
    note(fmt::format("{}: {}", options.model, remark), LogLevel::kWarning);
  MAEIL_ASSIGN(const auto scorer, loop::scorer_of(model, options.model));
  loop::Scores scores;
  MAEIL_ASSIGN(const auto report,
               transform_file<loop::Scores>(
                   options.in, spec, *model.preparation, {},
                   [&](const prep::Prepared& prepared, const std::vector<uint64_t>& rows,
                       loop::Scores& some) -> Status {
                     const auto numbers = to_floats(prepared.numbers);
                     MAEIL_ASSIGN(
                         const auto p,
                         scored(options.in, rows,
                                loop::predict_default(scorer, {prepared.codes, numbers, prepared.rows})));
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
                   [&](loop::Scores& some) -> Status {
                     scores.probabilities.insert(scores.probabilities.end(), some.probabilities.begin(),
                                                 some.probabilities.end());
                     scores.labels.insert(scores.labels.end(), some.labels.begin(), some.labels.end());
                     scores.unlabelled += some.unlabelled;
                     return {};
                   }));
  if (scores.unlabelled > 0) {
    const std::string said = fmt::format("{}: {} of {} rows have no label in column '{}'", options.in,
                                         scores.unlabelled, report.rows - report.quarantined, spec.target);
    note(said + (scores.labels.empty() ? ": there is nothing to evaluate on" : ": they are left out"),
         LogLevel::kWarning);
  }
  const auto& settings = context.settings;
  MAEIL_ASSIGN(const auto metrics,
               loop::evaluate_scores(scores, static_cast<uint64_t>(settings.seed),
                                     std::filesystem::path(options.in).filename().string()));
  const loop::Judgement judged = loop::judge(metrics, settings);
  const bool passed = judged.gate == loop::Gate::kPassed, was_judged = judged.gate != loop::Gate::kNotJudged;
  if (context.json) {
    store::Document out = {{"model", options.model},
                           {"rows", report.rows},
                           {"quarantined", report.quarantined},
                           {"unlabelled", scores.unlabelled},
                           {"unreadable", unreadable_document(report)},
                           {"metrics", metrics},
                           {"f1_threshold", settings.f1_threshold},
                           {"passed", was_judged ? store::Document(passed) : store::Document()}};
    if (!was_judged) out["not_judged"] = loop::not_judged_document(judged);
    print_json(out);
  } else {
    print_line(loop::describe(metrics));
    for (const auto& [name, value] : metrics.items())
      print_line(fmt::format("  {:<17} {}", name, value.is_null() ? "undefined" : plain(value)));
    print_line(!was_judged
                   ? "not judged: " + judged.reason
                   : fmt::format("{} the gate of {}", passed ? "passes" : "fails", settings.f1_threshold));
  }
  return passed || !was_judged ? 0 : kGateFailed;
}

Result<int> train(Context& context, const TrainOptions& options) {
  if (!options.pretrain && !options.train)
    return usage_error("train what? --pretrain for the encoder, --train for the classifier, or both");
  MAEIL_ASSIGN(store::Store & store, context.store());
  MAEIL_ASSIGN(const table::DatasetSpec& spec, context.spec());
  const auto& settings = context.settings;
  const loop::Day day{settings, spec, "calm", settings.data_quantity};
  loop::TrainingPlan plan;
  plan.rows = options.rows > 0 ? options.rows : 2 * settings.data_quantity;
  plan.pretrain_rows = plan.rows;
  plan.epochs = static_cast<int>(options.epochs > 0 ? options.epochs : settings.epochs);
  plan.pretrain_epochs = static_cast<int>(options.epochs > 0 ? options.epochs : settings.pretrain_epochs);

  MAEIL_ASSIGN(const Days today, date_in_zone(now(), settings.time_zone));
  Progress progress;
  // Each `maeil train` is a task of its own name, so that its versions stay beside earlier ones.
  dag::TaskContext task{
      store,
      today,
      "manual",
      "maeil_train",
      "",
      0,
      1,
      {},
      [&](std::string_view line) {
        progress.finish();
        note_task_line(line);
      },
      [&](std::string_view what, uint64_t done, uint64_t total) { progress.update(what, done, total); }};
  auto results = store::Document::array();
  std::string encoder_id;
  const auto finish = [&](dag::TaskOutcome outcome) -> Status {
    progress.finish();
    const auto is_there = [&]() -> Result<bool> {  // each version has an id of this command's own
      const auto& put = outcome.batch.puts.front();
      return store::has_document(store, put.collection, store::id_text(put.document.at("_id")));
    };
    MAEIL_ASSIGN(const Status done,
                 store::commit_for_certain(store, outcome.batch, is_there,
                                           "`maeil model list` shows the version if it was"));
    MAEIL_TRY(done);
    if (!context.json) print_line(outcome.message);
    results.push_back({{"message", outcome.message}, {"result", outcome.result}});
    return {};
  };
  if (options.pretrain) {
    task.task_id = "pretrain@" + format_instant(now());
    MAEIL_ASSIGN(auto outcome, loop::pretrain_encoder(day, plan, task));
    encoder_id = outcome.result.value("model_id", "");
    MAEIL_TRY(finish(std::move(outcome)));
  }
  if (options.train) {
    if (encoder_id.empty()) {
      MAEIL_ASSIGN(const auto versions, registry::list_versions(store));
      for (const auto& version : versions) {
        const auto h = version.document.value("hyperparameters", store::Document());
        const auto is = [&](const char* name, int64_t wanted) {
          return h.is_object() && h.value(name, store::Document()) == wanted;
        };
        const bool fits = is("d_model", settings.d_model) && is("num_layers", settings.num_layers) &&
                          is("nhead", settings.nhead) && is("dim_feedforward", settings.dim_feedforward);
        if (version.model_name != registry::kEncoder || version.file_id.empty() || !fits) continue;
        encoder_id = version.id;
        break;
      }
    }
    task.task_id = "train@" + format_instant(now());
    MAEIL_ASSIGN(auto outcome, loop::train_classifier(day, plan, encoder_id, task));
    MAEIL_TRY(finish(std::move(outcome)));
  }
  if (context.json)
    print_json(results);
  else
    print_line(
        "`maeil model list` shows it; the next `maeil run` evaluates it when nothing newer is deployed or "
        "approved");
  return 0;
}

}  // namespace maeil::cli
