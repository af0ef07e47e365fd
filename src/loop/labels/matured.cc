#include "loop/labels/matured.h"

#include <fmt/format.h>

#include "base/file.h"
#include "base/hash.h"
#include "loop/evaluation.h"
#include "loop/labels/stored_labels.h"
#include "loop/prepared/read_rows.h"
#include "prep/columns.h"
#include "store/field_rules.h"
#include "table/csv_table.h"

namespace maeil::loop {
namespace {

using store::Document;

constexpr const char* kPredictions = "predictions";
constexpr const char* kProbability = "probability";
constexpr const char* kLabelFences = "label_fences";

// What is read of a day's scores: the ids and the probability.
table::DatasetSpec scores_spec(const table::DatasetSpec& spec) {
  table::DatasetSpec out = id_and_target(spec);
  std::erase_if(out.columns, [&](const table::SpecColumn& column) { return column.name == spec.target; });
  if (spec.roles.id.empty()) out.columns.push_back({.name = kRowColumn});
  out.columns.push_back({.name = kProbability, .type = table::SpecType::kNumber});
  out.target.clear();
  return out;
}

// The scores' rows that have a label.
Result<Scores> labelled_scores(store::Store& store, const Settings& settings, const table::DatasetSpec& spec,
                               Days date, const Document& predictions, const LabelHistory& history) {
  MAEIL_ASSIGN(AtomicFile spool,
               AtomicFile::create(scratch_file(settings, date, "scores"), AtomicFile::Access::kPrivate));
  MAEIL_TRY(store.read_blob(store::id_text(predictions.value("file_id", Document())),
                            [&](std::string_view bytes) { return spool.write(bytes); }));
  MAEIL_ASSIGN(MappedFile bytes, spool.map());
  auto file = table::RowFile::own(std::move(bytes), fmt::format("the scores of {}", format_date(date)));
  const table::DatasetSpec narrow = scores_spec(spec);
  const size_t probability = prep::column_index(narrow, kProbability);
  const auto columns = id_columns(spec);
  Scores out;
  std::string id;
  MAEIL_ASSIGN(const auto report,
               table::read_csv_file(
                   file, narrow, {}, [&](Table&& chunk, const std::vector<uint64_t>& numbers) -> Status {
                     const RowIds ids(narrow, columns, chunk);
                     for (size_t i = 0; i < chunk.rows; ++i) {
                       const int label =
                           ids.text(i, numbers[i], id) ? history.label(row_key(id), kAlways) : kNoLabel;
                       if (label == kNoLabel) {
                         ++out.unlabelled;
                         continue;
                       }
                       out.probabilities.push_back(chunk.columns[probability].numbers[i]);
                       out.labels.push_back(static_cast<uint8_t>(label));
                     }
                     return {};
                   }));
  MAEIL_TRY(table::check_quarantine(report, file.name(), 0));
  return out;
}

// What was said of the date's scores and `which` fits counts no more: `by` does. The last of its ids, or
// null.
Result<Document> supersede(store::Store& store, Days date, const Document& which, const Document& by,
                           store::Batch& batch) {
  store::FindOptions present;
  present.filter = {{"dataset_name", kMatured},
                    {"logical_date", format_date(date)},
                    {"superseded_by", {{"$exists", false}}}};
  present.filter.update(which);
  MAEIL_ASSIGN(const auto old, store.find("performance_metrics", present));
  for (const auto& one : old)
    batch.sets.push_back({"performance_metrics", store::id_text(one.at("_id")), {{"superseded_by", by}}});
  return old.empty() ? Document() : old.back().at("_id");
}

}  // namespace

Result<LabelFence> read_label_fence(store::Store& store, Days date) {
  const std::string id =
      sha256_hex(fmt::format("{} {}", store.name_here(kLabelFences), format_date(date))).substr(0, 24);
  store::FindOptions by_id;
  by_id.filter = {{"_id", store::id_value(id)}};
  MAEIL_ASSIGN(const Document found, store.find_one(kLabelFences, by_id));
  Document fields;  // null: there must be none
  if (!found.is_null()) fields = {{"by", found.value("by", Document())}};
  return LabelFence{date, {kLabelFences, id, std::move(fields)}};
}

void add_label_fence(const LabelFence& fence, const Document& by, store::Batch& batch) {
  batch.expects.push_back(fence.as_read);
  batch.puts.push_back({kLabelFences,
                        {{"_id", store::id_value(fence.as_read.id)},
                         {"logical_date", format_date(fence.date)},
                         {"by", by},
                         {"timestamp", store::date_value(now())}}});
}

Result<Document> present_predictions(store::Store& store, Days date) {
  store::FindOptions present;
  present.filter = {{"logical_date", format_date(date)},
                    {"superseded_by", {{"$exists", false}}},
                    {"pruned", {{"$exists", false}}}};
  MAEIL_ASSIGN(auto found, store.find_one(kPredictions, present));
  using Kind = store::FieldKind;
  if (!found.is_null()) {
    MAEIL_TRY(store::check_fields(
        kPredictions, found,
        {{"file_id", Kind::kId}, {"model_id", Kind::kText}, {"model_version", Kind::kText}}));
  }
  return found;
}

Result<Document> add_matured(store::Store& store, const Settings& settings, const table::DatasetSpec& spec,
                             Days date, const Document& predictions, const LabelHistory& history,
                             const std::function<Document(Document)>& stamp, store::Batch& batch) {
  MAEIL_ASSIGN(Scores scores, labelled_scores(store, settings, spec, date, predictions, history));
  if (scores.labels.empty()) {  // what was said of other scores counts no more
    const Document& id = predictions.at("_id");
    MAEIL_TRY(supersede(store, date, {{"predictions_id", {{"$ne", id}}}}, id, batch));
    return Document();
  }
  if (const auto& told = predictions.value("threshold", Document()); told.is_number())
    scores.threshold = told.get<double>();
  MAEIL_ASSIGN(auto metrics, evaluate_scores(scores, static_cast<uint64_t>(settings.seed), kMatured));
  Document document = stamp({{"model_id", predictions.value("model_id", "")},
                             {"model_version", predictions.value("model_version", "")},
                             {"dataset_name", kMatured},
                             {"predictions_id", predictions.at("_id")},
                             {"metrics", metrics}});
  document["logical_date"] = format_date(date);
  const Document id = document.at("_id");
  MAEIL_ASSIGN(const Document old, supersede(store, date, {{"_id", {{"$ne", id}}}}, id, batch));
  if (!old.is_null()) document["supersedes"] = old;
  batch.puts.push_back({"performance_metrics", std::move(document)});
  return metrics;
}

}  // namespace maeil::loop
