#include "prep/feature_map.h"

#include <gtest/gtest.h>

namespace maeil::prep {
namespace {

std::string refusal(std::string_view json) {
  const auto map = parse_feature_map(json, "map.json");
  return map ? "accepted" : map.error().message;
}

TEST(FeatureMap, TheBuiltInOneFitsTheBuiltInDataset) {
  const auto map = parse_feature_map(table::builtin_feature_map(), "built-in").value();
  EXPECT_EQ(map.categorical.size(), 83u);
  EXPECT_EQ(map.numeric.size(), 59u);
  const auto expected = unfitted(table::builtin_dataset_spec().value());
  for (size_t i = 0; i < 83; ++i) EXPECT_EQ(map.categorical[i].name, expected.categorical[i].name);
  for (size_t i = 0; i < 59; ++i) EXPECT_EQ(map.numeric[i], expected.numeric[i].name);
}

TEST(FeatureMap, ErrorsNameFileAndFeature) {
  EXPECT_NE(refusal("[]").find("map.json"), std::string::npos);
  EXPECT_NE(refusal(R"({"categorical":[{"name":"a","cardinality":2,"vocabulary":["b","a"]}],"numeric":[]})")
                .find("ascending"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"categorical":[{"name":"a","cardinality":3,"vocabulary":["a","b"]}],"numeric":[]})")
                .find("cardinality of 3"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"categorical":[{"name":"a","cardinality":1,"vocabulary":["a"]}],"numeric":["a"]})")
                .find("twice"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"categorical":[{"name":"a","size":1}],"numeric":[]})").find("'size'"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"categorical":[{"name":"a","cardinality":-1}],"numeric":[]})").find("at least 1"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"categorical":[],"numeric":[],"numerical":[]})").find("'numerical'"),
            std::string::npos);
  EXPECT_NE(refusal(R"({"categorical":[{"name":"a","cardinality":2,"vocabulary":["a","a"]}],"numeric":[]})")
                .find("ascending"),
            std::string::npos);
  EXPECT_NE(refusal(std::string(100000, '[')).find("map.json"), std::string::npos);
  EXPECT_EQ(refusal(R"({"categorical":[{"name":"a","cardinality":5,"vocabulary":null}],"numeric":["x"]})"),
            "accepted");
}

TEST(Bind, TakesVocabulariesFromTheMapAndSaysWhatIsUnbound) {
  const auto spec = table::builtin_dataset_spec().value();
  const auto map = parse_feature_map(table::builtin_feature_map(), "built-in").value();
  std::vector<int> cardinalities;
  for (const auto& f : map.categorical) cardinalities.push_back(f.cardinality);
  const auto one_row = [&](const std::function<Status(const Table&)>& sink) {
    Table chunk;
    chunk.rows = 1;
    for (const auto& column : spec.columns) {
      auto& out = chunk.columns.emplace_back();
      out.name = column.name;
      out.type = column.type == table::SpecType::kNumber ? ColumnType::kNumber : ColumnType::kText;
      if (out.type == ColumnType::kNumber)
        out.numbers = {4};
      else
        out.codes = {kMissing};
    }
    return sink(chunk);
  };
  BindReport report;
  const auto bound = bind_features(map, cardinalities, 59, spec, one_row, report).value();
  EXPECT_EQ(report.reference_rows, 1u);
  ASSERT_EQ(report.unbound.size(), 4u);
  EXPECT_EQ(report.unbound[0].feature, "acct_titl_cd");
  EXPECT_EQ(bound.numeric[0].median, 4);
  EXPECT_TRUE(bound.categorical[1].vocabulary.empty());
  cardinalities[0] = 7;
  EXPECT_NE(bind_features(map, cardinalities, 59, spec, one_row, report)
                .error()
                .message.find("embedding 0 has 7 rows"),
            std::string::npos);
  EXPECT_FALSE(bind_features(map, cardinalities, 58, spec, one_row, report));
}

}  // namespace
}  // namespace maeil::prep
