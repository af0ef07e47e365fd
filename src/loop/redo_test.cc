// What a plan says before anything is done: rows that are drawn again under other settings are other rows.
#include "loop/redo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dag/task_record.h"
#include "loop/pipelines.h"
#include "store/sqlite/sqlite_store.h"
#include "store/test_support.h"

namespace maeil::loop {
namespace {

using ::testing::ElementsAre;

TEST(Redo, ThePlanSaysInWhatRowsThatAreDrawnAgainWillDiffer) {
  const store::TempFolder folder;
  const auto store = store::open_sqlite(folder / "maeil.db").value();
  const Days date = parse_date("2026-11-23").value();
  store::Batch begun;
  for (const char* task : {"generate_data", "preprocess_data"}) {
    const dag::TaskName name{date, kDataDag, task};
    dag::TaskRecord record;
    record.task_id = task;
    record.state = dag::TaskState::kSuccess;
    record.result = {{"rows", 600}};
    store::Document document = {{"_id", store::id_value(dag::record_id(name))}};
    document.update(dag::record_fields(name, record));
    begun.puts.push_back({dag::kTaskInstances, std::move(document)});
  }
  begun.puts.push_back({"raw_data",
                        {{"_id", store::id_value(store::new_object_id(now()))},
                         {"logical_date", "2026-11-23"},
                         {"seed", 42},
                         {"source", "model.pkl"}}});
  ASSERT_TRUE(store->commit(begun));
  Settings settings;
  const auto spec = table::builtin_dataset_spec().value();
  const auto notes = [&](const std::string& from) {
    return plan_redo(*store, settings, spec, date, {.from = from, .asked = {}}).value().notes;
  };
  const std::string source = "the rows will be drawn from portfolio, they were drawn from model.pkl";
  EXPECT_THAT(notes(""), ElementsAre(source));
  settings.seed = 43;
  EXPECT_THAT(notes(""), ElementsAre("the rows will be drawn with SEED 43, they were drawn with 42", source));
  EXPECT_THAT(notes("preprocess_data"), ElementsAre());
}

}  // namespace
}  // namespace maeil::loop
