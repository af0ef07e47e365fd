#include "copula/agreement.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <cmath>
#include <map>
#include <numeric>
#include <unordered_map>

#include "base/philox.h"
#include "copula/marginal.h"
#include "copula/test_support.h"

namespace maeil::copula {
namespace {

constexpr size_t kClasses = 7;  // of a coded column: 0 missing, 1..6

std::vector<double> present(const Column& column) {
  std::vector<double> out;
  std::ranges::copy_if(column.numbers, std::back_inserter(out), [](double v) { return !std::isnan(v); });
  std::ranges::sort(out);
  return out;
}

// sup |F1 - F2| of two sorted samples, ties counted once.
double kolmogorov_smirnov(const std::vector<double>& x, const std::vector<double>& y) {
  double worst = 0;
  for (size_t i = 0, j = 0; i < x.size() && j < y.size();) {
    const double at = std::min(x[i], y[j]);
    while (i < x.size() && x[i] <= at) ++i;
    while (j < y.size() && y[j] <= at) ++j;
    worst = std::max(worst, std::abs(static_cast<double>(i) / static_cast<double>(x.size()) -
                                     static_cast<double>(j) / static_cast<double>(y.size())));
  }
  return worst;
}

using Counts = std::vector<double>;  // per class

double total_variation(const Counts& x, const Counts& y) {
  const double nx = std::accumulate(x.begin(), x.end(), 0.0), ny = std::accumulate(y.begin(), y.end(), 0.0);
  double sum = 0;
  for (size_t k = 0; k < x.size(); ++k) sum += std::abs(x[k] / nx - y[k] / ny);
  return sum / 2;
}

// p of the chi-square test of homogeneity; classes with fewer than 20 in both samples together are one class.
double chi_square_p(const Counts& x, const Counts& y) {
  const double nx = std::accumulate(x.begin(), x.end(), 0.0), ny = std::accumulate(y.begin(), y.end(), 0.0);
  double statistic = 0, rest_x = 0, rest_y = 0;
  int classes = 0;
  const auto add = [&](double kx, double ky) {
    const double share = (kx + ky) / (nx + ny);
    statistic += (kx - nx * share) * (kx - nx * share) / (nx * share) +
                 (ky - ny * share) * (ky - ny * share) / (ny * share);
    ++classes;
  };
  for (size_t k = 0; k < x.size(); ++k) {
    if (x[k] + y[k] >= 20) {
      add(x[k], y[k]);
    } else {
      rest_x += x[k];
      rest_y += y[k];
    }
  }
  if (rest_x + rest_y >= 20) add(rest_x, rest_y);
  if (classes < 2) return 1;
  return boost::math::cdf(boost::math::complement(boost::math::chi_squared(classes - 1), statistic));
}

double missing_share(const Column& column, size_t rows) {
  double count = 0;
  for (size_t r = 0; r < rows; ++r) count += column.is_missing(r);
  return count / static_cast<double>(rows);
}

// Text of several tables as one numbering; missing is 0.
class TextCodes {
 public:
  std::vector<uint32_t> code(const Column& column) {
    std::vector<uint32_t> of_dictionary;
    for (const auto& text : column.dictionary)
      of_dictionary.push_back(known_.emplace(text, static_cast<uint32_t>(known_.size()) + 1).first->second);
    std::vector<uint32_t> out;
    for (const auto c : column.codes) out.push_back(c == kMissing ? 0 : of_dictionary[c]);
    return out;
  }
  size_t size() const { return known_.size() + 1; }

 private:
  std::unordered_map<std::string, uint32_t> known_;
};

Counts count(const std::vector<uint32_t>& codes, size_t classes) {
  Counts out(classes);
  for (const auto code : codes) ++out[code];
  return out;
}

using Coded = std::vector<uint8_t>;

// The three tables' column c as classes that `a` defines.
std::array<Coded, 3> classes_of(const Column& ours, const Column& a, const Column& b) {
  std::array<Coded, 3> out;
  if (a.type == ColumnType::kNumber) {
    const auto sorted = present(a);
    std::vector<double> cuts;
    for (size_t k = 1; k < 5 && !sorted.empty(); ++k) {
      const double cut = sorted[k * sorted.size() / 5];
      if (cuts.empty() || cut > cuts.back()) cuts.push_back(cut);
    }
    const Column* const columns[] = {&ours, &a, &b};
    for (size_t t = 0; t < 3; ++t) {
      for (const double v : columns[t]->numbers) {
        out[t].push_back(
            std::isnan(v) ? 0 : static_cast<uint8_t>(1 + (std::ranges::lower_bound(cuts, v) - cuts.begin())));
      }
    }
    return out;
  }
  TextCodes codes;
  const std::array<std::vector<uint32_t>, 3> text = {codes.code(ours), codes.code(a), codes.code(b)};
  const auto counts = count(text[1], codes.size());
  std::vector<uint32_t> order(codes.size() - 1);
  std::iota(order.begin(), order.end(), 1u);
  std::ranges::stable_sort(order, [&](uint32_t x, uint32_t y) { return counts[x] > counts[y]; });
  std::vector<uint8_t> of_code(codes.size(), kClasses - 1);
  of_code[0] = 0;
  for (size_t k = 0; k < std::min<size_t>(5, order.size()); ++k)
    of_code[order[k]] = static_cast<uint8_t>(k + 1);
  for (size_t t = 0; t < 3; ++t) {
    for (const auto code : text[t]) out[t].push_back(of_code[code]);
  }
  return out;
}

Counts joint(const Coded& x, const Coded& y) {
  std::array<uint32_t, kClasses * kClasses> cells{};
  for (size_t r = 0; r < x.size(); ++r) ++cells[x[r] * kClasses + y[r]];
  return Counts(cells.begin(), cells.end());
}

Counts sum(Counts x, const Counts& y) {
  for (size_t k = 0; k < x.size(); ++k) x[k] += y[k];
  return x;
}

}  // namespace

namespace {

double variation_margin(double comparisons, size_t rows) {
  return std::sqrt(3 * std::log(comparisons / kAlpha) / static_cast<double>(rows));
}

}  // namespace

Agreement compare_columns(const Table& ours, const Table& a, const Table& b) {
  Agreement out;
  const size_t C = a.columns.size();
  const double n = static_cast<double>(a.rows), columns = static_cast<double>(C);
  for (size_t c = 0; c < C; ++c) {
    const Column &mine = ours.columns[c], &first = a.columns[c], &second = b.columns[c];
    if (first.type == ColumnType::kNumber) {
      const auto x = present(mine), y = present(first), z = present(second);
      const auto critical = [&](size_t n1, size_t n2) {
        return std::sqrt(std::log(2 * columns / kAlpha) / 2 *
                         (1 / static_cast<double>(n1) + 1 / static_cast<double>(n2)));
      };
      const double d = x.empty() ? 1 : kolmogorov_smirnov(x, y), theirs = kolmogorov_smirnov(y, z),
                   margin = critical(std::max<size_t>(x.size(), 1), y.size());
      out.worst_ks = std::max(out.worst_ks, d / margin);
      if (!(d <= margin))
        out.marginals.push_back(fmt::format("{}: KS {:.4f}, between SDV's samples {:.4f}, margin {:.4f}",
                                            mine.name, d, theirs, margin));
    } else {
      TextCodes codes;
      const auto x_codes = codes.code(mine), y_codes = codes.code(first), z_codes = codes.code(second);
      const auto x = count(x_codes, codes.size()), y = count(y_codes, codes.size()),
                 z = count(z_codes, codes.size());
      const double d = total_variation(x, y), theirs = total_variation(y, z),
                   margin = variation_margin(columns, a.rows);
      const double p = chi_square_p(x, sum(y, z));
      if (!(d <= theirs + margin) || !(p >= kAlpha / columns)) {
        out.marginals.push_back(
            fmt::format("{}: TV {:.4f}, between SDV's samples {:.4f}, margin {:.4f}; p {:.2g}", mine.name, d,
                        theirs, margin, p));
      }
    }
    const double share = missing_share(mine, ours.rows),
                 theirs = (missing_share(first, a.rows) + missing_share(second, b.rows)) / 2;
    const double all = (share + 2 * theirs) / 3, error = std::sqrt(all * (1 - all) * 1.5 / n);
    const double margin = normal_quantile(1 - kAlpha / (2 * columns)) * error;
    if (!(std::abs(share - theirs) <= margin)) {
      out.missing.push_back(fmt::format("{}: {:.4f} missing, in SDV's samples {:.4f}, margin {:.4f}",
                                        mine.name, share, theirs, margin));
    }
  }
  return out;
}

Agreement compare(const Table& ours, const Table& a, const Table& b) {
  Agreement out = compare_columns(ours, a, b);
  const size_t C = a.columns.size();
  const double pairs = static_cast<double>(C * (C - 1)) / 2, margin = variation_margin(pairs, a.rows);
  std::vector<std::array<Coded, 3>> coded;
  for (size_t c = 0; c < C; ++c) coded.push_back(classes_of(ours.columns[c], a.columns[c], b.columns[c]));
  double unlikely = 0;
  for (size_t i = 0; i < C; ++i) {
    for (size_t j = 0; j < i; ++j) {
      const auto x = joint(coded[i][0], coded[j][0]), y = joint(coded[i][1], coded[j][1]),
                 z = joint(coded[i][2], coded[j][2]);
      const double d = total_variation(x, y), theirs = total_variation(y, z), p = chi_square_p(x, sum(y, z));
      out.worst_pair = std::max(out.worst_pair, d - theirs);
      unlikely += p < 0.01;
      if (!(d <= theirs + margin) || !(p >= kAlpha / pairs)) {
        out.pairs.push_back(fmt::format("{} x {}: TV {:.4f}, between SDV's samples {:.4f}; p {:.2g}",
                                        a.columns[i].name, a.columns[j].name, d, theirs, p));
      }
    }
  }
  out.unlikely_pairs = unlikely / pairs;
  return out;
}

namespace {

constexpr size_t kRows = 20000;

class SdvAgreementGolden : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    sampler_ = new MixtureSampler(sampler_of(fixture_model()));
    a_ = new Table(fixture_sample(0));
    b_ = new Table(fixture_sample(1));
  }
  static void TearDownTestSuite() {
    delete sampler_;
    delete a_;
    delete b_;
  }
  static Table drawn() { return draw(*sampler_, 0, kRows, 7); }
  static Column& column(Table& table, std::string_view name) {
    return const_cast<Column&>(*table.find(name));
  }
  static inline MixtureSampler* sampler_ = nullptr;
  static inline Table *a_ = nullptr, *b_ = nullptr;
};

TEST_F(SdvAgreementGolden, EveryColumnAndPairAgreesWithSdv) {
  ASSERT_EQ(a_->rows, kRows);
  const auto ours = drawn();
  ASSERT_EQ(ours.columns.size(), 99u);
  for (size_t c = 0; c < 99; ++c) ASSERT_EQ(ours.columns[c].name, a_->columns[c].name);
  const auto agreement = compare(ours, *a_, *b_);
  EXPECT_THAT(agreement.marginals, testing::IsEmpty());
  EXPECT_THAT(agreement.missing, testing::IsEmpty());
  EXPECT_THAT(agreement.pairs, testing::IsEmpty());
  // 1 % is expected; pairs that share a column move together, which a spread of a factor of three allows for.
  EXPECT_LT(agreement.unlikely_pairs, 0.03);
  RecordProperty("worst_ks_of_margin", std::to_string(agreement.worst_ks));
  RecordProperty("worst_pair", std::to_string(agreement.worst_pair));
  RecordProperty("unlikely_pairs", std::to_string(agreement.unlikely_pairs));
}

TEST_F(SdvAgreementGolden, SeesThatShuffledColumnsLoseTheirDependence) {
  auto ours = drawn();
  for (size_t c = 0; c < ours.columns.size(); ++c) {
    RandomSequence random(3, RandomStream::kShuffle, c);
    auto& column = ours.columns[c];
    for (uint32_t r = kRows - 1; r > 0; --r) {
      const auto other = random.next_below(r + 1);
      if (column.type == ColumnType::kText)
        std::swap(column.codes[r], column.codes[other]);
      else
        std::swap(column.numbers[r], column.numbers[other]);
    }
  }
  const auto agreement = compare(ours, *a_, *b_);
  EXPECT_THAT(agreement.marginals, testing::IsEmpty());
  EXPECT_THAT(agreement.missing, testing::IsEmpty());
  EXPECT_GT(agreement.pairs.size(), 500u);
}

TEST_F(SdvAgreementGolden, SeesOneColumnWithoutItsDependence) {
  auto ours = drawn();
  auto& numbers = column(ours, "AF_KIFRS_ADJ_NRML").numbers;
  std::ranges::rotate(numbers, numbers.begin() + 1);
  const auto agreement = compare(ours, *a_, *b_);
  EXPECT_THAT(agreement.marginals, testing::IsEmpty());
  ASSERT_FALSE(agreement.pairs.empty());
  for (const auto& pair : agreement.pairs) EXPECT_THAT(pair, testing::HasSubstr("AF_KIFRS_ADJ_NRML"));
}

TEST_F(SdvAgreementGolden, SeesAWrongNullRate) {
  auto ours = drawn();
  auto& numbers = column(ours, "INT_RATE").numbers;  // 35.2 % missing becomes 38.5 %
  for (size_t r = 0; r < kRows; r += 20) numbers[r] = std::nan("");
  EXPECT_THAT(compare_columns(ours, *a_, *b_).missing, testing::ElementsAre(testing::StartsWith("INT_RATE")));
}

TEST_F(SdvAgreementGolden, SeesAShiftedNumber) {
  auto ours = drawn();
  for (auto& v : column(ours, "usdkrw").numbers) v += 5;  // of a range of 150
  EXPECT_THAT(compare_columns(ours, *a_, *b_).marginals, testing::ElementsAre(testing::StartsWith("usdkrw")));
}

TEST_F(SdvAgreementGolden, SeesAWrongShareOfACategory) {
  auto ours = drawn();
  auto& target = column(ours, "DLNQ_1M_FLG");  // 6.7 % Y become 8.3 %
  const auto yes =
      static_cast<uint32_t>(std::ranges::find(target.dictionary, "Y") - target.dictionary.begin());
  for (size_t r = 0; r < kRows; r += 60) target.codes[r] = yes;
  EXPECT_THAT(compare_columns(ours, *a_, *b_).marginals,
              testing::ElementsAre(testing::StartsWith("DLNQ_1M_FLG")));
}

TEST_F(SdvAgreementGolden, AcceptsSdvsOwnSecondSample) {
  // As ours against the first sample and a third of ours: exchangeable, so it must hold too.
  const auto agreement = compare(*b_, *a_, drawn());
  EXPECT_TRUE(agreement.holds()) << testing::PrintToString(agreement.marginals)
                                 << testing::PrintToString(agreement.missing)
                                 << testing::PrintToString(agreement.pairs);
}

}  // namespace
}  // namespace maeil::copula
