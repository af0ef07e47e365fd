// Two states of a dataset's description: what is said, and by what rows are read for an older model.
#include "table/spec_difference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maeil::table {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

DatasetSpec spec(const std::string& columns, const std::string& roles = "",
                 const std::string& positive = "1") {
  return parse_dataset_spec("name = \"a\"\ncolumns = [ { name = \"bad\", type = \"number\" }, " + columns +
                                " ]\n[target]\ncolumn = \"bad\"\npositive = " + positive + "\n" + roles,
                            "a.toml")
      .value();
}

TEST(SpecDifference, SaysWhatAModelWouldSeeOtherwise) {
  const auto before = spec(R"({ name = "x", type = "number" }, { name = "y", type = "text" },)"
                           R"( { name = "d", type = "date" }, { name = "z", type = "number" })");
  const auto now = spec(R"({ name = "x", type = "text" }, { name = "y", type = "text", drop = true },)"
                        R"( { name = "d", type = "date", format = "%Y%m%d" }, { name = "w", type = "text" })",
                        "", "0");
  EXPECT_THAT(
      spec_differences(before, now),
      ElementsAre("column 'x' is a text, was a number", "column 'y' is dropped",
                  "column 'd' is read by another date format", "column 'w' is new", "column 'z' is gone",
                  "the target's positive value is '0' (negative ''), was '1' ('')"));
  EXPECT_THAT(spec_differences(before, before), IsEmpty());
  const auto calendar = spec(R"({ name = "x", type = "number" }, { name = "y", type = "text" },)"
                             R"( { name = "d", type = "date" }, { name = "z", type = "number" })",
                             "[calendar]\nweekdays = [\"mon\"]\n");
  EXPECT_THAT(spec_differences(before, calendar), IsEmpty());
}

TEST(SpecDifference, AnOlderModelsRowsHaveItsTypesAndTheRolesOfNow) {
  const auto trained = spec(R"({ name = "x", type = "number" }, { name = "y", type = "text" })");
  const auto now = spec(R"({ name = "x", type = "text" }, { name = "y", type = "text" },)"
                        R"( { name = "loan", type = "text" })",
                        "[roles]\nid = \"loan\"\ngroup = \"y\"\n[read]\ndelimiter = \";\"\n");
  const auto read = spec_to_prepare_by(trained, now);
  EXPECT_EQ(read.find("x")->type, SpecType::kNumber);
  EXPECT_EQ(read.roles.id, std::vector<std::string>{"loan"});
  EXPECT_TRUE(read.find("loan")->drop);
  EXPECT_EQ(read.read.dialect.delimiter, ';');
  EXPECT_EQ(read.text, trained.text);
  // That the negative value is named by now is no difference, and is how its rows are read.
  const auto named = parse_dataset_spec(trained.text + "\n", "b.toml").value();
  auto negative = named;
  negative.negative = "0";
  EXPECT_THAT(spec_differences(named, negative), IsEmpty());
  EXPECT_EQ(spec_to_prepare_by(named, negative).negative, "0");
  // What was a number may be a feature: it cannot be an id for that model.
  const auto taken =
      spec(R"({ name = "x", type = "text" }, { name = "y", type = "text" })", "[roles]\nid = \"x\"\n");
  EXPECT_THAT(spec_to_prepare_by(trained, taken).roles.id, IsEmpty());
}

}  // namespace
}  // namespace maeil::table
