// Files that SDV's own save() wrote, of five versions under numpy 1 and 2 and pandas 2 and 3
// (tools/oracle/sdv_pickles.py), against SDV's account of each: the same columns, texts, shares of missing
// values, categories and ranges in 20,000 rows of ours as in 1,500 of SDV's, and the quantiles of every
// marginal.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <set>

#include "copula/sampler.h"
#include "copula/sdv.h"
#include "copula/test_support.h"
#include "format/number_text.h"

namespace maeil::copula {
namespace {

using testing::HasSubstr;

constexpr uint64_t kRows = 20000;

std::string pickle_entry(const std::string& name) { return fixture_entry(name, "sdv_pickles.zip"); }

nlohmann::json manifest() { return nlohmann::json::parse(pickle_entry("manifest.json")); }

// Rows as their texts in CSV, by column.
std::vector<std::vector<std::string>> drawn_texts(const CopulaModel& model) {
  Mixture mixture;
  mixture.classes.push_back({"", 1, model});
  const auto sampler = MixtureSampler::make(mixture);
  EXPECT_TRUE(sampler) << sampler.error().message;
  const auto formats = number_formats(model);
  std::vector<std::vector<std::string>> out(model.columns.size());
  Table chunk;
  for (uint64_t row = 0; row < kRows; row += 1000) {
    sampler->draw(row, 1000, 7, chunk);
    for (size_t c = 0; c < out.size(); ++c) {
      const Column& column = chunk.columns[c];
      for (size_t r = 0; r < chunk.rows; ++r) {
        if (column.is_missing(r))
          out[c].emplace_back();
        else if (column.type == ColumnType::kText)
          out[c].emplace_back(column.text(r));
        else if (formats[c] == NumberFormat::kInteger)
          out[c].push_back(fmt::format("{:.0f}", column.numbers[r]));
        else
          format::append_float(out[c].emplace_back(), column.numbers[r]);
      }
    }
  }
  return out;
}

// "2023-01-09" -> "0000-00-00", "Feb" -> "aaa", "-3.5" -> "0.0": what a text looks like. Runs of digits of
// numbers count as one.
std::string shape(const std::string& text, bool number) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (number && (c == '-' || (std::isdigit(c) && !out.empty() && out.back() == '0'))) continue;
    out += std::isdigit(c) ? '0' : std::isalpha(c) ? 'a' : text[i];
  }
  return out;
}

// Four standard errors of a share that SDV saw in its rows and we in ours, and a little for what is never 0
// or 1.
double share_tolerance(double share, double theirs) {
  return 4 * std::sqrt(share * (1 - share) * (1 / theirs + 1.0 / kRows)) + 0.004;
}

void compare(const std::vector<std::string>& ours, const nlohmann::json& theirs, double rows) {
  std::map<std::string, double> shares;
  for (const auto& text : ours) shares[text] += 1.0 / kRows;
  const double missing = theirs["missing"];
  EXPECT_NEAR(shares[""], missing, share_tolerance(missing, rows));
  if (missing == 0 || missing == 1) {
    EXPECT_EQ(std::round(shares[""] * kRows), missing * kRows);
  }
  shares.erase("");
  if (theirs.contains("shares")) {
    // Rare ones need not have come up in SDV's rows, or in ours.
    for (const auto& [text, share] : theirs["shares"].items()) {
      EXPECT_NEAR(shares[text] / (1 - missing), share.get<double>(),
                  share_tolerance(share, rows * (1 - missing)) + 0.01)
          << text;
    }
    for (const auto& [text, share] : shares) {
      EXPECT_TRUE(share < 0.02 || theirs["shares"].contains(text))
          << text << " is drawn, SDV has no such value";
    }
    return;
  }
  const bool number = theirs.contains("mean");
  std::set<std::string> shapes, known;
  for (const auto& text : theirs["texts"]) known.insert(shape(text.get<std::string>(), number));
  for (const auto& [text, share] : shares) shapes.insert(shape(text, number));
  for (const auto& one : known)
    EXPECT_TRUE(shapes.contains(one) || one.find('a') != one.npos)
        << "SDV writes " << one << ", we " << *shapes.begin();
  if (!number) return;
  double mean = 0, total = 0, low = INFINITY, high = -INFINITY;
  for (const auto& [text, share] : shares) {
    const double value = std::stod(text);
    mean += value * share;
    total += share;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  const double std = theirs["std"], span = theirs["max"].get<double>() - theirs["min"].get<double>();
  EXPECT_NEAR(mean / total, theirs["mean"].get<double>(),
              5 * std / std::sqrt(rows * (1 - missing)) + 0.01 * span);
  EXPECT_NEAR(low, theirs["min"].get<double>(), 0.25 * span);
  EXPECT_NEAR(high, theirs["max"].get<double>(), 0.25 * span);
}

TEST(SdvVersions, EveryColumnIsDrawnAsSdvDrawsIt) {
  size_t read = 0;
  const auto list = manifest();
  for (const auto& entry : list["sampled"]) {
    const auto name = entry.get<std::string>();
    if (name.find("seoul") != name.npos || name.find("p3-dates") != name.npos) continue;  // below
    SCOPED_TRACE(name);
    const auto model = parse_sdv_model(pickle_entry(name + ".pkl"), name + ".pkl");
    if (!model) {
      ADD_FAILURE() << model.error().message;
      continue;
    }
    ++read;
    const auto account = nlohmann::json::parse(pickle_entry(name + ".json"));
    const auto texts = drawn_texts(*model);
    std::vector<std::string> names;
    for (size_t c = 0; c < texts.size(); ++c) {
      names.push_back(model->columns[c].name);
      SCOPED_TRACE(names.back());
      const auto* number = std::get_if<NumberOutput>(&model->columns[c].output);
      if (number && number->text && std::holds_alternative<KeyForm>(*number->text)) {
        EXPECT_EQ(std::set<std::string>(texts[c].begin(), texts[c].end()).size(), kRows)
            << "a key comes twice";
        EXPECT_FALSE(std::ranges::count(texts[c], ""));
        continue;
      }
      compare(texts[c], account["columns"].at(names.back()), account["rows"]);
    }
    EXPECT_EQ(names, account["order"].get<std::vector<std::string>>());
  }
  EXPECT_GT(read, 40u);
}

TEST(SdvVersions, EveryMarginalHasSdvsQuantiles) {
  size_t compared = 0;
  const auto list = manifest();
  for (const auto& entry : list["sampled"]) {
    const auto name = entry.get<std::string>();
    if (name.find("marginals") == name.npos && name.find("constants") == name.npos) continue;
    SCOPED_TRACE(name);
    const auto model = parse_sdv_model(pickle_entry(name + ".pkl"), name + ".pkl");
    ASSERT_TRUE(model) << model.error().message;
    const auto account = nlohmann::json::parse(pickle_entry(name + ".json"))["columns"];
    for (const auto& column : model->columns) {
      SCOPED_TRACE(column.name);
      const auto& expected = account.at(column.name).at("quantiles");
      const double spread = expected["x"].back().get<double>() - expected["x"].front().get<double>();
      // The kernel estimate is read as a polygon and SDV inverts it by a search of its own; the others are
      // closed forms.
      const double tolerance = expected["family"] == "GaussianKDE" ? 1e-3 : 1e-6;
      for (size_t i = 0; i < expected["u"].size(); ++i) {
        EXPECT_NEAR(quantile_at(column.marginal, normal_quantile(expected["u"][i])),
                    expected["x"][i].get<double>(), tolerance * spread + 1e-12)
            << i;
        ++compared;
      }
    }
  }
  EXPECT_GE(compared, 7u * 6 * 7);
}

TEST(SdvVersions, WhatIsNotReadIsNamed) {
  const std::map<std::string, std::vector<std::string>> expected = {
      {"unfitted", {"saved before it was fitted", "fit() and save()"}},
      {"ctgan", {"CTGANSynthesizer", "GaussianCopulaSynthesizer"}},
      {"several_tables", {"HMASynthesizer", "several tables", "GaussianCopulaSynthesizer"}},
      {"constraint", {"constraint"}},
      {"p3-dates.", {"1970", "pandas 2"}},  // SDV's own rows say 1970 for 2023
      {"seoul", {"column seoul", "time zone"}}};
  std::set<std::string> seen;
  const auto list = manifest();
  for (const char* key : {"refused", "sampled"}) {
    for (const auto& entry : list[key]) {
      const auto name = entry.get<std::string>();
      for (const auto& [part, words] : expected) {
        if ((name + ".").find(part) == std::string::npos) continue;
        SCOPED_TRACE(name);
        seen.insert(part);
        const auto read = parse_sdv_model(pickle_entry(name + ".pkl"), name + ".pkl");
        ASSERT_FALSE(read);
        EXPECT_EQ(read.error().code, ErrorCode::kBadInput);
        for (const auto& word : words) EXPECT_THAT(read.error().message, HasSubstr(word));
      }
    }
  }
  EXPECT_EQ(seen.size(), expected.size());
}

// SDV takes a datetime64[us] for nanoseconds and writes 1970 (its account beside the file says so); the file
// knows better.
TEST(SdvVersions, DatesKeepTheUnitOfTheirDtype) {
  const std::string name = "2.0.0-n2-p3-dates_utc";
  const auto model = parse_sdv_model(pickle_entry(name + ".pkl"), name);
  ASSERT_TRUE(model) << model.error().message;
  const auto texts = drawn_texts(*model).at(1);
  const auto [first, last] = std::ranges::minmax(texts);
  EXPECT_THAT(first, testing::StartsWith("2023-01-01 "));
  EXPECT_THAT(last, testing::AllOf(testing::StartsWith("2023-03-01 "), testing::EndsWith("+00:00")));
}

// A needed value that is of an unknown class is named with the way to it; one that is not needed may be
// anything.
TEST(SdvVersions, UnknownClassesMatterOnlyWhereTheyAreNeeded) {
  const std::string name = "1.32.0-n2-categories.pkl";
  const auto whole = pickle_entry(name);
  const auto renamed = [&](const std::string& from, const std::string& to) {
    auto bytes = whole;
    size_t times = 0;
    for (size_t at = 0; (at = bytes.find(from, at)) != bytes.npos; at += to.size(), ++times)
      bytes.replace(at, from.size(), to);
    EXPECT_GT(times, 0u) << from;
    return parse_sdv_model(std::move(bytes), name);
  };
  EXPECT_TRUE(renamed("__randomstate_ctor", "__whatever_is_ctor"));
  const auto processor = renamed("sdv.data_processing", "sdx.data_processing"),
             transformer = renamed("UniformEncoder", "UniformEncodxx");
  ASSERT_FALSE(processor);
  EXPECT_THAT(processor.error().message,
              HasSubstr("GaussianCopulaSynthesizer._data_processor is a sdx.data_processing"));
  ASSERT_FALSE(transformer);
  EXPECT_THAT(transformer.error().message, HasSubstr("UniformEncodxx"));
  const auto opaque = renamed("rdt.transformers.categorical", "rdx.transformers.categorical");
  ASSERT_FALSE(opaque);
  EXPECT_THAT(opaque.error().message, HasSubstr("field_transformers["));
  EXPECT_THAT(opaque.error().message, HasSubstr("rdx.transformers.categorical.UniformEncoder"));
  const auto model = renamed("GaussianMultivariate", "GaussianMultivarxxxx");
  ASSERT_FALSE(model);
  EXPECT_THAT(model.error().message, HasSubstr("GaussianCopulaSynthesizer._model"));
  // Constraints that cannot be seen are not "no constraints".
  const auto constraints = renamed("_chained_constraints\x94]\x94", "_chained_constraints\x94\x88\x94");
  ASSERT_FALSE(constraints);
  EXPECT_THAT(constraints.error().message,
              HasSubstr("GaussianCopulaSynthesizer._chained_constraints is a bool"));
}

}  // namespace
}  // namespace maeil::copula
