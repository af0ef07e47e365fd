#include "store/document.h"

#include <gtest/gtest.h>

#include <set>

namespace maeil::store {
namespace {

TEST(Document, Dates) {
  const Instant instant = parse_instant("2026-11-23T00:15:00.123Z").value();
  EXPECT_EQ(date_value(instant).dump(), R"({"$date":"2026-11-23T00:15:00.123Z"})");
  EXPECT_EQ(instant_of(date_value(instant)).value(), instant);
  EXPECT_EQ(instant_of(Document::parse(R"({"$date": "2024-03-13T01:02:03Z"})")).value(),
            parse_instant("2024-03-13T01:02:03Z").value());
  EXPECT_EQ(instant_of(Document::parse(R"({"$date": 1000})")).value().time_since_epoch().count(), 1000);
  EXPECT_EQ(
      instant_of(Document::parse(R"({"$date": {"$numberLong": "-5"}})")).value().time_since_epoch().count(),
      -5);
  for (const char* text : {"null", "1", R"("2026-11-23")", "{}", R"({"$date": "noon"})",
                           R"({"$date": 1, "x": 2})", R"({"$date": {"$numberLong": "x"}})"}) {
    EXPECT_FALSE(instant_of(Document::parse(text))) << text;
  }
}

TEST(Document, Ids) {
  EXPECT_EQ(id_text(id_value("65f1a0000000000000000001")), "65f1a0000000000000000001");
  EXPECT_EQ(id_text(id_value("65F1A0000000000000000ABC")), "65f1a0000000000000000abc");
  for (const char* text :
       {"null", "{}", R"({"$oid": 1})", R"({"$oid": "65f1"})", R"({"$oid": "65f1a000000000000000000g"})"}) {
    EXPECT_EQ(id_text(Document::parse(text)), "") << text;
  }
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) ids.insert(new_object_id(now()));
  EXPECT_EQ(ids.size(), 1000u);
  EXPECT_TRUE(is_id(*ids.begin()));
}

TEST(Document, TaskIdsAreTheSameOnARerunAndDifferOtherwise) {
  const std::string key = make_task_key(parse_date("2026-11-23").value(), "dag", "retrain_1.task");
  EXPECT_EQ(key, "2026-11-23/dag/retrain_1.task");
  const std::string id = task_object_id(key, "alerts", 0);
  EXPECT_TRUE(is_id(id));
  EXPECT_EQ(id, task_object_id(key, "alerts", 0));
  EXPECT_EQ(id.substr(0, 8), new_object_id(parse_date("2026-11-23").value()).substr(0, 8));
  EXPECT_NE(id, task_object_id(key, "alerts", 1));
  EXPECT_NE(id, task_object_id(key, "events", 0));
  EXPECT_NE(id, task_object_id(key + "x", "alerts", 0));
}

TEST(Document, WhatAStoreRefuses) {
  EXPECT_TRUE(
      check_document(Document::parse(R"({"a.b": 1, "": 2, "한글": {"$oid": "65f1a0000000000000000001"}})")));
  for (const char* text : {"[]", "1", R"({"$set": 1})", R"({"a": {"$x": 1}})",
                           R"({"a": [{"$date": "noon"}]})", R"({"a\u0000b": 1})"}) {
    ASSERT_FALSE(check_document(Document::parse(text))) << text;
    EXPECT_EQ(check_document(Document::parse(text)).error().code, ErrorCode::kBadInput);
  }
  Document deep = 1;
  for (int i = 0; i < kMaxDepth; ++i) deep = Document::object({{"a", std::move(deep)}});
  EXPECT_TRUE(check_document(deep));
  EXPECT_FALSE(check_document(Document::object({{"a", deep}})));
}

}  // namespace
}  // namespace maeil::store
