// Rows go to XGBoost in batches, which it keeps as one byte a value; gradients are ours (boosted_trees.h says
// why), and each round's tree is taken out of the booster and scored by our own code on the judged rows. So
// memory is the samples, a byte for each of their values, and a few numbers a row.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/threads.h"
#include "format/json.h"
#include "model/boosted_trees.h"
#include "model/own_units.h"
#include "model/xgboost_library.h"

namespace maeil::model {
namespace {

constexpr int kRoundsAnEpoch = 25;
constexpr int kUnjudgedRounds = 100;      // where no row says when to stop
constexpr size_t kRowsAThread = 10'000;   // below that a thread waits for the others more than it works
constexpr size_t kBatch = 1 << 14;        // rows given to XGBoost at a time
constexpr int kMaxCardinality = 1 << 24;  // categories are float32 to XGBoost
constexpr float kGrid = 1 << 24;          // gradients are multiples of its inverse

Status called(int code, const char* what) {
  if (code == 0) return {};
  const std::string why = XGBGetLastError();
  return fail(ErrorCode::kFailed,
              fmt::format("XGBoost could not {}: {}", what, why.substr(0, why.find('\n'))));
}

struct FreeMatrix {
  void operator()(void* matrix) const { XGDMatrixFree(matrix); }
};
using Matrix = std::unique_ptr<void, FreeMatrix>;
struct FreeBooster {
  void operator()(void* booster) const { XGBoosterFree(booster); }
};
using Booster = std::unique_ptr<void, FreeBooster>;

// Names and kinds of the features as XGBoost wants them, categories first.
struct FeatureInfo {
  std::vector<const char*> names, kinds;
  std::string monotone;  // "(0,1,-1)"; "": nothing is
  explicit FeatureInfo(const prep::Preparation& preparation) {
    std::vector<int> signs;
    for (const auto& f : preparation.categorical)
      names.push_back(f.name.c_str()), kinds.push_back("c"), signs.push_back(0);
    for (const auto& f : preparation.numeric) {
      names.push_back(f.name.c_str()), kinds.push_back("q");
      const auto* column = preparation.spec ? preparation.spec->find(f.name) : nullptr;
      signs.push_back(column ? column->monotone : 0);
    }
    if (std::ranges::any_of(signs, [](int sign) { return sign != 0; }))
      monotone = fmt::format("({})", fmt::join(signs, ","));
  }
};

// What XGBoost's iterator reads; the two callbacks must not throw, and an error is kept for later.
struct Batches {
  const Samples& samples;
  const FeatureInfo& features;
  size_t categorical;
  void* proxy;
  size_t next_row = 0;
  std::vector<float> block = {};
  Status status = {};

  int next() {
    const size_t rows = std::min(kBatch, samples.rows() - next_row), F = features.names.size(),
                 C = categorical;
    if (rows == 0) return 0;
    block.resize(rows * F);
    parallel_for(rows, 1024, [&](size_t first, size_t last) {
      for (size_t i = first; i < last; ++i) {
        const int32_t* codes = samples.codes.data() + (next_row + i) * C;
        const float* numbers = samples.numbers.data() + (next_row + i) * (F - C);
        float* to = block.data() + i * F;
        for (size_t f = 0; f < C; ++f) to[f] = category_value(codes[f]);
        std::copy_n(numbers, F - C, to + C);
      }
    });
    const std::string data =
        fmt::format(R"({{"data":[{},true],"shape":[{},{}],"typestr":"<f4","version":3}})",
                    reinterpret_cast<uintptr_t>(block.data()), rows, F);
    status = called(XGProxyDMatrixSetDataDense(proxy, data.c_str()), "take the rows");
    if (status)
      status = called(XGDMatrixSetStrFeatureInfo(proxy, "feature_type",
                                                 const_cast<const char**>(features.kinds.data()), F),
                      "take the kinds of the features");
    next_row += rows;
    return status ? 1 : 0;
  }
};

int threads_for(size_t rows) {
  return static_cast<int>(std::min(static_cast<size_t>(thread_count()), 1 + rows / kRowsAThread));
}

Result<Matrix> binned(const Samples& samples, const FeatureInfo& features, size_t categorical) {
  void* handle = nullptr;
  MAEIL_TRY(called(XGProxyDMatrixCreate(&handle), "begin"));
  const Matrix proxy(handle);
  Batches batches{samples, features, categorical, proxy.get()};
  const std::string config =
      fmt::format(R"({{"missing":NaN,"nthread":{},"max_bin":256}})", threads_for(samples.rows()));
  void* made = nullptr;
  const Status done =
      called(XGQuantileDMatrixCreateFromCallback(
                 &batches, proxy.get(), nullptr, [](void* it) { static_cast<Batches*>(it)->next_row = 0; },
                 [](void* it) { return static_cast<Batches*>(it)->next(); }, config.c_str(), &made),
             "bin the rows");
  Matrix out(made);
  MAEIL_TRY(batches.status);
  MAEIL_TRY(done);
  return out;
}

// Mean log loss of margins (log odds).
double log_loss(std::span<const float> margins, std::span<const int32_t> labels) {
  double sum = 0;
  for (size_t i = 0; i < margins.size(); ++i) {
    const double z = labels[i] ? -margins[i] : margins[i];  // log(1 + e^z)
    sum += z > 0 ? z + std::log1p(std::exp(-z)) : std::log1p(std::exp(z));
  }
  return sum / static_cast<double>(margins.size());
}

void gradients(std::span<const float> margins, std::span<const int32_t> labels, std::vector<float>& gradient,
               std::vector<float>& hessian) {
  parallel_for(margins.size(), 1 << 14, [&](size_t first, size_t last) {
    for (size_t i = first; i < last; ++i) {
      const float p = 1 / (1 + std::exp(-margins[i]));
      gradient[i] = std::round((p - static_cast<float>(labels[i])) * kGrid) / kGrid;
      hessian[i] = std::max(1.0f, std::round(p * (1 - p) * kGrid)) / kGrid;
    }
  });
}

// XGBoost's JSON has NaN, which JSON has not, as the number of a split by categories, which has none: 0.0 in
// ours.
std::string without_nan(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!quoted && text.substr(i, 3) == "NaN") {
      out += "0.0";
      i += 2;
      continue;
    }
    out += text[i];
    if (text[i] == '"') quoted = !quoted;
    if (quoted && text[i] == '\\' && i + 1 < text.size()) out += text[++i];
  }
  return out;
}

// The model that XGBoost writes of the booster's latest round: one tree.
Result<nlohmann::json> latest_round(void* booster, int round) {
  void* handle = nullptr;
  MAEIL_TRY(called(XGBoosterSlice(booster, round, round + 1, 1, &handle), "give its latest tree"));
  const Booster slice(handle);
  bst_ulong length = 0;
  const char* bytes = nullptr;
  MAEIL_TRY(called(XGBoosterSaveModelToBuffer(slice.get(), R"({"format":"json"})", &length, &bytes),
                   "write its latest tree"));
  auto model = nlohmann::json::parse(without_nan({bytes, length}), nullptr, false);
  if (model.is_discarded()) return internal_error("XGBoost wrote a tree that is no JSON");
  return model;
}

// `model` with these trees behind its own.
void add_trees(nlohmann::json& model, std::vector<nlohmann::json> trees) {
  auto& to = model["learner"]["gradient_booster"]["model"];
  for (auto& tree : trees) {
    tree["id"] = to["trees"].size();
    to["trees"].push_back(std::move(tree));
    to["tree_info"].push_back(0);
  }
  to["gbtree_model_param"]["num_trees"] = std::to_string(to["trees"].size());
}

class BoostedTreesLearner final : public Learner {
 public:
  explicit BoostedTreesLearner(BoostedTreesRecipe recipe) : recipe_(recipe) {}
  std::string_view family() const override { return kBoostedTrees; }
  int epochs() const override { return (recipe_.rounds + kRoundsAnEpoch - 1) / kRoundsAnEpoch; }
  Result<double> prior_weight(const Samples&) const override { return 1; }
  prep::Preparation preparation_of(prep::Preparation fitted) const override {
    return in_own_units(std::move(fitted));
  }
  Json hyperparameters(const Predictor& made) const override {
    Json out = made.hyperparameters();
    out.update({{"rounds", recipe_.rounds},
                {"patience", recipe_.patience},
                {"learning_rate", recipe_.learning_rate},
                {"max_depth", recipe_.depth},
                {"min_child_weight", recipe_.min_child_weight},
                {"l2", recipe_.l2}});
    return out;
  }
  Result<std::shared_ptr<const Predictor>> fit(const prep::Preparation& preparation, const Samples& learn,
                                               const Samples& judged, const Predictor* start,
                                               const FitCallbacks& callbacks) const override;

 private:
  Result<Booster> booster(void* matrix, const FeatureInfo& features, float base, int threads) const;
  BoostedTreesRecipe recipe_;
};

Result<Booster> BoostedTreesLearner::booster(void* matrix, const FeatureInfo& features, float base,
                                             int threads) const {
  void* handle = nullptr;
  MAEIL_TRY(called(XGBoosterCreate(&matrix, 1, &handle), "begin a model"));
  Booster out(handle);
  const std::pair<const char*, std::string> parameters[] = {
      {"booster", "gbtree"},
      {"tree_method", "hist"},
      {"objective", "binary:logistic"},
      {"base_score", fmt::format("{}", base)},
      {"eta", fmt::format("{}", recipe_.learning_rate)},
      {"max_depth", fmt::format("{}", recipe_.depth)},
      {"min_child_weight", fmt::format("{}", recipe_.min_child_weight)},
      {"lambda", fmt::format("{}", recipe_.l2)},
      {"max_bin", "256"},
      {"nthread", fmt::format("{}", threads)}};
  for (const auto& [name, value] : parameters)
    MAEIL_TRY(called(XGBoosterSetParam(out.get(), name, value.c_str()), "take a parameter"));
  const auto set = [&](const char* field, const std::vector<const char*>& values) {
    return called(
        XGBoosterSetStrFeatureInfo(out.get(), field, const_cast<const char**>(values.data()), values.size()),
        "take the features");
  };
  if (!features.monotone.empty())
    MAEIL_TRY(called(XGBoosterSetParam(out.get(), "monotone_constraints", features.monotone.c_str()),
                     "take what is monotone"));
  MAEIL_TRY(set("feature_name", features.names));
  MAEIL_TRY(set("feature_type", features.kinds));
  return out;
}

Result<std::shared_ptr<const Predictor>> BoostedTreesLearner::fit(const prep::Preparation& preparation,
                                                                  const Samples& learn, const Samples& judged,
                                                                  const Predictor* start,
                                                                  const FitCallbacks& callbacks) const {
  MAEIL_TRY(can_learn_trees());
  const auto* from = dynamic_cast<const BoostedTrees*>(start);
  if (start && !from)
    return bad_input(
        fmt::format("boosted trees cannot go on from a model of the family {}", start->family()));
  std::vector<int> cardinalities;
  for (const auto& feature : preparation.categorical) {
    if (feature.cardinality > kMaxCardinality)
      return bad_input(fmt::format("categorical feature '{}' has {} values, more than trees can tell apart",
                                   feature.name, feature.cardinality));
    cardinalities.push_back(feature.cardinality);
  }
  const FeatureInfo features(preparation);
  const size_t n = learn.rows();
  const auto positives = static_cast<double>(std::ranges::count(learn.labels, 1));
  const bool one_class = positives == 0 || positives == static_cast<double>(n);
  if (one_class && !from) return bad_input(fmt::format("the {} rows to learn from are all of one class", n));
  MAEIL_ASSIGN(const Matrix matrix, binned(learn, features, cardinalities.size()));
  if (from) {
    MAEIL_ASSIGN(const auto margins, from->trees().margins(learn.view().rows));
    MAEIL_TRY(called(XGDMatrixSetFloatInfo(matrix.get(), "base_margin", margins.data(), margins.size()),
                     "take where to go on from"));
  }
  MAEIL_ASSIGN(const Booster booster,
               this->booster(matrix.get(), features,
                             one_class ? 0.5f : static_cast<float>(positives / static_cast<double>(n)),
                             threads_for(n)));

  const bool chooses = std::ranges::count(judged.labels, 1) > 0 && std::ranges::count(judged.labels, 0) > 0;
  // Rows of one class teach nothing: the parent stays as it is.
  const int rounds = one_class ? 0 : chooses ? recipe_.rounds : std::min(recipe_.rounds, kUnjudgedRounds);
  std::vector<float> gradient(n), hessian(n), judged_margins, best_margins;
  std::vector<nlohmann::json> trees;
  nlohmann::json model;  // that the new trees are added to
  size_t best_trees = 0;
  double best_loss = std::numeric_limits<double>::infinity(), loss = 0;
  if (from) {
    MAEIL_ASSIGN(const auto parents, from->trees().margins(learn.view().rows));
    loss = log_loss(parents, learn.labels);
    MAEIL_ASSIGN(judged_margins, from->trees().margins(judged.view().rows));
    best_margins = judged_margins;
    if (chooses) best_loss = log_loss(judged_margins, judged.labels);
  }
  int epoch = 0;
  const auto report = [&](std::span<const float> margins) -> Status {
    if (!callbacks.epoch) return {};
    return callbacks.epoch({epoch++, epochs(), loss, probabilities_of(margins)});
  };
  for (int round = 0; round < rounds; ++round) {
    bst_ulong length = 0;
    const float* margins = nullptr;
    MAEIL_TRY(called(XGBoosterPredict(booster.get(), matrix.get(), 1, 0, 1, &length, &margins), "score"));
    if (length != n) return internal_error("XGBoost scored another number of rows than it was given");
    const std::span<const float> learnt(margins, n);
    loss = log_loss(learnt, learn.labels);
    if (round > 0 && round % kRoundsAnEpoch == 0)
      MAEIL_TRY(report(judged.rows() > 0 ? std::span<const float>(judged_margins) : learnt));
    gradients(learnt, learn.labels, gradient, hessian);
    MAEIL_TRY(called(XGBoosterBoostOneIter(booster.get(), matrix.get(), gradient.data(), hessian.data(), n),
                     "learn a tree"));
    MAEIL_ASSIGN(auto one, latest_round(booster.get(), round));
    if (judged.rows() > 0) {
      MAEIL_ASSIGN(const auto tree,
                   TreeEnsemble::from_xgboost(one, cardinalities, preparation.numeric.size()));
      if (round == 0 && !from) judged_margins.assign(judged.rows(), tree.base());
      MAEIL_TRY(tree.add_leaves(judged.view().rows, judged_margins));
    }
    auto& of_one = one["learner"]["gradient_booster"]["model"]["trees"];
    trees.push_back(std::move(of_one.at(0)));
    if (round == 0) {
      of_one = nlohmann::json::array();
      one["learner"]["gradient_booster"]["model"]["tree_info"] = nlohmann::json::array();
      model = std::move(one);
    }
    if (callbacks.progress)
      MAEIL_TRY(callbacks.progress(0, 1, static_cast<size_t>(round) + 1, static_cast<size_t>(rounds)));
    if (!chooses) continue;
    const double judged_loss = log_loss(judged_margins, judged.labels);
    if (judged_loss < best_loss) {
      best_loss = judged_loss;
      best_trees = trees.size();
      best_margins = judged_margins;
    } else if (trees.size() >= best_trees + static_cast<size_t>(recipe_.patience)) {
      break;
    }
  }
  if (chooses) trees.resize(best_trees);
  if (from) {
    MAEIL_ASSIGN(model, parse_json<nlohmann::json>(from->json(), "the trees to go on from"));
  }
  add_trees(model, std::move(trees));
  MAEIL_ASSIGN(auto made, BoostedTrees::from_json(model.dump(), preparation));
  if (chooses) {
    MAEIL_TRY(report(best_margins));
  } else {
    MAEIL_ASSIGN(const auto margins, made->trees().margins((judged.rows() > 0 ? judged : learn).view().rows));
    MAEIL_TRY(report(margins));
  }
  return made;
}

}  // namespace

Status can_learn_trees(const char* otherwise) { return load_xgboost(otherwise); }

std::unique_ptr<Learner> boosted_trees_learner(BoostedTreesRecipe recipe) {
  return std::make_unique<BoostedTreesLearner>(recipe);
}

}  // namespace maeil::model
