// Training the classifier: weighted cross entropy, dropout, Adam.
//
// A step's rows are divided into pieces by their number alone, each piece sums its own gradients and the sums
// are added in a fixed order: the same batch gives the same bits on any number of threads. Dropout masks are
// a hash of (seed, step, row, place), so they too are independent of threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "nn/model.h"
#include "nn/rows.h"

namespace maeil::nn {

struct StepOptions {
  float learning_rate = 1e-4f;            // Adam; beta 0.9 and 0.999, epsilon 1e-8, as PyTorch's defaults
  float dropout = 0.3f;                   // in the encoder and before the last layer; 0 <= p < 1
  uint64_t seed = 42;                     // of the dropout masks
  std::vector<float> class_weights = {};  // (classes); empty: all 1
  // (C, D) for code -1, never trained; empty: the tables' means at the start
  std::vector<float> unknown_embeddings = {};
};

// kUsage for a learning rate that is not positive or a dropout rate outside [0, 1).
Status check_rates(float learning_rate, float dropout);

// Owns the parameters, Adam's state and the scratch memory. Not thread safe; uses all threads itself.
class Trainer {
 public:
  static Result<Trainer> make(Parameters parameters, StepOptions options);
  Trainer(Trainer&&) noexcept;
  Trainer& operator=(Trainer&&) noexcept;
  ~Trainer();

  // One Adam step; returns the batch's loss before it (sum w*l / sum w, as PyTorch's weighted mean).
  // kBadInput for rows that do not fit; kFailed when the loss, a gradient or a parameter is not finite:
  // the training is over then.
  Result<double> step(const LabelledRows& batch);

  // The same up to the gradients: no parameter changes, the step count stays.
  Result<double> compute_gradients(const LabelledRows& batch);

  const Parameters& parameters() const;
  std::span<const float> gradients() const;  // of the latest step, laid out as parameters().values
  // (B, classes) of the latest step, before its change, with dropout
  std::span<const float> logits() const;
  Parameters take() &&;

 private:
  struct State;
  explicit Trainer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct TrainOptions {
  int epochs = 3;
  size_t batch = 16;  // the last batch of an epoch may be smaller
  float learning_rate = 1e-4f;
  float dropout = 0.3f;
  uint64_t seed = 42;                     // of shuffling (stream kShuffle, block = epoch) and dropout
  std::vector<float> class_weights = {};  // empty: balanced, n / (k * n_c); a class without rows gets 0
  std::vector<float> unknown_embeddings = {};
};

// "Balanced" weights n / (k * n_c) of labels 0..classes-1; 0 for a class without rows.
std::vector<float> balanced_weights(std::span<const int32_t> labels, int classes);

// The order in which epoch `epoch` visits n rows: a Fisher-Yates shuffle by Philox(seed, kShuffle, epoch).
std::vector<uint32_t> shuffled_order(size_t n, uint64_t seed, int epoch);

struct EpochResult {
  double mean_loss = 0;          // of its batches
  const Parameters& parameters;  // as the epoch left them
  // (n, classes): of each row when its batch went by, with dropout, while the weights moved
  std::span<const float> logits = {};
};

struct TrainCallbacks {
  // After each step; an error (kCancelled, say) ends the training with that error.
  std::function<Status(int epoch, size_t rows_done, size_t rows_total)> progress = {};
  // After each epoch (0-based).
  std::function<Status(int epoch, const EpochResult& result)> epoch = {};
};

// Trains all parameters on the rows and returns them. kFailed when the training diverged (nn/divergence.h),
// after its last epoch or at the step where a number was not finite: the same again would give the same.
Result<Parameters> train_classifier(Parameters parameters, const LabelledRows& data,
                                    const TrainOptions& options, const TrainCallbacks& callbacks = {});

}  // namespace maeil::nn
