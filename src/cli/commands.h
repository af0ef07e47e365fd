// The commands of the contract as functions: plain options in, exit code out. parse.cc turns a command line
// into one of these; nothing else here knows how a command line is written.
//
// Every command prints for people, or one JSON value with `--json`. Messages and progress go to standard
// error, results to standard output. An Error returned is printed as one sentence and becomes the exit code
// (base/error.h).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/settings.h"
#include "cli/store_name.h"
#include "store/store.h"
#include "table/dataset_spec.h"

namespace maeil::cli {

// What every command has at hand. The store is opened on first use.
struct Context {
  Settings settings;
  bool json = false;

  Result<std::reference_wrapper<store::Store>> store();  // made when there is none
  // For a command that changes what is there, or only looks: a store that is not there is an empty one, and
  // none is made. `to_read` cannot be written to, nor locked.
  Result<std::reference_wrapper<store::Store>> existing_store();
  Result<std::reference_wrapper<store::Store>> store_to_read();
  // Before a day of a rehearsal (SYNTHETIC_DAY): the model in force of the real dataset, copied where the
  // rehearsal does not know it; says so.
  Status ready_rehearsal();
  // These are the dataset's part of it (store/dataset_store.h); this is all of it.
  Result<std::reference_wrapper<store::Store>> whole_store(Access access);
  // to prepare rows by: it has a target. Says once which it is, where it is not the built-in one.
  Result<std::reference_wrapper<const table::DatasetSpec>> spec();
  // the same, which here may have none
  Result<std::reference_wrapper<const table::DatasetSpec>> spec_to_fit();

 private:
  Result<std::reference_wrapper<store::Store>> store_for(Access access);
  std::unique_ptr<store::Store> whole_, store_;
  std::optional<table::DatasetSpec> spec_;
  bool said_ = false;
};

inline constexpr int kGateFailed = 4;
inline constexpr int kNotYet = 75;
inline constexpr int kSkipped = 99;

struct RunOptions {
  std::string date;      // empty: that of the file, else today in TIMEZONE
  std::string in;        // a file with the day's rows
  int64_t rows = 0;      // 0: as the date was begun, else DATA_QUANTITY
  std::string scenario;  // empty: as the date was begun, else calm
};
struct RedoOptions {
  std::string date, from, scenario, in;
  int64_t rows = 0;
  bool deploy = false, dry_run = false, yes = false;
};
struct BackfillOptions {
  std::string from, to;
  bool dry_run = false;
};
struct GenerateOptions {
  int64_t rows = 0;
  std::string out, model, scenario = "calm", date, class_share, book;  // book "": BOOK
  std::vector<std::string> where;
  bool with_truth = false;
  std::optional<int64_t> seed;
};
struct FitOptions {
  std::string in, out, target, spec, metadata, marginals = "empirical";
  std::optional<int64_t> seed;
  bool no_report = false;
};
inline constexpr const char* kInitOut = "dataset.toml";
struct InitOptions {
  std::string in, target, positive, group, time, out = kInitOut;
  std::vector<std::string> id;
  std::string html;  // a page with each column's distribution; "": none
  std::optional<int64_t> delay_days;
  bool force = false;  // write over a file that is there
};
struct ValidateOptions {
  std::string in;
  std::string date;  // of :date in a query
};
struct QualityOptions {
  std::string real, synthetic, holdout, target, metadata, html;
  int64_t max_rows = 0;  // 0: all
};
struct DayReportOptions {
  std::string date, html;
};
// How a file of rows is written, where that is known; what is empty or negative is guessed.
struct DataFileOptions {
  std::string in, out, encoding, delimiter, quote, escape;
  int64_t header = -1, preamble = -1, footnote = -1;
  bool best_guess = false;  // take the likelier reading where two are possible, and every record
};
struct DataExportOptions {
  std::string date, out;
};
struct PreprocessOptions {
  std::string in, out, model;
};
struct TrainOptions {
  std::string in;  // a history of the team's own; "": rows are drawn
  bool pretrain = false, train = false;
  std::vector<std::string> families;  // empty: of own rows all, of drawn ones a TabTransformer
  int64_t epochs = 0, rows = 0;
};
struct PredictOptions {
  std::string model, in, out;
  int64_t reasons = 0;
};
struct ModelOptions {
  std::string version, file, features, reference, out, categories, numbers, comment, html;
};
struct AlertOptions {
  std::string alert, until, comment;
  bool all = false, once = false;
};
inline constexpr int64_t kShownDocuments = 20;
struct DbOptions {
  std::string collection, filter = "{}", sort, projection;
  std::optional<int64_t> limit;  // none: kShownDocuments
  int64_t skip = 0;
  bool count = false;
};
struct StoreCopyOptions {
  std::string from, to;  // see store_name.h
  bool dry_run = false;
};
struct DagOptions {
  std::string dag;
};
struct TaskOptions {
  std::string dag, task, logical_date, run_id, result, shard;
  int attempt = 0;
  int retries_left = -1;  // -1: not said
  int parent = 0;         // process id; 0: none
};
struct RunsOptions {
  std::string state, from, to;
  int64_t limit = 50;
};
struct LogsOptions {
  std::string run, task;
  bool follow = false;
};
struct LabelsOptions {
  std::string in, date, observed;
  bool dry_run = false;
};
struct DatasetOptions {
  std::string name, new_name;
  bool dry_run = false, yes = false;
};
struct PruneOptions {
  bool dry_run = false;
};

Result<int> run(Context& context, const RunOptions& options);
Result<int> redo(Context& context, const RedoOptions& options);
Result<int> schedule(Context& context);
Result<int> backfill(Context& context, const BackfillOptions& options);
Result<int> generate(Context& context, const GenerateOptions& options);
Result<int> fit(Context& context, const FitOptions& options);
Result<int> init(Context& context, const InitOptions& options);
Result<int> validate(Context& context, const ValidateOptions& options);
Result<int> report_quality(Context& context, const QualityOptions& options);
Result<int> report_day(Context& context, const DayReportOptions& options);
Result<int> data_inspect(Context& context, const DataFileOptions& options);
Result<int> data_convert(Context& context, const DataFileOptions& options);
Result<int> data_export(Context& context, const DataExportOptions& options);
Result<int> preprocess(Context& context, const PreprocessOptions& options);
Result<int> train(Context& context, const TrainOptions& options);
Result<int> predict(Context& context, const PredictOptions& options);
Result<int> evaluate(Context& context, const PredictOptions& options);
Result<int> model_list(Context& context);
Result<int> model_show(Context& context, const ModelOptions& options);
Result<int> model_document(Context& context, const ModelOptions& options);
Result<int> model_import(Context& context, const ModelOptions& options);
Result<int> model_calibrate(Context& context, const ModelOptions& options);
Result<int> model_export(Context& context, const ModelOptions& options);
Result<int> model_approve(Context& context, const ModelOptions& options);
Result<int> model_deploy(Context& context, const ModelOptions& options);
Result<int> model_rollback(Context& context);
Result<int> model_history(Context& context);
Result<int> alert_list(Context& context, const AlertOptions& options);
Result<int> alert_show(Context& context, const AlertOptions& options);
Result<int> alert_acknowledge(Context& context, const AlertOptions& options);
Result<int> alert_silence(Context& context, const AlertOptions& options);
Result<int> alert_resolve(Context& context, const AlertOptions& options);
Result<int> alert_test(Context& context, const AlertOptions& options);
Result<int> notify(Context& context, const AlertOptions& options);
Result<int> model_logits(Context& context, const ModelOptions& options);
Result<int> model_scorecard(Context& context, const ModelOptions& options);
Result<int> db(Context& context, const DbOptions& options);
Result<int> store_copy(Context& context, const StoreCopyOptions& options);
Result<int> dag_list(Context& context);
Result<int> dag_show(Context& context, const DagOptions& options);
Result<int> dag_export(Context& context);
Result<int> task(Context& context, const TaskOptions& options);
Result<int> runs(Context& context, const RunsOptions& options);
Result<int> logs(Context& context, const LogsOptions& options);
Result<int> labels_import(Context& context, const LabelsOptions& options);
Result<int> labels_show(Context& context, const LabelsOptions& options);
Result<int> dataset_list(Context& context);
Result<int> dataset_show(Context& context, const DatasetOptions& options);
Result<int> dataset_rename(Context& context, const DatasetOptions& options);
Result<int> dataset_remove(Context& context, const DatasetOptions& options);
Result<int> prune(Context& context, const PruneOptions& options);
Result<int> doctor(Context& context);
Result<int> metrics(Context& context);

// Parses, runs, prints the error if there is one, and returns the exit code. Ignores SIGXFSZ and SIGPIPE;
// SIGINT and SIGTERM end a run between two tasks.
int main(int argc, char** argv);

}  // namespace maeil::cli
