// For the conformance tests: a store of any kind in a folder of its own, as each test gets it. Only for
// tests.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/store.h"
#include "store/test_must.h"
#include "store/test_servers.h"

namespace maeil::store {

enum class Needs { kNothing, kSecantus, kFerret };

struct StoreKind {
  const char* name;
  Needs needs;
  // Opens the store that belongs to this folder; may be called again, also by other processes.
  Result<std::unique_ptr<Store>> (*open)(const std::filesystem::path& folder);
};

// So that a test is called by its store and not by the bytes of its parameter.
inline void PrintTo(const StoreKind& kind, std::ostream* out) { *out << kind.name; }

inline std::string id_of(int n) { return fmt::format("{:024x}", n); }

inline Document doc(int n, std::string_view json = "{}") {
  Document document = {{"_id", id_value(id_of(n))}};
  document.update(Document::parse(json));
  return document;
}

inline Batch put(std::string collection, std::vector<Document> documents) {
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

class ConformanceSlow : public Conformance {};

inline RowChunk sample_chunk(int64_t first, int64_t rows) {
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

}  // namespace maeil::store
