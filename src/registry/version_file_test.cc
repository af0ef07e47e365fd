#include "registry/version_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>

#include "format/zip.h"
#include "model/tab_transformer.h"
#include "store/sqlite/sqlite_store.h"

namespace maeil::registry {
namespace {

using ::testing::HasSubstr;

const table::DatasetSpec& spec() {
  static const table::DatasetSpec made = table::parse_dataset_spec(R"(name = "small"
columns = [ { name = "grade", type = "text" }, { name = "rate", type = "number" },
            { name = "bad", type = "text" } ]
target = { column = "bad", negative = "N", positive = "Y" }
)",
                                                                   "small.toml")
                                             .value();
  return made;
}

nn::Parameters small_parameters() {
  nn::ModelShape shape;
  shape.cardinalities = {3};
  shape.numeric = 1, shape.width = 8, shape.heads = 2, shape.layers = 2, shape.feed_forward = 12,
  shape.head_hidden = 10;
  return nn::initial_parameters(shape, 4).value();
}

prep::Preparation small_preparation() {
  prep::Preparation out;
  out.dataset = "small";
  out.categorical = {{"grade", "grade", false, {"A", "B", "C"}, 3}};
  out.numeric = {{"rate", 1, 2, 3, 0, 9}};
  return out;
}

// A version whose bytes in the store hold a NaN, as older versions of maeil took in.
TEST(Finite, AVersionInTheStoreThatIsNotIsRefused) {
  const auto folder = std::filesystem::temp_directory_path() / ("maeil-finite-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  {
    const nn::Parameters parameters = small_parameters();
    model::ModelFile model;
    model.predictor = model::TabTransformer::make(parameters).value();
    model.preparation = small_preparation();
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
    const auto loaded = load_version(*store, version, spec(), 2);
    ASSERT_FALSE(loaded);
    EXPECT_EQ(loaded.error().code, ErrorCode::kBadInput);
    EXPECT_THAT(loaded.error().message,
                HasSubstr("version 20260109_000000: tensor fc.3.bias holds NaN at (0)"));
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace maeil::registry
