// Scorecards learn what is in a made-up book, the same bytes at any number of threads; contributions and
// points add up to the score; and a file that is not as it was written is refused in words.
#include "model/scorecard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/threads.h"
#include "format/zip.h"
#include "metrics/classification.h"
#include "model/boosted_trees.h"
#include "model/model_file.h"
#include "model/scorecard_fit.h"
#include "model/scorecard_table.h"
#include "model/test_book.h"

namespace maeil::model {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<const Scorecard> fitted_scorecard(const Samples& learn, const Predictor* start = nullptr,
                                                  const prep::Preparation& preparation = book_preparation()) {
  const auto made = scorecard_learner({})->fit(preparation, learn, {}, start, {});
  EXPECT_TRUE(made) << made.error().message;
  return std::dynamic_pointer_cast<const Scorecard>(made.value());
}

double log_loss_of(const Predictor& predictor, const Samples& rows) {
  const auto p = predictor.probabilities(rows.view().rows).value();
  return metrics::classification_metrics(p, std::vector<uint8_t>(rows.labels.begin(), rows.labels.end()))
      ->log_loss;
}

TEST(Scorecard, LearnsWhatIsInTheBook) {
  const Samples learn = draw_book(20000, 1), judged = draw_book(3000, 2), test = draw_book(10000, 3);
  int epochs = 0;
  const auto made = scorecard_learner({})->fit(book_preparation(), learn, judged, nullptr,
                                               {.epoch = [&](const Epoch& epoch) -> Status {
                                                 ++epochs;
                                                 EXPECT_EQ(epoch.probabilities.size(), judged.rows());
                                                 EXPECT_GT(epoch.loss, 0);
                                                 return {};
                                               }});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(epochs, 1);
  const auto& card = dynamic_cast<const Scorecard&>(**made);
  const double rate = std::ranges::count(test.labels, 1) / 10000.0;
  EXPECT_LT(log_loss_of(card, test), -rate * std::log(rate) - (1 - rate) * std::log(1 - rate) - 0.03);
  const auto& features = card.parts().features;
  EXPECT_THAT(features[4].left_out, HasSubstr("information value is 0.00"));  // noise
  for (const size_t f : {0, 1, 2, 3}) {
    EXPECT_EQ(features[f].left_out, "") << f;
    EXPECT_LT(features[f].coefficient, 0);
    EXPECT_GT(features[f].standard_error, 0);
  }
  // A missing rate is worse than any: the bin with the least weight of evidence.
  const auto& rates = features[2].binning.bins;
  for (const auto& bin : rates) EXPECT_GE(bin.weight_of_evidence, rates.back().weight_of_evidence);
  EXPECT_EQ(card.parts().penalty, 0);
  EXPECT_EQ(card.hyperparameters()["features_used"], 4);
}

TEST(Scorecard, TheSameBytesAtAnyNumberOfThreads) {
  const Samples learn = draw_book(30000, 4);
  const int before = thread_count();
  std::string first;
  for (const int threads : {1, 2, 3, 7}) {
    set_thread_count(threads);
    const std::string json = fitted_scorecard(learn)->to_json(book_preparation());
    if (first.empty()) first = json;
    EXPECT_TRUE(json == first) << threads << " threads";
  }
  set_thread_count(before);
}

TEST(Scorecard, ContributionsAndPointsAddUpToTheScore) {
  const auto card = fitted_scorecard(draw_book(5000, 5));
  Samples rows = draw_book(500, 6);
  for (size_t i = 0; i < rows.rows(); i += 7) rows.codes[2 * i + i % 2] = -1;  // never seen
  const auto p = card->probabilities(rows.view().rows).value();
  const auto said = card->contributions(rows.view().rows).value();
  ASSERT_EQ(said.features, 5u);
  ASSERT_EQ(said.values.size(), rows.rows() * 5);
  const auto& parts = card->parts();
  for (size_t row = 0; row < rows.rows(); ++row) {
    double log_odds = said.base, points = 0;
    for (size_t f = 0; f < 5; ++f) {
      log_odds += said.values[row * 5 + f];
      const auto& feature = parts.features[f];
      const size_t bin = f < 2 ? bin_of(feature.binning, rows.codes[row * 2 + f])
                               : bin_of(feature.binning, rows.numbers[row * 3 + f - 2]);
      if (feature.left_out.empty())
        points += points_of(parts, feature, feature.binning.bins[bin]);
      else
        EXPECT_EQ(said.values[row * 5 + f], 0);
    }
    EXPECT_NEAR(log_odds, std::log(p[row] / (1 - p[row])), 1e-9);
    // 600 points at odds of 50:1 for a good, 20 more double them.
    EXPECT_NEAR(points, 600 + 20 * std::log2((1 - p[row]) / p[row] / 50), 1e-6);
  }
  // Over the rows that it learnt from what a feature adds is 0 on the average.
  const Samples learn = draw_book(5000, 5);
  const auto learnt = card->contributions(learn.view().rows).value();
  for (size_t f = 0; f < 5; ++f) {
    double sum = 0;
    for (size_t row = 0; row < learn.rows(); ++row) sum += learnt.values[row * 5 + f];
    EXPECT_NEAR(sum / 5000, 0, 1e-9) << f;
  }
}

TEST(Scorecard, WhatIsSaidTwiceIsLeftOut) {
  Samples learn = draw_book(4000, 7);
  for (size_t i = 0; i < learn.rows(); ++i)  // the noise becomes the leverage, a little coarser
    learn.numbers[i * 3 + 2] = std::round(learn.numbers[i * 3 + 1] * 8) / 8;
  const auto card = fitted_scorecard(learn);
  const auto& features = card->parts().features;
  const size_t out = features[3].left_out.empty() ? 4 : 3;
  EXPECT_EQ(features[7 - out].left_out, "");
  EXPECT_THAT(features[out].left_out, HasSubstr("correlates by"));
  EXPECT_THAT(features[out].left_out, HasSubstr(out == 4 ? "leverage" : "noise"));
  EXPECT_GT(information_value(features[7 - out].binning), information_value(features[out].binning));
}

TEST(Scorecard, ACoefficientOfTheWrongSignIsDropped) {
  // The noise goes with the label only through what rate and leverage say already, and beside them the other
  // way.
  Samples learn = draw_book(20000, 8);
  for (size_t i = 0; i < learn.rows(); ++i) {
    RandomSequence random(9, RandomStream::kShift, i);
    float* numbers = &learn.numbers[i * 3];
    if (std::isnan(numbers[0])) numbers[0] = 0;
    const double risk = numbers[0] - numbers[1], noise = 2 * random.next_uniform() - 1;
    numbers[2] = static_cast<float>(risk + 2 * noise);
    learn.labels[i] = random.next_uniform() < 1 / (1 + std::exp(2 - 2 * risk + 0.5 * noise));
  }
  const auto card = fitted_scorecard(learn);
  EXPECT_GT(information_value(card->parts().features[4].binning), 0.02);
  EXPECT_THAT(card->parts().features[4].left_out, HasSubstr("a better bin would have had fewer points"));
  for (const auto& feature : card->parts().features)
    if (feature.left_out.empty()) {
      EXPECT_LT(feature.coefficient, 0);
    }
}

TEST(Scorecard, WhatIsMonotoneStaysSo) {
  auto preparation = book_preparation();
  preparation.spec = std::make_shared<table::DatasetSpec>(table::parse_dataset_spec(R"(name = "book"
columns = [ { name = "grade", type = "text" }, { name = "sector", type = "text" },
            { name = "rate", type = "number", monotone = "up" },
            { name = "leverage", type = "number", monotone = "up" },
            { name = "noise", type = "number" }, { name = "bad", type = "text" } ]
target = { column = "bad", negative = "N", positive = "Y" }
)",
                                                                                    "book.toml")
                                                              .value());
  const auto card = fitted_scorecard(draw_book(5000, 10), nullptr, preparation);
  const auto& rate = card->parts().features[2];
  ASSERT_EQ(rate.left_out, "");
  for (size_t b = 0; b + 1 < rate.binning.last(); ++b)
    EXPECT_GT(rate.binning.bins[b].weight_of_evidence, rate.binning.bins[b + 1].weight_of_evidence);
  EXPECT_THAT(card->parts().features[3].left_out, HasSubstr("information value"));  // in truth it falls
  EXPECT_TRUE(card->parts().features[3].binning.bounds.empty());
}

TEST(Scorecard, GoesOnWithItsBinsAndNewCoefficients) {
  const auto parent = fitted_scorecard(draw_book(5000, 11));
  Samples learn = draw_book(3000, 12);
  RandomSequence random(1, RandomStream::kShift, 1);
  for (auto& label : learn.labels)  // defaults are half as many
    if (label == 1 && random.next_uniform() < 0.5) label = 0;
  const auto child = fitted_scorecard(learn, parent.get());
  EXPECT_LT(child->parts().intercept, parent->parts().intercept - 0.4);
  EXPECT_EQ(child->parts().learnt.rows, 3000u);
  EXPECT_LT(log_loss_of(*child, learn), log_loss_of(*parent, learn));
  for (size_t f = 0; f < 5; ++f) {
    EXPECT_EQ(child->parts().features[f].binning.bounds, parent->parts().features[f].binning.bounds);
    EXPECT_EQ(child->parts().features[f].binning.of_code, parent->parts().features[f].binning.of_code);
  }
  // Rows of one class, and rows that contradict everything, leave it as it was.
  Samples turned = draw_book(3000, 12), one_class = turned;
  for (auto& label : turned.labels) label = 1 - label;
  std::ranges::fill(one_class.labels, 0);
  for (const Samples& rows : {turned, one_class})
    EXPECT_EQ(fitted_scorecard(rows, parent.get())->to_json(book_preparation()),
              parent->to_json(book_preparation()));
  // A model of another family is nothing to go on from.
  const auto trees = boosted_trees_learner({.rounds = 1})->fit(book_preparation(), learn, {}, nullptr, {});
  ASSERT_TRUE(trees) << trees.error().message;
  const auto refused = scorecard_learner({})->fit(book_preparation(), learn, {}, trees->get(), {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "a scorecard cannot go on from a model of the family boosted_trees");
}

TEST(Scorecard, RowsThatTeachNothingAreRefused) {
  Samples rows = draw_book(400, 13);
  const auto why = [&] {
    const auto made = scorecard_learner({})->fit(book_preparation(), rows, {}, nullptr, {});
    return made ? Error{ErrorCode::kInternal, "was made"} : made.error();
  };
  std::ranges::fill(rows.labels, 0);
  EXPECT_EQ(why().code, ErrorCode::kBadInput);
  EXPECT_EQ(why().message, "the 400 rows to learn from are all of one class");
  rows.labels[7] = 1;
  std::ranges::fill(rows.codes, 0);
  std::ranges::fill(rows.numbers, 1.0f);
  EXPECT_EQ(why().code, ErrorCode::kFailed);
  EXPECT_THAT(why().message, HasSubstr("no feature says enough"));
}

TEST(Scorecard, RowsThatAreToldApartNeedAPenalty) {
  Samples rows = draw_book(400, 14);
  for (size_t i = 0; i < rows.rows(); ++i) {  // missing is as good as certain
    rows.numbers[i * 3] = i % 2 ? std::numeric_limits<float>::quiet_NaN() : 1;
    rows.labels[i] = i % 2;
  }
  const auto card = fitted_scorecard(rows);
  EXPECT_EQ(card->parts().penalty, 1);
  EXPECT_LT(log_loss_of(*card, rows), 0.05);
}

TEST(Scorecard, RowsThatItCannotReadAreNamed) {
  const auto card = fitted_scorecard(draw_book(2000, 1));
  const auto why = [&](const std::function<void(Samples&)>& change) {
    Samples rows = draw_book(9000, 2);
    change(rows);
    const auto p = card->probabilities(rows.view().rows);
    const auto c = card->contributions(rows.view().rows);
    if (p && c) return std::string("was scored");
    EXPECT_FALSE(p || c);
    EXPECT_EQ(p.error().message, c.error().message);
    return p.error().message;
  };
  EXPECT_EQ(why([](Samples&) {}), "was scored");
  EXPECT_EQ(why([](Samples& s) { s.codes[2 * 8000] = 9, s.codes[2 * 4000 + 1] = 40; }),
            "row 4000: code 40 of categorical feature 1, which has 40 values");
  EXPECT_EQ(why([](Samples& s) { s.codes[7] = -2; }),
            "row 3: code -2 of categorical feature 1, which has 40 values");
  EXPECT_EQ(why([](Samples& s) { s.numbers[14] = -INFINITY; }), "row 4: numeric feature 2 is infinite");
  EXPECT_THAT(why([](Samples& s) { s.numbers.pop_back(); }), HasSubstr("are not 9000 rows of 2 and 3"));
}

class ScorecardFile : public ::testing::Test {
 protected:
  const std::shared_ptr<const Scorecard> card_ = fitted_scorecard(draw_book(2000, 1));

  std::string bytes() const {
    ModelFile file{.predictor = card_, .preparation = book_preparation()};
    file.notes["reference"] = "rows.csv";
    return model_file_bytes(file, "parent", Instant{}).value();
  }
  static std::string refusal_of(std::string_view bytes) {
    const auto model = parse_model_file(bytes, "f.maeil", book_spec(), 4);
    if (model) return "was read";
    EXPECT_EQ(model.error().code, ErrorCode::kBadInput);
    EXPECT_THAT(model.error().message, HasSubstr("f.maeil"));
    return model.error().message;
  }
};

TEST_F(ScorecardFile, IsReadAsItWasWritten) {
  const auto model = parse_model_file(bytes(), "f.maeil", book_spec(), 4);
  ASSERT_TRUE(model) << model.error().message;
  const Samples rows = draw_book(500, 2);
  EXPECT_EQ(model->predictor->probabilities(rows.view().rows).value(),
            card_->probabilities(rows.view().rows).value());
  EXPECT_EQ(model->predictor->family(), kScorecard);
  EXPECT_EQ(model_file_bytes(*model, "parent", Instant{}).value(), bytes());
}

TEST_F(ScorecardFile, IsRefusedWhereItsBytesAreNotThoseThatWereWritten) {
  const std::string good = bytes();
  const auto zip = format::ZipReader::open(good, "f").value();
  const std::string card = zip.read("scorecard.json").value(), facts = zip.read("facts.json").value();
  const auto with = [&](const std::string& f, const std::string& c, const char* entry = "scorecard.json") {
    return refusal_of(format::write_stored_zip({{"facts.json", f}, {entry, c}}).value());
  };
  ASSERT_EQ(with(facts, card), "was read");
  EXPECT_THAT(with(facts, card + " "), HasSubstr("scorecard.json do not match their sha256"));
  EXPECT_THAT(with(facts, card, "xgboost.json"), HasSubstr("it is of a scorecard, and there is no"));
  EXPECT_THAT(with(facts, card, "other.json"), HasSubstr("and nothing else"));
  auto other = Json::parse(facts);
  other["family"] = "forest";
  EXPECT_THAT(with(other.dump(), card), HasSubstr("a family that is not known"));
  for (size_t length = 0; length < good.size(); length += 97)
    EXPECT_NE(refusal_of(good.substr(0, length)), "was read");
}

// Each entry of a scorecard, changed into what it must not be.
TEST_F(ScorecardFile, AScorecardThatIsNoneIsRefused) {
  const auto card = nlohmann::json::parse(card_->to_json(book_preparation()));
  using J = nlohmann::json;
  const auto why = [&](const std::function<void(J & card)>& change) {
    auto changed = card;
    change(changed);
    const auto made = Scorecard::from_json(changed.dump(), book_preparation());
    if (made) return std::string("was read");
    EXPECT_EQ(made.error().code, ErrorCode::kBadInput);
    return made.error().message;
  };
  ASSERT_EQ(why([](J&) {}), "was read");
  EXPECT_THAT(why([](J& c) { c = 7; }), HasSubstr("an object with the key"));
  EXPECT_THAT(why([](J& c) { c["features"].erase(0); }), HasSubstr("has 4 features, the preparation 5"));
  EXPECT_THAT(why([](J& c) { c["features"][2]["feature"] = "leverage"; }),
              HasSubstr("feature 2 ('rate'): it has another name"));
  EXPECT_THAT(why([](J& c) { c["features"][1] = J::array(); }), HasSubstr("feature 1 ('sector'): an object"));
  EXPECT_THAT(why([](J& c) { c["features"][2].erase("coefficient"); }),
              HasSubstr("feature 2 ('rate'): the key \"coefficient\" is missing"));
  EXPECT_THAT(why([](J& c) { c["features"][2]["coefficient"] = 1e300; }), HasSubstr("no usable number"));
  EXPECT_THAT(why([](J& c) { c["features"][2]["standard_error"] = -1; }), HasSubstr("no usable number"));
  EXPECT_THAT(why([](J& c) { c["features"][2]["left_out"] = 1; }), HasSubstr("neither null nor a reason"));
  EXPECT_THAT(why([](J& c) { c["features"][2]["bins"].erase(0); }),
              HasSubstr("its bins are not those of its values"));
  EXPECT_THAT(why([](J& c) { c["features"][2]["bins"] = J::array(); }),
              HasSubstr("0 bins, where there are 2"));
  EXPECT_THAT(why([](J& c) { c["features"][2]["bins"][1]["events"] = -1; }),
              HasSubstr("bin 1: \"events\" is no whole number"));
  EXPECT_THAT(why([](J& c) { c["features"][2]["bins"][1]["events"] = 100'000; }),
              HasSubstr("bin 1 has 100000 events in"));
  EXPECT_THAT(why([](J& c) { c["features"][2]["bins"][1]["rows"] = 1'000'000; }),
              HasSubstr("other rows than feature 0's"));
  EXPECT_THAT(why([](J& c) { c["features"][2]["bins"][1]["rows"] = uint64_t{1} << 60; }),
              HasSubstr("events in"));
  EXPECT_THAT(why([](J& c) { c["features"][2]["bins"][0]["weight_of_evidence"] = "1"; }),
              HasSubstr("bin 0: \"weight_of_evidence\" is no number"));
  EXPECT_THAT(why([](J& c) { c["features"][2]["bins"][0]["weight_of_evidence"] = 1e9; }),
              HasSubstr("no usable WoE"));
  EXPECT_THAT(why([](J& c) { std::swap(c["features"][2]["bounds"][0], c["features"][2]["bounds"][1]); }),
              HasSubstr("do not ascend"));
  EXPECT_THAT(why([](J& c) { c["features"][2]["bounds"][0] = 1e300; }), HasSubstr("bound 0 is not finite"));
  EXPECT_THAT(why([](J& c) { c["features"][2]["bounds"][0] = nullptr; }), HasSubstr("a bound is no number"));
  EXPECT_THAT(why([](J& c) { c["features"][0]["codes"][0].push_back(3); }), HasSubstr("none of 0 to 2"));
  EXPECT_THAT(why([](J& c) { c["features"][0]["codes"][0].push_back(-1); }), HasSubstr("none of 0 to 2"));
  EXPECT_THAT(why([](J& c) { c["features"][0]["codes"][0].push_back(c["features"][0]["codes"][1][0]); }),
              HasSubstr("is there twice"));
  EXPECT_THAT(why([](J& c) { c["features"][0]["codes"].push_back(J::array()); }), HasSubstr("codes of"));
  EXPECT_THAT(why([](J& c) { c["features"][0]["codes"][0] = 1; }), HasSubstr("are no list"));
  EXPECT_THAT(why([](J& c) { c["points"]["base_odds"] = 0; }), HasSubstr("the points' scale is none"));
  EXPECT_THAT(why([](J& c) { c["points"].erase("base_points"); }), HasSubstr("points: the key"));
  EXPECT_THAT(why([](J& c) { c["intercept"] = 1e300; }), HasSubstr("no usable number"));
  EXPECT_THAT(why([](J& c) {
                for (auto& feature : c["features"]) feature["left_out"] = "said so";
              }),
              HasSubstr("no feature has a part"));
  EXPECT_THAT(why([](J& c) {
                for (auto& bin : c["features"][0]["bins"]) bin["events"] = 0;
              }),
              HasSubstr("feature 0 ('grade'): its rows are of one class"));
}

TEST_F(ScorecardFile, ItsTableSaysWhatItIs) {
  const auto table = table_of(*card_, book_preparation());
  ASSERT_EQ(table.features.size(), 5u);
  EXPECT_EQ(table.learnt.rows, 2000u);
  // Those that have a part come first, the one with the greatest value at the top.
  EXPECT_TRUE(std::ranges::is_sorted(table.features, [](const FeatureTable& a, const FeatureTable& b) {
    return std::pair(a.left_out.empty(), a.information_value) >
           std::pair(b.left_out.empty(), b.information_value);
  }));
  for (const auto& feature : table.features) {
    EXPECT_EQ(feature.estimate.has_value(), feature.left_out.empty());
    double value = 0, share = 0;
    for (const auto& bin : feature.bins) {
      value += bin.information_value, share += bin.share;
      EXPECT_EQ(bin.points.has_value(), feature.estimate.has_value());
    }
    EXPECT_NEAR(value, feature.information_value, 1e-12);
    EXPECT_NEAR(share, 1, 1e-12);
    if (!feature.estimate) continue;
    EXPECT_NEAR(feature.estimate->p_value,
                std::erfc(-feature.estimate->coefficient / feature.estimate->standard_error / std::sqrt(2)),
                1e-15);
  }
  EXPECT_EQ(table.features.back().name, "noise");
  const auto rate = std::ranges::find(table.features, "rate", &FeatureTable::name);
  EXPECT_THAT(describe(rate->bins[0], false, 4), HasSubstr("below "));
  EXPECT_EQ(describe(rate->bins.back(), false, 4), "missing");
  const BinLine two{.from = 0.1, .below = 20};
  EXPECT_EQ(describe(two, false, 4), "0.1 to 20");
  EXPECT_EQ(describe({.from = 3}, false, 4), "3 and above");
  EXPECT_EQ(describe({}, false, 4), "any number");
  EXPECT_EQ(describe({.values = {"a", "b", "c"}}, true, 2), "a, b and 1 more");
  EXPECT_EQ(describe({.without = true}, true, 2), "never seen");
  EXPECT_EQ(describe({.values = {"a"}, .without = true}, true, 2), "never seen, as a");
  EXPECT_LT(table.least_points, table.most_points);
}

}  // namespace
}  // namespace maeil::model
