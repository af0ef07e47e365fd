// How far a training by class weights shifts the prior, when its loss is a weighted mean of each batch.
//
// The weighted mean (nn/train.h, as PyTorch's) divides a batch's losses by the sum of its weights, so that a
// positive counts for less in a batch that has more of them than usual, and the batches without one count in
// full for the negatives. On average over the batches a positive then counts for less than its class weight:
// 8.8 instead of 14.2 times a negative with batches of 16 rows, of which 6.6 % are positive. What is undone
// must be what there was (docs/calibration.md). Trees, whose loss is one sum over all rows, have no batches:
// their shift is the class weight itself.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/error.h"

namespace maeil::model {

// The ratio of what one positive and one negative count for in the mean over batches of `batch` rows that are
// drawn without replacement, where a positive has `class_weight` times a negative's weight (negatives /
// positives when balanced). The last, smaller batch of an epoch is taken for a whole one. O(batch).
// kBadInput: without a row of each class, a batch of no rows, or a weight that is not positive and finite.
Result<double> prior_weight_of_batches(double class_weight, uint64_t negatives, uint64_t positives,
                                       size_t batch);

}  // namespace maeil::model
