// Filters, paths, order and projection against MongoDB's rules, as its manual states them.
#include "store/filter.h"

#include <gtest/gtest.h>

#include "store/order.h"

namespace maeil::store {
namespace {

Document json(std::string_view text) { return Document::parse(text); }

bool matches(std::string_view filter, std::string_view document) {
  const auto parsed = Filter::parse(json(filter));
  if (!parsed) {
    ADD_FAILURE() << filter << ": " << parsed.error().message;
    return false;
  }
  return parsed->matches(json(document));
}

TEST(Filter, FieldsAndPaths) {
  EXPECT_TRUE(matches("{}", R"({"a": 1})"));
  EXPECT_TRUE(matches(R"({"a": 1})", R"({"a": 1.0})"));
  EXPECT_FALSE(matches(R"({"a": 1})", R"({"a": "1"})"));
  EXPECT_FALSE(matches(R"({"a": 1})", R"({"a": true})"));
  EXPECT_TRUE(matches(R"({"a.b": 1})", R"({"a": {"b": 1}})"));
  EXPECT_TRUE(matches(R"({"retraining_info.was_retrained": true})",
                      R"({"retraining_info": {"was_retrained": true}})"));
  EXPECT_TRUE(matches(R"({"a.b": 2})", R"({"a": [{"b": 1}, {"b": 2}]})"));
  EXPECT_TRUE(matches(R"({"a.1.b": 2})", R"({"a": [{"b": 1}, {"b": 2}]})"));
  EXPECT_FALSE(matches(R"({"a.0.b": 2})", R"({"a": [{"b": 1}, {"b": 2}]})"));
  EXPECT_TRUE(matches(R"({"a": 2})", R"({"a": [1, 2, 3]})"));
  EXPECT_TRUE(matches(R"({"a": [1, 2]})", R"({"a": [1, 2]})"));
  EXPECT_FALSE(matches(R"({"a": [2, 1]})", R"({"a": [1, 2]})"));
  EXPECT_TRUE(matches(R"({"a": {"b": 1, "c": 2}})", R"({"a": {"b": 1, "c": 2}})"));
  EXPECT_FALSE(matches(R"({"a": {"c": 2, "b": 1}})", R"({"a": {"b": 1, "c": 2}})"));
  EXPECT_FALSE(matches(R"({"a.b": 1})", R"({"a.b": 1})"));  // a dot is a path
}

TEST(Filter, NullAndExistence) {
  EXPECT_TRUE(matches(R"({"a": null})", "{}"));
  EXPECT_TRUE(matches(R"({"a": null})", R"({"a": null})"));
  EXPECT_FALSE(matches(R"({"a": null})", R"({"a": 0})"));
  EXPECT_TRUE(matches(R"({"a.b": null})", R"({"a": 5})"));
  EXPECT_TRUE(matches(R"({"a": {"$exists": true}})", R"({"a": null})"));
  EXPECT_FALSE(matches(R"({"a": {"$exists": true}})", "{}"));
  EXPECT_TRUE(matches(R"({"a.b": {"$exists": false}})", R"({"a": {}})"));
  EXPECT_TRUE(matches(R"({"a": {"$exists": 0}})", "{}"));
  EXPECT_TRUE(matches(R"({"a": {"$ne": 1}})", "{}"));
  EXPECT_TRUE(matches(R"({"a": {"$nin": [1]}})", "{}"));
  EXPECT_FALSE(matches(R"({"a": {"$nin": [null]}})", "{}"));
  EXPECT_TRUE(matches(R"({"a": {"$in": [null, 3]}})", "{}"));
}

TEST(Filter, Comparisons) {
  EXPECT_TRUE(matches(R"({"a": {"$gt": 1, "$lte": 2.5}})", R"({"a": 2})"));
  EXPECT_FALSE(matches(R"({"a": {"$gt": 1, "$lte": 2.5}})", R"({"a": 2.6})"));
  EXPECT_TRUE(matches(R"({"a": {"$gte": 9007199254740993}})", R"({"a": 9007199254740993})"));
  // exact, not as doubles
  EXPECT_FALSE(matches(R"({"a": {"$gte": 9007199254740993}})", R"({"a": 9007199254740992.0})"));
  EXPECT_FALSE(matches(R"({"a": {"$gt": 1}})", R"({"a": "2"})"));
  EXPECT_FALSE(matches(R"({"a": {"$lt": 1}})", R"({"a": null})"));
  EXPECT_TRUE(matches(R"({"a": {"$gte": null}})", "{}"));
  EXPECT_TRUE(matches(R"({"a": {"$lt": "b"}})", R"({"a": "a"})"));
  EXPECT_TRUE(matches(R"({"a": {"$gt": 2}})", R"({"a": [1, 3]})"));
  EXPECT_TRUE(matches(R"({"t": {"$gte": {"$date": "2026-11-23T09:00:00+09:00"}}})",
                      R"({"t": {"$date": "2026-11-23T00:00:00.000Z"}})"));
  EXPECT_FALSE(matches(R"({"t": {"$gt": {"$date": "2026-11-23T00:00:00Z"}}})",
                       R"({"t": {"$date": "2026-11-23T00:00:00.000Z"}})"));
  EXPECT_FALSE(
      matches(R"({"t": {"$gt": {"$date": "2026-11-23T00:00:00Z"}}})", R"({"t": "2027-01-01T00:00:00Z"})"));
  EXPECT_TRUE(matches(R"({"_id": {"$oid": "65F1A0000000000000000ABC"}})",
                      R"({"_id": {"$oid": "65f1a0000000000000000abc"}})"));
}

TEST(Filter, Logic) {
  EXPECT_TRUE(matches(R"({"$or": [{"a": 1}, {"b": 1}]})", R"({"b": 1})"));
  EXPECT_FALSE(matches(R"({"$and": [{"a": 1}, {"b": 1}]})", R"({"b": 1})"));
  EXPECT_TRUE(matches(R"({"a": {"$not": {"$gt": 3}}})", R"({"a": 3})"));
  EXPECT_TRUE(matches(R"({"a": {"$not": {"$gt": 3}}})", "{}"));
  EXPECT_FALSE(matches(R"({"a": {"$not": {"$gt": 1, "$lt": 5}}})", R"({"a": 3})"));
  EXPECT_TRUE(matches(R"({"a": {"$not": {"$gt": 1, "$lt": 5}}})", R"({"a": 7})"));
  EXPECT_TRUE(matches(R"({"s": {"$in": ["deployed", "approved"]}, "n": {"$ne": 2}})",
                      R"({"s": "deployed", "n": 1})"));
}

TEST(Filter, RefusesWhatItDoesNotKnow) {
  for (const char* filter :
       {"[]", "1", R"({"a": {"$regex": "x"}})", R"({"$nor": []})", R"({"$and": {}})", R"({"$or": []})",
        R"({"$or": [1]})", R"({"a": {"$in": 1}})", R"({"a": {"$exists": "yes"}})", R"({"a": {"$not": 3}})",
        R"({"a": {"$gt": 1, "b": 2}})", R"({"a": {"$not": {"$where": "x"}}})"}) {
    const auto parsed = Filter::parse(json(filter));
    ASSERT_FALSE(parsed) << filter;
    EXPECT_EQ(parsed.error().code, ErrorCode::kUsage) << filter;
  }
  const std::string deep = std::string(100000, '[') + std::string(100000, ']');
  EXPECT_FALSE(Filter::parse(json(R"({"a": )" + deep + "}")));
}

TEST(Filter, RequiredValues) {
  const Filter filter = Filter::parse(json(R"({"$and": [{"x": {"$gt": 1}}, {"task_key": "k"}]})")).value();
  ASSERT_TRUE(filter.required("task_key"));
  EXPECT_EQ(*filter.required("task_key"), "k");
  EXPECT_FALSE(filter.required("x"));
  EXPECT_FALSE(Filter::parse(json(R"({"$or": [{"_id": 1}, {"b": 1}]})"))->required("_id"));
}

TEST(Order, TypesThenValues) {
  const char* ascending[] = {"null",
                             "-1.5",
                             "0",
                             "0.5",
                             "1",
                             R"("")",
                             R"("a")",
                             R"("가")",
                             R"({"a": 1})",
                             R"({"a": 2})",
                             "[]",
                             "[1]",
                             R"({"$oid": "65f1a0000000000000000001"})",
                             "false",
                             "true",
                             R"({"$date": "2024-01-01T00:00:00Z"})",
                             R"({"$date": "2024-01-01T00:00:00.001Z"})"};
  for (size_t i = 0; i < std::size(ascending); ++i) {
    for (size_t j = 0; j < std::size(ascending); ++j) {
      const int c = compare_values(json(ascending[i]), json(ascending[j]));
      EXPECT_EQ((c > 0) - (c < 0), (i > j) - (i < j)) << ascending[i] << " and " << ascending[j];
    }
  }
  EXPECT_EQ(compare_values(json("18446744073709551615"), json("1.8446744073709551615e19")), -1);
}

TEST(Order, SortKeys) {
  const Sorter sorter({{"a.b", -1}, {"c", 1}});
  const auto key = [&](const char* text) { return sorter.key(json(text)); };
  EXPECT_TRUE(sorter.less(key(R"({"a": {"b": 2}})"), key(R"({"a": {"b": 1}})")));
  EXPECT_TRUE(sorter.less(key(R"({"a": {"b": 2}, "c": 1})"), key(R"({"a": {"b": 2}, "c": 2})")));
  // missing is last when descending
  EXPECT_TRUE(sorter.less(key(R"({"a": {"b": 0}})"), key("{}")));
  // an array by its largest
  EXPECT_TRUE(sorter.less(key(R"({"a": {"b": [0, 9]}})"), key(R"({"a": {"b": 8}})")));
  const Sorter up({{"c", 1}});
  EXPECT_TRUE(up.less(up.key(json(R"({"c": [0, 9]})")), up.key(json(R"({"c": 8})"))));  // by its smallest
}

TEST(Order, Projection) {
  Document document = json(R"({"_id": 1, "a": 2, "b": {"c": 3}, "d": 4})");
  project(document, {"b", "a", "zz"});
  EXPECT_EQ(document.dump(), R"({"_id":1,"a":2,"b":{"c":3}})");
}

}  // namespace
}  // namespace maeil::store
