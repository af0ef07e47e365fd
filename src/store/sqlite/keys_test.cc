// A find by an index and one over everything give the same documents in the same order, whatever the
// documents hold.
#include "store/sqlite/keys.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "store/sqlite/sqlite_store.h"
#include "store/test_support.h"

namespace maeil::store {
namespace {

const char* const kValues[] = {"null",
                               "0",
                               "-0.0",
                               "1",
                               "1.0",
                               "-1",
                               "1.5",
                               "9007199254740993",
                               "9007199254740992.0",
                               "9223372036854775807",
                               "18446744073709551615",
                               "-9223372036854775808",
                               "1e300",
                               "-1e-300",
                               R"("")",
                               R"("a")",
                               R"("a\u0000")",
                               R"("a\u0000b")",
                               R"("ab")",
                               R"("한글")",
                               "true",
                               "false",
                               "[]",
                               R"([1, "a"])",
                               R"(["a", null])",
                               R"([[1]])",
                               "{}",
                               R"({"b": 1})",
                               R"({"$date": "2026-11-23T00:15:00.000Z"})",
                               R"({"$date": "1969-12-31T23:59:59.999Z"})",
                               R"({"$oid": "0123456789abcdef01234567"})"};

class Random {
 public:
  size_t below(size_t n) { return generator_() % n; }
  Document value() { return Document::parse(kValues[below(std::size(kValues))]); }

 private:
  std::mt19937 generator_{15};
};

Document random_document(Random& random, int n) {
  Document document = {{"_id", id_value(fmt::format("{:08x}{:016x}", random.below(1u << 30), n))}, {"n", n}};
  for (const char* field : {"state", "start_date", "logical_date", "dag_id"}) {
    if (random.below(8) > 0) document[field] = random.value();
  }
  return document;
}

Document random_filter(Random& random) {
  Document filter = Document::object();
  for (const char* field : {"state", "start_date", "logical_date", "dag_id"}) {
    switch (random.below(8)) {
      case 0:
        filter[field] = random.value();
        break;
      case 1:
        filter[field] = {{"$gte", random.value()}};
        break;
      case 2:
        filter[field] = {{"$lt", random.value()}};
        break;
      case 3:
        filter[field] = {{"$gt", random.value()}, {"$lte", random.value()}};
        break;
      default:
        break;
    }
  }
  for (const char* field :
       {"state", "dag_id"}) {  // an object that begins with an operator's name or is empty stays a value
    if (filter.contains(field) && random.below(3) == 0) filter[field] = "a";
  }
  return filter;
}

std::string answers(Store& store, std::string_view collection, const FindOptions& options) {
  const auto found = store.find(collection, options);
  if (!found) return found.error().message;
  std::string text;
  for (const auto& document : *found) text += fmt::format("{} ", document["n"].dump());
  return text;
}

// The two collections hold the same; only dag_runs has indexes.
TEST(Keys, AFindByAnIndexFindsWhatOneOverEverythingDoes) {
  for (const bool with_arrays : {true, false}) {
    SCOPED_TRACE(with_arrays);
    TempFolder folder;
    auto store = *open_sqlite(folder / "maeil.db");
    Random random;
    Batch batch;
    for (int i = 0; i < 300; ++i) {
      Document document = random_document(random, i);
      for (auto& [name, value] : document.items()) {
        if (!with_arrays && (value.is_array() || (value.is_object() && !is_extended(value)))) value = "a";
      }
      for (const char* collection : {"dag_runs", "plain"}) batch.puts.push_back({collection, document});
    }
    ASSERT_TRUE(store->commit(batch));
    for (int i = 0; i < 100; ++i) {  // replaced, changed and erased ones, too
      Batch change;
      const std::string id = id_text(batch.puts[2 * random.below(300)].document["_id"]);
      Document other = random_document(random, i);
      other["_id"] = id_value(id);
      for (const char* collection : {"dag_runs", "plain"}) {
        if (i % 3 == 0) change.puts.push_back({collection, other});
        if (i % 3 == 1) change.erases.push_back({collection, id});
        if (i % 3 == 2) change.sets.push_back({collection, id, {{"state", other["n"]}}});
      }
      const Status done = store->commit(change);
      ASSERT_TRUE(done || done.error().code == ErrorCode::kNotFound);
    }
    EXPECT_TRUE(store->check());
    const auto connection = *sqlite::Connection::open(folder / "maeil.db", {});
    int by_index = 0, in_order = 0;
    for (int i = 0; i < 400; ++i) {
      FindOptions options;
      options.filter = random_filter(random);
      const char* const fields[] = {"start_date", "dag_id", "state", "_id"};
      for (size_t n = random.below(3); n > 0; --n)
        options.sort.emplace_back(fields[random.below(4)], random.below(2) ? 1 : -1);
      if (random.below(2)) options.limit = static_cast<int64_t>(1 + random.below(40));
      if (random.below(4) == 0) options.skip = static_cast<int64_t>(random.below(20));
      const auto filter = Filter::parse(options.filter);
      if (filter) {
        const auto range = *sqlite::choose_range(*connection, "dag_runs", *filter, options);
        by_index += range.has_value();
        in_order += range && range->in_order;
      }
      ASSERT_EQ(answers(*store, "dag_runs", options), answers(*store, "plain", options))
          << options.filter.dump() << i;
    }
    EXPECT_GT(by_index, 130);
    EXPECT_GT(in_order, 25);
  }
}

// The runs of an old month are found by their dates, not by passing all that began since.
TEST(Keys, ASortWithALimitReadsAllOfANarrowRange) {
  TempFolder folder;
  auto store = *open_sqlite(folder / "maeil.db");
  Batch batch;
  for (int i = 0; i < 2000; ++i) {
    const std::chrono::sys_days day{std::chrono::days(10000 + i)};
    batch.puts.push_back({"dag_runs",
                          {{"_id", id_value(fmt::format("{:024x}", i))},
                           {"logical_date", format_date(day)},
                           {"start_date", date_value(Instant(day.time_since_epoch()))}}});
  }
  ASSERT_TRUE(store->commit(batch));
  const auto connection = *sqlite::Connection::open(folder / "maeil.db", {});
  for (const int first : {100, 1900}) {
    FindOptions options;
    const std::chrono::sys_days from{std::chrono::days(10000 + 10)}, to{std::chrono::days(10000 + first)};
    options.filter = {{"logical_date", {{"$gte", format_date(from)}, {"$lte", format_date(to)}}}};
    options.sort = {{"start_date", -1}};
    options.limit = 20;
    const auto filter = *Filter::parse(options.filter);
    const auto range = *sqlite::choose_range(*connection, "dag_runs", filter, options);
    ASSERT_TRUE(range);
    EXPECT_EQ(range->in_order, first == 1900);
    const auto found = *store->find("dag_runs", options);
    ASSERT_EQ(found.size(), 20u);
    EXPECT_EQ(found[0]["logical_date"], format_date(to));
    options.limit = 0;
    EXPECT_FALSE((*sqlite::choose_range(*connection, "dag_runs", filter, options))->in_order);
  }
}

TEST(Keys, AnIndexThatLacksADocumentIsFound) {
  TempFolder folder;
  auto store = *open_sqlite(folder / "maeil.db");
  Batch batch;
  batch.puts.push_back({"dag_runs", {{"_id", id_value(std::string(24, '1'))}, {"run_id", "r"}}});
  ASSERT_TRUE(store->commit(batch));
  ASSERT_TRUE(store->check());
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open((folder / "maeil.db").c_str(), &raw), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(raw, R"(DELETE FROM document_keys WHERE "index" = 10)", nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(raw);
  EXPECT_FALSE(store->check());
}

}  // namespace
}  // namespace maeil::store
