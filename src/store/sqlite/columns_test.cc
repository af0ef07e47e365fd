// The bytes of a column: round trips, size, and no crash on any damage.
#include "store/sqlite/columns.h"

#include <gtest/gtest.h>

#include <cstring>

#include "base/philox.h"
#include "store/row_shape.h"

namespace maeil::store::sqlite {
namespace {

void expect_round_trip(const ColumnValues& values, size_t bytes) {
  const size_t rows = row_count(values);
  const std::string encoded = encode_column(values, 0, rows);
  EXPECT_EQ(encoded.size(), bytes);
  const auto decoded = decode_column(encoded, rows);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, values);
  for (size_t size = 0; size < encoded.size(); ++size) {
    const auto cut = decode_column(std::string_view(encoded).substr(0, size), rows);
    EXPECT_FALSE(cut && row_count(*cut) != rows);
  }
  EXPECT_FALSE(decode_column(encoded + "x", rows));
}

TEST(Columns, RoundTripsInTheExpectedSize) {
  expect_round_trip(std::vector<int64_t>{5, 5, 5}, 1 + 9);
  expect_round_trip(std::vector<int64_t>{0, 255}, 1 + 9 + 2);
  expect_round_trip(std::vector<int64_t>{-1, 255}, 1 + 9 + 4);
  expect_round_trip(std::vector<int64_t>{0, 70000}, 1 + 9 + 8);
  expect_round_trip(std::vector<int64_t>{INT64_MIN, INT64_MAX, 0}, 1 + 9 + 24);
  expect_round_trip(std::vector<int64_t>{}, 1 + 9);
  expect_round_trip(std::vector<double>{0.1, -0.0, 1e308}, 1 + 24);
  expect_round_trip(std::vector<std::string>{"a", "", "a", "한글"}, 1 + 1 + (2 + 1 + 7) + 9 + 4);
  expect_round_trip(std::vector<std::string>(300, "same"), 1 + 1 + 5 + 9);
}

TEST(Columns, NoBytesCrashIt) {
  RandomSequence random(1, RandomStream::kShuffle, 0);
  const std::string seeds[] = {encode_column(std::vector<int64_t>{1, 500, 3}, 0, 3),
                               encode_column(std::vector<double>{1, 2, 3}, 0, 3),
                               encode_column(std::vector<std::string>{"a", "bb", "a"}, 0, 3),
                               "s\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "i"};
  int read = 0;
  for (int trial = 0; trial < 20000; ++trial) {
    std::string bytes = seeds[random.next_below(5)];
    for (uint32_t flips = random.next_below(4); flips-- > 0;)
      bytes[random.next_below(static_cast<uint32_t>(bytes.size()))] = static_cast<char>(random.next_u32());
    const auto decoded = decode_column(bytes, 3);
    if (decoded) {
      ++read;
      ASSERT_EQ(row_count(*decoded), 3u);
    }
  }
  EXPECT_GT(read, 1000);
}

}  // namespace
}  // namespace maeil::store::sqlite
