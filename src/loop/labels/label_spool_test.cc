// Labels of a file of any size come back by day as they were added, from memory and from the spool.
#include "loop/labels/label_spool.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "store/test_support.h"

namespace maeil::loop {
namespace {

TEST(LabelSpool, GivesEachDayItsLabelsInTheirOrderHoweverFewStayInMemory) {
  const Days first = parse_date("2026-11-01").value();
  store::TempFolder folder;
  for (const uint64_t most : {1u, 7u, 1000u}) {
    LabelSpool spool(folder / "labels", most);
    for (uint64_t i = 0; i < 100; ++i) {
      FileLabel label{.key = row_key(std::to_string(i)), .record = i, .label = static_cast<int8_t>(i % 2)};
      if (i % 10 != 0) label.date = first + std::chrono::days(i % 3);
      if (i % 4 == 0) label.observed = first + std::chrono::days(9);
      ASSERT_TRUE(spool.add(label, fmt::format("id {}", i)));
    }
    EXPECT_EQ(spool.dates(),
              (std::vector{first, first + std::chrono::days(1), first + std::chrono::days(2)}));
    const auto none = spool.take({}).value();
    ASSERT_EQ(none.labels.size(), 10u);
    EXPECT_EQ(none.id(none.labels.back()), "id 90");
    size_t seen = 0;
    for (const Days date : spool.dates()) {
      const auto day = spool.take(date).value();
      uint64_t before = 0;
      for (const auto& label : day.labels) {
        EXPECT_EQ(label.date, date);
        EXPECT_EQ(day.id(label), fmt::format("id {}", label.record));
        EXPECT_EQ(label.key, row_key(std::to_string(label.record)));
        EXPECT_EQ(label.observed.has_value(), label.record % 4 == 0);
        EXPECT_TRUE(label.record > before || before == 0);
        before = label.record;
        ++seen;
      }
      EXPECT_TRUE(spool.take(date).value().labels.empty());
    }
    EXPECT_EQ(seen, 90u);
    EXPECT_TRUE(spool.dates().empty());
  }
}

}  // namespace
}  // namespace maeil::loop
