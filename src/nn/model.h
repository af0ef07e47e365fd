// The TabTransformer's shape and parameters, named as in the checkpoint files.
//
// Tokens: one per categorical feature (a row of its embedding table), then one per numeric feature (w * x +
// b). They pass `layers` pre-norm encoder layers, are averaged, and a head of one hidden layer gives the
// logits. No positions. Shape letters here and below: B rows, C categorical and N numeric features, F = C + N
// tokens, D width.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "kernels/encoder.h"

namespace maeil::nn {

struct ModelShape {
  std::vector<int> cardinalities;  // rows of each embedding table, (C)
  int numeric = 0;                 // N
  int width = 32, heads = 4, layers = 6, feed_forward = 64, head_hidden = 128, classes = 2;

  int categorical() const { return static_cast<int>(cardinalities.size()); }
  int tokens() const { return categorical() + numeric; }
  kernels::EncoderShape encoder() const { return {tokens(), width, heads, feed_forward, layers}; }
  bool operator==(const ModelShape&) const = default;
};

// Whether the shape can exist: positive sizes, heads divide the width, 1 to 65,535 tokens, under 2^30
// parameters.
Status check_shape(const ModelShape& shape);

// A tensor as a checkpoint file holds it: row-major, `values` borrowed from the reader.
struct NamedTensor {
  std::string name;  // as TensorEntry's
  std::vector<int64_t> shape;
  std::span<const float> values;
  std::string in_file = {};  // what the file and so errors call it; empty: `name`
};

struct TensorEntry {
  std::string name;             // `encoder.embeddings.0.weight`, ..., `fc.3.bias`
  std::vector<int64_t> shape;   // row-major
  size_t offset = 0, size = 0;  // in floats, into Parameters::values
};

// All parameters in one array, in the order of a PyTorch state_dict; the encoder's layers are therefore one
// block, as kernels/encoder.h wants it. A plain value: copy it to keep a snapshot.
struct Parameters {
  ModelShape shape;
  std::vector<TensorEntry> tensors;
  std::vector<float> values;
  bool has_head = true;  // false: the file was a bare encoder, and `fc.*` holds its initial values

  // (card, D)
  size_t embedding(int feature) const { return tensors[feature].offset; }
  // (D, 1)
  size_t numeric_weight(int i) const { return tensors[shape.categorical() + 2 * i].offset; }
  // (D)
  size_t numeric_bias(int i) const { return tensors[shape.categorical() + 2 * i + 1].offset; }
  // all layers
  size_t layers() const { return tensors[shape.categorical() + 2 * shape.numeric].offset; }
  // fc.0, fc.3
  size_t head() const { return tensors[tensors.size() - 4].offset; }
  size_t encoder_size() const { return head(); }
  std::span<const float> tensor(size_t i) const {
    return {values.data() + tensors[i].offset, tensors[i].size};
  }

  // The tensors as a checkpoint writer wants them, borrowed from this object. With `encoder_only`, without
  // the `encoder.` prefix and without the head, as a pre-trained encoder is saved.
  std::vector<NamedTensor> named(bool encoder_only = false) const;
};

// The table of tensors of a shape that check_shape accepts; values are zero.
Parameters zero_parameters(const ModelShape& shape);

// PyTorch's defaults: embeddings N(0, 1), linear layers U(+-1/sqrt(fan_in)), in_proj Xavier uniform, norms 1
// and 0. Every layer is drawn on its own. Philox stream kInit, block = tensor index.
Result<Parameters> initial_parameters(const ModelShape& shape, uint64_t seed);

// What the tensors of a classifier or of a bare encoder say about the shape. Names are those of Parameters
// (nn/checkpoint.h makes them of a file's). `heads` is not in a file and comes from the settings.
Result<ModelShape> shape_from_tensors(std::span<const NamedTensor> tensors, int heads);

// The parameters those tensors hold. A bare encoder's head is initialised from `head_seed`, has_head is false
// then. Errors (kBadInput) name the tensor: missing, not part of the model, twice, of another shape than
// expected, or not finite somewhere.
Result<Parameters> parameters_from_tensors(std::span<const NamedTensor> tensors, int heads,
                                           uint64_t head_seed = 0);

// kBadInput names the tensor and the place of the first value that is NaN or infinite: what a training that
// diverged leaves.
Status check_finite(const Parameters& parameters);

}  // namespace maeil::nn
