#include "registry/version_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>

#include "format/zip.h"
#include "model/tab_transformer.h"
#include "model/test_small_model.h"
#include "store/sqlite/sqlite_store.h"

namespace maeil::registry {
namespace {

using ::testing::HasSubstr;

// A version whose bytes in the store hold a NaN, as older versions of maeil took in.
TEST(Finite, AVersionInTheStoreThatIsNotIsRefused) {
  const auto folder = std::filesystem::temp_directory_path() / ("maeil-finite-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  {
    const nn::Parameters parameters = model::small_parameters();
    model::ModelFile model;
    model.predictor = model::TabTransformer::make(parameters).value();
    model.preparation = model::small_preparation();
    const std::string bytes = model::model_file_bytes(model, std::nullopt, Instant{}).value();
    // The last bias, in the archive as it lies in memory: entries are stored. Its checksum goes with it, so
    // the zip is written anew.
    const auto zip = format::ZipReader::open(bytes, "made").value();
    std::vector<std::pair<std::string, std::string>> entries;
    for (const auto& name : zip.names()) entries.emplace_back(name, zip.read(name).value());
    const auto tensor = parameters.tensor(parameters.tensors.size() - 1);
    const std::string wanted(reinterpret_cast<const char*>(tensor.data()), tensor.size_bytes());
    int changed = 0;
    for (auto& [name, content] : entries) {
      if (content != wanted) continue;
      const float nan = NAN;
      std::memcpy(content.data(), &nan, sizeof nan);
      ++changed;
    }
    ASSERT_EQ(changed, 1);
    const std::string damaged = format::write_stored_zip(entries).value();
    const auto store = store::open_sqlite(folder / "maeil.db").value();
    NewVersion made{.id = "0", .model_name = kClassifier, .version = "20260109_000000"};
    ASSERT_TRUE(save_version(*store, damaged, (folder / "x.pth").string(), made));
    ModelVersion version;
    version.version = made.version, version.file_id = made.file_id, version.sha256 = made.sha256;
    const auto loaded = load_version(*store, version, model::small_spec(), 2);
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, ErrorCode::kBadInput);
    EXPECT_THAT(loaded.error().message,
                HasSubstr("version 20260109_000000: tensor fc.3.bias holds NaN at (0)"));
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace maeil::registry
