// The scores against SDMetrics 0.32.0's own answers (testdata/make_goldens.py), properties of them, and
// hostile files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/threads.h"
#include "quality/columns.h"
#include "quality/scores.h"

namespace maeil::quality {
namespace {

using Json = nlohmann::json;

const std::string kData = std::string(MAEIL_SOURCE_DIR) + "/src/quality/testdata/";

// Equal to 1e-9, or both without a score.
bool same(double ours, const Json& theirs) {
  return theirs.is_null() ? std::isnan(ours) : std::abs(ours - theirs.get<double>()) < 1e-9;
}

Scores golden_scores() {
  const auto data = read_data({.real = kData + "real.csv",
                               .synthetic = kData + "synthetic.csv",
                               .metadata = read_file(kData + "metadata.json").value()});
  EXPECT_TRUE(data) << data.error().message;
  return score(*data);
}

std::string file(const std::string& name, const std::string& text) {
  const auto path = std::filesystem::path(testing::TempDir()) / ("quality_" + name);
  std::ofstream(path) << text;
  return path.string();
}

TEST(QualityGolden, ComparisonCanFail) {
  EXPECT_FALSE(same(0.5, 0.5 + 2e-9));
  EXPECT_FALSE(same(0.5, Json()));
  EXPECT_FALSE(same(std::nan(""), 0.5));
}

TEST(QualityGolden, EqualsSdmetricsInBothAveragings) {
  const auto scores = golden_scores();
  const Json golden = Json::parse(read_file(kData + "golden.json").value());
  const auto &current = golden["current"], &older = golden["older"];
  ASSERT_EQ(scores.columns.size(), older["columns"].size());
  for (const auto& column : scores.columns)
    EXPECT_TRUE(same(column.score, older["columns"][column.name])) << column.name << " " << column.score;
  ASSERT_EQ(scores.pairs.size(), older["pairs"].size());
  for (size_t p = 0; p < scores.pairs.size(); ++p) {
    const auto& pair = scores.pairs[p];
    const auto name =
        older["pairs"][p][0].get<std::string>() + ", " + older["pairs"][p][1].get<std::string>();
    EXPECT_EQ(scores.columns[pair.first].name + ", " + scores.columns[pair.second].name, name);
    EXPECT_TRUE(same(pair.score, older["pairs"][p][2]))
        << name << " " << pair.score << " " << older["pairs"][p][2];
    EXPECT_EQ(pair.strong, current["pairs"][p][3].get<bool>()) << name << " " << pair.strength;
  }
  EXPECT_TRUE(same(scores.column_shapes, current["properties"]["Column Shapes"]));
  EXPECT_TRUE(same(scores.pair_trends, current["properties"]["Column Pair Trends"])) << scores.pair_trends;
  EXPECT_TRUE(same(scores.pair_trends_all, older["properties"]["Column Pair Trends"]))
      << scores.pair_trends_all;
  EXPECT_TRUE(same(scores.overall, current["overall"]));
  EXPECT_TRUE(same(scores.overall_all, older["overall"]));
}

TEST(Quality, SameAtAnyNumberOfThreads) {
  set_thread_count(1);
  const auto one = golden_scores();
  set_thread_count(5);
  const auto five = golden_scores();
  set_thread_count(0);
  EXPECT_EQ(one.overall, five.overall);
  EXPECT_EQ(one.pair_trends_all, five.pair_trends_all);
}

TEST(Quality, AFileAgainstItselfIsPerfect) {
  const auto data = read_data({.real = kData + "real.csv", .synthetic = kData + "real.csv"});
  ASSERT_TRUE(data) << data.error().message;
  const auto scores = score(*data);
  EXPECT_NEAR(scores.overall, 1, 1e-12);
  EXPECT_NEAR(scores.overall_all, 1, 1e-12);
}

TEST(Quality, InfersKinds) {
  const auto path = file("kinds.csv", "n,d,t,m\n1,2020-02-29,x,\n2.5,1970-01-02,2020-01-01,\n");
  const auto data = read_data({.real = path, .synthetic = path});
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_EQ(data->columns[0].sdtype, "numerical");
  EXPECT_EQ(data->columns[1].sdtype, "datetime");
  EXPECT_EQ(data->columns[2].sdtype, "categorical");
  EXPECT_EQ(data->columns[1].real.numbers[0], 1582934400);
  EXPECT_EQ(data->columns[1].real.numbers[1], 86400);
  EXPECT_TRUE(std::isnan(data->columns[3].real.numbers[0]));
}

TEST(Quality, RefusesHostileFiles) {
  const auto good = file("good.csv", "a,b\n1,2\n");
  const auto refuse = [&](const std::string& text, const std::string& metadata = "") {
    const auto data = read_data({.real = good, .synthetic = file("bad.csv", text), .metadata = metadata});
    return data ? std::string("accepted") : data.error().message;
  };
  EXPECT_THAT(refuse("a,b\n1\n"), testing::HasSubstr(":2: 1 fields"));
  EXPECT_THAT(refuse("c,d\n1,2\n"), testing::HasSubstr("no column in common"));
  EXPECT_THAT(refuse("a,b,a\n1,2,3\n"), testing::HasSubstr("twice"));
  EXPECT_THAT(refuse("a,b\n"), testing::HasSubstr("no rows"));
  EXPECT_THAT(refuse(""), testing::HasSubstr("is empty"));
  EXPECT_THAT(refuse("a,b\nx,2\n", R"({"columns":{"a":{"sdtype":"numerical"}}})"),
              testing::HasSubstr("column 'a': 'x'"));
  EXPECT_THAT(refuse("a,b\n1,2\n", "[]"), testing::HasSubstr("metadata"));
  EXPECT_THAT(refuse("a,b\n1,2\n", R"({"tables":{}})"), testing::HasSubstr("metadata"));
}

}  // namespace
}  // namespace maeil::quality
