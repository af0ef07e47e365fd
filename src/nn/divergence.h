// When a training has diverged: its parameters are worse than useless, and nothing of it may be kept.
//
// A classifier that learns nothing ends near the loss of the best constant answer. One that diverges goes far
// above that loss; then it either stays there, or its units die and it falls back to a constant answer. It is
// judged at its end, without dropout, on the same rows as at its start: ending above kDivergenceMargin times
// the constant's loss and times the loss of the model as it came is diverged. The model as it came counts
// since one that meets data it was not made for may start far above the constant (the seed's, on rows of its
// own synthesizer: 257), and a short fine-tuning need not bring that down. An epoch's mean says less: dropout
// and a few rows of extreme values lift it (to 864 there). So only an epoch kExplosion times above shows an
// explosion, and that with a constant answer at the end is diverged too.
//
// NT-Xent is bounded, so a pre-training that diverges shows otherwise: all embeddings become alike, which
// costs ln 2B in a batch of B rows, and which is worse than the encoder before it was trained.
#pragma once

#include <cstdint>
#include <span>

#include "base/error.h"

namespace maeil::nn {

// Twice the loss of a constant answer of two classes is a geometric mean probability of 1/4 for the true
// class where the constant gives 1/2. On labels that are pure noise no epoch of batches of 1 to 16 rows goes
// above 1.2 times the constant at learning rates up to 3e-3, ten times the default, and 1.7 times at 1e-2;
// learning rate 1 goes to 10^6 times and more (divergence_test.cc).
inline constexpr double kDivergenceMargin = 2;

// Learning rate 1 goes to 10^6 times the constant's loss; the worst that was seen of a training that did not
// diverge is 3.4 (above).
inline constexpr double kExplosion = 100;

// After such an epoch the end must be below this share of the constant's loss to show that there still is a
// model.
inline constexpr double kRecovered = 0.95;

// The loss of the best constant answer: the entropy of the classes' shares of the weight that the loss gave
// their rows. With balanced weights and large batches ln 2 for two classes. A batch's mean is weighted within
// the batch, so in small batches weights cancel out, in a batch of one row wholly: hence the weights as they
// were used.
double constant_loss(std::span<const double> weight_of_class);

struct EpochLoss {
  double mean = 0;      // of the rows' losses, weighted as in training; of an epoch, of its batches' means
  double constant = 0;  // constant_loss() of the same rows and weights
};

// Of a classifier's epochs, at least one, and of the model as it came and as it is, both without dropout on
// the same rows. A loss that is not finite: yes.
bool has_diverged(std::span<const EpochLoss> epochs, const EpochLoss& start, const EpochLoss& end);

// Of a pre-training: the last epoch's loss lies above the middle between the untrained encoder's (over the
// same rows, masks and dropout) and the constant's. Where these two lie within a fiftieth, the rows are too
// much alike to tell, and nothing is said.
bool has_collapsed(double last, double constant, double start);

// kFailed with what was seen and what to do. `what`: "training", "pre-training".
tl::unexpected<Error> divergence_error(const char* what, double last, double constant, double start);
tl::unexpected<Error> not_finite_error(const char* what, uint64_t step);

}  // namespace maeil::nn
