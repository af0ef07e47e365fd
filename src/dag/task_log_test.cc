// A try's log: written in parts, once each; long ones keep their first and last lines; a kill keeps what was
// written.
#include "dag/task_log.h"

#include <gtest/gtest.h>

#include "dag/test_support.h"
#include "store/sqlite/sqlite_store.h"
#include "store/test_support.h"

namespace maeil::dag {
namespace {

using std::chrono::milliseconds;

const TaskName kName{parse_date("2026-11-23").value(), "evaluation", "evaluate"};

class Logs : public testing::Test {
 protected:
  std::vector<store::Document> parts() {
    store::FindOptions find;
    find.sort = {{"part", 1}};
    return store_->find(kTaskLogs, find).value();
  }
  std::vector<std::string> joined() { return logs(*store_, "run").value().at(0)["lines"]; }
  void finish(TaskLog& log) {
    store::Batch batch;
    log.finish(batch);
    ASSERT_TRUE(store_->commit(batch));
  }
  void wait_for_parts(size_t count) {
    while (parts().size() < count)
      std::this_thread::sleep_for(milliseconds{5});  // ctest ends one that waits for ever
    ASSERT_EQ(parts().size(), count);
  }
  void wait_for_line(size_t number) {
    for (;; std::this_thread::sleep_for(milliseconds{1})) {
      const auto found = parts();
      if (found.empty()) continue;
      const store::Document& last = found.back();
      if (last["from_line"].get<size_t>() + last["lines"].size() > number) return;
    }
  }

  store::TempFolder folder_;
  std::unique_ptr<store::Store> store_ = store::open_sqlite(folder_ / "maeil.db").value();
};

TEST_F(Logs, AreAddedToAndNeverRewritten) {
  TaskLog log(*store_, kName, 1, "run", {}, milliseconds{1});
  log.add("one");
  wait_for_parts(1);
  const store::Document first = parts()[0];
  EXPECT_EQ(first["_id"],
            store::id_value(store::task_object_id(kName.key(), kTaskLogs, 1)));  // as in older maeils
  EXPECT_EQ(first["lines"], store::Document({"one"}));
  log.add("two");
  wait_for_parts(2);
  log.add("error: three");
  finish(log);
  EXPECT_EQ(parts()[0], first);
  EXPECT_EQ(parts()[1]["from_line"], 1);
  EXPECT_EQ(joined(), (std::vector<std::string>{"one", "two", "error: three"}));
  EXPECT_EQ(logs(*store_, "run", "evaluate").value().size(), 1u);
}

TEST_F(Logs, OfATryThatSaidNothingAreThere) {
  TaskLog log(*store_, kName, 1, "run");
  finish(log);
  ASSERT_EQ(parts().size(), 1u);
  EXPECT_TRUE(joined().empty());
}

TEST_F(Logs, KeepTheFirstLinesTheLastAndTheErrorHoweverManyPartsThereWere) {
  TaskLog log(*store_, kName, 1, "run", {}, milliseconds{1});
  constexpr size_t kLines = 3 * (TaskLog::kFirstLines + TaskLog::kLastLines);
  for (size_t i = 0; i < kLines; ++i) {
    log.add("line " + std::to_string(i));
    if (i % 700 == 0) wait_for_line(i);  // so that there are many parts
  }
  log.add("error: the end");
  finish(log);
  const auto lines = joined();
  EXPECT_EQ(lines.front(), "line 0");
  EXPECT_EQ(lines[TaskLog::kFirstLines - 1], "line " + std::to_string(TaskLog::kFirstLines - 1));
  EXPECT_EQ(lines.back(), "error: the end");
  size_t gaps = 0, missing = 0;
  for (const auto& line : lines) {
    if (!line.starts_with("... ")) continue;
    ++gaps;
    missing += std::stoul(line.substr(4));
  }
  EXPECT_GE(gaps, 1u);
  EXPECT_EQ(lines.size() - gaps + missing, kLines + 1);  // what is not there is counted
  EXPECT_GE(lines.size(), TaskLog::kFirstLines + TaskLog::kLastLines);
  EXPECT_LT(lines.size(), TaskLog::kFirstLines + TaskLog::kLastLines + TaskLog::kPartLines + gaps);
  for (size_t i = 0; i < TaskLog::kLastLines - 1; ++i) {
    ASSERT_EQ(lines[lines.size() - 2 - i], "line " + std::to_string(kLines - 1 - i));
  }
}

TEST_F(Logs, OfAKilledProcessAreWhatItHadWritten) {
  store_ = nullptr;
  store::Child child([&] {
    auto store = store::open_sqlite(folder_ / "maeil.db").value();
    TaskLog log(*store, kName, 1, "run", {}, milliseconds{1});
    log.add("written");
    for (;;) {
      if (!store->find(kTaskLogs, {}).value().empty()) break;
      std::this_thread::sleep_for(milliseconds{1});
    }
    ::raise(SIGKILL);
    return 0;
  });
  ASSERT_EQ(child.wait(), -SIGKILL);
  store_ = store::open_sqlite(folder_ / "maeil.db").value();
  EXPECT_EQ(joined(), std::vector<std::string>{"written"});
}

TEST_F(Logs, OfASensorThatIsAskedAgainGoOn) {
  {
    TaskLog log(*store_, kName, 1, "run");
    log.add("first time");
    finish(log);
  }
  const LogPlace place = end_of_log(*store_, kName, 1).value();
  EXPECT_EQ(place.part, 1u);
  EXPECT_EQ(place.line, 1u);
  TaskLog log(*store_, kName, 1, "run", place);
  log.add("second time");
  finish(log);
  EXPECT_EQ(joined(), (std::vector<std::string>{"first time", "second time"}));
}

TEST_F(Logs, OfAnOlderMaeilAreOnePartAndDamagedOnesAreNoReasonToStop) {
  store::Batch batch;
  const auto old = [&](int try_number, store::Document lines) {
    batch.puts.push_back(
        {kTaskLogs,
         {{"_id", store::id_value(store::task_object_id(kName.key(), kTaskLogs, try_number))},
          {"logical_date", "2026-11-23"},
          {"dag_id", "evaluation"},
          {"task_id", "evaluate"},
          {"try_number", try_number},
          {"run_id", "run"},
          {"lines", std::move(lines)},
          {"timestamp", store::date_value(now())}}});
  };
  old(1, {"a", "b"});
  old(2, "x");
  ASSERT_TRUE(store_->commit(batch));
  const auto found = logs(*store_, "run").value();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0]["lines"], store::Document({"a", "b"}));
  EXPECT_TRUE(found[1]["lines"].empty());
  EXPECT_FALSE(logs(*store_, "another"));
}

}  // namespace
}  // namespace maeil::dag
