#include "format/pickle.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "base/test_data.h"

namespace maeil::format {
namespace {

TEST(PickleGolden, ReadsTheSeedSynthesizerCompletely) {
  MAEIL_NEEDS(seed_dir());
  auto document = read_pickle_file(seed_dir() / "distribution_model.pkl");
  ASSERT_TRUE(document) << document.error().message;
  PickleValue root = document->root();
  EXPECT_EQ(root.class_name(), "sdv.single_table.copulas.GaussianCopulaSynthesizer");
  EXPECT_EQ(root.attribute("_fitted_sdv_version")->text(), "1.32.0");
  EXPECT_EQ(root.attribute("_num_rows")->integer(), 1000000);
  auto model = root.attribute("_model");
  ASSERT_TRUE(model);
  EXPECT_EQ(model->attribute("columns")->size(), 99u);
  EXPECT_EQ(model->attribute("columns")->item(1).text(), "seg");
  auto marginals = model->attribute("univariates");
  ASSERT_EQ(marginals->size(), 99u);
  for (size_t i = 0; i < 99; ++i) EXPECT_TRUE(marginals->item(i).is_class("copulas.univariate.beta.BetaUnivariate"));
  auto transformers = root.attribute("_data_processor")->attribute("_hyper_transformer")->attribute("field_transformers");
  EXPECT_EQ(transformers->pair_count(), 99u);
}

}  // namespace
}  // namespace maeil::format
