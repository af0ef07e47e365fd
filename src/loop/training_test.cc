// Where a first model's rows may come from. What a training makes of them is tested in nn/ and through the
// binary.
#include "loop/training.h"

#include <gtest/gtest.h>

#include "registry/versions.h"
#include "store/sqlite/sqlite_store.h"
#include "store/test_support.h"
#include "table/dataset_spec.h"

namespace maeil::loop {
namespace {

TEST(Training, NeverLearnsFromTheFallbacksRows) {
  const store::TempFolder folder;
  const auto store = store::open_sqlite(folder / "maeil.db").value();
  Settings settings;
  settings.distribution_model = (folder / "absent.pkl").string();
  settings.source_fallback = "portfolio";
  settings.model_save_path = (folder / "models").string();
  settings.d_model = 8, settings.nhead = 2, settings.num_layers = 1, settings.dim_feedforward = 16;
  const auto spec = table::builtin_dataset_spec().value();
  const Day day{settings, spec};
  const TrainingPlan plan{.rows = 400, .pretrain_rows = 100, .epochs = 1};
  dag::TaskContext context{*store,
                           parse_date("2026-11-23").value(),
                           "run",
                           kFirstDayDag,
                           "pretrain_encoder",
                           0,
                           1,
                           {},
                           [](std::string_view) {},
                           [](std::string_view, uint64_t, uint64_t) {}};
  for (const auto& outcome :
       {pretrain_encoder(day, plan, context), train_classifier(day, plan, "", context)}) {
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, ErrorCode::kNotFound);
    EXPECT_NE(outcome.error().message.find("absent.pkl does not exist"), std::string::npos);
    EXPECT_NE(outcome.error().message.find("SOURCE_FALLBACK"), std::string::npos);
  }
  EXPECT_TRUE(registry::list_versions(*store).value().empty());
}

}  // namespace
}  // namespace maeil::loop
