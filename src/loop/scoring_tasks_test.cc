// When a date is scored, and with which model: by what the date's deployment and evaluation recorded.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/hash.h"
#include "dag/task_history.h"
#include "dag/task_record.h"
#include "loop/day_scores.h"
#include "loop/labels/label_import.h"
#include "loop/labels/matured.h"
#include "loop/pipelines.h"
#include "loop/prepared/raw_data.h"
#include "loop/tasks.h"
#include "model/tab_transformer.h"
#include "model/tab_transformer_file.h"
#include "model/test_small_model.h"
#include "nn/model.h"
#include "registry/version_file.h"
#include "registry/versions.h"
#include "store/sqlite/sqlite_store.h"
#include "store/test_support.h"

namespace maeil::loop {
namespace {

using dag::TaskState;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const Days kScoredDate = parse_date("2026-11-23").value();

class Scored : public testing::Test {
 protected:
  Scored() {
    settings_.data_dir = (folder_ / "data").string();
    settings_.data_path = (folder_ / "data/raw/rows.csv").string();
    settings_.nhead = 2;
    day_.rows = 0;
  }

  void record(const char* dag, const char* task, TaskState state, store::Document result = {}) {
    dag::TaskRecord record;
    record.task_id = task;
    record.state = state;
    record.message = "said why";
    record.result = result.is_null() ? store::Document::object() : std::move(result);
    const dag::TaskName name{kScoredDate, dag, task};
    store::Document document = {{"_id", store::id_value(dag::record_id(name))}};
    document.update(dag::record_fields(name, record));
    store::Batch batch;
    batch.puts.push_back({dag::kTaskInstances, std::move(document)});
    ASSERT_TRUE(store_->commit(batch));
  }

  // A classifier with its bytes in the store, whose parameters `seed` chooses.
  registry::ModelVersion add_version(const char* name, uint64_t seed, const char* status = "registered") {
    const model::ModelFile model{
        .predictor = model::TabTransformer::make(model::small_parameters(seed)).value(),
        .preparation = model::small_preparation()};
    registry::NewVersion version;
    version.id = store::new_object_id(now());
    version.model_name = registry::kClassifier;
    version.version = name;
    EXPECT_TRUE(registry::save_version(*store_, model::model_file_bytes(model, {}, now()).value(),
                                       (folder_ / name).string(), version));
    store::Document document = registry::make_version_document(version, now());
    document["status"] = status;
    store::Batch batch;
    batch.puts.push_back({registry::kCollection, std::move(document)});
    EXPECT_TRUE(store_->commit(batch));
    return registry::find_version(*store_, name).value();
  }

  void add_rows(const std::string& csv, uint64_t rows) {
    auto blob = store_->write_blob("rows.csv", {}).value();
    EXPECT_TRUE(blob->write(csv));
    store::Batch batch;
    batch.puts.push_back({"raw_data",
                          {{"_id", store::id_value(store::new_object_id(now()))},
                           {"logical_date", "2026-11-23"},
                           {"filename", "rows.csv"},
                           {"file_id", store::id_value(blob->finish().value())},
                           {"rows", rows},
                           {"row_offsets", {{"every", raw_step(rows)}, {"bytes", {csv.find('\n') + 1}}}},
                           {"sha256", sha256_hex(csv)}}});
    ASSERT_TRUE(store_->commit(batch));
  }

  Result<dag::TaskOutcome> ask(const char* task, bool asked_before = true, store::Document earlier = {},
                               int completions = 0) {
    const auto table = make_tasks(day_);
    dag::TaskContext context{*store_,
                             kScoredDate,
                             "run",
                             kScoringDag,
                             task,
                             0,
                             1,
                             {},
                             [](std::string_view) {},
                             [](std::string_view, uint64_t, uint64_t) {},
                             asked_before};
    if (earlier.is_object()) context.earlier_result = std::move(earlier);
    context.completions = completions;
    return table.at({kScoringDag, task})(context);
  }
  dag::TaskOutcome waited(bool asked_before = true) {
    return ask("wait_for_deployment", asked_before).value();
  }

  store::TempFolder folder_;
  std::unique_ptr<store::Store> store_ = store::open_sqlite(folder_ / "maeil.db").value();
  Settings settings_;
  table::DatasetSpec spec_ = model::small_spec();
  Day day_{settings_, spec_};
};

TEST_F(Scored, OnceTheDeploymentIsDoneOrSkipped) {
  EXPECT_EQ(waited().state, TaskState::kWaiting);
  record(kDeploymentDag, "wait_for_evaluation", TaskState::kSuccess);
  record(kDeploymentDag, "deploy_model", TaskState::kRunning);
  EXPECT_EQ(waited().state, TaskState::kWaiting);
  record(kDeploymentDag, "deploy_model", TaskState::kSuccess);
  EXPECT_EQ(waited().state, TaskState::kSuccess);
  record(kDeploymentDag, "deploy_model", TaskState::kSkipped);
  EXPECT_EQ(waited().state, TaskState::kSuccess);
}

// As Airflow leaves it: what a skipped sensor skips has no record.
TEST_F(Scored, OnceTheDeploymentsSensorIsSkipped) {
  record(kDeploymentDag, "wait_for_evaluation", TaskState::kSkipped);
  const auto answer = waited();
  EXPECT_EQ(answer.state, TaskState::kSuccess);
  EXPECT_THAT(answer.message, HasSubstr("what is in force stays"));
}

TEST_F(Scored, NeverAfterADeploymentThatFailed) {
  record(kDeploymentDag, "wait_for_evaluation", TaskState::kSuccess);
  record(kDeploymentDag, "deploy_model", TaskState::kFailed);
  EXPECT_EQ(waited(false).state, TaskState::kWaiting);  // it may be about to be done again
  const auto answer = waited();
  EXPECT_EQ(answer.state, TaskState::kFailed);
  EXPECT_THAT(answer.message, HasSubstr("nothing is scored: deploy_model: said why"));
  record(kDeploymentDag, "deploy_model", TaskState::kNone);
  record(kDeploymentDag, "wait_for_evaluation", TaskState::kFailed);
  EXPECT_EQ(waited().state, TaskState::kFailed);
}

TEST_F(Scored, WithWhatTheDateDeployedElseWithWhatItJudged) {
  add_rows("grade,rate,bad\nA,1,N\nB,2,\nC,3,Y\n", 3);
  const auto judged = add_version("20261123_000001", 1), deployed = add_version("20261123_000002", 2),
             later = add_version("20261124_000000", 3, "deployed");
  const auto scored = [&]() -> store::Document {
    return ask("score_data").value().batch.puts.at(0).document;
  };
  EXPECT_EQ(scored()["model_version"], later.version) << "by hand: what is in force";
  EXPECT_EQ(scored()["model_status"], "deployed");
  record(kEvaluationDag, "load_latest_model", TaskState::kSuccess,
         {{"model_id", judged.id}, {"model_status", "registered"}});
  EXPECT_EQ(scored()["model_version"], judged.version);
  EXPECT_EQ(scored()["model_status"], "registered");
  record(kDeploymentDag, "deploy_model", TaskState::kSkipped);
  EXPECT_EQ(scored()["model_version"], judged.version);
  record(kDeploymentDag, "deploy_model", TaskState::kSuccess, {{"model_id", deployed.id}});
  EXPECT_EQ(scored()["model_version"], deployed.version);
  EXPECT_EQ(scored()["model_status"], "deployed");
}

TEST_F(Scored, EveryRowThatCanBeReadLabelledOrNot) {
  std::string csv = "grade,rate,bad\n";
  for (int i = 0; i < 40; ++i) csv += i % 2 == 0 ? "A,1.5,N\n" : "B,2.5,\n";
  csv += "C,no number,N\nC,3.5,Y\n";
  add_rows(csv, 42);
  const auto version = add_version("20261123_000001", 1);
  const auto outcome = ask("score_data").value();
  const auto& document = outcome.batch.puts.at(0).document;
  EXPECT_EQ(document["rows"], 41);
  EXPECT_EQ(document["quarantined"], 1);
  EXPECT_EQ(document["decisions"]["0"].get<int>() + document["decisions"]["1"].get<int>(), 41);
  const std::string bytes = read_file(scores_path(settings_, kScoredDate)).value();
  EXPECT_EQ(document["sha256"], sha256_hex(bytes));
  std::string stored;
  ASSERT_TRUE(store_->read_blob(store::id_text(document["file_id"]), [&](std::string_view piece) -> Status {
    stored += piece;
    return {};
  }));
  EXPECT_EQ(stored, bytes);
  // Two kinds of rows in turn, and the one behind the row that was set aside, which keeps its number.
  std::vector<std::string> lines;
  for (size_t at = 0; at < bytes.size();) {
    const size_t end = bytes.find('\n', at);
    lines.push_back(bytes.substr(at, end - at));
    at = end + 1;
  }
  ASSERT_EQ(lines.size(), 42u);
  EXPECT_EQ(lines[0], "row,probability,decision,model_version");
  double sum = 0;
  for (size_t i = 1; i < lines.size(); ++i) {
    const size_t first = lines[i].find(','), second = lines[i].find(',', first + 1);
    EXPECT_EQ(std::stoul(lines[i]), i == 41 ? 41 : i - 1);
    const double p = std::stod(lines[i].substr(first + 1));
    EXPECT_EQ(lines[i].substr(second), (p >= 0.5 ? ",1," : ",0,") + version.version);
    if (i > 2 && i < 41) {
      const std::string& alike = lines[i - 2];
      EXPECT_EQ(lines[i].substr(first), alike.substr(alike.find(',')));
    }
    sum += p;
  }
  EXPECT_DOUBLE_EQ(document["mean_probability"].get<double>(), sum / 41);
  EXPECT_THAT(outcome.message,
              HasSubstr("41 rows scored with version 20261123_000001 (registered), 1 set aside"));
  // Again: the same bytes, and it says so; after other scores it says that.
  EXPECT_THAT(ask("score_data", true, outcome.result).value().message, HasSubstr("byte for byte"));
  EXPECT_EQ(read_file(scores_path(settings_, kScoredDate)).value(), bytes);
  EXPECT_THAT(ask("score_data", true, {{"sha256", "others"}}).value().message,
              HasSubstr("other scores than before"));
}

TEST_F(Scored, ARowIsNamedByItsIdsWhereTheDatasetHasSome) {
  spec_ = table::parse_dataset_spec(R"(name = "small"
columns = [ { name = "grade", type = "text" }, { name = "rate", type = "number" },
            { name = "loan, new", type = "text" }, { name = "part", type = "number" },
            { name = "bad", type = "text" } ]
target = { column = "bad", negative = "N", positive = "Y" }
roles = { id = ["loan, new", "part"] }
)",
                                    "small.toml")
              .value();
  add_rows("grade,rate,\"loan, new\",part,bad\nA,1,\"a, \"\"b\"\"\",01,N\nB,2,,2,\n", 2);
  add_version("20261123_000001", 1);
  ASSERT_TRUE(ask("score_data"));
  const std::string bytes = read_file(scores_path(settings_, kScoredDate)).value();
  EXPECT_THAT(bytes, StartsWith("\"loan, new\",part,probability,decision,model_version\n"
                                "\"a, \"\"b\"\"\",01,0."));
  EXPECT_THAT(bytes, HasSubstr("\n,2,0."));
}

// The second of the two to commit is refused, whichever it is: no verdict is about other scores than count.
TEST_F(Scored, NotBesideLabelsThatAreImportedMeanwhile) {
  add_rows("grade,rate,bad\nA,1,\nB,2,\nC,3,\n", 3);
  add_version("20261123_000001", 1);
  const auto scored = [&](int completions) {
    auto batch = ask("score_data", true, {}, completions).value().batch;
    EXPECT_TRUE(dag::link_to_earlier(*store_, {kScoredDate, kScoringDag, "score_data"}, completions, batch));
    return batch;
  };
  const auto labels = [&](const char* text) {
    EXPECT_TRUE(write_file_atomically(folder_ / "labels.csv", text));
    const Watcher watcher{[](std::string_view, bool) {}, [](uint64_t, uint64_t) {}};
    auto import = read_labels(
        *store_, settings_, spec_,
        {.in = folder_ / "labels.csv", .date = kScoredDate, .observed = kScoredDate, .today = kScoredDate},
        {"", "run", kScoredDate}, watcher);
    EXPECT_TRUE(import) << import.error().message;
    return import.value().batch;
  };
  const auto judged = [&]() -> store::Document {
    store::FindOptions present;
    present.filter = {{"dataset_name", kMatured}, {"superseded_by", {{"$exists", false}}}};
    const auto found = store_->find("performance_metrics", present).value();
    EXPECT_EQ(found.size(), 1u);
    return found.at(0);
  };
  // First scores and first labels: neither knows of the other.
  auto scores = scored(0), imported = labels("row,bad\n0,Y\n1,N\n");
  ASSERT_TRUE(store_->commit(scores));
  EXPECT_EQ(store_->commit(imported).error().code, ErrorCode::kConflict);
  imported = labels("row,bad\n0,Y\n1,N\n");
  // Scores that are made again while labels come.
  scores = scored(1);
  ASSERT_TRUE(store_->commit(imported));
  EXPECT_EQ(store_->commit(scores).error().code, ErrorCode::kConflict);
  scores = scored(1);
  imported = labels("row,bad\n2,Y\n");
  ASSERT_TRUE(store_->commit(scores));
  EXPECT_EQ(store_->commit(imported).error().code, ErrorCode::kConflict);
  EXPECT_EQ(judged()["predictions_id"], scores.puts.at(0).document.at("_id"));
  ASSERT_TRUE(store_->commit(labels("row,bad\n2,Y\n")));
  EXPECT_EQ(judged()["predictions_id"], scores.puts.at(0).document.at("_id"));
  EXPECT_EQ(judged()["metrics"]["rows"], 3);
}

TEST_F(Scored, NothingWhenTooMuchOfTheDayCannotBeRead) {
  add_rows("grade,rate,bad\nA,1,N\nB,none,N\n", 2);
  add_version("20261123_000001", 1);
  const auto outcome = ask("score_data");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kBadInput);
  EXPECT_FALSE(std::filesystem::exists(scores_path(settings_, kScoredDate)));
}

TEST_F(Scored, NotWithoutAModelAndNotWithoutRows) {
  add_rows("grade,rate,bad\nA,1,N\n", 1);
  auto outcome = ask("score_data").value();
  EXPECT_EQ(outcome.state, TaskState::kSkipped);
  EXPECT_THAT(outcome.message, HasSubstr("there is no model"));
  add_version("20261123_000001", 1);
  store::Batch pruned;
  pruned.sets.push_back({"raw_data",
                         store::id_text(store_->find_one("raw_data", {}).value()["_id"]),
                         {{"pruned", store::date_value(now())}}});
  ASSERT_TRUE(store_->commit(pruned));
  outcome = ask("score_data").value();
  EXPECT_EQ(outcome.state, TaskState::kSkipped);
  EXPECT_THAT(outcome.message, HasSubstr("RETENTION_DAYS_RAW"));
}

TEST_F(Scored, AFileOfSomebodyElsesStays) {
  add_rows("grade,rate,bad\nA,1,N\n", 1);
  add_version("20261123_000001", 1);
  const std::string path = scores_path(settings_, kScoredDate);
  ASSERT_TRUE(write_file_atomically(path, "theirs"));
  const auto outcome = ask("score_data");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, ErrorCode::kUsage);
  EXPECT_THAT(outcome.error().message, HasSubstr("set DATA_DIR"));
  EXPECT_EQ(read_file(path).value(), "theirs");
}

}  // namespace
}  // namespace maeil::loop
