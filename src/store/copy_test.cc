// Copies: what a target may hold, and that a refusal comes before the first write. Between embedded stores;
// servers are in tests/e2e/mongo_test.py.
#include "store/copy.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <limits>

#include "store/sqlite/sqlite_store.h"
#include "store/test_must.h"
#include "store/test_support.h"

namespace maeil::store {
namespace {

const CopyProgress kQuiet = [](std::string_view, uint64_t, uint64_t) {};

std::string id_of(int n) { return fmt::format("{:024x}", n); }

class Copy : public testing::Test {
 protected:
  std::unique_ptr<Store> open(const char* name) { return must(open_sqlite(folder_ / name)); }
  static void put(Store& store, const std::string& collection, int n, const std::string& status) {
    Batch batch;
    batch.puts.push_back({collection, {{"_id", id_value(id_of(n))}, {"status", status}}});
    must(store.commit(batch));
  }
  static void put_blob(Store& store, int n, std::string_view filename, const Document& metadata,
                       std::string_view bytes, Instant uploaded = {}) {
    auto writer = must(store.write_blob(filename, metadata, id_of(n), uploaded));
    must(writer->write(bytes));
    must(writer->finish());
  }
  static void publish(Store& store, const std::string& partition, const std::vector<double>& values,
                      size_t cut = 1000) {
    auto writer = must(store.write_rows("rows", partition, {{"day", partition}}));
    for (size_t at = 0; at < values.size(); at += cut) {
      const size_t end = std::min(at + cut, values.size());
      std::vector<double> numbers(values.begin() + static_cast<std::ptrdiff_t>(at),
                                  values.begin() + static_cast<std::ptrdiff_t>(end));
      std::vector<std::string> names(numbers.size(), "x");
      must(writer->append({{"n", std::move(numbers)}, {"s", std::move(names)}}));
    }
    Batch batch;
    batch.publishes.push_back({"rows", partition, must(writer->finish())});
    must(store.commit(batch));
  }
  void fill(Store& store) {
    put(store, "models", 1, "retired");
    put(store, "models", 2, "deployed");
    put_blob(store, 7, "raw.csv", {{"type", "raw"}}, "bytes", kThen);
    publish(store, "p", {1, 2, std::numeric_limits<double>::quiet_NaN()});
  }
  static Status copy(Store& from, Store& to) {
    const Contents source = must(survey(from, kQuiet));
    return copy_store(from, source, to, kQuiet);
  }
  // Refused with these words, and nothing of the target changed.
  static void refused(Store& from, Store& to, const char* part) {
    const auto before = contents(to);
    const Status done = copy(from, to);
    ASSERT_FALSE(done) << part;
    EXPECT_EQ(done.error().code, ErrorCode::kBadInput);
    EXPECT_NE(done.error().message.find(part), std::string::npos) << done.error().message;
    EXPECT_EQ(contents(to), before) << part;
  }
  static std::string contents(Store& store) {
    const Contents all = must(survey(store, kQuiet));
    std::string text;
    for (const auto& [name, collection] : all.collections)
      text += fmt::format("{} {}\n", name, collection.digest);
    for (const auto& [id, digest] : all.blobs) text += fmt::format("{} {}\n", id, digest);
    return text;
  }

  static constexpr Instant kThen{std::chrono::milliseconds{1'700'000'000'123}};
  TempFolder folder_;
};

TEST_F(Copy, IntoAnEmptyStoreAndAgain) {
  const auto from = open("a"), to = open("b");
  fill(*from);
  must(copy(*from, *to));
  EXPECT_EQ(contents(*from), contents(*to));
  const BlobInfo blob = must(to->blob_info(id_of(7)));
  EXPECT_EQ(blob.uploaded, kThen);
  EXPECT_EQ(blob.filename, "raw.csv");
  must(copy(*from, *to));
  EXPECT_EQ(contents(*from), contents(*to));
}

TEST_F(Copy, GoesOnWhereItWasInterrupted) {
  const auto from = open("a"), to = open("b");
  fill(*from);
  put(*to, "models", 2, "deployed");
  put_blob(*to, 7, "raw.csv", {{"type", "raw"}}, "bytes");  // another date is no difference
  must(copy(*from, *to));
  EXPECT_EQ(contents(*from), contents(*to));
}

TEST_F(Copy, ATargetThatWentOnIsNotTurnedBack) {
  const auto from = open("a"), to = open("b");
  fill(*from);
  must(copy(*from, *to));
  put(*to, "models", 2, "retired");
  put(*to, "models", 3, "deployed");
  refused(*from, *to, id_of(2).c_str());
  put(*to, "models", 2, "deployed");
  refused(*from, *to, (id_of(3) + " of models is only there").c_str());
  EXPECT_EQ(must(to->find("models", {})).size(), 3u);
}

TEST_F(Copy, EveryKindOfDifferenceIsRefused) {
  const auto from = open("a");
  fill(*from);
  int number = 0;
  const auto with = [&](const char* part, const std::function<void(Store&)>& change) {
    const auto to = open(fmt::format("t{}", ++number).c_str());
    change(*to);
    refused(*from, *to, part);
  };
  with("the collection others is only there", [](Store& to) { put(to, "others", 1, "x"); });
  with("(other.csv) is only there", [](Store& to) { put_blob(to, 8, "other.csv", {}, "bytes"); });
  with("(raw.csv) differs", [](Store& to) { put_blob(to, 7, "raw.csv", {{"type", "raw"}}, "bytez"); });
  with("(raw.csv) differs", [](Store& to) { put_blob(to, 7, "raw.csv", {{"type", "other"}}, "bytes"); });
  with("(name.csv) differs", [](Store& to) { put_blob(to, 7, "name.csv", {{"type", "raw"}}, "bytes"); });
  with("the rows p of rows differ", [](Store& to) { publish(to, "p", {1, 2, 3}); });
  with("the rows q of rows are only there", [](Store& to) { publish(to, "q", {1}); });
}

TEST_F(Copy, RowsAreTheSameHoweverTheyWereCut) {
  const auto from = open("a"), to = open("b");
  std::vector<double> values;
  for (int i = 0; i < 10'000; ++i) values.push_back(i);
  publish(*from, "p", values);
  publish(*to, "p", values, 777);
  EXPECT_EQ(contents(*from), contents(*to));
  std::swap(values[5], values[6]);
  publish(*to, "p", values, 777);
  EXPECT_NE(contents(*from), contents(*to));
}

}  // namespace
}  // namespace maeil::store
