// Runs that a killed process left "running" are closed by the next run, whatever its date and DAG.
#include "dag/runner_runs.h"

#include "dag/test_support.h"
#include "store/forwarding_store.h"

namespace maeil::dag {
namespace {

void put_run(store::Store& store, const char* date, const char* dag, const char* state) {
  store::Batch batch;
  batch.puts.push_back({kDagRuns,
                        {{"_id", store::id_value(store::new_object_id(now()))},
                         {"logical_date", date},
                         {"dag_id", dag},
                         {"run_id", "killed"},
                         {"state", state}}});
  ASSERT_TRUE(store.commit(batch));
}

std::string states_of_killed(store::Store& store) {
  store::FindOptions killed;
  killed.filter = {{"run_id", "killed"}};
  killed.sort = {{"logical_date", 1}};
  std::string out;
  for (const auto& run : must(store.find(kDagRuns, killed))) out += run["state"].get<std::string>() + " ";
  return out;
}

TEST(DeadRuns, OfEveryDateAndDagAreClosed) {
  SmallDay day;
  put_run(*day.file, "2026-10-01", "small", "running");
  put_run(*day.file, "2026-10-02", "another", "running");
  put_run(*day.file, "2026-10-03", "small", "cancelled");
  must(run_dags(*day.file, {day.dag()}, day.table(), day.date, day.options()));
  EXPECT_EQ(states_of_killed(*day.file), "failed failed cancelled ");
  EXPECT_EQ(must(day.file->find(kDagRuns, {})).size(), 4u);
}

TEST(DeadRuns, OneThatDiedAfterItsLastTaskHadSucceeded) {
  SmallDay day;
  must(run_dags(*day.file, {day.dag()}, day.table(), day.date, day.options()));
  put_run(*day.file, "2026-11-23", "small", "running");
  must(run_dags(*day.file, {day.dag()}, day.table(), day.date + std::chrono::days(1), day.options("next")));
  EXPECT_EQ(states_of_killed(*day.file), "success ");
}

// With 100,000 runs nothing but the dead ones may be read.
TEST(DeadRuns, AreLookedUpByTheirStateAlone) {
  class Watched : public store::ForwardingStore {
   public:
    using ForwardingStore::ForwardingStore;
    std::vector<std::string> filters;
    Status find_each(std::string_view collection, const store::FindOptions& options,
                     const std::function<bool(store::Document&&)>& visit) override {
      if (collection == kDagRuns) filters.push_back(options.filter.dump());
      return below_.find_each(collection, options, visit);
    }
  };
  SmallDay day;
  Watched store(*day.file);
  must(run_dags(store, {day.dag()}, day.table(), day.date, day.options()));
  EXPECT_EQ(store.filters, std::vector<std::string>{R"({"state":"running","run_type":{"$ne":"task"}})"});
}

}  // namespace
}  // namespace maeil::dag
