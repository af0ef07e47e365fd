// What every store must do with blobs, and with the garbage of what was never finished.

#include "base/hash.h"
#include "store/conformance.h"

namespace maeil::store {
namespace {

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

}  // namespace
}  // namespace maeil::store
