// SDV's metadata in and out: what of it the fit and the quality report take, and what is refused.
#include "table/sdv_metadata.h"

#include <gmock/gmock.h>

namespace maeil::table {
namespace {

TEST(SdvMetadata, TypesAreReadAndWritten) {
  const auto spec = parse_sdv_spec(
      R"({"METADATA_SPEC_VERSION": "SINGLE_TABLE_V1", "primary_key": "id", "columns": {"id": {"sdtype": "id"},
    "x": {"sdtype": "numerical"}, "d": {"sdtype": "datetime", "datetime_format": "%d%b%Y"},
    "t": {"sdtype": "datetime", "datetime_format": "%H:%M"}}})",
      "m.json");
  ASSERT_TRUE(spec) << spec.error().message;
  ASSERT_EQ(spec->columns.size(), 4u);
  EXPECT_EQ(spec->find("id")->type, SpecType::kText);
  EXPECT_EQ(spec->find("x")->type, SpecType::kNumber);
  EXPECT_EQ(spec->find("d")->type, SpecType::kDate);
  EXPECT_EQ(spec->find("t")->type, SpecType::kText);
  EXPECT_EQ(spec->find("d")->format->text(), "%d%b%Y");
  const auto again = parse_sdv_spec(to_sdv_metadata(*spec), "again.json");
  ASSERT_TRUE(again) << again.error().message;
  for (const auto& column : spec->columns)
    EXPECT_EQ(again->find(column.name)->type, column.type) << column.name;
  EXPECT_EQ(again->find("d")->format->text(), "%d%b%Y");
  const auto compact = parse_sdv_spec(
      R"({"METADATA_SPEC_VERSION": "SINGLE_TABLE_V1", "columns": {"d": {"sdtype": "datetime", )"
      R"("datetime_format": "%Y%m%d"}}})",
      "m.json");
  EXPECT_EQ(compact.value().columns[0].type, SpecType::kDate);
  for (const char* bad : {"{", "{}", R"({"METADATA_SPEC_VERSION": "V2"})",
                          R"({"METADATA_SPEC_VERSION": "V1", "tables": {"a": {}, "b": {}}})",
                          R"({"METADATA_SPEC_VERSION": "SINGLE_TABLE_V1", "columns": {"a": {}}})"}) {
    const auto refused = parse_sdv_spec(bad, "bad.json");
    ASSERT_FALSE(refused) << bad;
    EXPECT_NE(refused.error().message.find("bad.json"), std::string::npos);
  }
  const auto unknown = parse_sdv_spec(
      R"({"METADATA_SPEC_VERSION": "SINGLE_TABLE_V1", "columns": {"d": {"sdtype": "datetime", )"
      R"("datetime_format": "%Y-%j"}}})",
      "m.json");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, ErrorCode::kBadInput);
  EXPECT_NE(unknown.error().message.find("m.json: column 'd': the date format '%Y-%j'"), std::string::npos)
      << unknown.error().message;
  const auto deep = parse_sdv_spec(
      "{\"columns\":" + std::string(200000, '[') + std::string(200000, ']') + ",\"more\":1}", "deep.json");
  ASSERT_FALSE(deep);
  EXPECT_NE(deep.error().message.find("deep.json: its JSON is nested"), std::string::npos);
}

// What the fit and the quality report read is one document: a column that one of them cannot read is refused
// by both, and each has what it asks for.
TEST(SdvMetadata, IsReadOnceForFitAndReport) {
  const std::string json =
      R"({"METADATA_SPEC_VERSION": "V1", "tables": {"book": {"primary_key": ["id", "month"],
    "alternate_keys": ["mail", ["tax"]], "sequence_index": "month", "columns": {
      "id": {"sdtype": "id", "regex_format": "C[0-9]{4}"},
      "month": {"sdtype": "datetime", "datetime_format": "%Y-%m", "range_min": "2024-01-31"},
      "mail": {"sdtype": "email", "pii": true}, "tax": {"sdtype": "categorical", "pii": true},
      "day": {"sdtype": "datetime", "datetime_format": null},
      "x": {"sdtype": "numerical", "range_max": 7},
      "flag": {"sdtype": "boolean", "range_values": [true, 1.5, "a", null]}}}}})";
  const auto metadata = parse_sdv_metadata(json, "the metadata");
  ASSERT_TRUE(metadata) << metadata.error().message;
  EXPECT_EQ(metadata->table, "book");
  EXPECT_THAT(metadata->primary_key, testing::ElementsAre("id", "month"));
  EXPECT_FALSE(metadata->is_key("id"));
  EXPECT_TRUE(metadata->is_key("tax"));
  EXPECT_EQ(metadata->sequence_index, "month");
  ASSERT_EQ(metadata->columns.size(), 7u);
  EXPECT_EQ(metadata->columns[0].regex_format, "C[0-9]{4}");
  EXPECT_EQ(metadata->columns[1].range_min, 1706659200);
  EXPECT_EQ(metadata->columns[5].range_max, 7);
  EXPECT_THAT(*metadata->columns[6].range_values, testing::ElementsAre("True", "1.5", "a"));
  EXPECT_EQ(metadata->columns[6].range_is_nullable, true);

  const auto spec = parse_sdv_spec(json, "m.json");
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->name, "book");
  std::vector<std::string> identifiers;
  for (const auto& column : spec->columns) {
    if (column.identifier) identifiers.push_back(column.name);
  }
  EXPECT_THAT(identifiers, testing::ElementsAre("id", "mail", "tax"));
  EXPECT_EQ(spec->find("month")->format->text(), "%Y-%m");
  EXPECT_EQ(spec->find("day")->type, SpecType::kDate);
  EXPECT_FALSE(spec->find("day")->format);

  // The report asks for no version, the fit for a known one and for one table under "tables" in V1.
  const std::string columns = R"("columns": {"x": {"sdtype": "numerical"}}})";
  EXPECT_TRUE(parse_sdv_metadata("{" + columns, "the metadata"));
  EXPECT_THAT(parse_sdv_spec("{" + columns, "m.json").error().message,
              testing::HasSubstr("m.json: METADATA_SPEC_VERSION '' is neither"));
  EXPECT_THAT(parse_sdv_spec(R"({"METADATA_SPEC_VERSION": "V1", )" + columns, "m.json").error().message,
              testing::HasSubstr("m.json: it must have one table"));
  EXPECT_TRUE(parse_sdv_metadata(R"({"columns": {}})", "the metadata"));
  EXPECT_FALSE(parse_sdv_spec(R"({"METADATA_SPEC_VERSION": "SINGLE_TABLE_V1", "columns": {}})", "m.json"));
}

TEST(SdvMetadata, RefusesWhatItCannotUse) {
  const auto refuse = [](const std::string& column) {
    const auto found =
        parse_sdv_metadata(R"({"columns":{"a":{"sdtype":"datetime",)" + column + "}}}", "the metadata");
    return found ? std::string("accepted") : found.error().message;
  };
  EXPECT_THAT(refuse(R"("datetime_format":"%Q")"),
              testing::StartsWith("the metadata: column 'a': the date format '%Q'"));
  EXPECT_THAT(refuse(R"("datetime_format":"%")"), testing::HasSubstr("directive"));
  EXPECT_THAT(refuse(R"("datetime_format":1)"), testing::HasSubstr("datetime_format is no text"));
  EXPECT_THAT(refuse(R"("range_min":"soon")"), testing::HasSubstr("range_min"));
  EXPECT_THAT(refuse(R"("range_values":1)"), testing::HasSubstr("range_values"));
}

}  // namespace
}  // namespace maeil::table
