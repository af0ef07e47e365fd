#include "format/pandas.h"

#include <gtest/gtest.h>

#include "base/test_data.h"

namespace maeil::format {
namespace {

TEST(PandasGolden, ReadsTheSeedsCorrelationAndDtypes) {
  MAEIL_NEEDS(seed_dir());
  auto document = read_pickle_file(seed_dir() / "distribution_model.pkl");
  ASSERT_TRUE(document) << document.error().message;
  PickleValue model = *document->root().attribute("_model");
  auto frame = read_frame(*model.attribute("correlation"));
  ASSERT_TRUE(frame) << frame.error().message;
  ASSERT_EQ(frame->rows, 99u);
  ASSERT_EQ(frame->columns.size(), 99u);
  EXPECT_EQ(frame->index[1], "seg");
  EXPECT_EQ(frame->columns[98].name, "debt");
  for (size_t i = 0; i < 99; ++i) {
    EXPECT_EQ(frame->columns[i].name, frame->index[i]);
    EXPECT_EQ(frame->columns[i].numbers[i], 1.0);
    for (size_t j = 0; j < i; ++j) EXPECT_NEAR(frame->columns[i].numbers[j], frame->columns[j].numbers[i], 1e-12);
  }
  auto dtypes = read_series(*document->root().attribute("_data_processor")->attribute("_dtypes"));
  ASSERT_TRUE(dtypes) << dtypes.error().message;
  EXPECT_EQ(dtypes->index[2], "acct_titl_cd");
  EXPECT_EQ(read_dtype(*dtypes->columns[0].objects[2]).value(), "int64");
  EXPECT_EQ(read_dtype(*dtypes->columns[0].objects[0]).value(), "object");

  PickleValue parameters = *model.attribute("univariates")->item(0).attribute("_params");
  EXPECT_DOUBLE_EQ(*number_of(*parameters.find("a")), 1.0000978663631253);
  EXPECT_DOUBLE_EQ(*number_of(*parameters.find("scale")), 0.9999986907163219);
}

}  // namespace
}  // namespace maeil::format
