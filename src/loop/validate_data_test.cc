// validate_data as a task: what it records of rows that keep, nearly keep and break their contract, and what
// the tasks behind it are told.
#include "loop/validate_data.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.h"
#include "dag/execute.h"
#include "loop/pipelines.h"
#include "loop/tasks.h"
#include "store/sqlite/sqlite_store.h"
#include "store/test_support.h"

namespace maeil::loop {
namespace {

using dag::TaskState;
using ::testing::HasSubstr;

const Days kDate = parse_date("2026-11-23").value();

table::DatasetSpec spec_with(const std::string& contract) {
  auto parsed = table::parse_dataset_spec(R"(name = "book"
columns = [ { name = "loan", type = "text" }, { name = "rate", type = "number" },
            { name = "bad", type = "text" } ]
target = { column = "bad", negative = "N", positive = "Y" }
roles = { id = "loan" }
)" + contract,
                                          "book.toml");
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message);
  return parsed ? *parsed : table::DatasetSpec();
}

class Validated : public testing::Test {
 protected:
  Validated() {
    settings_.data_dir = (folder_ / "data").string();
    settings_.data_path = (folder_ / "data/raw/rows.csv").string();
  }

  // The rows of a day, from a file; those of before are superseded.
  void take_in(const std::string& csv, uint64_t rows, Days date = kDate) {
    auto blob = store_->write_blob("rows.csv", {}).value();
    EXPECT_TRUE(blob->write(csv));
    store::Batch batch;
    const auto before = store_->find("raw_data", {.filter = {{"logical_date", format_date(date)}}}).value();
    for (const auto& old : before)
      batch.sets.push_back({"raw_data", store::id_text(old.at("_id")), {{"superseded_by", "another"}}});
    batch.puts.push_back({"raw_data",
                          {{"_id", store::id_value(store::new_object_id(now()))},
                           {"logical_date", format_date(date)},
                           {"filename", "rows.csv"},
                           {"source", "loans.csv"},
                           {"source_sha256", sha256_hex(csv)},
                           {"file_id", store::id_value(blob->finish().value())},
                           {"rows", rows},
                           {"sha256", sha256_hex(csv)}}});
    ASSERT_TRUE(store_->commit(batch));
  }

  dag::TaskRecord validate(const table::DatasetSpec& spec, Days date = kDate) {
    const Day day{settings_, spec};
    const auto record = dag::execute_task(*store_, pipelines(3).front(), make_tasks(day), date,
                                          "validate_data", {.run_id = "r"}, false);
    EXPECT_TRUE(record) << (record ? "" : record.error().message);
    return record ? *record : dag::TaskRecord();
  }

  Result<ValidatedRows> told(const table::DatasetSpec& spec) {
    return validated_rows(
        *store_, kDate, spec,
        store_->find_one("raw_data", {.filter = {{"superseded_by", {{"$exists", false}}}}}).value());
  }

  std::vector<store::Document> find(const char* collection) {
    store::FindOptions by_time;
    by_time.sort = {{"timestamp", 1}};
    return store_->find(collection, by_time).value();
  }

  store::TempFolder folder_;
  std::unique_ptr<store::Store> store_ = store::open_sqlite(folder_ / "maeil.db").value();
  Settings settings_;
};

std::string rows(int n, const std::string& more = "", double rate = 5) {
  std::string out = "loan,rate,bad\n";
  for (int i = 0; i < n; ++i) out += fmt::format("L{},{},{}\n", i, rate + i % 7, i % 10 == 0 ? "Y" : "N");
  return out + more;
}

TEST_F(Validated, BrokenRowsAreToldToTheTasksBehind) {
  const auto spec = spec_with("contract = { unique_id = true, columns = { rate = { max = 20 } } }\n");
  take_in(rows(60, "A,21,N\nL0,5,N\nB,x,N\n"), 63);
  EXPECT_EQ(told(spec).error().code, ErrorCode::kNotFound);  // not yet
  EXPECT_TRUE(told(spec_with("")));                          // nothing is asked of them
  const auto record = validate(spec);
  EXPECT_EQ(record.state, TaskState::kSuccess) << record.message;
  const auto documents = find(kValidations);
  ASSERT_EQ(documents.size(), 1u);
  EXPECT_EQ(documents[0].at("status"), "passed_with_warnings");
  EXPECT_EQ(documents[0].at("rows"), 63);
  EXPECT_EQ(documents[0].at("quarantined"), 3);
  EXPECT_EQ(documents[0].at("contract_hash"), table::contract_hash(spec));
  EXPECT_EQ(documents[0].at("findings").size(), 3u);
  const auto rows = told(spec).value();
  EXPECT_EQ(rows.set_aside.rows, (std::vector<uint64_t>{60, 61}));
  EXPECT_EQ(rows.set_aside.reasons[rows.set_aside.reason_of[0]], "column 'rate': above max = 20");
  EXPECT_EQ(rows.validation_id, store::id_text(documents[0].at("_id")));
}

TEST_F(Validated, ABrokenContractEndsTheDayOnceHoweverOftenItIsTried) {
  const auto spec = spec_with("contract = { columns = { rate = { max = 20 } } }\n");
  take_in(rows(20, "A,21,N\nB,22,N\n"), 22);
  for (int times = 0; times < 2; ++times) {
    const auto record = validate(spec);
    EXPECT_EQ(record.state, TaskState::kFailed);
    ASSERT_TRUE(record.error);
    EXPECT_EQ(exit_code(record.error->code), 3);
    EXPECT_THAT(record.error->message, HasSubstr("column 'rate': above max = 20: 2 of 22 values"));
    EXPECT_EQ(find(kValidations).size(), 1u);
    ASSERT_EQ(find("alerts").size(), 1u);
  }
  EXPECT_EQ(find("alerts")[0].at("alert_type"), "DATA_CONTRACT_BROKEN");
  EXPECT_EQ(find("alerts")[0].at("validation_id"), find(kValidations)[0].at("_id"));
  EXPECT_EQ(told(spec).error().code, ErrorCode::kBadInput);
  // A file that is right: what was said of the other one stays, superseded.
  take_in(rows(20), 20);
  EXPECT_EQ(told(spec).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(validate(spec).state, TaskState::kSuccess);
  const auto documents = find(kValidations);
  ASSERT_EQ(documents.size(), 2u);
  const auto& failed = documents[documents[0].at("status") == "failed" ? 0 : 1];
  const auto& passed = documents[documents[0].at("status") == "failed" ? 1 : 0];
  EXPECT_EQ(passed.at("status"), "passed");
  EXPECT_EQ(failed.at("superseded_by"), passed.at("_id"));
  EXPECT_EQ(find("alerts")[0].at("superseded_by"), passed.at("_id"));
  EXPECT_TRUE(told(spec).value().set_aside.empty());
}

TEST_F(Validated, WhatIsWrongWithTheHeaderIsFoundWithAllElse) {
  take_in("loan,extra,bad\na,1,N\nb,1,Z\n", 2);
  const auto record = validate(spec_with(""));
  EXPECT_EQ(record.state, TaskState::kFailed);
  EXPECT_THAT(record.message, HasSubstr("lacks the column 'rate'"));
  EXPECT_EQ(find(kValidations)[0].at("findings").size(), 2u);
}

TEST_F(Validated, DaysAreComparedWithTheSevenBefore) {
  const auto spec = spec_with("");
  for (int k = 0; k < 9; ++k) {
    const Days date = kDate + std::chrono::days(k);
    take_in(rows(300 + k, "", k == 8 ? 50 : 5), static_cast<uint64_t>(300 + k), date);
    EXPECT_EQ(validate(spec, date).state, TaskState::kSuccess);
  }
  const auto documents = find(kValidations);
  ASSERT_EQ(documents.size(), 9u);
  for (int k = 0; k < 8; ++k) EXPECT_EQ(documents[static_cast<size_t>(k)].at("status"), "passed") << k;
  EXPECT_EQ(documents[7].at("compared_with_days"), 7);
  EXPECT_EQ(documents[8].at("status"), "passed_with_warnings");
  EXPECT_EQ(documents[8].at("findings")[0].at("column"), "rate");
}

TEST_F(Validated, TheFileOfAnotherDayIsSaid) {
  for (const auto& [contract, state] :
       {std::pair("", TaskState::kSuccess), {"contract = { unique_file = true }\n", TaskState::kFailed}}) {
    const auto spec = spec_with(contract);
    take_in(rows(30), 30);
    take_in(rows(30), 30, kDate + std::chrono::days(1));
    const auto record = validate(spec, kDate + std::chrono::days(1));
    EXPECT_EQ(record.state, state) << contract;
    EXPECT_THAT(record.message, HasSubstr("loans.csv is the file of 2026-11-23, byte for byte"));
  }
}

}  // namespace
}  // namespace maeil::loop
