// Files of SDV 1.10, 1.20, 1.32 and 2.0 with every marginal that SDV offers (tools/oracle/sdv_pickles.py): read, with the quantiles that SDV
// itself computes, or refused by the name of what is in the way.
#include <gmock/gmock.h>

#include <algorithm>

#include "copula/sdv.h"
#include "copula/test_support.h"

namespace maeil::copula {
namespace {

const char* const kVersions[] = {"1.10.0", "1.20.0", "1.32.0", "2.0.0"};

std::string pickle_entry(const std::string& name) { return fixture_entry(name, "sdv_pickles.zip"); }

TEST(SdvVersions, EveryMarginalIsReadWithSdvsQuantiles) {
  for (const std::string version : kVersions) {
    const std::string name = "sdv-" + version + "-marginals";
    SCOPED_TRACE(name);
    const auto model = parse_sdv_model(pickle_entry(name + ".pkl"), name + ".pkl");
    ASSERT_TRUE(model) << model.error().message;
    ASSERT_EQ(model->columns.size(), 8u);
    const auto account = nlohmann::json::parse(pickle_entry(name + ".json"))["columns"];
    for (const auto& column : model->columns) {
      SCOPED_TRACE(column.name);
      const auto& expected = account.at(column.name);
      const double spread = expected["x"].back().get<double>() - expected["x"].front().get<double>();
      // The kernel estimate is read as a polygon and SDV inverts it by a search of its own; the others are closed forms.
      const double tolerance = expected["family"] == "GaussianKDE" ? 1e-3 : 1e-6;
      for (size_t i = 0; i < expected["u"].size(); ++i) {
        EXPECT_NEAR(quantile_at(column.marginal, normal_quantile(expected["u"][i])), expected["x"][i].get<double>(), tolerance * spread) << i;
      }
    }
  }
}

TEST(SdvVersions, WhatIsNotReadIsNamed) {
  for (const std::string version : kVersions) {
    const std::string date = "sdv-" + version + "-datetime", id = "sdv-" + version + "-id";
    SCOPED_TRACE(version);
    const auto dated = parse_sdv_model(pickle_entry(date + ".pkl"), date + ".pkl");
    ASSERT_FALSE(dated);
    EXPECT_THAT(dated.error().message, testing::HasSubstr("column day: the transformer UnixTimestampEncoder"));
    const auto keyed = parse_sdv_model(pickle_entry(id + ".pkl"), id + ".pkl");
    if (version == "1.10.0") {  // there an id has a generator of its own
      ASSERT_FALSE(keyed);
      EXPECT_THAT(keyed.error().message, testing::HasSubstr("the column key"));
    } else {  // since 1.20 an id without a pattern is a category that the copula draws
      ASSERT_TRUE(keyed) << keyed.error().message;
      EXPECT_EQ(std::get<CategoryOutput>(keyed->columns.back().output).labels.size(), 120u);
    }
  }
}

}  // namespace
}  // namespace maeil::copula
