// Two datasets and documents of nobody in one embedded store: each view shows its own, and only that.
#include "store/dataset_store.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/dataset_name.h"
#include "store/sqlite/sqlite_store.h"
#include "store/test_must.h"
#include "store/test_support.h"

namespace maeil::store {
namespace {

using testing::ElementsAre;
using testing::UnorderedElementsAre;

class DatasetViews : public testing::Test {
 protected:
  static std::string id_of(int n) { return fmt::format("{:024x}", n); }
  static void put(Store& store, int n, const std::string& state, const std::string& collection = "runs") {
    Batch batch;
    batch.puts.push_back({collection, {{"_id", id_value(id_of(n))}, {"state", state}}});
    must(store.commit(batch));
  }
  static std::vector<std::string> states(Store& store, const Document& filter = Document::object(),
                                         const std::string& collection = "runs") {
    FindOptions find;
    find.filter = filter;
    std::vector<std::string> out;
    for (const auto& document : must(store.find(collection, find)))
      out.push_back(document.value("state", ""));
    return out;
  }
  static void publish(Store& store, std::vector<double> values) {
    auto writer = must(store.write_rows("rows", "2026-11-28/a", {{"k", "v"}}));
    must(writer->append({{"n", std::move(values)}}));
    Batch batch;
    batch.publishes.push_back({"rows", "2026-11-28/a", must(writer->finish())});
    must(store.commit(batch));
  }
  static std::vector<double> rows(Store& store) {
    std::vector<double> out;
    must(store.read_rows("rows", "2026-11-28/a", {"n"}, [&](const RowChunk& chunk) -> Status {
      const auto& more = std::get<std::vector<double>>(chunk[0].values);
      out.insert(out.end(), more.begin(), more.end());
      return {};
    }));
    return out;
  }
  static std::string put_blob(Store& store, std::string_view bytes) {
    auto writer = must(store.write_blob("f", {{"type", "t"}}));
    must(writer->write(bytes));
    return must(writer->finish());
  }

  TempFolder folder_;
  std::unique_ptr<Store> whole_ = must(open_sqlite(folder_ / "s.db"));
  std::unique_ptr<Store> book_ = dataset_view(*whole_, "book"), cards_ = dataset_view(*whole_, "cards"),
                         builtin_ = dataset_view(*whole_, std::string(kBuiltinDataset));
};

TEST_F(DatasetViews, DocumentsSayWhoseTheyAreAndAreSeenByNobodyElse) {
  put(*book_, 1, "book's");
  put(*cards_, 2, "cards'");
  put(*builtin_, 3, "the built-in one's");
  put(*whole_, 4, "of a maeil that knew one dataset");
  EXPECT_THAT(states(*book_), ElementsAre("book's"));
  EXPECT_THAT(states(*cards_), ElementsAre("cards'"));
  EXPECT_THAT(states(*builtin_), ElementsAre("the built-in one's", "of a maeil that knew one dataset"));
  EXPECT_EQ(states(*whole_).size(), 4u);
  EXPECT_THAT(states(*whole_, {{"dataset", "book"}}), ElementsAre("book's"));
  // Not by id, nor by a filter that names another dataset, either.
  EXPECT_THAT(states(*book_, {{"_id", id_value(id_of(2))}}), ElementsAre());
  EXPECT_THAT(states(*book_, {{"dataset", "cards"}}), ElementsAre());
  EXPECT_THAT(states(*book_, {{"dataset", {{"$exists", true}}}}), ElementsAre("book's"));
  EXPECT_THAT(states(*book_, {{"$or", {{{"state", "book's"}}, {{"state", "cards'"}}}}}),
              ElementsAre("book's"));
}

TEST_F(DatasetViews, WhatAllShareIsSeenByAll) {
  put(*book_, 1, "taken", "version_names");
  EXPECT_THAT(states(*cards_, Document::object(), "version_names"), ElementsAre("taken"));
}

TEST_F(DatasetViews, RowsOfOneDateAreEachDatasetsOwn) {
  publish(*book_, {1});
  publish(*cards_, {2, 3});
  publish(*builtin_, {4});
  EXPECT_THAT(rows(*book_), ElementsAre(1));
  EXPECT_THAT(rows(*cards_), ElementsAre(2, 3));
  EXPECT_THAT(rows(*builtin_), ElementsAre(4));
  EXPECT_EQ(must(book_->row_constants("rows", "2026-11-28/a")).value("dataset", ""), "book");
  EXPECT_EQ(must(cards_->find("rows", {})).size(), 2u) << "as documents";
  for (auto* view : {book_.get(), cards_.get(), builtin_.get()})
    EXPECT_THAT(must(view->row_partitions("rows")), ElementsAre("2026-11-28/a"));
  EXPECT_THAT(must(whole_->row_partitions("rows")),
              UnorderedElementsAre("2026-11-28/a", "book__2026-11-28/a", "cards__2026-11-28/a"));
  must(cards_->erase_rows("rows", "2026-11-28/a"));
  EXPECT_THAT(must(cards_->row_partitions("rows")), ElementsAre());
  EXPECT_THAT(rows(*book_), ElementsAre(1));
}

TEST_F(DatasetViews, BlobsAreListedByDataset) {
  const auto of_book = put_blob(*book_, "a"), of_cards = put_blob(*cards_, "b"),
             of_nobody = put_blob(*whole_, "c");
  ASSERT_EQ(must(book_->blobs()).size(), 1u);
  EXPECT_EQ(must(book_->blobs())[0].id, of_book);
  EXPECT_EQ(must(book_->blobs())[0].metadata.value("dataset", ""), "book");
  EXPECT_EQ(must(cards_->blobs())[0].id, of_cards);
  ASSERT_EQ(must(builtin_->blobs()).size(), 1u);
  EXPECT_EQ(must(builtin_->blobs())[0].id, of_nobody);
}

TEST_F(DatasetViews, LocksOfTwoDatasetsDoNotMeet) {
  const auto one = must(book_->lock("runner", "a day of book"));
  EXPECT_TRUE(cards_->lock("runner", "a day of cards"));
  EXPECT_TRUE(builtin_->lock("runner", "a day"));
  EXPECT_EQ(dataset_view(*whole_, "book")->lock("runner", "another").error().code, ErrorCode::kConflict);
  EXPECT_EQ(must(book_->lock_holder("runner"))->holder, "a day of book");
  EXPECT_FALSE(must(cards_->lock_holder("runner")));
}

TEST_F(DatasetViews, NamesThatIdsAreMadeOfDiffer) {
  EXPECT_EQ(book_->name_here("data_pipeline_dag"), "book__data_pipeline_dag");
  EXPECT_EQ(builtin_->name_here("data_pipeline_dag"), "data_pipeline_dag");
  EXPECT_EQ(whole_->name_here("data_pipeline_dag"), "data_pipeline_dag");
}

}  // namespace
}  // namespace maeil::store
