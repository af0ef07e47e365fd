// The diagnostic against SDMetrics 0.32.0's own answers (testdata/make_diagnostic_goldens.py), and what it
// cannot score.
#include "quality/diagnostic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "quality/test_files.h"

namespace maeil::quality {
namespace {

using Json = nlohmann::json;

Json golden() { return Json::parse(read_file(kTestData + "diagnostic_golden.json").value()); }

Data golden_data(const std::string& metadata) {
  auto data = read_data({.real = kTestData + "diagnostic_real.csv",
                         .synthetic = kTestData + "diagnostic_synthetic.csv",
                         .metadata = metadata});
  EXPECT_TRUE(data) << data.error().message;
  return std::move(*data);
}

class DiagnosticGolden : public testing::TestWithParam<const char*> {};

TEST_P(DiagnosticGolden, EqualsSdmetrics) {
  const auto expected = golden()[GetParam()];
  const auto found =
      diagnose(golden_data(read_file(kTestData + "diagnostic_" + GetParam() + ".json").value()));
  ASSERT_EQ(found.columns.size(), expected["columns"].size());
  for (size_t k = 0; k < found.columns.size(); ++k) {
    const auto& column = found.columns[k];
    const auto& golden_column = expected["columns"][k];
    EXPECT_EQ(column.name, golden_column[0].get<std::string>());
    EXPECT_EQ(column.metric, golden_column[1].get<std::string>()) << column.name;
    if (golden_column[2].is_null())
      EXPECT_TRUE(std::isnan(column.score)) << column.name;
    else
      EXPECT_NEAR(column.score, golden_column[2].get<double>(), 1e-9) << column.name << " " << column.metric;
  }
  EXPECT_NEAR(found.validity, expected["validity"].get<double>(), 1e-9);
  EXPECT_NEAR(found.structure, expected["structure"].get<double>(), 1e-9);
  EXPECT_NEAR(found.overall, expected["overall"].get<double>(), 1e-9);
}
INSTANTIATE_TEST_SUITE_P(Keys, DiagnosticGolden, testing::Values("single", "composite"));

TEST(Diagnostic, NamesWhatDiffersInStructure) {
  const auto found = diagnose(golden_data(""));
  EXPECT_THAT(found.structure_differences, testing::Contains("only_real: only in the real data"));
  EXPECT_THAT(found.structure_differences, testing::Contains("extra: only in the synthetic data"));
  EXPECT_THAT(found.structure_differences, testing::Contains("same: int64, synthetic float64"));
}

TEST(Diagnostic, ARegularExpressionItCannotUseHasNoScoreAndSaysWhy) {
  const auto path = test_file("ids.csv", "id,x\na1,1\nb2,2\n");
  for (const auto& [format, reason] :
       {std::pair{"(?P<letter>[a-z])[0-9]", "named groups"}, {"[a-z", "regular expression"}}) {
    const Json metadata = {
        {"columns",
         {{"id", {{"sdtype", "id"}, {"regex_format", format}}}, {"x", {{"sdtype", "numerical"}}}}}};
    const auto data = read_data({.real = path, .synthetic = path, .metadata = metadata.dump()});
    ASSERT_TRUE(data) << data.error().message;
    const auto found = diagnose(*data);
    ASSERT_EQ(found.columns.size(), 2U);
    EXPECT_TRUE(std::isnan(found.columns[0].score));
    EXPECT_THAT(found.columns[0].note, testing::HasSubstr(reason));
    EXPECT_EQ(found.validity, 1);
  }
}

}  // namespace
}  // namespace maeil::quality
