// Reasons are the columns that added most, in the words and the language that were asked for.
#include "loop/reasons.h"

#include <gtest/gtest.h>

namespace maeil::loop {
namespace {

// Adds what a row's codes and numbers say, so that the reasons are known.
class Adding final : public model::Predictor {
 public:
  std::string_view family() const override { return "adding"; }
  std::string_view file_extension() const override { return ".none"; }
  model::Json hyperparameters() const override { return {}; }
  Status check_scores(const std::string&) const override { return {}; }
  Result<std::vector<double>> probabilities(const nn::Rows& rows) const override {
    return std::vector<double>(rows.count, 0.5);
  }
  Result<model::Contributions> contributions(const nn::Rows& rows) const override {
    model::Contributions out{4, {}, 0.25};
    for (size_t row = 0; row < rows.count; ++row) {
      for (size_t k = 0; k < 2; ++k) out.values.push_back(rows.codes[row * 2 + k]);
      for (size_t k = 0; k < 2; ++k) out.values.push_back(static_cast<double>(rows.numbers[row * 2 + k]));
    }
    return out;
  }
  Result<std::string> file_bytes(const model::FileFacts&) const override { return internal_error("none"); }
};

struct Reasons : testing::Test {
  prep::Preparation preparation;
  table::DatasetSpec spec;
  model::ModelFile model;
  Reasons() {
    preparation.categorical = {{.name = "grade", .column = "grade"},
                               {.name = "heat_isnull", .column = "heat", .null_flag = true}};
    preparation.numeric = {{.name = "heat"}, {.name = "days"}};
    spec.reasons = {{"heat", {"temperature, measured", "온도"}}, {"days", {"", "경과일수"}}};
    model.predictor = std::make_shared<Adding>();
    model.preparation = preparation;
  }
  std::vector<std::string> of(const ReasonWriter& writer, std::vector<int32_t> codes,
                              std::vector<double> numbers) {
    prep::Prepared rows;
    rows.rows = codes.size() / 2;
    rows.codes = std::move(codes);
    rows.numbers.assign(numbers.begin(), numbers.end());
    return writer.of(model, rows).value();
  }
};

TEST_F(Reasons, TheStrongestFirstAndAColumnsFeaturesTogether) {
  const ReasonWriter writer(preparation, spec, 2, "en");
  EXPECT_EQ(writer.header(), ",reason_1,reason_1_log_odds,reason_2,reason_2_log_odds");
  EXPECT_EQ(writer.columns().size(), 4u);
  // grade 1; heat 2 + 0.5; days -3
  EXPECT_EQ(of(writer, {1, 2}, {0.5, -3}),
            std::vector<std::string>{",경과일수,-3,\"temperature, measured\",2.5"});
  // Equal ones in the order of the features; what adds nothing is no reason.
  EXPECT_EQ(of(writer, {1, 0, 0, 0}, {-1, 0, 0, 0}),
            (std::vector<std::string>{",grade,1,\"temperature, measured\",-1", ",,,,"}));
}

TEST_F(Reasons, InKoreanAndAsManyAsThereAre) {
  const ReasonWriter writer(preparation, spec, 5, "ko");
  EXPECT_EQ(of(writer, {1, 0}, {2, 3}), std::vector<std::string>{",경과일수,3,온도,2,grade,1,,,,"});
}

TEST_F(Reasons, NoneWhereNoneAreAskedFor) {
  const ReasonWriter writer(preparation, spec, 0, "en");
  EXPECT_EQ(writer.header(), "");
  EXPECT_EQ(of(writer, {1, 0, 1, 0}, {2, 3, 2, 3}), (std::vector<std::string>{"", ""}));
}

}  // namespace
}  // namespace maeil::loop
