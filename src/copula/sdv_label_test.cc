// Categories as texts: every digit of a whole number, and no more bytes than the file can have had.
#include "copula/sdv_label.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace maeil::copula {
namespace {

Result<std::vector<std::string>> labels(const std::string& pickle, const std::string& dtype,
                                        uint64_t text_left = 1000) {
  const auto document = format::read_pickle(pickle, "p.pkl");
  EXPECT_TRUE(document) << document.error().message;
  return label_texts({document->root(), "intervals"}, dtype, text_left);
}

TEST(SdvLabel, WholeNumbersBeyondDoublesKeepTheirDigits) {
  const std::string dict = "(I9007199254740993\nNI-9223372036854775807\nNI7\nNd.";
  const std::vector<std::string> expected = {"9007199254740993", "-9223372036854775807", "7"};
  for (const char* dtype : {"int64", "object", "Int64"})
    EXPECT_EQ(labels(dict, dtype).value(), expected) << dtype;
  EXPECT_EQ(labels("(I7\nNd.", "float64").value(), std::vector<std::string>{"7.0"});
}

TEST(SdvLabel, TextsThatRepeatAreRefused) {
  std::string dict = "(S'" + std::string(100, 'k') + "'\np0\nN";
  for (int i = 0; i < 9; ++i) dict += "g0\nN";
  EXPECT_TRUE(labels(dict + "d.", "object", 1000));
  const auto refused = labels(dict + "d.", "object", 999);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kBadInput);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("repeat each other"));
}

}  // namespace
}  // namespace maeil::copula
