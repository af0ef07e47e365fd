// Trees learn what is in a made-up book, the same bytes at any number of threads; scored by us and by XGBoost
// itself they give the same bits; and a file that is not as it was written is refused in words.
#include "model/boosted_trees.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>

#include "base/threads.h"
#include "format/zip.h"
#include "metrics/classification.h"
#include "model/maeil_file.h"
#include "model/test_book.h"
#include "model/xgboost_library.h"

namespace maeil::model {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<const BoostedTrees> fitted(const Samples& learn, const Samples& judged = {},
                                           const BoostedTreesRecipe& recipe = {},
                                           const Predictor* start = nullptr) {
  const auto made = boosted_trees_learner(recipe)->fit(book_preparation(), learn, judged, start, {});
  EXPECT_TRUE(made) << made.error().message;
  return std::dynamic_pointer_cast<const BoostedTrees>(made.value());
}

metrics::ClassificationMetrics measured(const Predictor& predictor, const Samples& rows) {
  const auto p = predictor.probabilities(rows.view().rows).value();
  const std::vector<uint8_t> labels(rows.labels.begin(), rows.labels.end());
  return metrics::classification_metrics(p, labels).value();
}

// The log loss of the book's own probabilities: none can be better but by luck.
double least_log_loss(const Samples& rows) {
  double sum = 0;
  for (size_t i = 0; i < rows.rows(); ++i) {
    const double z = book_log_odds(&rows.codes[i * 2], &rows.numbers[i * 3]);
    sum += std::log1p(std::exp(rows.labels[i] ? -z : z));
  }
  return sum / static_cast<double>(rows.rows());
}

TEST(BoostedTrees, LearnInteractionsCategoriesAndWhatMissingMeans) {
  const Samples learn = draw_book(20000, 1), judged = draw_book(5000, 2), test = draw_book(10000, 3);
  std::vector<double> losses;
  const auto made = boosted_trees_learner({})->fit(book_preparation(), learn, judged, nullptr,
                                                   {.epoch = [&](const Epoch& epoch) -> Status {
                                                     EXPECT_EQ(epoch.probabilities.size(), judged.rows());
                                                     losses.push_back(epoch.loss);
                                                     return {};
                                                   }});
  ASSERT_TRUE(made) << made.error().message;
  const double least = least_log_loss(test), reached = measured(**made, test).log_loss;
  EXPECT_LT(reached, least + 0.02) << least;
  const double rate = std::ranges::count(test.labels, 1) / 10000.0;
  EXPECT_GT(-rate * std::log(rate) - (1 - rate) * std::log(1 - rate), reached + 0.05);  // of the rate alone
  const auto& trees = dynamic_cast<const BoostedTrees&>(**made);
  EXPECT_LT(trees.trees().trees(), 500u);  // stopped where the judged rows said so
  EXPECT_EQ(trees.hyperparameters()["trees"], trees.trees().trees());
  EXPECT_TRUE(std::ranges::is_sorted(losses, std::greater<>()));
}

TEST(BoostedTrees, TheLastEpochIsOfTheModelThatIsKept) {
  const Samples learn = draw_book(3000, 1), judged = draw_book(1000, 2);
  Samples one_class = judged;  // which says nothing of when to stop, and is measured all the same
  std::ranges::fill(one_class.labels, 0);
  for (const Samples& with : {judged, Samples(), one_class}) {
    std::vector<double> last;
    const auto made =
        boosted_trees_learner({.rounds = 60, .patience = 5})
            ->fit(book_preparation(), learn, with, nullptr, {.epoch = [&](const Epoch& epoch) -> Status {
                    EXPECT_EQ(epoch.probabilities.size(), (with.rows() > 0 ? with : learn).rows());
                    last.assign(epoch.probabilities.begin(), epoch.probabilities.end());
                    return {};
                  }});
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ((*made)->probabilities((with.rows() > 0 ? with : learn).view().rows).value(), last);
  }
}

TEST(BoostedTrees, TheSameBytesAtAnyNumberOfThreads) {
  const Samples learn = draw_book(30000, 4), judged = draw_book(3000, 5);
  const int before = thread_count();
  std::string first;
  for (const int threads : {1, 2, 3, 7}) {
    set_thread_count(threads);
    const std::string json = fitted(learn, judged, {.rounds = 10})->json();
    if (first.empty()) first = json;
    EXPECT_TRUE(json == first) << threads << " threads";
  }
  set_thread_count(before);
}

// What XGBoost itself makes of the same model and rows: margins, or what each feature and then the base adds.
enum class Asked { kMargins = 1, kContributions = 4 };
std::vector<float> by_xgboost(const std::string& json, const Samples& rows, Asked asked = Asked::kMargins) {
  EXPECT_TRUE(load_xgboost());
  void* library = dlopen("libxgboost.so.0", RTLD_NOW);
  const auto load = reinterpret_cast<decltype(&::XGBoosterLoadModelFromBuffer)>(
      dlsym(library, "XGBoosterLoadModelFromBuffer"));
  const auto matrix_of =
      reinterpret_cast<decltype(&::XGDMatrixCreateFromMat)>(dlsym(library, "XGDMatrixCreateFromMat"));
  const size_t C = 2, N = 3, n = rows.rows();
  std::vector<float> block;
  for (size_t i = 0; i < n; ++i) {
    for (size_t f = 0; f < C; ++f)
      block.push_back(rows.codes[i * C + f] < 0 ? NAN : static_cast<float>(rows.codes[i * C + f]));
    for (size_t f = 0; f < N; ++f) block.push_back(rows.numbers[i * N + f]);
  }
  void *matrix = nullptr, *booster = nullptr;
  EXPECT_EQ(matrix_of(block.data(), n, C + N, NAN, &matrix), 0);
  const char* kinds[] = {"c", "c", "q", "q", "q"};
  EXPECT_EQ(XGDMatrixSetStrFeatureInfo(matrix, "feature_type", kinds, 5), 0);
  EXPECT_EQ(XGBoosterCreate(nullptr, 0, &booster), 0);
  EXPECT_EQ(load(booster, json.data(), json.size()), 0) << XGBGetLastError();
  bst_ulong length = 0;
  const float* out = nullptr;
  EXPECT_EQ(XGBoosterPredict(booster, matrix, static_cast<int>(asked), 0, 0, &length, &out), 0)
      << XGBGetLastError();
  std::vector<float> copied(out, out + length);
  XGBoosterFree(booster);
  XGDMatrixFree(matrix);
  return copied;
}

TEST(BoostedTrees, AreScoredAsXgboostScoresThemToTheBit) {
  Samples rows = draw_book(5000, 7);
  for (size_t i = 0; i < rows.rows(); i += 7) rows.codes[2 * i + i % 2] = -1;  // never seen
  for (const int depth : {1, 6, 12}) {
    const auto made = fitted(draw_book(5000, 6), {}, {.rounds = 20, .depth = depth});
    EXPECT_EQ(made->trees().margins(rows.view().rows).value(), by_xgboost(made->json(), rows)) << depth;
  }
}

// A tree's answer to a row of which only some features are known: the mean over both ways elsewhere.
double mean_where_known(const nlohmann::json& tree, size_t node, const Samples& rows, size_t row,
                        unsigned known) {
  const int left = tree["left_children"][node], right = tree["right_children"][node];
  if (left == -1) return tree["split_conditions"][node].get<float>();
  const auto down = [&](int child) {
    return mean_where_known(tree, static_cast<size_t>(child), rows, row, known);
  };
  const size_t f = tree["split_indices"][node];
  if (!(known >> f & 1)) {
    const double l = tree["sum_hessian"][static_cast<size_t>(left)].get<float>(),
                 r = tree["sum_hessian"][static_cast<size_t>(right)].get<float>();
    return (l * down(left) + r * down(right)) / tree["sum_hessian"][node].get<float>();
  }
  bool goes_left = tree["default_left"][node] != 0;
  if (f >= 2) {
    const float x = rows.numbers[row * 3 + f - 2];
    if (!std::isnan(x)) goes_left = x < tree["split_conditions"][node].get<float>();
  } else if (const int32_t code = rows.codes[row * 2 + f]; code >= 0) {
    goes_left = true;  // but where the code is in the split's set
    for (size_t s = 0; s < tree["categories_nodes"].size(); ++s) {
      if (tree["categories_nodes"][s] != node) continue;
      const size_t begin = tree["categories_segments"][s], size = tree["categories_sizes"][s];
      for (size_t c = begin; c < begin + size; ++c) goes_left = goes_left && tree["categories"][c] != code;
    }
  }
  return down(goes_left ? left : right);
}

TEST(BoostedTrees, SayWhatEachFeatureAddsAsXgboostDoes) {
  Samples rows = draw_book(500, 7);
  for (size_t i = 0; i < rows.rows(); i += 7) rows.codes[2 * i + i % 2] = -1;  // never seen
  for (const int depth : {1, 3, 6}) {
    const auto made = fitted(draw_book(5000, 6), {}, {.rounds = 50, .depth = depth});
    const auto told = made->contributions(rows.view().rows);
    ASSERT_TRUE(told) << told.error().message;
    const auto theirs = by_xgboost(made->json(), rows, Asked::kContributions);
    const auto margins = made->trees().margins(rows.view().rows).value();
    ASSERT_EQ(theirs.size(), rows.rows() * 6);
    double largest = 0, furthest = 0;
    for (size_t i = 0; i < rows.rows(); ++i) {
      double sum = told->base;
      for (size_t f = 0; f < 5; ++f) {
        sum += told->values[i * 5 + f];
        largest =
            std::max(largest, std::abs(told->values[i * 5 + f] - static_cast<double>(theirs[i * 6 + f])));
      }
      furthest = std::max(furthest, std::abs(sum - static_cast<double>(margins[i])));
    }
    EXPECT_LT(largest, 1e-6) << depth;
    EXPECT_NEAR(told->base, static_cast<double>(theirs[5]), 1e-6) << depth;
    EXPECT_LT(furthest, 1e-5) << depth;  // margins are summed in float32
  }
}

// Against the definition: each subset of the features, the others unknown.
TEST(BoostedTrees, WhatAFeatureAddsIsItsShapleyValue) {
  const auto made = fitted(draw_book(3000, 6), {}, {.rounds = 3, .depth = 4});
  const Samples rows = draw_book(20, 3);
  const auto told = made->contributions(rows.view().rows).value();
  const auto model = nlohmann::json::parse(made->json())["learner"]["gradient_booster"]["model"]["trees"];
  for (size_t i = 0; i < rows.rows(); ++i) {
    const auto value = [&](unsigned known) {
      double sum = 0;
      for (const auto& tree : model) sum += mean_where_known(tree, 0, rows, i, known);
      return sum;
    };
    for (unsigned f = 0; f < 5; ++f) {
      double shapley = 0;
      for (unsigned known = 0; known < 32; ++known) {
        if (known >> f & 1) continue;
        const auto size = static_cast<double>(std::popcount(known));
        // size! (4 - size)! / 5!
        const double weight = std::tgamma(size + 1) * std::tgamma(5 - size) / 120;
        shapley += weight * (value(known | 1u << f) - value(known));
      }
      EXPECT_NEAR(told.values[i * 5 + f], shapley, 1e-7) << i << " " << f;
    }
  }
}

TEST(BoostedTrees, GoOnFromWhereTheParentEnded) {
  const Samples old_rows = draw_book(3000, 8);
  Samples learn = draw_book(4000, 9), judged = draw_book(2000, 10);
  for (Samples* turned : {&learn, &judged})  // the other way round
    for (auto& label : turned->labels) label = 1 - label;
  const auto parent = fitted(old_rows, {}, {.rounds = 30});
  const auto child = fitted(learn, judged, {.rounds = 60}, parent.get());
  EXPECT_LT(measured(*child, judged).log_loss, measured(*parent, judged).log_loss - 0.5);
  const auto trees = [](const BoostedTrees& of) {
    return nlohmann::json::parse(of.json())["learner"]["gradient_booster"]["model"]["trees"];
  };
  const auto before = trees(*parent), after = trees(*child);
  ASSERT_GT(after.size(), before.size());
  for (size_t i = 0; i < after.size(); ++i) {
    EXPECT_TRUE(i >= before.size() || after[i] == before[i]) << i;
    EXPECT_EQ(after[i]["id"], i);
  }
  EXPECT_EQ(child->trees().margins(judged.view().rows).value(), by_xgboost(child->json(), judged));
}

// The risk of the made-up book falls with leverage and rises with the rate; noise has a trend by chance.
TEST(BoostedTrees, RiseAndFallAsTheSpecSays) {
  const Samples learn = draw_book(4000, 11), rows = draw_book(300, 12);
  // Along each number: the greatest fall, and the greatest rise, of a margin over a step, all else equal.
  const auto greatest = [&](const BoostedTrees& trees, size_t feature) {
    float fall = 0, rise = 0;
    for (size_t i = 0; i < rows.rows(); ++i) {
      Samples line;
      for (int step = -30; step <= 30; ++step) {
        line.codes.insert(line.codes.end(), &rows.codes[2 * i], &rows.codes[2 * i] + 2);
        line.numbers.insert(line.numbers.end(), &rows.numbers[3 * i], &rows.numbers[3 * i] + 3);
        line.numbers[line.numbers.size() - 3 + feature] = 0.1f * static_cast<float>(step);
        line.labels.push_back(0);
      }
      const auto margins = trees.trees().margins(line.view().rows).value();
      for (size_t j = 1; j < margins.size(); ++j) {
        fall = std::max(fall, margins[j - 1] - margins[j]);
        rise = std::max(rise, margins[j] - margins[j - 1]);
      }
    }
    return std::pair(fall, rise);
  };
  prep::Preparation preparation = book_preparation();
  const auto fit = [&] {
    return std::dynamic_pointer_cast<const BoostedTrees>(
        boosted_trees_learner({.rounds = 40})->fit(preparation, learn, {}, nullptr, {}).value());
  };
  constexpr float kRounding = 1e-5f;  // of adding leaves in float32
  const auto free = fit();
  EXPECT_GT(greatest(*free, 0).first, 0.01f);
  EXPECT_GT(greatest(*free, 1).second, 0.01f);
  auto spec = table::parse_dataset_spec(R"(name = "book"
columns = [ { name = "rate", type = "number", monotone = "up" },
            { name = "leverage", type = "number", monotone = "down" },
            { name = "noise", type = "number" }, { name = "bad", type = "text" } ]
target = { column = "bad", negative = "N", positive = "Y" }
)",
                                        "book.toml");
  ASSERT_TRUE(spec) << spec.error().message;
  preparation.spec = std::make_shared<const table::DatasetSpec>(*spec);
  const auto bound = fit();
  EXPECT_LE(greatest(*bound, 0).first, kRounding);
  EXPECT_LE(greatest(*bound, 1).second, kRounding);
  EXPECT_GT(greatest(*bound, 2).first, 0.01f);
  EXPECT_GT(greatest(*bound, 2).second, 0.01f);
}

TEST(BoostedTrees, StayAsTheyAreWhereNothingBetterIsLearnt) {
  const auto parent = fitted(draw_book(3000, 8), {}, {.rounds = 30});
  Samples learn = draw_book(2000, 9);
  const Samples judged = draw_book(2000, 10);
  for (auto& label : learn.labels) label = 1 - label;  // what makes the judged rows worse
  EXPECT_EQ(fitted(learn, judged, {}, parent.get())->trees().trees(), parent->trees().trees());
  std::ranges::fill(learn.labels, 0);
  for (const Samples& with : {judged, Samples()}) {
    std::vector<double> last;
    const auto same = boosted_trees_learner({})->fit(
        book_preparation(), learn, with, parent.get(), {.epoch = [&](const Epoch& epoch) -> Status {
          last.assign(epoch.probabilities.begin(), epoch.probabilities.end());
          return {};
        }});
    ASSERT_TRUE(same) << same.error().message;
    EXPECT_EQ((*same)->probabilities((with.rows() > 0 ? with : learn).view().rows).value(), last);
    EXPECT_EQ(dynamic_cast<const BoostedTrees&>(**same).trees().trees(), parent->trees().trees());
  }
}

TEST(BoostedTrees, NeedRowsOfBothClassesAndFeaturesThatAreThere) {
  Samples rows = draw_book(100, 1);
  std::ranges::fill(rows.labels, 0);
  const auto one_class = boosted_trees_learner({})->fit(book_preparation(), rows, {}, nullptr, {});
  ASSERT_FALSE(one_class);
  EXPECT_THAT(one_class.error().message, HasSubstr("the 100 rows to learn from are all of one class"));
  const auto made = fitted(draw_book(500, 1), {}, {.rounds = 3});
  Samples wrong = draw_book(3, 2);
  wrong.codes[3] = 40;
  EXPECT_THAT(made->probabilities(wrong.view().rows).error().message,
              HasSubstr("row 1: code 40 of categorical feature 1, which has 40 values"));
  wrong.codes[3] = 4;
  wrong.numbers[7] = INFINITY;
  EXPECT_THAT(made->probabilities(wrong.view().rows).error().message,
              HasSubstr("row 2: numeric feature 1 is infinite"));
}

TEST(BoostedTrees, AreCancelledByTheirCallback) {
  int rounds = 0;
  const auto made = boosted_trees_learner({})->fit(
      book_preparation(), draw_book(500, 1), {}, nullptr,
      {.progress = [&](int, int, size_t, size_t) -> Status {
        return ++rounds == 3 ? fail(ErrorCode::kCancelled, "enough") : Status{};
      }});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::kCancelled);
}

class TreesFile : public ::testing::Test {
 protected:
  const std::shared_ptr<const BoostedTrees> trees_ =
      fitted(draw_book(2000, 1), {}, {.rounds = 4, .depth = 3});

  std::string bytes(const std::shared_ptr<const BoostedTrees>& trees) {
    ModelFile file{.predictor = trees, .preparation = book_preparation()};
    file.notes["reference"] = "rows.csv";
    return model_file_bytes(file, "parent", Instant{}).value();
  }
  std::string refusal(std::string_view bytes) {
    const auto model = parse_model_file(bytes, "f.maeil", book_spec(), 4);
    if (model) return "was read";
    EXPECT_EQ(model.error().code, ErrorCode::kBadInput);
    EXPECT_THAT(model.error().message, HasSubstr("f.maeil"));
    return model.error().message;
  }
};

TEST_F(TreesFile, IsReadAsItWasWritten) {
  const auto model = parse_model_file(bytes(trees_), "f.maeil", book_spec(), 4);
  ASSERT_TRUE(model) << model.error().message;
  const Samples rows = draw_book(500, 2);
  EXPECT_EQ(model->predictor->probabilities(rows.view().rows).value(),
            trees_->probabilities(rows.view().rows).value());
  EXPECT_EQ(model->predictor->family(), kBoostedTrees);
  EXPECT_EQ(prep::feature_spec_hash(*model->preparation), prep::feature_spec_hash(book_preparation()));
  EXPECT_TRUE(model->preparation->keep_missing);
  EXPECT_EQ(model->notes["reference"], "rows.csv");
  EXPECT_EQ(model_file_bytes(*model, "parent", Instant{}).value(), bytes(trees_));
}

TEST_F(TreesFile, IsRefusedWhereItsBytesAreNotThoseThatWereWritten) {
  const std::string good = bytes(trees_);
  const auto zip = format::ZipReader::open(good, "f").value();
  std::string trees = zip.read("xgboost.json").value(), facts = zip.read("facts.json").value();
  const auto with = [&](const std::string& f, const std::string& t) {
    return refusal(format::write_stored_zip({{"facts.json", f}, {"xgboost.json", t}}).value());
  };
  ASSERT_EQ(with(facts, trees), "was read");
  EXPECT_THAT(with(facts, trees + " "), HasSubstr("do not match their sha256"));
  EXPECT_THAT(with("[]", trees), HasSubstr("facts.json: it is no JSON object"));
  EXPECT_THAT(with(R"({"format":"maeil","format_version":2})", trees), HasSubstr("reads format_version 1"));
  const auto zipped = [&](const std::vector<std::pair<std::string, std::string>>& entries) {
    return refusal(format::write_stored_zip(entries).value());
  };
  EXPECT_THAT(zipped({{"facts.json", facts}, {"xgboost.json", trees}, {"more", ""}}),
              HasSubstr("and nothing else"));
  EXPECT_THAT(zipped({{"facts.json", facts}}), HasSubstr("and nothing else"));
  EXPECT_THAT(with(std::string(400'000, '['), trees), HasSubstr("nested more than 64 deep"));
  for (size_t length = 0; length < good.size(); length += 97)
    EXPECT_NE(refusal(good.substr(0, length)), "was read");
}

// Each entry of a model, changed into what it must not be.
TEST_F(TreesFile, TreesThatAreNoneAreRefused) {
  const auto model = nlohmann::json::parse(trees_->json());
  const auto why = [&](const std::function<void(nlohmann::json & model, nlohmann::json & tree)>& change) {
    auto changed = model;
    change(changed, changed["learner"]["gradient_booster"]["model"]["trees"][1]);
    const auto made = BoostedTrees::from_json(changed.dump(), book_preparation());
    return made ? std::string("was read") : made.error().message;
  };
  using J = nlohmann::json;
  EXPECT_EQ(why([](J&, J&) {}), "was read");
  EXPECT_THAT(why([](J&, J& t) { t["left_children"][0] = 0; }),
              HasSubstr("tree 1: node 0 has children that cannot be"));
  EXPECT_THAT(why([](J&, J& t) { t["left_children"][1] = t["right_children"][0]; }),
              HasSubstr("children that cannot be"));
  EXPECT_THAT(why([](J&, J& t) { t["right_children"][0] = 1'000'000; }),
              HasSubstr("children that cannot be"));
  EXPECT_THAT(why([](J&, J& t) { t["right_children"][0] = -7; }), HasSubstr("children that cannot be"));
  EXPECT_THAT(why([](J&, J& t) { t["right_children"].erase(0); }), HasSubstr("not of one length"));
  EXPECT_THAT(why([](J&, J& t) { t["split_indices"][0] = 5; }), HasSubstr("splits by feature 5, of 5"));
  EXPECT_THAT(why([](J&, J& t) { t["split_indices"][0] = -1; }), HasSubstr("splits by feature -1, of 5"));
  EXPECT_THAT(why([](J&, J& t) { t["split_conditions"][0] = 1e300; }), HasSubstr("not finite"));
  EXPECT_THAT(why([](J&, J& t) { t["split_conditions"][0] = "1"; }), HasSubstr("no number"));
  EXPECT_THAT(why([](J&, J& t) { t["left_children"][0] = 1.5; }), HasSubstr("no whole number"));
  EXPECT_THAT(why([](J&, J& t) { t = 7; }), HasSubstr("tree 1: it is no object"));
  EXPECT_THAT(why([](J&, J& t) {
                t["categories_nodes"].push_back(-1), t["categories_segments"].push_back(0),
                    t["categories_sizes"].push_back(0);
              }),
              HasSubstr("is of no node"));
  EXPECT_THAT(why([](J&, J& t) { t["categories_sizes"][0] = 1'000'000; }),
              HasSubstr("lies outside of the list"));
  EXPECT_THAT(why([](J&, J& t) { t["categories"][0] = 40; }), HasSubstr("names category 40 of feature"));
  EXPECT_THAT(why([](J& m, J&) { m["learner"]["gradient_booster"]["name"] = "dart"; }),
              HasSubstr("no gbtree"));
  EXPECT_THAT(why([](J& m, J&) { m["learner"]["objective"]["name"] = "reg:squarederror"; }),
              HasSubstr("binary:logistic"));
  EXPECT_THAT(why([](J& m, J&) { m["learner"]["learner_model_param"]["num_feature"] = "6"; }),
              HasSubstr("reads 6 features, the preparation has 5"));
  EXPECT_THAT(why([](J& m, J&) { m["learner"]["learner_model_param"]["base_score"] = "nan"; }),
              HasSubstr("base_score"));
  EXPECT_THAT(why([](J& m, J&) { m["learner"]["learner_model_param"].erase("base_score"); }),
              HasSubstr("base_score"));
  EXPECT_THAT(why([](J& m, J&) { m["learner"] = J::array(); }), HasSubstr("gbtree"));
  EXPECT_THAT(why([](J& m, J&) { m["learner"]["gradient_booster"]["model"]["tree_info"].erase(0); }),
              HasSubstr("tree_info"));
  EXPECT_THAT(why([](J& m, J&) { m["learner"]["gradient_booster"]["model"]["gbtree_model_param"] = 1; }),
              HasSubstr("gbtree_model_param"));
  EXPECT_THAT(why([](J& m, J&) {
                auto& booster = m["learner"]["gradient_booster"];
                const J trees = booster["model"]["trees"];
                booster.erase("model");
                booster["trees"] = trees;
              }),
              HasSubstr("no list of trees"));
  // Two sets that name the same part of the list.
  EXPECT_THAT(why([](J&, J& t) {
                ASSERT_GE(t["categories_nodes"].size(), 1u);
                for (size_t n = 0; n < t["split_type"].size(); ++n) {
                  if (t["split_type"][n] == 1 || t["left_children"][n] == -1) continue;
                  t["categories_nodes"].push_back(n);
                  t["categories_segments"].push_back(0);
                  t["categories_sizes"].push_back(t["categories"].size());
                  return;
                }
              }),
              HasSubstr("overlap"));
  EXPECT_FALSE(BoostedTrees::from_json("{", book_preparation()));
  EXPECT_FALSE(BoostedTrees::from_json(std::string(400'000, '['), book_preparation()));
}

}  // namespace
}  // namespace maeil::model
