// A spec as text is read again as it was, whatever its names hold.
#include "table/spec_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maeil::table {
namespace {

TEST(SpecText, IsReadAgainAsItWas) {
  DatasetSpec spec;
  spec.name = "odd";
  const std::string odd = "a \"b\" \\ c\nd\te 담보 #";
  spec.columns = {{.name = odd, .type = SpecType::kNumber, .nullable = true, .thousands = true},
                  {.name = "", .type = SpecType::kText, .drop = true},
                  {.name = "day", .type = SpecType::kDate, .format = DateFormat::parse("%d/%m/%Y").value()},
                  {.name = "key", .type = SpecType::kText},
                  {.name = "y", .type = SpecType::kNumber}};
  spec.day_counts = {{"age", "day", "2024-01-01"}};
  spec.target = "y";
  spec.positive = "1";
  spec.negative = "0.5";
  spec.roles = {{"key", "day"}, "key", "day"};
  const std::string text = dataset_spec_text(spec, "head\nof two lines", {"why\nnot", "", "", "", ""});
  const auto read = parse_dataset_spec(text, "odd.toml");
  ASSERT_TRUE(read) << read.error().message << "\n" << text;
  ASSERT_EQ(read->columns.size(), 5u);
  EXPECT_EQ(read->columns[0].name, odd);
  EXPECT_TRUE(read->columns[0].nullable && read->columns[0].thousands);
  EXPECT_EQ(read->columns[0].type, SpecType::kNumber);
  EXPECT_TRUE(read->columns[1].drop);
  EXPECT_EQ(read->columns[2].format->text(), "%d/%m/%Y");
  EXPECT_EQ(read->positive, "1");
  EXPECT_EQ(read->negative, "0.5");
  EXPECT_EQ(read->roles.id, (std::vector<std::string>{"key", "day"}));
  EXPECT_EQ(read->roles.group, "key");
  EXPECT_EQ(read->roles.time, "day");
  EXPECT_EQ(read->day_counts.at(0).to, "2024-01-01");
  EXPECT_THAT(text, testing::StartsWith("# head\n# of two lines\n"));
  EXPECT_THAT(text, testing::HasSubstr("  # why not\n"));
}

TEST(SpecText, AContractIsReadAsItIsWritten) {
  const auto spec = parse_dataset_spec(R"(name = "x"
columns = [ { name = "a b.c", type = "number" }, { name = "day", type = "date" },
            { name = "kind", type = "text" }, { name = "y", type = "text" } ]
target = { column = "y", positive = "1" }
roles = { id = "kind" }
[contract]
min_rows = 3
max_rows = 9
target_rate = [0, 0.25]
unique_id = true
unique_file = true
mostly = 0.9
[contract.columns]
"a b.c" = { min = -1e30, max = 0.1, allowed = [0.1, -3], mostly = 1 }
day = { min = 2024-02-29, max_missing = 0 }
kind = { allowed = ["\"", "B"] }
)",
                                       "x.toml");
  ASSERT_TRUE(spec) << spec.error().message;
  const auto read = parse_dataset_spec(dataset_spec_text(*spec, "", {}), "y.toml");
  ASSERT_TRUE(read) << read.error().message << dataset_spec_text(*spec, "", {});
  EXPECT_EQ(contract_hash(*read), contract_hash(*spec));
}

TEST(SpecText, TargetsKeepWhatTheyAre) {
  for (const char* value : {"1", "0", "true", "bad", "007", "1e+20", "a \"b\""}) {
    DatasetSpec spec;
    spec.name = "x";
    spec.columns = {{.name = "y"}};
    spec.target = "y";
    spec.positive = value;
    spec.negative = "other";
    const auto read = parse_dataset_spec(dataset_spec_text(spec, "", {}), "x.toml");
    ASSERT_TRUE(read) << value << ": " << read.error().message;
    EXPECT_EQ(read->positive, value);
  }
}

}  // namespace
}  // namespace maeil::table
