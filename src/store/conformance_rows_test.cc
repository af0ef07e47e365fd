// What every store must do with rows: written in chunks, published at once, read by ranges.
#include "base/hash.h"
#include "store/conformance.h"

namespace maeil::store {
namespace {

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

}  // namespace
}  // namespace maeil::store
