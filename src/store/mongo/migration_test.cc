// A database that the release before wrote (commit 07c4fbf, schema 1) is brought to schema 2 and says the
// same as before; killed anywhere, by several processes at once. testdata/schema1_*.json are dumps of such
// databases as MongoDB's Extended JSON: a lock, a GridFS file, documents, two partitions of rows of which one
// was replaced, and that release's own collections.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "store/mongo/control.h"
#include "store/mongo/generation.h"
#include "store/mongo/migrate.h"
#include "store/test_servers.h"

namespace maeil::store {
namespace {

using namespace mongo;

struct MigrationCase {
  const char* name;
  TestServer::Kind server;
  bool transactions;
  const char* dump;
};

class MongoMigration : public testing::TestWithParam<MigrationCase> {
 protected:
  void SetUp() override {
    if (TestServer::program(GetParam().server).empty()) {
      ASSERT_FALSE(TestServer::must_be_there());
      GTEST_SKIP() << "no such server here: make build/peers/mongo-ready";
    }
    uri_ = TestServer::shared(GetParam().server).uri();
    options_.transactions = GetParam().transactions;
  }

  // The dump as a database of its own.
  void restore() {
    database_ = fmt::format("migration_{}", new_object_id(now()));
    std::ifstream file(std::filesystem::path(MAEIL_SOURCE_DIR) / "src/store/mongo/testdata" /
                       GetParam().dump);
    std::stringstream text;
    text << file.rdbuf();
    const auto all = nlohmann::ordered_json::parse(text.str());
    const auto server = Server::open(uri_, database_, options_).value();
    Connection connection(*server);
    for (const auto& [collection, documents] : all.items()) {
      ASSERT_TRUE(connection.ensure_own_collection(collection));
      for (const auto& document : documents) {
        bson_error_t error;
        const std::string json = document.dump();
        bson_t* parsed = bson_new_from_json(reinterpret_cast<const uint8_t*>(json.data()),
                                            static_cast<ssize_t>(json.size()), &error);
        ASSERT_TRUE(parsed) << error.message;
        EXPECT_TRUE(connection.insert_one(collection, copy_of(*parsed)));
        bson_destroy(parsed);
      }
    }
  }

  void expect_the_same() {
    const auto opened = open_mongo(uri_, database_, options_);
    ASSERT_TRUE(opened) << opened.error().message;
    Store& store = **opened;
    EXPECT_TRUE(store.check());
    EXPECT_EQ(store.collections().value(),
              (std::vector<std::string>{"processed_data", "processing_metadata", "raw_data"}));
    EXPECT_EQ(store.row_partitions("processed_data").value().size(), 2u);
    EXPECT_EQ(store.row_constants("processed_data", "2026-11-23").value().dump(),
              R"({"logical_date":"2026-11-23","run_id":"manual__1","a.b":1})");
    FindOptions of_day;
    of_day.filter = {{"logical_date", "2026-11-23"}};
    std::string rows;
    const std::vector<Document> of_this_day = store.find("processed_data", of_day).value();
    for (const auto& row : of_this_day) {
      rows += fmt::format("{}{}{} ", row["row"].get<int64_t>(), row["split"].get<std::string>(),
                          row["debt.ratio"].is_null() ? "null" : "");
    }
    EXPECT_EQ(rows, "100train 101testnull 102train 103test 104train ");
    EXPECT_EQ(store.find("processed_data", {}).value().size(), 3u + 5u + 1u)
        << "rows that were never published, or replaced, are none";
    const Document raw = store.find_one("raw_data", {}).value();
    EXPECT_EQ(store.read_whole_blob(id_text(raw["file_id"]), 100).value(), "a,b\n1,2\n");
    EXPECT_EQ(store.find_one("processing_metadata", of_day).value()["checked"]["by"], "me");
    Batch batch;
    batch.sets.push_back({"raw_data", id_text(raw["_id"]), {{"seen", true}}});
    EXPECT_TRUE(store.commit(batch)) << "and it can be written";
  }

  std::string uri_, database_;
  MongoOptions options_;
};

INSTANTIATE_TEST_SUITE_P(
    Servers, MongoMigration,
    testing::Values(MigrationCase{"Secantus", TestServer::Kind::kSecantus, true, "schema1_replica_set.json"},
                    MigrationCase{"SecantusAlone", TestServer::Kind::kSecantus, false,
                                  "schema1_replica_set.json"},
                    MigrationCase{"Ferret", TestServer::Kind::kFerret, false, "schema1_ferret.json"}),
    [](const auto& instance) { return instance.param.name; });

TEST_P(MongoMigration, SaysTheSameAsBefore) {
  restore();
  MongoOptions reading = options_;
  reading.read_only = true;
  const auto refused = open_mongo(uri_, database_, reading);
  ASSERT_FALSE(refused) << "reading changes nothing";
  EXPECT_NE(refused.error().message.find("maeil prune"), std::string::npos) << refused.error().message;
  std::string warned;
  options_.warn = [&](std::string_view sentence) { warned += sentence; };
  expect_the_same();
  EXPECT_NE(warned.find("schema 2"), std::string::npos);
  EXPECT_TRUE(open_mongo(uri_, database_, reading));
  const auto server = Server::open(uri_, database_, options_).value();
  Connection connection(*server);
  const Document control = read_control(connection).value();
  EXPECT_EQ(control["locks"]["runner"]["token"], 2) << "who held it under the older maeil has lost it";
  EXPECT_EQ(control["intent"], kOlderStay);
  const std::vector<Document> generations = connection.find(kGenerations, Document::object()).value();
  for (const auto& entry : generations) {
    EXPECT_TRUE(id_text(entry["_id"]).starts_with(kRowPrefix));
  }
}

TEST_P(MongoMigration, KilledAnywhereItGoesOn) {
  for (int round = 0; round < 6; ++round) {
    restore();
    for (int again = 0; again < 3; ++again) {
      Signpost started;
      Child child([&] {
        started.raise();
        return open_mongo(uri_, database_, options_) ? 0 : 1;
      });
      started.await();
      ::usleep(static_cast<useconds_t>(2000 + 7000 * round + 3000 * again));
      (void)child.kill();
    }
    expect_the_same();
  }
}

TEST_P(MongoMigration, SeveralAtOnceMakeOneOfIt) {
  restore();
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < 4; ++i)
    children.push_back(
        std::make_unique<Child>([&] { return open_mongo(uri_, database_, options_) ? 0 : 1; }));
  for (auto& child : children) EXPECT_EQ(child->wait(), 0);
  expect_the_same();
}

TEST_P(MongoMigration, ABatchThatIsHalfWrittenIsTheOlderOnesToFinish) {
  restore();
  const auto server = Server::open(uri_, database_, options_).value();
  Connection connection(*server);
  const auto leave = [&](const Document& intent) {
    ASSERT_TRUE(connection.find_and_modify(kControl, {{"_id", "control"}}, {{"$set", {{"intent", intent}}}}));
  };
  leave({{"id", id_value(new_object_id(now()))}, {"state", "committed"}});
  const auto refused = open_mongo(uri_, database_, options_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kBadInput);
  EXPECT_EQ(read_control(connection).value()["schema"], 1);
  leave({{"id", id_value(new_object_id(now()))}, {"state", "preparing"}});
  expect_the_same();
}

}  // namespace
}  // namespace maeil::store
