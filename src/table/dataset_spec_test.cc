// The dataset spec: the built-in one, and what is refused, with file, line and key.
#include "table/dataset_spec.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/test_data.h"
#include "format/csv.h"
#include "table/csv_header.h"
#include "table/csv_table.h"
#include "table/test_small_spec.h"

namespace maeil::table {
namespace {

TEST(DatasetSpecGolden, TheBuiltInOneHasTheRealColumnsInOrder) {
  MAEIL_NEEDS(golden_dir());
  const auto bytes = read_file(golden_dir() / "sdv_sample_2000.csv").value();
  format::CsvReader reader(bytes, "golden");
  format::CsvRecord header;
  ASSERT_TRUE(reader.next(header).value());
  std::vector<std::string_view> names;
  std::deque<std::string> unescaped;
  ASSERT_EQ(format::split_record(header.bytes, names, unescaped), "");
  const auto spec = builtin_dataset_spec().value();
  std::vector<std::string_view> described;
  for (const auto& column : spec.columns) {
    if (!column.optional) described.push_back(column.name);
  }
  EXPECT_EQ(described, names);
}

TEST(DatasetSpec, TheBuiltInOneKnowsTheRealColumns) {
  const auto spec = builtin_dataset_spec().value();
  EXPECT_EQ(spec.columns.size(), 100u);
  EXPECT_EQ(spec.day_counts.size(), 6u);
  EXPECT_TRUE(spec.find("AF_CRG")->drop);
  EXPECT_FALSE(spec.find("AF_KIFRS_ADJ_SUM")->drop);
  EXPECT_TRUE(spec.find("spclty_itm_mk_cd")->type == SpecType::kText);
  EXPECT_EQ(std::count_if(spec.columns.begin(), spec.columns.end(), [](const auto& c) { return c.nullable; }),
            74);
}

TEST(DatasetSpec, ConstraintsAndMarginals) {
  const auto parse = [](const std::string& constraints, const std::string& marginal = "marginal = \"beta\"") {
    return parse_dataset_spec(
        "name = \"s\"\ncolumns = [\n  { name = \"y\", type = \"text\" },\n  { name = \"a\", type = "
        "\"number\", " +
            marginal +
            " },\n  { name = \"b\", type = \"number\" },\n  { name = \"t\", type = \"number\" },\n  { name = "
            "\"u\", type = \"number\" },\n]\n[target]\ncolumn = \"y\"\nnegative = "
            "\"N\"\npositive = \"Y\"\n" +
            constraints,
        "s.toml");
  };
  const auto spec = parse(
      "[[constraints]]\nkind = \"order\"\ncolumns = [\"a\", \"b\"]\n[[constraints]]\nkind = \"sum\"\ncolumns "
      "= [\"t\", \"a\", \"b\"]\n"
      "[[constraints]]\nkind = \"only_when\"\ncolumns = [\"u\", \"y\"]\nequals = \"Y\"\n");
  ASSERT_TRUE(spec) << spec.error().message;
  ASSERT_EQ(spec->constraints.size(), 3u);
  EXPECT_EQ(spec->constraints[2].equals, "Y");
  EXPECT_EQ(spec->find("a")->marginal, "beta");
  const auto message = [&](const std::string& constraints) {
    return parse("[[constraints]]\n" + constraints).error().message;
  };
  EXPECT_NE(message("kind = \"less\"\ncolumns = [\"a\", \"b\"]").find("s.toml:13"), std::string::npos);
  EXPECT_NE(message("kind = \"order\"\ncolumns = [\"a\", \"c\"]").find("'c' is no column"),
            std::string::npos);
  EXPECT_NE(message("kind = \"order\"\ncolumns = [\"a\", \"y\"]").find("number column"), std::string::npos);
  EXPECT_NE(message("kind = \"sum\"\ncolumns = [\"a\", \"b\"]").find("s.toml:13"), std::string::npos);
  EXPECT_FALSE(parse("", "marginal = 1"));
  EXPECT_EQ(spec->constraints[0].place, "s.toml:13");
  const auto fixed = parse("[[constraints]]\nkind = \"sum\"\ncolumns = [100, \"a\", \"b\"]\n");
  ASSERT_TRUE(fixed) << fixed.error().message;
  EXPECT_EQ(fixed->constraints[0].total, 100);
  EXPECT_EQ(fixed->constraints[0].columns, (std::vector<std::string>{"a", "b"}));
  EXPECT_NE(message("kind = \"sum\"\ncolumns = [\"a\", 100, \"b\"]").find("names of columns"),
            std::string::npos);
  EXPECT_NE(message("kind = \"order\"\ncolumns = [1, \"b\"]").find("names of columns"), std::string::npos);
  EXPECT_NE(message("kind = \"order\"\ncolumns = [\"a\", \"b\"]\nequals = \"Y\"").find("only_when"),
            std::string::npos);
  EXPECT_NE(message("kind = \"order\"\ncolumns = [\"a\", \"b\"]\n[[constraints]]\nkind = \"order\"\ncolumns "
                    "= [\"b\", \"a\"]")
                .find("s.toml:16: the constraints of kind order go round in a circle"),
            std::string::npos);
}

TEST(DatasetSpec, NamesThatPreparedRowsCannotHaveAreRefused) {
  const auto refusal = [](const std::string& columns, const std::string& rest = "") -> std::string {
    const auto spec = parse_dataset_spec("name = \"d\"\ncolumns = [ " + columns + " ]\n" + rest, "d.toml");
    return spec ? "" : spec.error().message;
  };
  EXPECT_NE(refusal("{ name = \"split\", type = \"text\" }").find("column 'split' would be called 'split'"),
            std::string::npos);
  EXPECT_EQ(refusal("{ name = \"split\", type = \"text\", drop = true }"), "");
  EXPECT_EQ(refusal("{ name = \"row\", type = \"text\" }", "[roles]\nid = \"row\"\n"), "");
  EXPECT_NE(refusal("{ name = \"x\", type = \"number\", nullable = true }, { name = \"x_isnull\", type = "
                    "\"text\" }")
                .find("would be called 'x_isnull' in processed_data, as another feature is"),
            std::string::npos);
  EXPECT_NE(
      refusal("{ name = \"decision\", type = \"text\" }", "[roles]\nid = \"decision\"\n").find("scores"),
      std::string::npos);
}

TEST(DatasetSpec, TargetsThatAreNoneAreRefused) {
  const auto message = [](const std::string& type, const std::string& values) {
    const auto spec = parse_dataset_spec(small_spec_with_target(type, values), "s.toml");
    return spec ? std::string("accepted") : spec.error().message;
  };
  EXPECT_EQ(message("text", "positive = \"Y\"\n"), "accepted");
  EXPECT_NE(message("date", "positive = 1\n").find("s.toml:10: target 'bad' is a date"), std::string::npos);
  EXPECT_NE(message("number", "positive = \"bad\"\n").find("'bad' is no number"), std::string::npos);
  EXPECT_NE(message("number", "positive = 1\nnegative = 1.0\n").find("are the same"), std::string::npos);
  EXPECT_NE(message("text", "positive = true\nnegative = \"TRUE\"\n").find("are the same"),
            std::string::npos);
  EXPECT_NE(message("text", "positive = \"\"\n").find("'positive' of [target] cannot be empty"),
            std::string::npos);
  EXPECT_NE(message("text", "positive = nan\n").find("must be a text, a number, true or false"),
            std::string::npos);
  EXPECT_NE(message("text", "negative = \"N\"\n").find("needs the key 'positive'"), std::string::npos);
  EXPECT_EQ(parse_dataset_spec(small_spec_with_target("text", "positive = \"007\"\n"), "s.toml")->positive,
            "007");
}

TEST(DatasetSpec, RolesAreTextAndCheckedByLineAndKey) {
  const auto with = [](const std::string& roles) { return parse_dataset_spec(kSmall + roles, "s.toml"); };
  const auto spec = with("[roles]\nid = \"id\"\ngroup = \"amount\"\n");
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->roles.id, std::vector<std::string>{"id"});
  const SpecColumn& group = *spec->find("amount");
  EXPECT_TRUE(group.type == SpecType::kText && group.role && group.identifier && group.missing_words);
  std::vector<Table> chunks;
  ASSERT_TRUE(read_csv("id,code,amount,bad\n01,a,7.50,N\n02,a,NA,N\n", "f.csv", *spec, {},
                       [&](Table&& chunk, const std::vector<uint64_t>&) -> Status {
                         chunks.push_back(std::move(chunk));
                         return {};
                       }));
  EXPECT_EQ(chunks.at(0).find("amount")->text(0), "7.50");
  EXPECT_TRUE(chunks.at(0).find("amount")->is_missing(1));
  const auto message = [&](const std::string& roles) {
    const auto refused = with("[roles]\n" + roles);
    return refused ? std::string("accepted") : refused.error().message;
  };
  EXPECT_NE(message("id = \"no\"").find("s.toml:15: 'id' of [roles] names 'no', which is no column"),
            std::string::npos);
  EXPECT_NE(message("id = [\"id\", 3]").find("must hold names"), std::string::npos);
  EXPECT_NE(message("id = [\"id\", \"id\"]").find("twice"), std::string::npos);
  EXPECT_NE(message("id = []").find("names no column"), std::string::npos);
  EXPECT_NE(message("id = 3").find("'id' of [roles] must be a text"), std::string::npos);
  EXPECT_NE(message("group = \"bad\"").find("which is the target"), std::string::npos);
  EXPECT_NE(message("time = \"code\"").find("no date column"), std::string::npos);
  EXPECT_NE(message("owner = \"code\"").find("no key 'owner'"), std::string::npos);
}

TEST(DatasetSpec, ReasonsNameColumnsAndDayCountsInTwoLanguages) {
  const auto parsed = [](const std::string& reasons) {
    return parse_dataset_spec(
        "name = \"d\"\ncolumns = [ { name = \"a\", type = \"date\" }, { name = \"b\", type = \"number\" } ]\n"
        "[[day_counts]]\nname = \"age\"\nfrom = \"2024-01-01\"\nto = \"a\"\n[reasons]\n" +
            reasons,
        "d.toml");
  };
  const auto spec = parsed("b = { en = \"heat\", ko = \"온도\" }\nage = \"days\"\na = { ko = \"날짜\" }\n");
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(words_of(spec->reasons, "b", "en"), "heat");
  EXPECT_EQ(words_of(spec->reasons, "b", "ko"), "온도");
  EXPECT_EQ(words_of(spec->reasons, "age", "ko"), "days");
  EXPECT_EQ(words_of(spec->reasons, "a", "en"), "날짜");  // better than a name
  EXPECT_EQ(words_of(spec->reasons, "other", "en"), "other");
  EXPECT_EQ(parsed("c = \"x\"\n").error().message,
            "d.toml:8: [reasons] names 'c', which is no column and no day count");
  EXPECT_EQ(parsed("b = 3\n").error().message,
            "d.toml:8: 'b' of [reasons] must be a text, or { en = \"...\", ko = \"...\" }");
  EXPECT_FALSE(parsed("b = { fr = \"x\" }\n"));
  EXPECT_FALSE(builtin_dataset_spec()->reasons.empty());
}

TEST(DatasetSpec, ATargetIsNeededOnlyToPrepareRows) {
  std::string text = kSmall;
  EXPECT_TRUE(require_target(parse_dataset_spec(text, "s.toml").value()));
  const auto spec = parse_dataset_spec(text.substr(0, text.find("[target]")), "s.toml");
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(spec->target, "");
  const auto needed = require_target(*spec);
  ASSERT_FALSE(needed);
  EXPECT_NE(needed.error().message.find("s.toml: there is no [target]"), std::string::npos);
  EXPECT_FALSE(parse_dataset_spec("target = \"bad\"\n" + text.substr(0, text.find("[target]")), "s.toml"));
}

TEST(DatasetSpec, ErrorsNameFileLineAndKey) {
  const auto message = [](std::string from, std::string to) {
    std::string text = kSmall;
    text.replace(text.find(from), from.size(), to);
    const auto spec = parse_dataset_spec(text, "s.toml");
    return spec ? std::string("accepted") : spec.error().message;
  };
  EXPECT_NE(message("type = \"number\" }", "type = \"nummer\" }").find("s.toml:6"), std::string::npos);
  EXPECT_NE(message("nullable", "nulable").find("no key 'nulable'"), std::string::npos);
  EXPECT_NE(message("column = \"bad\"", "column = \"worse\"").find("'worse'"), std::string::npos);
  EXPECT_NE(message("\"extra\"", "\"amount\"").find("twice"), std::string::npos);
  EXPECT_NE(message("name = \"small\"", "name = ").find("s.toml:2"), std::string::npos);
  EXPECT_NE(message("nullable = true", "nullable = 1").find("true or false"), std::string::npos);
  EXPECT_NE(
      message("type = \"number\" }", "type = \"number\", monotone = \"rising\" }").find("\"up\" or \"down\""),
      std::string::npos);
  EXPECT_EQ(message("nullable = true", "segment = true"), "accepted");
  for (const char* wrong : {"segment = true, drop = true", "segment = \"yes\""})
    EXPECT_NE(message("nullable = true", wrong), "accepted") << wrong;
  EXPECT_NE(message("type = \"number\" }", "type = \"number\", segment = true }")
                .find("segment needs a text column that is a feature"),
            std::string::npos);
  EXPECT_NE(message("nullable = true", "monotone = \"up\"").find("needs type = \"number\""),
            std::string::npos);
}

}  // namespace
}  // namespace maeil::table
