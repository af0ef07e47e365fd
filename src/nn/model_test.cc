// The table of tensors, initial values, and what is refused when a file's tensors do not make a model.
#include "nn/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace maeil::nn {
namespace {

using ::testing::HasSubstr;

ModelShape small_shape() {
  ModelShape shape;
  shape.cardinalities = {3, 2};
  shape.numeric = 2, shape.width = 8, shape.heads = 2, shape.layers = 2, shape.feed_forward = 12,
  shape.head_hidden = 10;
  return shape;
}

TEST(Parameters, AreInTheOrderOfAStateDict) {
  const Parameters p = zero_parameters(small_shape());
  std::vector<std::string> names;
  size_t end = 0;
  for (const TensorEntry& entry : p.tensors) {
    EXPECT_EQ(entry.offset, end) << entry.name;
    end += entry.size;
    names.push_back(entry.name);
  }
  EXPECT_EQ(p.values.size(), end);
  ASSERT_EQ(names.size(), 2u + 4 + 2 * 12 + 4);
  EXPECT_EQ(names[0], "encoder.embeddings.0.weight");
  EXPECT_EQ(names[4], "encoder.numeric_embeddings.1.weight");
  EXPECT_EQ(p.tensors[4].shape, (std::vector<int64_t>{8, 1}));
  EXPECT_EQ(names[6], "encoder.transformer.layers.0.self_attn.in_proj_weight");
  EXPECT_EQ(names[9], "encoder.transformer.layers.0.self_attn.out_proj.bias");
  EXPECT_EQ(names[17], "encoder.transformer.layers.0.norm2.bias");
  EXPECT_EQ(names.back(), "fc.3.bias");
  EXPECT_EQ(p.layers() + 2 * kernels::layer_offsets(p.shape.encoder()).size, p.head());
  EXPECT_EQ(p.named(true).size(), names.size() - 4);
  EXPECT_EQ(p.named(true)[0].name, "embeddings.0.weight");
}

TEST(Parameters, StartAsPyTorchDoes) {
  ModelShape shape = small_shape();
  shape.cardinalities[0] = 4000;
  const Parameters p = initial_parameters(shape, 7).value();
  double sum = 0, square = 0;
  for (float x : p.tensor(0)) sum += x, square += static_cast<double>(x) * x;
  const double n = static_cast<double>(p.tensors[0].size);
  EXPECT_NEAR(sum / n, 0, 5 / std::sqrt(n));
  EXPECT_NEAR(square / n, 1, 5 * std::sqrt(2 / n));
  for (size_t i = 0; i < p.tensors.size(); ++i) {
    const std::string& name = p.tensors[i].name;
    float largest = 0;
    for (float x : p.tensor(i)) largest = std::max(largest, std::abs(x));
    if (name.ends_with("in_proj_bias") || name.ends_with("out_proj.bias") || name.ends_with("norm1.bias")) {
      EXPECT_EQ(largest, 0) << name;
    }
    if (name.ends_with("norm2.weight")) {
      EXPECT_EQ(largest, 1) << name;
    }
    if (name.ends_with("linear2.weight")) {
      EXPECT_NEAR(largest, 1 / std::sqrt(12.0), 0.05) << name;
    }
    if (name.ends_with("in_proj_weight")) {
      EXPECT_NEAR(largest, std::sqrt(6 / 32.0), 0.05) << name;
    }
  }
  EXPECT_EQ(initial_parameters(shape, 7).value().values, p.values);
  EXPECT_NE(initial_parameters(shape, 8).value().values, p.values);
}

TEST(FromTensors, ReadsBackWhatItNames) {
  const Parameters p = initial_parameters(small_shape(), 1).value();
  const auto classifier = parameters_from_tensors(p.named(), 2);
  ASSERT_TRUE(classifier) << classifier.error().message;
  EXPECT_EQ(classifier->shape, p.shape);
  EXPECT_EQ(classifier->values, p.values);
  EXPECT_TRUE(classifier->has_head);

  auto tensors = p.named();
  tensors.resize(tensors.size() - 4);
  const auto encoder = parameters_from_tensors(tensors, 2, 5);
  ASSERT_TRUE(encoder) << encoder.error().message;
  EXPECT_FALSE(encoder->has_head);
  EXPECT_TRUE(std::equal(p.values.begin(), p.values.begin() + p.head(), encoder->values.begin()));
  EXPECT_NE(encoder->values.back(), 0);
}

TEST(FromTensors, RefusesWithTheTensorsName) {
  const Parameters p = initial_parameters(small_shape(), 1).value();
  const auto message = [](const std::vector<NamedTensor>& tensors, int heads = 2) {
    const auto result = parameters_from_tensors(tensors, heads);
    return result ? std::string("accepted") : result.error().message;
  };
  const auto index = [&](const std::string& name) {
    for (size_t i = 0; i < p.tensors.size(); ++i) {
      if (p.tensors[i].name == name) return i;
    }
    return p.tensors.size();
  };
  const size_t linear1 = index("encoder.transformer.layers.1.linear1.weight");
  auto t = p.named();
  t[linear1].shape = {12, 7};
  t[linear1].values = t[linear1].values.first(84);
  EXPECT_EQ(message(t),
            "tensor encoder.transformer.layers.1.linear1.weight: shape (12, 7), expected (12, 8)");
  t = p.named();
  t.erase(t.begin() + linear1);
  EXPECT_EQ(message(t), "tensor encoder.transformer.layers.1.linear1.weight is missing");
  t = p.named();
  t.push_back(t[0]);
  EXPECT_EQ(message(t), "tensor encoder.embeddings.0.weight is there twice");
  t = p.named();
  t.push_back({"encoder.embeddings.9.weight", {1}, t[0].values.first(1)});
  EXPECT_EQ(message(t), "tensor encoder.embeddings.9.weight is not part of a TabTransformer");
  t = p.named();
  t[0].shape = {-3, 8};
  EXPECT_EQ(message(t), "tensor encoder.embeddings.0.weight: impossible shape (-3, 8)");
  t = p.named();
  t[0].shape = {int64_t{1} << 40, int64_t{1} << 40};
  EXPECT_THAT(message(t), HasSubstr("impossible shape"));
  t = p.named();
  t[0].values = t[0].values.first(5);
  EXPECT_EQ(message(t), "tensor encoder.embeddings.0.weight: 5 values do not fill shape (3, 8)");
  t = p.named();
  t[index("fc.0.weight")].shape = {80};
  EXPECT_EQ(message(t), "tensor fc.0.weight: shape (80), expected two dimensions");
  auto values = p.values;
  values[p.tensors[linear1].offset + 13] = -INFINITY;
  t = p.named();
  t[linear1].values = {values.data() + p.tensors[linear1].offset, p.tensors[linear1].size};
  t[linear1].in_file = "module.linear1";
  EXPECT_THAT(message(t), HasSubstr("tensor module.linear1 holds -infinity at (1, 5)"));
  EXPECT_EQ(message(p.named(), 3), "3 heads do not divide the width 8");
  EXPECT_THAT(message(p.named(), 0), HasSubstr("impossible model"));
  EXPECT_THAT(message({}), HasSubstr("encoder.embeddings.0.weight"));
}

}  // namespace
}  // namespace maeil::nn
