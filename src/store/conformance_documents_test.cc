// What every store must do with documents: batches of them, and finds.
#include <cmath>

#include "store/conformance.h"

namespace maeil::store {
namespace {

TEST_P(Conformance, AnEmptyStore) {
  EXPECT_TRUE(must(store_->collections()).empty());
  EXPECT_TRUE(find("nothing").empty());
  EXPECT_TRUE(must(store_->find_one("nothing", {})).is_null());
  EXPECT_TRUE(must(store_->row_partitions("nothing")).empty());
  EXPECT_TRUE(store_->check());
  EXPECT_FALSE(store_->description().empty());
}

TEST_P(Conformance, DocumentsComeBackAsTheyWere) {
  const Document original =
      doc(1, R"({"z": 1, "a": -9223372036854775808, "d": 0.1, "whole": 1.0, "t": "한글 \u0000 \" 𝄞",
      "null": null,
      "list": [1, [2, {"x": []}]], "o": {}, "date": {"$date": "2026-11-23T00:15:00.000Z"}, "a.b": "dot",
      "": "empty", "b": true})");
  must(store_->commit(put("한글.collection", {original})));
  store_ = nullptr;
  store_ = open();
  EXPECT_EQ(find("한글.collection").at(0).dump(), original.dump());
  EXPECT_EQ(must(store_->collections()), std::vector<std::string>{"한글.collection"});
  EXPECT_TRUE(find("other").empty());
}

TEST_P(Conformance, NotANumberBecomesNull) {
  Document document = doc(1);
  document["x"] = std::numeric_limits<double>::quiet_NaN();
  document["y"] = std::numeric_limits<double>::infinity();
  must(store_->commit(put("c", {document})));
  EXPECT_TRUE(find("c")[0]["x"].is_null());
  EXPECT_TRUE(find("c")[0]["y"].is_null());
}

TEST_P(Conformance, NamesAndShapesOfEveryKind) {
  const Document original = doc(
      1,
      R"({"a.b": {"c.d": [[1, [2]], {"e.f": []}]}, "％2E": "％25", "％[]": [1], "x％[]": {"％[]": [[]]}, "한 글": 1,
       "": {"": null},
      "price$": "$5", "a b\tc": true})");
  must(store_->commit(put("c", {original})));
  EXPECT_EQ(find("c").at(0).dump(), original.dump());
  Batch batch;
  batch.sets.push_back({"c", id_of(1), Document::parse(R"({"new": {"g.h": [[3]]}, ".x": 1})")});
  must(store_->commit(batch));
  Document wanted = original;
  wanted[""] = Document::parse(R"({"": null, "x": 1})");
  wanted["new"] = Document::parse(R"({"g.h": [[3]]})");
  EXPECT_EQ(find("c").at(0), wanted);
}

TEST_P(Conformance, WhatWasNoNumberIsCounted) {
  EXPECT_EQ(store_->nulled(), 0u);
  Document document = doc(1);
  document["x"] = {1.0, std::numeric_limits<double>::quiet_NaN(),
                   Document({{"y", -std::numeric_limits<double>::infinity()}})};
  must(store_->commit(put("c", {document})));
  EXPECT_EQ(store_->nulled(), 2u);
}

TEST_P(Conformance, ADocumentAsLargeAsTheyComeAndOneLarger) {
  Document document = doc(1);
  document["x"] = std::string(kMaxDocumentBytes - 200, 'x');
  must(store_->commit(put("c", {document})));
  EXPECT_EQ(find("c")[0], document);
  document["x"] = std::string(kMaxDocumentBytes, 'x');
  EXPECT_EQ(store_->commit(put("c", {document})).error().code, ErrorCode::kBadInput);
  Batch batch;
  batch.sets.push_back({"c", id_of(1), {{"y", std::string(kMaxDocumentBytes, 'y')}}});
  EXPECT_EQ(store_->commit(batch).error().code, ErrorCode::kBadInput);
}

TEST_P(Conformance, TheLastOfTwoPutsCounts) {
  Batch batch = put("c", {doc(1, R"({"n": 1})"), doc(2, R"({"n": 2})"), doc(1, R"({"n": 3})")});
  batch.sets.push_back({"c", id_of(1), {{"m", 4}}});
  must(store_->commit(batch));
  EXPECT_EQ(list("c", {}), "3 2");
  EXPECT_EQ(list("c", {}, "m"), "4 null");
}

TEST_P(Conformance, RefusedDocumentsLeaveNothingBehind) {
  Document not_utf8 = doc(2);
  not_utf8["x"] = "\xff\xfe";
  Document large = doc(2);
  large["x"] = std::string(kMaxDocumentBytes, 'x');
  for (const Document& bad : {Document::object(), Document({{"_id", 5}}), Document({{"_id", id_value("zz")}}),
                              not_utf8, large, doc(2, R"({"$inc": 1})")}) {
    const Status done = store_->commit(put("c", {doc(1), bad}));
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::kBadInput) << done.error().message;
    EXPECT_TRUE(find("c").empty());
  }
}

TEST_P(Conformance, PutReplacesAndKeepsItsPlace) {
  must(store_->commit(put("c", {doc(1, R"({"n": 1, "old": true})"), doc(2, R"({"n": 2})")})));
  must(store_->commit(put("c", {doc(1, R"({"n": 10})")})));
  EXPECT_EQ(list("c", {}), "10 2");
  EXPECT_FALSE(find("c")[0].contains("old"));
}

TEST_P(Conformance, SetChangesFieldsByPath) {
  must(store_->commit(
      put("c", {doc(1, R"({"n": 1, "o": {"x": 1, "y": 2}, "l": [1, {"z": 2}], "nothing": null})")})));
  Batch batch;
  batch.sets.push_back(
      {"c", id_of(1),
       Document::parse(R"({"n": 5, "o.x": 7, "l.1.z": 8, "nothing.new.deep": 9, "fresh": [1]})")});
  must(store_->commit(batch));
  EXPECT_EQ(
      find("c")[0].dump(),
      doc(1,
          R"({"n": 5, "o": {"x": 7, "y": 2}, "l": [1, {"z": 8}], "nothing": {"new": {"deep": 9}}, "fresh": )"
          R"([1]})")
          .dump());
  for (const char* fields : {R"({"n.x": 1})", R"({"l.7": 1})", R"({"_id": 1})", R"({"n": {"$gt": 1}})"}) {
    Batch wrong;
    wrong.sets.push_back({"c", id_of(1), Document::parse(fields)});
    const Status done = store_->commit(wrong);
    ASSERT_FALSE(done) << fields;
    EXPECT_EQ(done.error().code, ErrorCode::kBadInput);
  }
  Batch absent;
  absent.sets.push_back({"c", id_of(2), {{"n", 1}}});
  EXPECT_EQ(store_->commit(absent).error().code, ErrorCode::kNotFound);
}

TEST_P(Conformance, ABatchIsAllOrNothing) {
  must(store_->commit(put("c", {doc(1, R"({"n": 1, "task_key": "t"})")})));
  Batch batch = put("c", {doc(2, R"({"n": 2})"), doc(3, R"({"n": 3})")});
  batch.sets.push_back({"c", id_of(99), {{"n", 1}}});  // does not exist: fails after the puts
  EXPECT_FALSE(store_->commit(batch));
  EXPECT_EQ(list("c", {}), "1");
  batch.sets.clear();
  batch.publishes.push_back({"rows", "p", "no such generation"});
  EXPECT_EQ(store_->commit(batch).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(list("c", {}), "1");
}

TEST_P(Conformance, ABatchThatExpectsOtherwiseIsRefusedWhole) {
  const std::string id = new_object_id(now()), other = new_object_id(now());
  Batch first;
  first.puts.push_back({"c", {{"_id", id_value(id)}, {"try", "a"}, {"n", 1}}});
  ASSERT_TRUE(store_->commit(first));
  const auto attempt = [&](const std::string& of, const Document& expected) {
    Batch batch;
    batch.expects.push_back({"c", of, expected});
    batch.sets.push_back({"c", id, {{"n", 2}}});
    batch.puts.push_back({"d", {{"_id", id_value(other)}}});
    return store_->commit(batch);
  };
  for (const auto& [of, wrong] : {std::pair<std::string, Document>{id, {{"try", "b"}}},
                                  {id, {{"try", "a"}, {"more", 1}}},
                                  {other, {{"try", "a"}}}}) {
    const Status refused = attempt(of, wrong);
    ASSERT_FALSE(refused) << wrong;
    EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
    EXPECT_EQ(store_->find_one("c", {}).value()["n"], 1);
    EXPECT_TRUE(store_->find("d", {}).value().empty());
  }
  ASSERT_TRUE(attempt(id, {{"try", "a"}, {"n", 1}}));
  EXPECT_EQ(store_->find_one("c", {}).value()["n"], 2);
}

TEST_P(Conformance, ABatchMayExpectThatADocumentIsNotThere) {
  const auto take = [&](const char* by) {
    Batch batch = put("names", {doc(1, fmt::format(R"({{"by": "{}"}})", by))});
    batch.expects.push_back({"names", id_of(1), nullptr});
    batch.puts.push_back({"log", doc(2)});
    return store_->commit(batch);
  };
  must(take("a"));
  const Status refused = take("b");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kConflict);
  EXPECT_NE(refused.error().message.find("is there already"), std::string::npos) << refused.error().message;
  EXPECT_EQ(list("names", {}, "by"), "\"a\"");
  Batch erase;
  erase.erases = {{"names", id_of(1)}, {"log", id_of(2)}};
  must(store_->commit(erase));
  must(take("c"));
  EXPECT_EQ(list("names", {}, "by"), "\"c\"");
}

TEST_P(Conformance, ANullIsExpectedOfAFieldThatIsNotThere) {
  must(store_->commit(put("c", {doc(1, R"({"n": 1, "null": null})")})));
  const auto attempt = [&](const Document& expected) {
    Batch batch;
    batch.expects.push_back({"c", id_of(1), expected});
    batch.sets.push_back({"c", id_of(1), {{"n", 1}}});
    return store_->commit(batch);
  };
  must(attempt({{"none", nullptr}, {"null", nullptr}, {"n", 1}}));
  EXPECT_FALSE(attempt({{"n", nullptr}}));
  EXPECT_FALSE(attempt({{"null", 1}}));
}

TEST_P(Conformance, FindSortsSkipsLimitsAndProjects) {
  std::vector<Document> documents;
  for (int i = 0; i < 3000; ++i)
    documents.push_back(doc(i, fmt::format(R"({{"n": {}, "m": {}, "x": "y"}})", i, i * 7919 % 3000 / 10)));
  must(store_->commit(put("c", documents)));
  FindOptions options;
  options.limit = 3;
  EXPECT_EQ(list("c", options), "0 1 2");
  options.skip = 2999;
  EXPECT_EQ(list("c", options), "2999");
  options.skip = 0;
  options.sort = {{"m", -1}, {"n", 1}};
  const auto top = find("c", options);
  ASSERT_EQ(top.size(), 3u);
  for (const auto& document : top) EXPECT_EQ(document["m"], 299);
  EXPECT_LT(top[0]["n"], top[1]["n"]);
  options.skip = 1;
  EXPECT_EQ(find("c", options)[0], top[1]);
  options = {};
  options.sort = {{"m", 1}};  // ties in order of insertion
  const auto all = find("c", options);
  ASSERT_EQ(all.size(), 3000u);
  for (size_t i = 1; i < all.size(); ++i) {
    ASSERT_TRUE(all[i - 1]["m"] < all[i]["m"] ||
                (all[i - 1]["m"] == all[i]["m"] && all[i - 1]["n"] < all[i]["n"]));
  }
  options = {};
  options.filter = {{"n", 5}};
  options.projection = {"x"};
  EXPECT_EQ(find("c", options)[0].dump(), Document({{"_id", id_value(id_of(5))}, {"x", "y"}}).dump());
  options.filter = {{"_id", id_value(id_of(7))}};
  EXPECT_EQ(find("c", options).size(), 1u);
  options.filter = Document::parse(R"({"n": {"$regex": "x"}})");
  EXPECT_EQ(store_->find("c", options).error().code, ErrorCode::kUsage);
  options = {};
  options.limit = -1;
  EXPECT_EQ(store_->find("c", options).error().code, ErrorCode::kUsage);
}

TEST_P(Conformance, AVisitorMayStopAndMayUseTheStore) {
  must(store_->commit(put("c", {doc(1, R"({"n": 1})"), doc(2, R"({"n": 2})"), doc(3, R"({"n": 3})")})));
  int seen = 0;
  must(store_->find_each("c", {}, [&](Document&& document) {
    EXPECT_TRUE(store_->commit(put("c", {doc(10 + seen, R"({"n": 0})")})));  // not seen by this find
    EXPECT_EQ(must(store_->find_one("c", {})), doc(1, R"({"n": 1})"));
    ++seen;
    return document["n"] != 2;
  }));
  EXPECT_EQ(seen, 2);
  EXPECT_EQ(find("c").size(), 5u);
}

TEST_P(Conformance, ErasesComeLast) {
  Batch batch = put("c", {doc(1), doc(2)});
  batch.erases = {{"c", id_of(1)}, {"c", id_of(77)}};
  must(store_->commit(batch));
  EXPECT_EQ(find("c").size(), 1u);
}

}  // namespace
}  // namespace maeil::store
