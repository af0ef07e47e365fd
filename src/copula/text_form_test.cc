// Dates and keys as text, and the numbers of a float32.
#include "copula/text_form.h"

#include <gmock/gmock.h>

#include <set>

#include "copula/sampler.h"
#include "copula/single_precision.h"
#include "copula/test_support.h"

namespace maeil::copula {
namespace {

TEST(TextForm, WritesDatesAsPythonDoes) {
  const int64_t time = 1'704'862'805'012'345'678;  // 2024-01-10 05:00:05.012345678
  EXPECT_EQ(date_text("%d%b%Y", time), "10Jan2024");
  EXPECT_EQ(date_text("%-m/%-d/%y %I:%M %p", time), "1/10/24 05:00 AM");
  EXPECT_EQ(date_text("%Y-%m-%d %H:%M:%S.%f", time), "2024-01-10 05:00:05.012345");
  EXPECT_EQ(date_text("%Y-%m-%d %H:%M:%S.%f", -1000), "1969-12-31 23:59:59.999999");
  EXPECT_EQ(date_text("100%%", time), "100%");
  EXPECT_EQ(check_text_form(DateForm{"%Y%m%d"}), "");
  for (const char* format : {"", "%Q", "%c", "%", "%-Y"})
    EXPECT_NE(check_text_form(DateForm{format}), "") << format;
  EXPECT_NE(check_text_form(DateForm{"%Y", 0}), "");
}

TEST(TextForm, PatternsCountThroughTheirTexts) {
  const auto text = [](const char* pattern, uint64_t n) {
    return KeyPattern::parse(pattern).value().text(n);
  };
  EXPECT_EQ(text("ID-[0-9]{4}", 17), "ID-0017");
  EXPECT_EQ(text("^(ab){2}\\d\\.$", 3), "abab3.");
  EXPECT_EQ(text("[a-c]{1,2}", 4), "bb");
  EXPECT_EQ(text("[ab]", 5), "b(1)");  // two texts, the third time round
  EXPECT_EQ(text("\xED\x95\x9C[0-9]", 3),
            "\xED\x95\x9C"
            "3");
  std::set<std::string> seen;
  const auto pattern = KeyPattern::parse("[A-Za-z]{2}x?").value();
  for (uint64_t n = 0; n < 5000; ++n) EXPECT_TRUE(seen.insert(pattern.text(n)).second) << n;
  for (const char* bad :
       {"a|b", "(a", "a)", "[a", "[^a]", "a{x}", "\\b", "(?:a)", "a{999}", "*", "[b-a]", "a\\"})
    EXPECT_FALSE(KeyPattern::parse(bad)) << bad;
  EXPECT_FALSE(KeyPattern::parse(std::string(100000, '(')));
}

TEST(TextForm, SinglesShowAsFewDigitsAsTheyNeed) {
  EXPECT_EQ(as_single(0.1), 0.1);
  EXPECT_EQ(as_single(0.123456789), 0.12345679);
  EXPECT_EQ(as_single(16777217), 16777216);
  EXPECT_TRUE(std::isnan(as_single(std::nan(""))));
}

CopulaModel model_with_texts() {
  NumberOutput day, key, whole, single;
  day.text = DateForm{"%Y-%m-%d", 1'000'000'000};
  day.missing = 0.25;
  day.min = 1'700'000'000;
  day.max = 1'710'000'000;
  key.text = KeyForm{"[0-9]{4}", 5, true, "k", "."};
  whole.format = NumberFormat::kInteger;
  whole.missing = 0.5;
  single.single = true;
  CopulaModel model;
  model.columns = {number_column("day", Gaussian{1.705e9, 1e6}, day),
                   number_column("key", Uniform{0, 0}, key), number_column("whole", Gaussian{5, 2}, whole),
                   number_column("single", Gaussian{0, 1}, single)};
  model.correlation = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1};
  return model;
}

TEST(TextForm, JsonKeepsThem) {
  const auto model = model_with_texts();
  const auto read = parse_model_json(to_json(model), "m.json");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(to_json(*read), to_json(model));
  auto bad = model;
  std::get<NumberOutput>(bad.columns[0].output).text = DateForm{"%Q"};
  const auto refused = parse_model_json(to_json(bad), "m.json");
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("column day"));
}

// A row is the same whatever piece it is drawn in.
TEST(TextForm, RowsAreTheSameInEveryPiece) {
  const auto model = model_with_texts();
  ASSERT_TRUE(check_model(model));
  const auto sampler = sampler_of(model);
  const Table whole = draw(sampler, 0, 1024, 3), piece = draw(sampler, 700, 100, 3);
  size_t missing = 0;
  for (size_t c = 0; c < 4; ++c) {
    EXPECT_EQ(whole.columns[c].type, c < 2 ? ColumnType::kText : ColumnType::kNumber);
    for (size_t r = 0; r < 100; ++r) {
      ASSERT_EQ(piece.columns[c].is_missing(r), whole.columns[c].is_missing(700 + r));
      if (whole.columns[c].is_missing(700 + r))
        ++missing;
      else if (c < 2)
        EXPECT_EQ(piece.columns[c].text(r), whole.columns[c].text(700 + r));
      else
        EXPECT_EQ(piece.columns[c].numbers[r], whole.columns[c].numbers[700 + r]);
    }
  }
  EXPECT_GT(missing, 40u);
  EXPECT_EQ(whole.columns[1].text(0), "k5.");
  EXPECT_EQ(whole.columns[1].text(700), "k705.");
  EXPECT_THAT(std::string(whole.columns[0].text(whole.columns[0].is_missing(0) ? 1 : 0)),
              testing::StartsWith("202"));
}

}  // namespace
}  // namespace maeil::copula
