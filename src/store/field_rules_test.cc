// Tables of fields against documents that keep them and documents that do not.
#include "store/field_rules.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace maeil::store {
namespace {

using Missing = FieldRule::Missing;

Status check(const char* json, FieldRule rule) { return check_fields("c", Document::parse(json), {rule}); }

TEST(FieldRules, EachKindTakesItsOwnOnly) {
  struct Case {
    FieldKind kind;
    const char* good;
    const char* wrong;
  };
  const Case cases[] = {{FieldKind::kText, R"("a")", "1"},
                        {FieldKind::kId, R"({"$oid": "65f1a00000000000000000aa"})", R"({"$oid": "65"})"},
                        {FieldKind::kId, R"("65f1a00000000000000000aa")", R"("65f1a00000000000000000aZ")"},
                        {FieldKind::kCount, "0", "-1"},
                        {FieldKind::kCount, "18446744073709551615", "0.5"},
                        {FieldKind::kNumber, "-0.5", R"("1")"},
                        {FieldKind::kFlag, "false", "0"},
                        {FieldKind::kObject, "{}", R"({"$date": "2026-11-23T00:15:00.000Z"})"},
                        {FieldKind::kList, "[]", "{}"},
                        {FieldKind::kSha256, R"("")", R"("abc")"},
                        {FieldKind::kFileName, R"("model..pth")", R"("a/b")"},
                        {FieldKind::kFileName, R"("한글.csv")", R"("..")"}};
  for (const auto& one : cases) {
    EXPECT_TRUE(check(fmt::format(R"({{"x": {}}})", one.good).c_str(), {"x", one.kind})) << one.good;
    EXPECT_FALSE(check(fmt::format(R"({{"x": {}}})", one.wrong).c_str(), {"x", one.kind})) << one.wrong;
    EXPECT_FALSE(check(R"({"x": null})", {"x", one.kind})) << one.good;
    EXPECT_TRUE(check(R"({"x": null})", {"x", one.kind, Missing::kNullToo})) << one.good;
    EXPECT_TRUE(check("{}", {"x", one.kind}));
    EXPECT_FALSE(check("{}", {"x", one.kind, Missing::kRefused}));
    EXPECT_FALSE(check(R"({"x": null})", {"x", one.kind, Missing::kRefused}));
  }
}

TEST(FieldRules, PathsAndLists) {
  EXPECT_TRUE(check(R"({"a": {"b": 1}})", {"a.b", FieldKind::kCount}));
  EXPECT_FALSE(check(R"({"a": {"b": "1"}})", {"a.b", FieldKind::kCount}));
  EXPECT_FALSE(check(R"({"a": 1})", {"a.b", FieldKind::kCount}));
  EXPECT_TRUE(check(R"({"a": [1, 2]})", {"a[]", FieldKind::kCount}));
  EXPECT_FALSE(check(R"({"a": [1, -2]})", {"a[]", FieldKind::kCount}));
  EXPECT_FALSE(check(R"({"a": 1})", {"a[]", FieldKind::kCount}));
  EXPECT_TRUE(check(R"({"a": [{"b": "x"}, {}]})", {"a[].b", FieldKind::kText}));
  EXPECT_FALSE(check(R"({"a": [{"b": "x"}, {"b": 1}]})", {"a[].b", FieldKind::kText}));
  EXPECT_FALSE(check(R"({"a": [1]})", {"a[].b", FieldKind::kText}));
}

TEST(FieldRules, TheSentenceNamesTheDocumentAndTheField) {
  const auto wrong =
      check(R"({"_id": {"$oid": "65f1a00000000000000000aa"}, "x": 7})", {"x", FieldKind::kText});
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::kBadInput);
  EXPECT_EQ(wrong.error().message,
            "c, document 65f1a00000000000000000aa: x is 7, not text: mend the document");
  EXPECT_NE(
      check(R"({"_id": "own", "x": 7})", {"x", FieldKind::kText}).error().message.find("document \"own\""),
      std::string::npos);
  EXPECT_FALSE(check("[1]", {"x", FieldKind::kText, Missing::kRefused}));
}

}  // namespace
}  // namespace maeil::store
