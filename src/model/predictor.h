// The two faces of a model family: a Predictor scores rows, a Learner makes one from labelled rows. The
// registry, the loop and the commands see only these; what is of one family alone is in its own files.
//
// Families: "tab_transformer" (tab_transformer.h), "boosted_trees" (boosted_trees.h), "scorecard"
// (scorecard.h).
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"
#include "model/samples.h"
#include "prep/preparation.h"

namespace maeil::model {

using Json = nlohmann::ordered_json;

inline constexpr std::string_view kTabTransformer = "tab_transformer", kBoostedTrees = "boosted_trees",
                                  kScorecard = "scorecard";

// What a model's file says besides the model itself.
struct FileFacts {
  const std::optional<prep::Preparation>& preparation;
  const Json& decision;                            // decision.h; null: none
  const Json& notes;                               // an object
  std::optional<std::string> finetuned_from = {};  // the parent's id
  Instant when = {};                               // of the fine-tuning
};

// What each feature adds to the log odds of label 1 of each row, as the model says them, before calibration.
struct Contributions {
  size_t features = 0;         // the categorical ones first, then the numeric ones, as in the preparation
  std::vector<double> values;  // (rows, features)
  double base = 0;             // log odds that a row's values are added to
};

// A fitted model. Immutable, so thread safe; shared by who scores with it.
class Predictor {
 public:
  virtual ~Predictor() = default;
  virtual std::string_view family() const = 0;
  // ".pth", ".maeil"
  virtual std::string_view file_extension() const = 0;
  // What shows of it in `model_metadata`: sizes, counts; an object.
  virtual Json hyperparameters() const = 0;
  // Why it has no scores (kBadInput): a bare encoder. `name` is how the error calls it.
  virtual Status check_scores(const std::string& name) const = 0;
  // P(label = 1) of each row, as it was learnt (model_file.h calibrates it), on all threads; a row's is the
  // same bits whichever rows it is scored with. kBadInput names the first row and feature that it cannot
  // read.
  virtual Result<std::vector<double>> probabilities(const nn::Rows& rows) const = 0;
  // How far from adding up they may be is each family's to say. Errors: as probabilities.
  virtual Result<Contributions> contributions(const nn::Rows& rows) const = 0;
  // Its file.
  virtual Result<std::string> file_bytes(const FileFacts& facts) const = 0;
};

// One pass over the rows to learn from (of trees: some rounds of boosting), 0-based.
struct Epoch {
  int number = 0, of = 0;
  double loss = 0;  // mean of the rows to learn from, as they went by
  // P(label = 1) of the judged rows or, where there are none, of the rows to learn from as they went by
  std::span<const double> probabilities = {};
};

struct FitCallbacks {
  // Done and total are rows of an epoch, or rounds. An error (kCancelled, say) ends the fit with that error.
  std::function<Status(int epoch, int epochs, size_t done, size_t total)> progress = {};
  std::function<Status(const Epoch& epoch)> epoch = {};
};

// A recipe: a family and its settings. Immutable, thread safe.
class Learner {
 public:
  virtual ~Learner() = default;
  virtual std::string_view family() const = 0;
  // What `made`, which it fitted, is and was made with, for `model_metadata`: its own, then the settings.
  virtual Json hyperparameters(const Predictor& made) const = 0;
  // How many passes it makes at most.
  virtual int epochs() const = 0;
  // The preparation that this family reads, of one that was fitted for any (trees keep what is missing).
  virtual prep::Preparation preparation_of(prep::Preparation fitted) const = 0;
  // What a positive row of `learn` counts for over a negative one, for calibration to undo (Calibration); 1:
  // the same. kBadInput: `learn` has rows of one class alone.
  virtual Result<double> prior_weight(const Samples& learn) const = 0;
  // Learns from `learn`; `judged` (may be empty) is learnt from by nobody: it is for each epoch's measures,
  // and a family may choose by it when to stop. From `start`, which goes on where it ended (kBadInput: of
  // another family), or, null, from nothing. REQUIRES: rows of `preparation`, `learn` has some.
  // kFailed: it diverged, and the same again would give the same.
  virtual Result<std::shared_ptr<const Predictor>> fit(const prep::Preparation& preparation,
                                                       const Samples& learn, const Samples& judged,
                                                       const Predictor* start,
                                                       const FitCallbacks& callbacks) const = 0;
};

}  // namespace maeil::model
