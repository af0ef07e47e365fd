// Self-supervised pre-training of the encoder: NT-Xent between two masked views of each row.
//
// Source: Chen, Kornblith, Norouzi, Hinton, "A Simple Framework for Contrastive Learning of Visual
// Representations", ICML 2020, equation 1. A view sets 15 % of a row's entries to 0 (codes and numbers alike,
// as the Python project does).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "nn/model.h"
#include "nn/rows.h"
#include "nn/train.h"

namespace maeil::nn {

// The loss of an anchor is -log(e^pos / (e^pos + sum over all others of e^s)): the positive pair stands in
// the sum of all others too, so it counts twice in the denominator. Equation 1 counts it once; the Python
// project, its checkpoints and the goldens count it twice.
//
// Loss of n pairs of projections zi, zj (n, dim), row i of one belonging to row i of the other; writes the
// gradients (n, dim) unless the spans are empty. Computed in double. Sizes must agree (asserted).
double nt_xent(std::span<const float> zi, std::span<const float> zj, size_t n, size_t dim, double temperature,
               std::span<float> grad_zi, std::span<float> grad_zj);

struct PretrainOptions {
  int epochs = 10;
  size_t batch = 32;  // rows; each gives two views. A last batch of a single row is left out.
  float learning_rate = 3e-4f;
  float dropout = 0.3f;
  float mask = 0.15f;  // share of entries set to 0 in each view
  double temperature = 0.5;
  int projection = 128;  // width of the projections; the hidden layer has the model's width
  // shuffling, masks (stream kMask), dropout, the projection head's initial values
  uint64_t seed = 42;
  std::vector<float> unknown_embeddings = {};
};

struct Pretrained {
  Parameters parameters;  // the encoder trained, the classifier's head as it came
  // `0.weight` (D, D), `0.bias`, `2.weight` (projection, D), `2.bias`
  std::vector<TensorEntry> projection_tensors;
  std::vector<float> projection;
};

// kFailed when the pre-training diverged (nn/divergence.h).
Result<Pretrained> pretrain_encoder(Parameters parameters, const Rows& rows, const PretrainOptions& options,
                                    const TrainCallbacks& callbacks = {});

}  // namespace maeil::nn
