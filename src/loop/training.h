// Making models: from scratch on reference rows (the first day, `maeil train`) and by fine-tuning (retraining
// groups).
#pragma once

#include <string>
#include <vector>

#include "loop/day.h"
#include "loop/learning_rows.h"
#include "loop/prepared/read_rows.h"
#include "model/model_file.h"
#include "model/predictor.h"

namespace maeil::loop {

inline constexpr const char* kFirstDayDag = "first_day_pipeline";

// What a first day trains when there is no model yet, chosen so that two cores need under three minutes.
struct TrainingPlan {
  bool pretrain = true, train = true;
  bool compared = false;  // with classifiers of other families, by log loss
  // of reference data; 85 % to learn from, 15 % held out for each epoch's metrics
  int64_t rows = 20000;
  int64_t pretrain_rows = 4000;  // of those, for the contrastive pretraining
  int pretrain_epochs = 1, epochs = 4;
};

// pretrain_encoder -> train_classifier. Not one of the contract's DAGs: `maeil run` runs it before them
// when no classifier is registered.
dag::DagSpec first_day_dag(const Settings& settings);

// Both: kNotFound where the distribution model is absent, whatever SOURCE_FALLBACK says.
Result<dag::TaskOutcome> pretrain_encoder(const Day& day, const TrainingPlan& plan,
                                          dag::TaskContext& context);
// From `encoder_id`'s encoder and preparation; "": from scratch, fitting a preparation on the reference rows.
Result<dag::TaskOutcome> train_classifier(const Day& day, const TrainingPlan& plan,
                                          const std::string& encoder_id, dag::TaskContext& context);

// The same on rows of any origin: an encoder that learns from `some` of `all`.
Result<dag::TaskOutcome> pretrain_on(const Day& day, const TrainingPlan& plan, const LearningRows& all,
                                     const LearningRows& some, dag::TaskContext& context);
// The rows that a drawn training learns from. kNotFound as above.
Result<LearningRows> rows_to_draw(const Day& day, int64_t rows, dag::TaskContext& context);

// A classifier in two steps, for who compares several before they are registered. `encoder_id` is a
// TabTransformer's, or "".
struct FittedClassifier {
  model::ModelFile model;
  std::unique_ptr<model::Learner> learner;
  store::Document epochs;           // as fit_with_epochs fills it
  store::Document metrics;          // of the finished model on the held-out rows (decide.h)
  size_t learnt = 0, held_out = 0;  // rows
};
Result<FittedClassifier> fit_on(const Day& day, const TrainingPlan& plan, const LearningRows& all,
                                std::string_view family, const std::string& encoder_id,
                                dag::TaskContext& context);
// The log loss by which classifiers of different families are compared: cross-validated over the held-out
// rows where a calibrator was chosen there, infinite where no row was held out.
double held_out_loss(const FittedClassifier& fitted);
// The index of the best: by that, of equals the first; where the spec says that a column is monotone a
// TabTransformer, which does not keep that, comes behind all others. REQUIRES: not empty.
size_t best_of(const std::vector<FittedClassifier>& fitted, const table::DatasetSpec& spec);
// `status`: "registered" or "candidate". It is judged on what `all` keeps for that (verdicts), in documents
// of performance_metrics.
Result<dag::TaskOutcome> register_fitted(const Day& day, const LearningRows& all,
                                         const FittedClassifier& fitted, const char* status,
                                         dag::TaskContext& context);

// What an entry of `epochs` was measured on: its field `measured_on` for accuracy, roc_auc, f1_score and
// log_loss, its field `loss_measured_on` for the loss.
inline constexpr const char* kHeldOut = "held_out";  // reference rows that nothing was fitted on
inline constexpr const char* kValidation =
    "validation";  // the part of `fine` that attempts do not learn from
inline constexpr const char* kPassingBatches = "training batches, as they went by";

// Rows that a training does not learn from, and their name (kHeldOut, kValidation).
struct JudgedRows {
  const Samples& samples;
  const char* name;
};

// Fits `model`'s predictor (null: from nothing) on `samples`, logs each epoch and fills `epochs` as
// `training_events` keeps them: loss, accuracy, roc_auc, f1_score, log_loss, null where undefined. The loss
// is the mean of the epoch's own batches; the rest is of the epoch's weights on the judged rows, or, where
// there are none, of the epoch's own batches as they went by, while the weights moved.
Result<std::shared_ptr<const model::Predictor>> fit_with_epochs(
    dag::TaskContext& context, const model::Learner& learner, const model::ModelFile& model,
    const Samples& samples, const JudgedRows& judged, store::Document& epochs);

// Registers a version that this task makes: takes its name, puts its bytes into the store and on this machine
// (`<MODEL_SAVE_PATH>/<file_prefix>_<version>`, and the family's extension), and its document into the
// outcome's batch.
Status add_version(const Day& day, dag::TaskContext& context, const model::ModelFile& model,
                   const char* file_prefix, registry::NewVersion& version, dag::TaskOutcome& out);

// A training_events document without stamps.
store::Document training_event(const registry::NewVersion& version, const store::Document& epochs);

}  // namespace maeil::loop
