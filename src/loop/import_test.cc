// What an import says of the reference rows that it could not read, with a trainer's own checkpoint
// (tests/data/checkpoints.zip).
#include "loop/import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "format/zip.h"
#include "store/test_support.h"

namespace maeil::loop {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Import, SaysWhichReferenceRowsItCouldNotRead) {
  const store::TempFolder folder;
  const auto path = [&](const char* name) { return (folder / name).string(); };
  const auto spec = table::parse_dataset_spec(R"(name = "small"
columns = [ { name = "grade", type = "text" }, { name = "branch", type = "text" },
            { name = "rate", type = "number" },
            { name = "amount", type = "number" },
            { name = "day", type = "date", nullable = true, keep_date = true, missing_date = "2024-01-01" },
            { name = "bad", type = "text" } ]
target = { column = "bad", negative = "N", positive = "Y" }
)",
                                              "small.toml")
                        .value();
  const std::string archive = read_file(MAEIL_SOURCE_DIR "/tests/data/checkpoints.zip").value();
  const auto zip = format::ZipReader::open(archive, "checkpoints.zip").value();
  ASSERT_TRUE(write_file_atomically(path("plain.pth"), zip.read("plain.pth").value()));
  ASSERT_TRUE(write_file_atomically(
      path("map.json"),
      R"({"categorical": [{"name": "grade", "cardinality": 4, "vocabulary": ["A", "B", "C", "D"]},
                                            {"name": "branch", "cardinality": 3,
                                              "vocabulary": ["n", "s", "w"]}],
                            "numeric": ["rate", "amount"]})"));
  std::string good = "grade,branch,rate,amount,day,bad\n";
  for (int i = 0; i < 60; ++i) good += "A,n,0.5,10,01FEB2023,N\n";
  const auto remarks = [&](const std::string& rows) {
    EXPECT_TRUE(write_file_atomically(path("rows.csv"), rows));
    Settings settings;
    settings.nhead = 2;
    const auto bound =
        read_bound_model(settings, spec, path("plain.pth"), path("map.json"), path("rows.csv"));
    EXPECT_TRUE(bound) << bound.error().message;
    return bound ? bound->model.remarks : std::vector<std::string>();
  };
  EXPECT_THAT(remarks(good), ElementsAre());
  EXPECT_THAT(
      remarks(good + "A,n,much,10,01FEB2023,N\nB,s,0.5,20,yesterday,N\n"),
      ElementsAre(AllOf(HasSubstr("rows.csv: 1 of 62 reference rows were set aside, the first in line 62"),
                        HasSubstr("much")),
                  AllOf(HasSubstr("rows.csv"), HasSubstr("'day'"), HasSubstr("line 63"))));
}

}  // namespace
}  // namespace maeil::loop
