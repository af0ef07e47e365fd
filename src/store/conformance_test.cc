// What every store must do, written against the interface alone: a new store is one more entry of kStores.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <thread>

#include "base/hash.h"
#include "store/mongo/mongo_store.h"
#include "store/sqlite/sqlite_store.h"
#include "store/store.h"
#include "store/test_must.h"
#include "store/test_servers.h"

namespace maeil::store {
namespace {

enum class Needs { kNothing, kSecantus, kFerret };

struct StoreKind {
  const char* name;
  Needs needs;
  // Opens the store that belongs to this folder; may be called again, also by other processes.
  Result<std::unique_ptr<Store>> (*open)(const std::filesystem::path& folder);
};

// Each folder has a database of its own on the test program's server.
Result<std::unique_ptr<Store>> open_server(TestServer::Kind kind, const std::filesystem::path& folder,
                                           bool transactions) {
  MongoOptions options;
  options.lease = std::chrono::seconds(30);  // no test waits for its end: whose holder died is free at once
  options.transactions = transactions;
  return open_mongo(TestServer::shared(kind).uri(), "t_" + folder.filename().string(), options);
}

// So that a test is called by its store and not by the bytes of its parameter.
void PrintTo(const StoreKind& kind, std::ostream* out) { *out << kind.name; }

const StoreKind kStores[] = {
    {"Sqlite", Needs::kNothing,
     [](const std::filesystem::path& folder) { return open_sqlite(folder / "maeil.db"); }},
};
// SecantusDB has transactions, FerretDB has none; with them switched off both servers take the other way.
const StoreKind kServers[] = {
    {"Secantus", Needs::kSecantus,
     [](const std::filesystem::path& folder) {
       return open_server(TestServer::Kind::kSecantus, folder, true);
     }},
    {"SecantusJournal", Needs::kSecantus,
     [](const std::filesystem::path& folder) {
       return open_server(TestServer::Kind::kSecantus, folder, false);
     }},
    {"Ferret", Needs::kFerret,
     [](const std::filesystem::path& folder) {
       return open_server(TestServer::Kind::kFerret, folder, true);
     }},
};

std::string id_of(int n) { return fmt::format("{:024x}", n); }

Document doc(int n, std::string_view json = "{}") {
  Document document = {{"_id", id_value(id_of(n))}};
  document.update(Document::parse(json));
  return document;
}

Batch put(std::string collection, std::vector<Document> documents) {
  Batch batch;
  for (auto& document : documents) batch.puts.push_back({collection, std::move(document)});
  return batch;
}

class Conformance : public testing::TestWithParam<StoreKind> {
 protected:
  void SetUp() override {
    if (GetParam().needs != Needs::kNothing) {
      const auto kind =
          GetParam().needs == Needs::kSecantus ? TestServer::Kind::kSecantus : TestServer::Kind::kFerret;
      if (TestServer::program(kind).empty()) {
        ASSERT_FALSE(TestServer::must_be_there())
            << "build/peers/mongo-ready is there, the server's program is not";
        GTEST_SKIP() << "no such server here: make build/peers/mongo-ready, or MAEIL_MONGO_SECANTUS, "
                        "MAEIL_MONGO_FERRET";
      }
      TestServer::shared(kind);  // before any child is made
    }
    store_ = open();
  }
  std::unique_ptr<Store> open() const { return must(GetParam().open(folder_.path())); }
  std::vector<Document> find(std::string_view collection, FindOptions options = {}) {
    return must(store_->find(collection, options));
  }
  // The values of one field of all matches.
  std::string list(std::string_view collection, const FindOptions& options, const char* field = "n") {
    std::string text;
    for (const auto& document : find(collection, options))
      text += fmt::format("{}{}", text.empty() ? "" : " ", document.value(field, Document()).dump());
    return text;
  }
  std::string write_rows(std::string_view collection, std::string_view partition,
                         const std::vector<RowChunk>& chunks,
                         const Document& constants = Document::object()) {
    auto writer = must(store_->write_rows(collection, partition, constants));
    for (const auto& chunk : chunks) must(writer->append(chunk));
    return must(writer->finish());
  }
  void publish(std::string collection, std::string partition, std::string generation) {
    Batch batch;
    batch.publishes.push_back({std::move(collection), std::move(partition), std::move(generation)});
    must(store_->commit(batch));
  }
  std::string write_blob(std::string_view bytes) {
    auto writer = must(store_->write_blob("file", {{"type", "test"}}));
    must(writer->write(bytes));
    return must(writer->finish());
  }

  TempFolder folder_;
  std::unique_ptr<Store> store_;
};

INSTANTIATE_TEST_SUITE_P(Stores, Conformance, testing::ValuesIn(kStores),
                         [](const auto& instance) { return instance.param.name; });
INSTANTIATE_TEST_SUITE_P(Servers, Conformance, testing::ValuesIn(kServers),
                         [](const auto& instance) { return instance.param.name; });

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

// Each id is taken by one of those who want it at the same moment, and everybody hears who lost it.
TEST_P(Conformance, OfMakersOfOneDocumentOneMakesIt) {
  constexpr int kThreads = 4, kRounds = 6;
  std::atomic<int> made[kRounds] = {}, lost[kRounds] = {};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kRounds; ++i) {
        Batch batch = put("names", {doc(i, fmt::format(R"({{"by": {}}})", t))});
        batch.expects.push_back({"names", id_of(i), nullptr});
        const Status done = store_->commit(batch);
        if (done)
          ++made[i];
        else if (done.error().code == ErrorCode::kConflict)
          ++lost[i];
        else
          ADD_FAILURE() << done.error().message;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (int i = 0; i < kRounds; ++i) {
    EXPECT_EQ(made[i], 1) << i;
    EXPECT_EQ(lost[i], kThreads - 1) << i;
  }
}

// Read, expect, write: of two that read the same, one is refused.
TEST_P(Conformance, WritersThatExpectWhatTheyReadLoseNothing) {
  const std::string id = new_object_id(now());
  Batch first;
  first.puts.push_back({"c", {{"_id", id_value(id)}, {"n", 0}}});
  ASSERT_TRUE(store_->commit(first));
  constexpr int kThreads = 3, kRounds = 5;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int done = 0; done < kRounds;) {
        const auto n = store_->find_one("c", {}).value()["n"].get<int>();
        Batch batch;
        batch.expects.push_back({"c", id, {{"n", n}}});
        batch.sets.push_back({"c", id, {{"n", n + 1}}});
        const Status status = store_->commit(batch);
        if (status)
          ++done;
        else
          ASSERT_EQ(status.error().code, ErrorCode::kConflict) << status.error().message;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(store_->find_one("c", {}).value()["n"], kThreads * kRounds);
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

RowChunk sample_chunk(int64_t first, int64_t rows) {
  std::vector<int64_t> i;
  std::vector<double> d;
  std::vector<std::string> s;
  for (int64_t n = first; n < first + rows; ++n) {
    i.push_back(n);
    d.push_back(n % 5 == 0 ? std::numeric_limits<double>::quiet_NaN() : 0.1 * static_cast<double>(n));
    s.push_back(fmt::format("등급{}", n % 3));
  }
  return {{"i", i}, {"d", d}, {"s", s}};
}

TEST_P(Conformance, RowsAreSeenOncePublished) {
  const std::string generation = write_rows(
      "rows", "2026-11-23/abc", {sample_chunk(0, 5000), sample_chunk(5000, 1), sample_chunk(5001, 4999)},
      {{"run_id", "r"}, {"i", "hidden by the column"}});
  EXPECT_TRUE(find("rows").empty());
  EXPECT_TRUE(must(store_->row_partitions("rows")).empty());
  EXPECT_EQ(
      store_->read_rows("rows", "2026-11-23/abc", {}, [](const RowChunk&) { return Status{}; }).error().code,
      ErrorCode::kNotFound);
  publish("rows", "2026-11-23/abc", generation);

  int64_t next = 0;
  must(store_->read_rows("rows", "2026-11-23/abc", {}, [&](const RowChunk& chunk) -> Status {
    const auto wanted = sample_chunk(next, static_cast<int64_t>(std::get<0>(chunk[0].values).size()));
    EXPECT_EQ(chunk[0].values, wanted[0].values);
    EXPECT_EQ(chunk[2].values, wanted[2].values);
    for (size_t row = 0; row < std::get<1>(wanted[1].values).size(); ++row) {
      const double a = std::get<1>(chunk[1].values)[row], b = std::get<1>(wanted[1].values)[row];
      EXPECT_TRUE(a == b || (a != a && b != b));
    }
    next += static_cast<int64_t>(std::get<0>(chunk[0].values).size());
    return {};
  }));
  EXPECT_EQ(next, 10000);

  FindOptions options;
  options.limit = 7;
  const auto documents = find("rows", options);
  ASSERT_EQ(documents.size(), 7u);
  EXPECT_FALSE(id_text(documents[6]["_id"]).empty());
  Document rest = documents[6];
  rest.erase("_id");
  EXPECT_EQ(rest.dump(), R"({"run_id":"r","i":6,"d":0.6000000000000001,"s":"등급0"})");
  EXPECT_TRUE(documents[5]["d"].is_null());
  options.filter = Document::parse(R"({"i": {"$gte": 9998}})");
  options.projection = {"s"};
  const auto last = find("rows", options);
  ASSERT_EQ(last.size(), 2u);
  EXPECT_EQ(last[0].size(), 2u);
  options.filter = {{"_id", documents[6]["_id"]}};
  EXPECT_EQ(find("rows", options).size(), 1u);
  options = {};
  options.sort = {{"i", -1}};
  options.limit = 2;
  EXPECT_EQ(list("rows", options, "i"), "9999 9998");

  std::vector<std::string> names;
  must(store_->read_rows("rows", "2026-11-23/abc", {"s", "i"},
                         [&](const RowChunk& chunk) -> Status {
                           names = {chunk[0].name, chunk[1].name};
                           return fail(ErrorCode::kCancelled, "enough");
                         })
                   .error()
                   .code == ErrorCode::kCancelled
           ? Status{}
           : Status(io_error("the visitor's error is lost")));
  EXPECT_EQ(names, (std::vector<std::string>{"s", "i"}));
  EXPECT_EQ(store_->read_rows("rows", "2026-11-23/abc", {"zz"}, [](const RowChunk&) { return Status{}; })
                .error()
                .code,
            ErrorCode::kNotFound);
  EXPECT_EQ(must(store_->collections()), std::vector<std::string>{"rows"});
  EXPECT_TRUE(store_->check());
}

// Column i of what read_rows gives for a span.
Result<std::vector<int64_t>> numbers_of(Store& store, RowSpan span, const std::vector<std::string>& columns) {
  std::vector<int64_t> out;
  MAEIL_TRY(store.read_rows(
      "rows", "p", columns,
      [&](const RowChunk& chunk) -> Status {
        const auto& i = std::get<0>(chunk.back().values);
        EXPECT_FALSE(i.empty());
        EXPECT_LE(i.size(), 4096u);
        for (const auto& column : chunk)
          EXPECT_EQ(std::visit([](const auto& v) { return v.size(); }, column.values), i.size());
        out.insert(out.end(), i.begin(), i.end());
        return {};
      },
      span));
  return out;
}

TEST_P(Conformance, EveryRangeOfRowsIsThatSliceOfTheWhole) {
  constexpr uint64_t kRows = 9000;
  std::vector<std::string> texts;
  std::vector<int64_t> numbers;
  for (uint64_t i = 0; i < kRows; ++i) {
    texts.push_back(fmt::format("{}", i));
    numbers.push_back(static_cast<int64_t>(i * i));
  }
  publish("rows", "p", write_rows("rows", "p", {{{"s", texts}, {"i", numbers}}}));
  publish("rows", "q", write_rows("rows", "q", {{{"i", std::vector<int64_t>{7}}}}));  // a neighbour
  std::vector<RowSpan> spans = {{},
                                {0, kRows},
                                {0, kRows - 1},
                                {1, UINT64_MAX},
                                {UINT64_MAX, UINT64_MAX},
                                {UINT64_MAX - 1, 1},
                                {uint64_t{1} << 32, 1},
                                {uint64_t{1} << 40, 5}};
  const bool slow = GetParam().needs != Needs::kNothing;
  for (const uint64_t first : {0, 1, 4095, 4096, 4097, 8191, 8192, 8193, 8999, 9000, 9001}) {
    for (const uint64_t count : {0, 1, 2, 4095, 4096, 4097, 9000}) {
      if (!slow || count < 2 || (first + 1 >= 4096 && first <= 4097)) spans.push_back({first, count});
    }
  }
  for (uint64_t n = 0; n < (slow ? 5 : 200); ++n) {
    spans.push_back(
        {hash64(fmt::format("first {}", n)) % (kRows + 200), hash64(fmt::format("count {}", n)) % kRows});
  }
  for (const RowSpan& span : spans) {
    const uint64_t begin = std::min(span.first, kRows), count = std::min(span.count, kRows - begin);
    const std::vector<int64_t> slice(numbers.begin() + static_cast<std::ptrdiff_t>(begin),
                                     numbers.begin() + static_cast<std::ptrdiff_t>(begin + count));
    const std::vector<std::string> columns =
        span.count % 2 ? std::vector<std::string>{"i"} : std::vector<std::string>{};
    EXPECT_TRUE(must(numbers_of(*store_, span, columns)) == slice) << span.first << " " << span.count;
  }
  const auto nothing = [](const RowChunk&) { return Status{}; };
  EXPECT_EQ(store_->read_rows("rows", "p", {"zz"}, nothing, {3, 1}).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store_->read_rows("rows", "zz", {}, nothing, {3, 1}).error().code, ErrorCode::kNotFound);
}

TEST_P(Conformance, PublishReplacesAtOnceAndKeepsIds) {
  publish("rows", "p", write_rows("rows", "p", {sample_chunk(0, 10)}));
  const auto before = find("rows");
  const std::string second = write_rows("rows", "p", {sample_chunk(100, 3)});
  EXPECT_EQ(find("rows").size(), 10u);
  publish("rows", "p", second);
  publish("rows", "p", second);  // the same batch again
  EXPECT_EQ(list("rows", {}, "i"), "100 101 102");
  EXPECT_EQ(find("rows")[0]["_id"], before[0]["_id"]);
  publish("rows", "q", write_rows("rows", "q", {sample_chunk(0, 1)}));
  EXPECT_NE(find("rows")[3]["_id"], before[0]["_id"]);
  EXPECT_EQ(must(store_->row_partitions("rows")), (std::vector<std::string>{"p", "q"}));
  must(store_->erase_rows("rows", "p"));
  must(store_->erase_rows("rows", "never there"));
  EXPECT_EQ(list("rows", {}, "i"), "0");
  EXPECT_TRUE(store_->check());
}

TEST_P(Conformance, RowsCarryTheirConstants) {
  publish("rows", "p",
          write_rows("rows", "p", {sample_chunk(0, 3)}, {{"b", 3}, {"c", {{"d", 4}}}, {"i", "hidden"}}));
  for (const auto& row : find("rows")) {
    EXPECT_EQ(row["b"], 3);
    EXPECT_EQ(row["c"]["d"], 4);
    EXPECT_TRUE(row["i"].is_number());
  }
  EXPECT_EQ(must(store_->row_constants("rows", "p")).dump(), R"({"b":3,"c":{"d":4},"i":"hidden"})");
  EXPECT_EQ(store_->row_constants("rows", "q").error().code, ErrorCode::kNotFound);
}

TEST_P(Conformance, DocumentsAndRowsInOneCollection) {
  must(store_->commit(put("rows", {doc(1, R"({"i": 77})")})));
  publish("rows", "p", write_rows("rows", "p", {sample_chunk(0, 2)}));
  EXPECT_EQ(list("rows", {}, "i"), "77 0 1");
  FindOptions plain;
  plain.rows = false;
  EXPECT_EQ(list("rows", plain, "i"), "77");
  FindOptions some;
  some.filter = Document::parse(R"({"$or": [{"i": 1}, {"_id": {"$oid": "000000000000000000000001"}}]})");
  EXPECT_EQ(list("rows", some, "i"), "77 1");
  must(store_->erase_rows("rows", "p"));
  EXPECT_EQ(list("rows", {}, "i"), "77");
}

TEST_P(Conformance, WritersOfOnePartitionLeaveOneOfTheirs) {
  constexpr int kThreads = 4, kRounds = 4;
  std::vector<std::thread> threads;
  std::atomic<int> failures = 0;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kRounds; ++i) {
        auto writer = store_->write_rows("rows", "p", {{"c", t * 100 + i}});
        if (!writer || !(*writer)->append({{"n", std::vector<int64_t>(50, t * 100 + i)}})) {
          ++failures;
          continue;
        }
        Batch batch;
        batch.publishes.push_back({"rows", "p", *(*writer)->finish()});
        failures += !store_->commit(batch);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  const auto rows = find("rows");
  EXPECT_EQ(rows.size(), 50u);
  for (const auto& row : rows) EXPECT_EQ(row["n"], rows[0]["c"]);
  EXPECT_TRUE(store_->check());
}

TEST_P(Conformance, WritersOfOneDocumentLoseNothing) {
  must(store_->commit(put("c", {doc(1)})));
  std::vector<std::thread> threads;
  std::atomic<int> failures = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) {
        Batch batch;
        batch.sets.push_back({"c", id_of(1), {{fmt::format("fields.t{}_{}", t, i), i}}});
        failures += !store_->commit(batch);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(find("c")[0]["fields"].size(), 40u);
}

TEST_P(Conformance, RowsOfExtremes) {
  const RowChunk chunk = {{"i", std::vector<int64_t>{INT64_MIN, INT64_MAX, 0}},
                          {"c", std::vector<int64_t>{5, 5, 5}},
                          {"w", std::vector<int64_t>{-1, 70000, 3}},
                          {"d", std::vector<double>{-0.0, 5e-324, 1.7976931348623157e308}},
                          {"s", std::vector<std::string>{"", std::string("a\0b", 3), "𝄞"}}};
  publish("rows", "p", write_rows("rows", "p", {chunk}));
  must(store_->read_rows("rows", "p", {}, [&](const RowChunk& read) -> Status {
    for (size_t i = 0; i < chunk.size(); ++i) EXPECT_EQ(read[i].values, chunk[i].values) << chunk[i].name;
    // FerretDB keeps numbers as JSON text, where zero has no sign.
    EXPECT_TRUE(std::signbit(std::get<1>(read[3].values)[0]) || GetParam().needs == Needs::kFerret);
    return {};
  }));
  publish("rows", "empty", write_rows("rows", "empty", {{{"i", std::vector<int64_t>{}}}}));
  publish("rows", "none", write_rows("rows", "none", {}));
  EXPECT_EQ(find("rows").size(), 3u);
  int chunks = 0;
  must(store_->read_rows("rows", "empty", {"i"}, [&](const RowChunk&) { return ++chunks, Status{}; }));
  EXPECT_EQ(chunks, 0);
  EXPECT_TRUE(store_->check());
}

TEST_P(Conformance, RowsOfAWrongShapeAreRefused) {
  auto writer = must(store_->write_rows("rows", "p"));
  EXPECT_FALSE(writer->append({{"a", std::vector<int64_t>{1}}, {"b", std::vector<int64_t>{1, 2}}}));
  EXPECT_FALSE(writer->append({{"a", std::vector<int64_t>{1}}, {"a", std::vector<int64_t>{1}}}));
  EXPECT_FALSE(writer->append({{"_id", std::vector<int64_t>{1}}}));
  EXPECT_FALSE(writer->append({{"$a", std::vector<int64_t>{1}}}));
  EXPECT_TRUE(writer->append({{"a", std::vector<int64_t>{1}}}));
  EXPECT_FALSE(writer->append({{"b", std::vector<int64_t>{1}}}));
  EXPECT_FALSE(writer->append({{"a", std::vector<double>{1}}}));
  const std::string generation = must(writer->finish());
  EXPECT_FALSE(writer->append({{"a", std::vector<int64_t>{1}}}));
  EXPECT_FALSE(writer->finish());
  Batch elsewhere;
  elsewhere.publishes.push_back({"rows", "other", generation});
  EXPECT_FALSE(store_->commit(elsewhere));
  auto open_writer = must(store_->write_rows("rows", "p"));
  must(open_writer->append({{"a", std::vector<int64_t>{1}}}));
}

TEST_P(Conformance, BlobsOfEverySize) {
  std::string bytes;
  for (size_t size :
       {size_t{0}, size_t{1}, size_t{255} << 10, size_t{1} << 20, (size_t{1} << 20) + 1, size_t{3} << 20}) {
    while (bytes.size() < size)
      bytes += static_cast<char>(hash64(std::to_string(bytes.size() / 64)) >> (bytes.size() % 8));
    bytes.resize(size);
    const std::string id = write_blob(bytes);
    EXPECT_EQ(must(store_->read_whole_blob(id, size)), bytes) << size;
    EXPECT_EQ(must(store_->blob_info(id)).length, static_cast<int64_t>(size));
    if (size > 0) {
      EXPECT_EQ(store_->read_whole_blob(id, size - 1).error().code, ErrorCode::kBadInput);
    }
  }
  EXPECT_TRUE(store_->check());
}

TEST_P(Conformance, ABlobUnderItsOldId) {
  const std::string id = "65f1a00000000000000000aa";
  {
    auto half = must(store_->write_blob("half", Document::object(), id));  // a copy that was stopped
    must(half->write(std::string(600 << 10, 'x')));
  }
  const Instant before{std::chrono::milliseconds{1'700'000'000'123}};
  auto writer = must(store_->write_blob("file", {{"k", 1}}, id, before));
  must(writer->write("abc"));
  EXPECT_EQ(must(writer->finish()), id);
  EXPECT_EQ(must(store_->read_whole_blob(id, 10)), "abc");
  EXPECT_EQ(store_->write_blob("file", {}, id).error().code, ErrorCode::kConflict);
  EXPECT_EQ(store_->write_blob("file", {}, "short").error().code, ErrorCode::kBadInput);
  const auto all = must(store_->blobs());
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].sha256, sha256_hex("abc"));
  EXPECT_EQ(all[0].uploaded, before);
}

TEST_P(Conformance, AnUploadThatLostItsPiecesIsNeverFinished) {
  const std::string bytes(5 << 20, 'x');
  for (const bool goes_on : {false, true}) {
    auto writer = must(store_->write_blob("lost", Document::object()));
    must(writer->write(bytes));
    EXPECT_EQ(must(store_->collect_garbage(now() + std::chrono::hours(1))), 1);
    if (goes_on) (void)writer->write(bytes);
    const auto id = writer->finish();
    ASSERT_FALSE(id) << goes_on;
    EXPECT_NE(id.error().message.find("write it again"), std::string::npos) << id.error().message;
    EXPECT_TRUE(must(store_->blobs()).empty());
    EXPECT_TRUE(store_->check());
  }
  const std::string again = write_blob(bytes);
  EXPECT_TRUE(must(store_->read_whole_blob(again, bytes.size())) == bytes);
}

TEST_P(Conformance, AnUploadThatIsWrittenToIsNoGarbage) {
  const std::string bytes(5 << 20, 'x');
  const auto pass = [&] {
    const Instant at = must(store_->time());
    while (must(store_->time()) <= at + std::chrono::milliseconds(1)) std::this_thread::yield();
    return must(store_->time());
  };
  auto writer = must(store_->write_blob("slow", Document::object()));
  const Instant begun_long_ago = pass();  // as an hour after the beginning
  (void)pass();
  must(writer->write(bytes));
  EXPECT_EQ(must(store_->collect_garbage(begun_long_ago)), 0);
  must(writer->write(bytes));
  const std::string id = must(writer->finish());
  EXPECT_TRUE(must(store_->read_whole_blob(id, 2 * bytes.size())) == bytes + bytes);
}

class ConformanceSlow : public Conformance {};
INSTANTIATE_TEST_SUITE_P(Stores, ConformanceSlow, testing::ValuesIn(kStores),
                         [](const auto& instance) { return instance.param.name; });
INSTANTIATE_TEST_SUITE_P(Servers, ConformanceSlow, testing::ValuesIn(kServers),
                         [](const auto& instance) { return instance.param.name; });

TEST_P(ConformanceSlow, ALargeBlobInOddPieces) {
  const size_t size = size_t{64} << 20;
  std::string piece(777777, '\0');
  for (size_t i = 0; i < piece.size(); ++i) piece[i] = static_cast<char>(i * 2654435761u >> 24);
  Sha256 written, read;
  auto writer = must(store_->write_blob("big", Document::object()));
  for (size_t at = 0; at < size; at += piece.size()) {
    const std::string_view part = std::string_view(piece).substr(0, std::min(piece.size(), size - at));
    written.update(part);
    must(writer->write(part));
  }
  const std::string id = must(writer->finish());
  EXPECT_EQ(must(store_->blob_info(id)).length, static_cast<int64_t>(size));
  must(store_->read_blob(id, [&](std::string_view part) -> Status {
    EXPECT_LE(part.size(), size_t{1} << 20);
    read.update(part);
    return {};
  }));
  EXPECT_EQ(read.hex(), written.hex());
}

TEST_P(Conformance, BlobsAppearWhenFinishedAndCanBeErased) {
  std::string unfinished;
  {
    auto writer = must(store_->write_blob("half", Document::object()));
    must(writer->write(std::string(3 << 20, 'x')));
  }
  const std::string id = write_blob("abc");
  const BlobInfo info = must(store_->blob_info(id));
  EXPECT_EQ(info.filename, "file");
  EXPECT_EQ(info.metadata, Document({{"type", "test"}}));
  EXPECT_LT(now() - info.uploaded, std::chrono::minutes(1));
  Status stopped =
      store_->read_blob(id, [](std::string_view) -> Status { return fail(ErrorCode::kCancelled, "enough"); });
  EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled);
  must(store_->erase_blob(id));
  EXPECT_EQ(store_->erase_blob(id).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store_->read_whole_blob(id, 10).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(store_->blob_info("not an id").error().code, ErrorCode::kNotFound);
}

TEST_P(Conformance, GarbageIsWhatNobodyNamesAndIsOldEnough) {
  const std::string named = write_blob("named"), nested = write_blob("nested"), orphan = write_blob("orphan"),
                    by_rows = write_blob("by rows");
  {
    auto half = must(store_->write_blob("half", Document::object()));
    must(half->write("x"));
  }
  must(store_->commit(put(
      "c",
      {doc(1, fmt::format(R"({{"file_id": "{}", "list": [{{"x": {{"$oid": "{}"}}}}]}})", named, nested))})));
  publish("rows", "p", write_rows("rows", "p", {sample_chunk(0, 2)}, {{"blob", by_rows}}));
  write_rows("rows", "p", {sample_chunk(0, 3)});
  EXPECT_EQ(must(store_->collect_garbage(now() - std::chrono::hours(1))), 0);
  // orphan, half, the unpublished rows
  EXPECT_EQ(must(store_->collect_garbage(now() + std::chrono::hours(1))), 3);
  EXPECT_EQ(must(store_->collect_garbage(now() + std::chrono::hours(1))), 0);
  for (const auto& id : {named, nested, by_rows}) EXPECT_TRUE(store_->blob_info(id));
  EXPECT_FALSE(store_->blob_info(orphan));
  EXPECT_EQ(find("rows").size(), 2u);
  EXPECT_TRUE(store_->check());
}

TEST_P(Conformance, ErasesComeLast) {
  Batch batch = put("c", {doc(1), doc(2)});
  batch.erases = {{"c", id_of(1)}, {"c", id_of(77)}};
  must(store_->commit(batch));
  EXPECT_EQ(find("c").size(), 1u);
}

TEST_P(Conformance, ManyThreads) {
  constexpr int kThreads = 8, kRounds = 25;
  std::atomic<int> failures = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kRounds; ++i) {
        Batch batch = put("c", {doc(t * 1000 + i, fmt::format(R"({{"n": {}}})", i))});
        batch.puts.push_back({"d", doc(t * 1000 + i)});
        failures += !store_->commit(batch);
        const auto seen = store_->find("c", {});
        failures += !seen || seen->size() < static_cast<size_t>(i + 1);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(find("c").size(), static_cast<size_t>(kThreads * kRounds));
  EXPECT_EQ(find("d").size(), static_cast<size_t>(kThreads * kRounds));
}

TEST_P(Conformance, ManyProcessesFromTheFirstMomentOn) {
  constexpr int kProcesses = 4, kRounds = 20;
  TempFolder fresh;  // nobody has made the store yet
  std::vector<std::unique_ptr<Child>> children;
  for (int c = 0; c < kProcesses; ++c) {
    children.push_back(std::make_unique<Child>([&, c] {
      auto store = GetParam().open(fresh.path());
      if (!store) return 1;
      for (int i = 0; i < kRounds; ++i) {
        if (!(*store)->commit(put("c", {doc(c * 1000 + i)}))) return 2;
      }
      return 0;
    }));
  }
  for (auto& child : children) EXPECT_EQ(child->wait(), 0);
  EXPECT_EQ(must(must(GetParam().open(fresh.path()))->find("c", {})).size(),
            static_cast<size_t>(kProcesses * kRounds));
}

TEST_P(Conformance, KilledWritersLeaveWholeBatches) {
  store_ = nullptr;
  for (int round = 0; round < 8; ++round) {
    Signpost started;
    Child child([&] {
      auto store = GetParam().open(folder_.path());
      if (!store) return 1;
      for (int64_t i = 1;; ++i) {
        auto writer = (*store)->write_rows("rows", "p", {{"c", i}});
        if (!writer || !(*writer)->append({{"n", std::vector<int64_t>(3000, i)}})) return 2;
        auto generation = (*writer)->finish();
        auto blob = (*store)->write_blob("b", Document::object());
        if (!generation || !blob || !(*blob)->write(std::to_string(i))) return 3;
        const auto blob_id = (*blob)->finish();
        Batch batch = put("a", {doc(1, fmt::format(R"({{"n": {}, "file_id": "{}"}})", i, blob_id.value()))});
        batch.puts.push_back({"b", doc(2, fmt::format(R"({{"n": {}}})", i))});
        batch.publishes.push_back({"rows", "p", *generation});
        if (!(*store)->commit(batch)) return 4;
        if (i == 1) started.raise();
      }
    });
    started.await();
    ::usleep(static_cast<useconds_t>(1000 + 3700 * round));
    ASSERT_EQ(child.kill(), -SIGKILL);
    store_ = open();
    const Document a = must(store_->find_one("a", {})), b = must(store_->find_one("b", {}));
    EXPECT_EQ(a["n"], b["n"]);
    EXPECT_EQ(must(store_->read_whole_blob(a["file_id"].get<std::string>(), 100)),
              std::to_string(a["n"].get<int64_t>()));
    int rows = 0;
    must(store_->find_each("rows", {}, [&](Document&& row) {
      EXPECT_EQ(row["n"], a["n"]);
      EXPECT_EQ(row["c"], a["n"]);
      return ++rows, true;
    }));
    EXPECT_EQ(rows, 3000);
    EXPECT_TRUE(store_->check());
    must(store_->collect_garbage(now() + std::chrono::hours(1)));
    EXPECT_TRUE(store_->blob_info(a["file_id"].get<std::string>()));
    store_ = nullptr;
  }
}

TEST_P(Conformance, ALockTellsItsHolderAndEndsWithIt) {
  {
    const auto held = must(store_->lock("runner", "maeil run"));
    const auto shown = must(store_->lock_holder("runner"));
    ASSERT_TRUE(shown);
    EXPECT_EQ(shown->holder, "maeil run");
    EXPECT_EQ(shown->pid, std::to_string(::getpid()));
    EXPECT_FALSE(shown->host.empty());
    EXPECT_FALSE(must(store_->lock_holder("deploy")));
    const auto second = store_->lock("runner", "maeil backfill");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kConflict);
    EXPECT_NE(second.error().message.find("maeil run"), std::string::npos) << second.error().message;
    EXPECT_NE(second.error().message.find(std::to_string(::getpid())), std::string::npos);
    EXPECT_TRUE(store_->lock("deploy", "x"));
    EXPECT_FALSE(store_->lock("../x", "x"));
  }
  EXPECT_FALSE(must(store_->lock_holder("runner")));
  EXPECT_TRUE(store_->lock("runner", "again"));

  store_ = nullptr;
  Signpost locked;
  Child child([&] {
    auto store = GetParam().open(folder_.path());
    const auto lock = store ? (*store)->lock("runner", "the child") : tl::unexpected<Error>(store.error());
    if (!lock) return 1;
    locked.raise();
    ::pause();
    return 0;
  });
  locked.await();
  store_ = open();
  const auto refused = store_->lock("runner", "the parent");
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find(std::to_string(child.pid())), std::string::npos)
      << refused.error().message;
  EXPECT_EQ(must(store_->lock_holder("runner")).value().pid, std::to_string(child.pid()));
  ASSERT_EQ(child.kill(), -SIGKILL);
  EXPECT_FALSE(must(store_->lock_holder("runner")));
  EXPECT_TRUE(store_->lock("runner", "the parent"));
}

}  // namespace
}  // namespace maeil::store
