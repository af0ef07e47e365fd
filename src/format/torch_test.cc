#include "format/torch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "base/file.h"
#include "base/test_data.h"
#include "format/test_checkpoint.h"

namespace maeil::format {
namespace {

using testing::read_whole;
using testing::value_in;
using Json = nlohmann::ordered_json;

bool same_bits(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  if (a.size() != b.size()) return false;
  auto bits = [](const auto& x, const auto& y) {
    return x.size() == y.size() &&
           (x.empty() || std::memcmp(x.data(), y.data(), x.size() * sizeof(x[0])) == 0);
  };
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].name != b[i].name || a[i].shape != b[i].shape || a[i].dtype != b[i].dtype) return false;
    if (!bits(a[i].values, b[i].values) || !bits(a[i].doubles, b[i].doubles) ||
        !bits(a[i].integers, b[i].integers))
      return false;
  }
  return true;
}

TEST(Torch, TheComparisonSeesOneBitANameAndAShape) {
  std::vector<Tensor> a{{"w", {2}, DType::kFloat32, {1.0f, std::nanf("1")}, {}, {}}};
  auto b = a;
  EXPECT_TRUE(same_bits(a, b));
  b[0].values[1] = std::nanf("2");
  EXPECT_FALSE(same_bits(a, b));
  b = a;
  b[0].values[0] = std::nextafter(1.0f, 2.0f);
  EXPECT_FALSE(same_bits(a, b));
  b = a;
  b[0].name = "v";
  EXPECT_FALSE(same_bits(a, b));
  b = a;
  b[0].shape = {1, 2};
  EXPECT_FALSE(same_bits(a, b));
}

TEST(TorchGolden, RoundTripsBothSeedCheckpoints) {
  MAEIL_NEEDS(seed_dir());
  for (const char* file : {"finetuned_model_f.pth", "pretrained_model_f.pth"}) {
    const std::string bytes = read_file(seed_dir() / file).value();
    auto read = read_whole(bytes, file);
    ASSERT_TRUE(read) << read.error().message;
    bool bare = std::string_view(file).starts_with("pre");
    EXPECT_EQ(read->state.size(), bare ? 273u : 277u);
    size_t parameters = 0;
    for (const Tensor& tensor : read->state) parameters += tensor.values.size();
    EXPECT_EQ(parameters, bare ? 113088u : 117570u);
    EXPECT_EQ(read->state[0].name, bare ? "embeddings.0.weight" : "encoder.embeddings.0.weight");
    auto plain = read_whole(write_state_dict(read->state).value(), "again.pth");
    ASSERT_TRUE(plain) << plain.error().message;
    EXPECT_TRUE(same_bits(read->state, plain->state));
    const std::string made = write_checkpoint(read->state, Json{{"finetuned_from", "a.pth"}}).value();
    auto dict = read_whole(made, "again.pth");
    ASSERT_TRUE(dict) << dict.error().message;
    EXPECT_TRUE(same_bits(read->state, dict->state));
    EXPECT_EQ(dict->dicts[0].path, "model_state_dict");
    EXPECT_EQ(value_in(made, "finetuned_from"), "a.pth");
  }
}

TEST(Torch, WritesAndReadsEveryTypeAndExtrasUnchanged) {
  std::vector<Tensor> state{{"a.weight", {2, 3}, DType::kFloat32, {1, 2, 3, 4, 5, -0.0f}, {}, {}},
                            {"scalar", {}, DType::kFloat64, {}, {2.5}, {}},
                            {"empty", {0, 4}, DType::kFloat32, {}, {}, {}},
                            {"count", {1}, DType::kInt64, {}, {}, {INT64_MIN}}};
  Json extras = {{"metadata",
                  {{"medians", {1.5, 0.1, 1e300}},
                   {"iqr", 0.1},
                   {"mixed", {1, 2.5, nullptr, true, "담보"}},
                   {"none", Json::array()}}},
                 {"finetuned_from", nullptr},
                 {"big", 1099511627776},
                 {"negative", -7},
                 {"finetune_timestamp", "2026-01-09T00:00:00Z"}};
  std::string bytes = write_checkpoint(state, extras).value();
  EXPECT_EQ(bytes, write_checkpoint(state, extras).value());
  auto read = read_whole(bytes, "x.pth");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_TRUE(same_bits(read->state, state));
  for (const auto& [key, value] : extras.items()) EXPECT_EQ(value_in(bytes, key).dump(), value.dump()) << key;
  state[0].values.pop_back();
  EXPECT_FALSE(write_checkpoint(state, extras));
}

}  // namespace
}  // namespace maeil::format
