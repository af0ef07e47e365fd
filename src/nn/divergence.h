// When a training has diverged: its parameters are worse than useless, and nothing of it may be kept.
//
// A classifier that learns nothing ends near the loss of the best constant answer. One that diverges goes far above that loss; then it
// either stays there, or its units die and it falls back to a constant answer. Far above is kDivergenceMargin times the constant's loss, and
// times the loss of the model as it came: a model that meets data it was not made for may start far above the constant, and a short
// fine-tuning that brings it down has not diverged.
//
// NT-Xent is bounded, so a pre-training that diverges shows otherwise: all embeddings become alike, which costs ln 2B in a batch of B
// rows, and which is worse than the encoder before it was trained.
#pragma once

#include <cstdint>
#include <span>

#include "base/error.h"

namespace maeil::nn {

// Twice the loss of a constant answer of two classes is a geometric mean probability of 1/4 for the true class where the constant
// gives 1/2. On labels that are pure noise no epoch of batches of 1 to 16 rows goes above 1.2 times the constant at learning rates up
// to 3e-3, ten times the default, and 1.7 times at 1e-2; learning rate 1 goes to 10^6 times and more (divergence_test.cc).
inline constexpr double kDivergenceMargin = 2;

// After such an epoch the last must be below this share of the constant's loss to show that there still is a model.
inline constexpr double kRecovered = 0.95;

// The loss of the best constant answer: the entropy of the classes' shares of the weight that the loss gave their rows. With balanced
// weights and large batches ln 2 for two classes. A batch's mean is weighted within the batch, so in small batches weights cancel
// out, in a batch of one row wholly: hence the weights as they were used.
double constant_loss(std::span<const double> weight_of_class);

struct EpochLoss {
  double mean = 0;      // of the epoch's batches
  double constant = 0;  // constant_loss() over the same batches
};

// Of a classifier's epochs, at least one, and the loss of the model as it came. A loss that is not finite: yes.
bool has_diverged(std::span<const EpochLoss> epochs, double start);

// Of a pre-training: the last epoch's loss lies above the middle between the untrained encoder's (over the same rows, masks and
// dropout) and the constant's. Where these two lie within a fiftieth, the rows are too much alike to tell, and nothing is said.
bool has_collapsed(double last, double constant, double start);

// kFailed with what was seen and what to do. `what`: "training", "pre-training".
tl::unexpected<Error> divergence_error(const char* what, double last, double constant, double start);
tl::unexpected<Error> not_finite_error(const char* what, uint64_t step);

}  // namespace maeil::nn
