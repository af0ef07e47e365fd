#include "format/pandas.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/test_data.h"
#include "format/pickle_samples.h"

namespace maeil::format {
namespace {

// A frame pickle with one byte sequence replaced by another of the same length; why it cannot be read.
std::string refusal(std::string_view find, std::string_view replace) {
  std::string bytes = samples::from_hex(samples::kFrames[1]);
  size_t at = bytes.find(find);
  EXPECT_NE(at, bytes.npos);
  bytes.replace(at, find.size(), replace);
  auto document = read_pickle(bytes, "f.pkl");
  if (!document) return document.error().message;
  auto frame = read_frame(*document->root().find("frame"));
  return frame ? "was read" : frame.error().message;
}

TEST(Pandas, ReadsFramesSeriesAndIndexes) {
  for (std::string_view sample : samples::kFrames) {
    auto document = read_pickle(samples::from_hex(sample), "f.pkl");
    ASSERT_TRUE(document) << document.error().message;
    auto frame = read_frame(*document->root().find("frame"));
    ASSERT_TRUE(frame) << frame.error().message;
    EXPECT_EQ(frame->rows, 2u);
    EXPECT_EQ(frame->index, (std::vector<std::string>{"r", "s"}));
    EXPECT_EQ(frame->find("a")->numbers, (std::vector<double>{1, 2}));
    EXPECT_EQ(frame->find("d")->numbers, (std::vector<double>{3, 4}));
    EXPECT_EQ(frame->find("a")->dtype, "int64");
    EXPECT_EQ(frame->find("c")->numbers[0], 1.5);
    EXPECT_TRUE(std::isnan(frame->find("c")->numbers[1]));
    EXPECT_EQ(frame->find("b")->objects[0]->text(), "x");
    EXPECT_TRUE(frame->find("b")->objects[1]->is_none());
    EXPECT_EQ(frame->find("k")->dtype, "category");
    EXPECT_EQ(frame->find("k")->objects[0]->text(), "u");
    EXPECT_FALSE(frame->find("k")->objects[1]);
    EXPECT_EQ(frame->find("t")->numbers[0], 1577836800e9);
    EXPECT_TRUE(std::isnan(frame->find("t")->numbers[1]));
    EXPECT_EQ(frame->find("absent"), nullptr);
    auto series = read_series(*document->root().find("series"));
    ASSERT_TRUE(series) << series.error().message;
    EXPECT_EQ(series->columns[0].name, "s");
    EXPECT_EQ(series->columns[0].numbers, (std::vector<double>{1, 2}));
    EXPECT_EQ(read_index(*document->root().find("range")).value(), (std::vector<std::string>{"2", "5"}));
    EXPECT_FALSE(read_frame(*document->root().find("series")));
    EXPECT_FALSE(read_series(*document->root().find("frame")));
    EXPECT_FALSE(read_index(document->root()));
  }
}

TEST(Pandas, HoldsBlocksAgainstAxes) {
  EXPECT_EQ(refusal("_typ", "_typ"), "was read");
  EXPECT_NE(refusal("BlockManager", "BlockManages"), "was read");
  EXPECT_NE(refusal("_unpickle_block", "_unpickle_blocc").find("_unpickle_blocc"), std::string::npos);
}

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
    for (size_t j = 0; j < i; ++j)
      EXPECT_NEAR(frame->columns[i].numbers[j], frame->columns[j].numbers[i], 1e-12);
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
