// NT-Xent against PyTorch and against finite differences; the pre-training loop.
#include "nn/pretrain.h"

#include <gtest/gtest.h>

#include "base/threads.h"
#include "nn/test_seed.h"

namespace maeil::nn {
namespace {

using namespace testing;

std::vector<float> flat(const nlohmann::json& rows) {
  std::vector<float> values;
  for (const auto& row : rows) {
    for (const auto& x : row) values.push_back(x.get<float>());
  }
  return values;
}

TEST(NtXentGolden, LossAndGradientsMatchPyTorch) {
  MAEIL_NEEDS(golden_dir());
  nlohmann::json golden;
  std::ifstream(golden_dir() / "ntxent.json") >> golden;
  const std::vector<float> zi = flat(golden.at("zi")), zj = flat(golden.at("zj"));
  const size_t n = golden.at("zi").size(), dim = zi.size() / n;
  std::vector<float> gi(zi.size()), gj(zj.size());
  EXPECT_NEAR(nt_xent(zi, zj, n, dim, golden.at("temperature").get<double>(), gi, gj),
              golden.at("loss").get<double>(), 1e-5);
  EXPECT_LE(largest_difference(gi, flat(golden.at("grad_zi"))), 1e-5);
  EXPECT_LE(largest_difference(gj, flat(golden.at("grad_zj"))), 1e-5);
}

TEST(NtXent, GradientsAgreeWithFiniteDifferences) {
  std::vector<float> zi, zj;
  RandomSequence random(1, RandomStream::kInit, 0);
  for (int i = 0; i < 12; ++i) {
    zi.push_back(static_cast<float>(random.next_uniform() - 0.5));
    zj.push_back(static_cast<float>(random.next_uniform() - 0.5));
  }
  std::vector<float> gi(12), gj(12);
  nt_xent(zi, zj, 3, 4, 0.5, gi, gj);
  for (int i = 0; i < 12; ++i) {
    for (auto [z, g] : {std::pair(&zi, &gi), std::pair(&zj, &gj)}) {
      const float kept = (*z)[i];
      (*z)[i] = kept + 1e-3f;
      const double above = nt_xent(zi, zj, 3, 4, 0.5, {}, {}), high = (*z)[i];
      (*z)[i] = kept - 1e-3f;
      const double below = nt_xent(zi, zj, 3, 4, 0.5, {}, {}), low = (*z)[i];
      (*z)[i] = kept;
      EXPECT_NEAR((*g)[i], (above - below) / (high - low), 1e-4);
    }
  }
}

TEST(Pretraining, LowersTheLossAlikeOnAnyNumberOfThreads) {
  ModelShape shape;
  shape.cardinalities = {3, 5, 7};
  shape.numeric = 5, shape.width = 16, shape.heads = 2, shape.layers = 1, shape.feed_forward = 16,
  shape.head_hidden = 8;
  const TestRows rows = random_rows(shape, 97, 3, true);
  const Parameters start = initial_parameters(shape, 1).value();
  std::vector<double> losses;
  const auto train = [&](int threads) {
    set_thread_count(threads);
    losses.clear();
    auto result = pretrain_encoder(
        start, rows.view().rows,
        {.epochs = 6, .batch = 32, .learning_rate = 3e-3f, .dropout = 0.1f, .projection = 24},
        {.progress = {}, .epoch = [&](int, const EpochResult& epoch) -> Status {
           losses.push_back(epoch.mean_loss);
           return {};
         }});
    set_thread_count(0);
    return result.value();
  };
  const Pretrained one = train(1);
  ASSERT_EQ(losses.size(), 6u);
  EXPECT_LT(losses.back(), losses.front() - 0.3);
  const Pretrained three = train(3);
  EXPECT_EQ(three.parameters.values, one.parameters.values);
  EXPECT_EQ(three.projection, one.projection);
  EXPECT_TRUE(std::equal(start.values.begin() + start.head(), start.values.end(),
                         one.parameters.values.begin() + start.head()));
  EXPECT_FALSE(
      std::equal(start.values.begin(), start.values.begin() + start.head(), one.parameters.values.begin()));
  ASSERT_EQ(one.projection_tensors.size(), 4u);
  EXPECT_EQ(one.projection_tensors.back().offset + one.projection_tensors.back().size, one.projection.size());
}

TEST(Pretraining, RefusesWhatCannotBeTrained) {
  ModelShape shape;
  shape.cardinalities = {3};
  shape.width = 8, shape.heads = 1, shape.layers = 1, shape.feed_forward = 8;
  const Parameters p = initial_parameters(shape, 1).value();
  const TestRows rows = random_rows(shape, 4, 1), one = random_rows(shape, 1, 1);
  EXPECT_FALSE(pretrain_encoder(p, one.view().rows, {}));
  EXPECT_FALSE(pretrain_encoder(p, rows.view().rows, {.batch = 1}));
  EXPECT_FALSE(pretrain_encoder(p, rows.view().rows, {.mask = 2}));
  EXPECT_FALSE(pretrain_encoder(p, rows.view().rows, {.temperature = 0}));
  EXPECT_TRUE(pretrain_encoder(p, rows.view().rows, {.epochs = 1}));
}

}  // namespace
}  // namespace maeil::nn
