#include "loop/labels/label_import.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <tuple>

#include "dag/task_record.h"
#include "loop/evaluation.h"
#include "loop/labels/label_file.h"
#include "loop/labels/labelled_days.h"
#include "loop/labels/matured.h"
#include "loop/labels/no_match.h"
#include "loop/labels/stored_labels.h"
#include "loop/prepared/raw_data.h"
#include "loop/query_rows.h"
#include "store/field_rules.h"

namespace maeil::loop {
namespace {

using store::Document;

constexpr size_t kRowsAtOnce = 8192;  // of label_rows, written as one piece

class Importing {
 public:
  Importing(store::Store& store, const Settings& settings, const table::DatasetSpec& spec,
            const LabelRequest& request, const LabelOwner& owner)
      : store_(store), settings_(settings), spec_(spec), request_(request), owner_(owner) {}

  Result<LabelImport> run(const Watcher& watcher) {
    MAEIL_ASSIGN(file_, read_label_file(settings_, spec_, request_,
                                        scratch_file(settings_, request_.today, "labels"), watcher));
    out_.read = file_.read;
    out_.rows = file_.rows;
    out_.left_out = file_.left_out;
    import_id_ = store::new_object_id(now());
    MAEIL_ASSIGN(auto open, file_.labels->take({}));
    MAEIL_TRY(find_dates(open));
    uint64_t done = 0;
    dates_ = file_.labels->dates();
    for (const Days date : dates_) {
      MAEIL_ASSIGN(day_, file_.labels->take(date));
      if (watcher.rows) watcher.rows(done, file_.rows);
      done += day_.labels.size();
      MAEIL_TRY(check_observed(date));
      // By row, of one row as it became known, of that as it stands in the file.
      std::ranges::sort(day_.labels, {}, [](const FileLabel& label) {
        return std::tuple(label.key, *label.observed, label.record);
      });
      MAEIL_TRY(take_day(date));
    }
    if (out_.matched + out_.set_aside == 0) {
      MAEIL_ASSIGN(const auto why,
                   why_nothing_matched(store_, settings_, spec_, request_, file_, dates_, of_pruned_days_));
      return bad_input(why);
    }
    if (out_.written == 0) return std::move(out_);
    if (!request_.dry_run) MAEIL_TRY(add_document());
    return std::move(out_);
  }

 private:
  tl::unexpected<Error> wrong(const FileLabel& label, const std::string& what) const {
    return bad_input(fmt::format("{}: row {}: {}", request_.in, label.record + 1, what));
  }

  // Gives labels that do not say their day that of the only day with a row of that id.
  Status find_dates(LabelsOfDay& open) {
    if (open.labels.empty()) return {};
    MAEIL_ASSIGN(const auto dates, stored_days(store_, kEndOfTime));
    for (const Days date : dates) {
      MAEIL_ASSIGN(const auto raw, raw_document(store_, date));
      LabelHistory rows;
      MAEIL_TRY(add_rows(store_, settings_, spec_, date, raw, rows));
      rows.sort();
      for (FileLabel& label : open.labels) {
        if (!rows.has_row(label.key)) continue;
        if (label.date) {
          return wrong(label, fmt::format("its id is that of rows of {} and of {}: say which by a column "
                                          "logical_date{}, or by --date",
                                          format_date(date), format_date(*label.date),
                                          spec_.roles.time.empty() ? "" : " or " + spec_.roles.time));
        }
        label.date = date;
      }
    }
    for (const FileLabel& label : open.labels) {
      if (label.date)
        MAEIL_TRY(file_.labels->add(label, open.id(label)));
      else
        ++out_.unknown;
    }
    return {};
  }

  Status check_observed(Days date) {
    for (auto& label : day_.labels) {
      if (!label.observed) label.observed = std::max(request_.today, date);
      if (*label.observed >= date) continue;
      return wrong(label, fmt::format("its label is known on {}, before its day, {}",
                                      format_date(*label.observed), format_date(date)));
    }
    return {};
  }

  // `day_`, sorted.
  Status take_day(Days date) {
    const auto raw = raw_document(store_, date);
    if (!raw && raw.error().code != ErrorCode::kNotFound) return tl::make_unexpected(raw.error());
    if (!raw || raw->contains("pruned")) {
      out_.unknown += day_.labels.size();
      if (raw) of_pruned_days_ += day_.labels.size();
      return {};
    }
    MAEIL_ASSIGN(const LabelFence fence, read_label_fence(store_, date));
    MAEIL_ASSIGN(LabelHistory history, history_of(store_, settings_, spec_, date, *raw));
    LabelledDate day{date};
    day.raw_data_id = raw->at("_id");
    std::vector<Fresh> fresh;
    const FileLabel* before = nullptr;  // of the same row, in this file
    for (size_t i = 0; i < day_.labels.size(); ++i) {
      const FileLabel& label = day_.labels[i];
      if (before && before->key != label.key) before = nullptr;
      if (!history.has_row(label.key)) {
        ++out_.unknown;
        continue;
      }
      const bool counts = !history.is_set_aside(label.key);
      ++(counts ? day.matched : day.set_aside);
      int known = history.label(label.key, *label.observed);
      if (before && (known == kNoLabel || history.observed(label.key, *label.observed) <= *before->observed))
        known = before->label;
      if (before && *before->observed == *label.observed && before->label != label.label) {
        return wrong(label,
                     fmt::format("row {} has another label of the same row of {}, known on the same "
                                 "day: leave one of them out, or say when each was known (observed_at)",
                                 before->record + 1, format_date(date)));
      }
      before = &label;
      if (known == label.label) continue;
      // A row that has a label already, known later: no new one, and no change where both are the same.
      const int now_known = history.label(label.key, kAlways);
      if (counts) {
        ++(known != kNoLabel || (now_known != kNoLabel && now_known != label.label) ? day.changed
           : now_known != kNoLabel                                                  ? day.earlier
                                                                                    : day.added);
      }
      fresh.push_back({i, known, now_known, counts});
    }
    day.written = fresh.size();
    out_.matched += day.matched;
    out_.set_aside += day.set_aside;
    out_.added += day.added;
    out_.changed += day.changed;
    out_.earlier += day.earlier;
    if (!fresh.empty()) {
      MAEIL_TRY(write_labels(date, fresh));
      add_label_fence(fence, store::id_value(import_id_), out_.batch);
      for (const Fresh& one : fresh) {
        const FileLabel& label = day_.labels[one.label];
        history.add_label(label.key, *label.observed, label.label);
      }
      history.sort();
      // Scores are judged by what is known by now: where that is as it was, so is the verdict.
      if (std::ranges::any_of(fresh, [&](const Fresh& one) {
            return one.counts && history.label(day_.labels[one.label].key, kAlways) != one.now_known;
          }))
        MAEIL_TRY(judge_scores(day, history));
    }
    if (day.matched + day.set_aside > 0) out_.dates.push_back(std::move(day));
    return {};
  }

  struct Fresh {
    size_t label;
    int previous;   // on the day on which this one became known
    int now_known;  // before this import
    bool counts;    // its row is not set aside
  };

  Status write_labels(Days date, const std::vector<Fresh>& fresh) {
    const std::string partition = label_partition(date, import_id_);
    const Document constants = {{"dataset_name", spec_.name},
                                {"import_id", store::id_value(import_id_)},
                                {"logical_date", format_date(date)},
                                {"run_id", owner_.run_id},
                                {"timestamp", store::date_value(now())}};
    std::unique_ptr<store::RowWriter> writer;
    if (!request_.dry_run) {
      MAEIL_ASSIGN(writer, store_.write_rows(kLabelRows, partition, constants));
    }
    for (size_t first = 0; first < fresh.size(); first += kRowsAtOnce) {
      std::vector<std::string> ids, observed;
      std::vector<int64_t> labels;
      std::vector<double> previous;
      for (size_t i = first; i < std::min(fresh.size(), first + kRowsAtOnce); ++i) {
        const FileLabel& label = day_.labels[fresh[i].label];
        const bool any = out_.written++ > 0;
        out_.observed_from = any ? std::min(out_.observed_from, *label.observed) : *label.observed;
        out_.observed_to = any ? std::max(out_.observed_to, *label.observed) : *label.observed;
        ids.emplace_back(day_.id(label));
        labels.push_back(label.label);
        previous.push_back(fresh[i].previous == kNoLabel ? std::numeric_limits<double>::quiet_NaN()
                                                         : fresh[i].previous);
        observed.push_back(format_date(*label.observed));
      }
      if (!writer) continue;
      MAEIL_TRY(writer->append({{"id", std::move(ids)},
                                {"label", std::move(labels)},
                                {"previous", std::move(previous)},
                                {"observed_at", std::move(observed)}}));
    }
    if (!writer) return {};
    MAEIL_ASSIGN(const std::string generation, writer->finish());
    out_.batch.publishes.push_back({kLabelRows, partition, generation});
    return {};
  }

  Status judge_scores(LabelledDate& day, const LabelHistory& history) {
    MAEIL_ASSIGN(const Document predictions, present_predictions(store_, day.date));
    if (predictions.is_null()) return {};
    const auto stamp = [&](Document document) {
      Document stamped = {{"_id", store::id_value(store::new_object_id(now()))}};
      stamped.update(document);
      stamped["import_id"] = store::id_value(import_id_);
      stamped["timestamp"] = store::date_value(now());
      stamped["run_id"] = owner_.run_id;
      if (!owner_.task_key.empty()) stamped["task_key"] = owner_.task_key;
      return stamped;
    };
    MAEIL_ASSIGN(day.metrics,
                 add_matured(store_, settings_, spec_, day.date, predictions, history, stamp, out_.batch));
    return {};
  }

  Status add_document() {
    const std::string name = short_name(request_.in);
    MAEIL_ASSIGN(const auto blob, store_.write_blob(name, {{"type", kLabels}, {"dataset", spec_.name}}));
    MAEIL_TRY(file_.copy->each_byte([&](std::string_view bytes) { return blob->write(bytes); }));
    MAEIL_ASSIGN(const std::string file_id, blob->finish());
    store::FindOptions newest;
    newest.sort = {{"number", -1}};
    newest.limit = 1;
    newest.projection = {"number"};
    MAEIL_ASSIGN(const Document last, store_.find_one(kLabels, newest));
    Document document = {{"_id", store::id_value(import_id_)},
                         {"dataset_name", spec_.name},
                         {"positive", spec_.positive},
                         {"filename", name},
                         {"file_id", store::id_value(file_id)},
                         {"sha256", file_.sha256},
                         {"number", last.is_null() ? 1 : last.value("number", int64_t{0}) + 1}};
    if (auto parts = file_.copy->parts(); !parts.is_null()) document["parts"] = std::move(parts);
    document.update(file_.facts);
    document.update(import_facts(out_));
    document["timestamp"] = store::date_value(now());
    document["run_id"] = owner_.run_id;
    document["logical_date"] = format_date(owner_.logical_date);
    if (!owner_.task_key.empty()) document["task_key"] = owner_.task_key;
    out_.batch.puts.push_back({kLabels, std::move(document)});
    return {};
  }

  store::Store& store_;
  const Settings& settings_;
  const table::DatasetSpec& spec_;
  const LabelRequest& request_;
  const LabelOwner& owner_;
  LabelFile file_;
  std::vector<Days> dates_;  // of its labels
  LabelsOfDay day_;          // that is taken in
  std::string import_id_;
  LabelImport out_;
  uint64_t of_pruned_days_ = 0;
};

}  // namespace

Result<LabelImport> read_labels(store::Store& store, const Settings& settings, const table::DatasetSpec& spec,
                                const LabelRequest& request, const LabelOwner& owner,
                                const Watcher& watcher) {
  return Importing(store, settings, spec, request, owner).run(watcher);
}

Result<LabelImport> import_labels(store::Store& store, const Settings& settings,
                                  const table::DatasetSpec& spec, const LabelRequest& request,
                                  const LabelOwner& owner, const Watcher& watcher,
                                  const std::function<void(store::Batch&)>& fence) {
  constexpr int kTries = 3;
  for (int tries = 1;; ++tries) {
    MAEIL_ASSIGN(auto import, read_labels(store, settings, spec, request, owner, watcher));
    if (import.written == 0 || request.dry_run) return import;
    if (fence) fence(import.batch);
    const Status done = store.commit(import.batch);
    if (done) return import;
    if (done.error().code != ErrorCode::kConflict || tries == kTries)
      return with_context(request.in, done.error());
    watcher.note(fmt::format("{}: scores of the same day were made meanwhile: once more", request.in), false);
  }
}

Result<std::unique_ptr<store::Lock>> lock_labels(store::Store& store) {
  return store.lock("labels", fmt::format("labels on {}", dag::host_name()));
}

}  // namespace maeil::loop
