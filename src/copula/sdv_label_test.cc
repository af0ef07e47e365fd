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

// A datetime.datetime as Python pickles it: ten bytes.
std::string datetime_key(int year, int month, int day, int hour, int minute, int second, int microseconds) {
  std::string bytes;
  for (const int byte : {year >> 8, year & 255, month, day, hour, minute, second, microseconds >> 16,
                         microseconds >> 8 & 255, microseconds & 255})
    bytes += static_cast<char>(byte);
  return "cdatetime\ndatetime\n(C\x0a" + bytes + "tR";
}

TEST(SdvLabel, TimesAreTheirDaysAndDaysThatAreNoneAreRefused) {
  const auto text = [](const std::string& key) {
    const auto found = labels("(" + key + "Nd.", "object");
    return found ? found->front() : found.error().message;
  };
  EXPECT_EQ(text(datetime_key(2024, 2, 29, 13, 5, 9, 250)), "2024-02-29 13:05:09.000250");
  EXPECT_EQ(text(datetime_key(1969, 12, 31, 23, 59, 59, 0)), "1969-12-31 23:59:59");
  EXPECT_EQ(text(datetime_key(1900, 3, 1, 0, 0, 1, 65536)), "1900-03-01 00:00:01.065536");
  EXPECT_EQ(labels("(" + datetime_key(2000, 2, 29, 0, 0, 0, 0) + "Nd.", "datetime64[ns]").value().front(),
            "2000-02-29");
  for (const auto& none : {datetime_key(2023, 2, 29, 0, 0, 0, 0), datetime_key(2023, 13, 1, 0, 0, 0, 0),
                           datetime_key(10000, 1, 1, 0, 0, 0, 0)})
    EXPECT_THAT(text(none), testing::HasSubstr("a text, a number, a date or a Decimal"));
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
