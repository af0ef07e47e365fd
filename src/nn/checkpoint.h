// Finding the TabTransformer in a checkpoint that somebody's trainer saved, and reading it.
//
// What stands in front of a tensor's name is the wrapper's business (`module.` of DataParallel, `_orig_mod.`
// of torch.compile, the attribute's name in a Lightning module, any nesting of them), and so is the key that
// the state dict lies under. So the model is known by how its names end, from `embeddings`,
// `numeric_embeddings`, `transformer.layers` and `fc` on, wherever they are in the file. Inside those endings
// a wrapper's own component (`module`, or one that begins with "_") is passed over. Two models in one file
// are refused, naming both: which one is meant cannot be seen.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "format/checkpoint.h"
#include "nn/model.h"

namespace maeil::nn {

// Where a model's tensors are in a file, and what they are called in Parameters
// (`encoder.embeddings.0.weight`, ..., `fc.3.bias`).
struct ModelPlace {
  struct Tensor {
    size_t index;  // into the dict's names
    std::string name;
  };
  size_t dict = 0;
  std::vector<Tensor> tensors;
  std::vector<std::string>
      beside;  // names in the same dict that are outside the model: a loss's weights, a metric's counts
};

// kBadInput says what was found and what was expected: no model, several, an encoder and a head that do not
// belong together, or a tensor inside the model that no TabTransformer has.
Result<ModelPlace> find_model(std::span<const format::TensorDict> dicts);

struct LoadedParameters {
  Parameters parameters;
  std::vector<std::string>
      remarks;  // sentences for people: what was rounded, what beside the model was not read
};

// Only the model's tensors are read. `heads` is not in a file. Errors (kBadInput) name the tensor.
Result<LoadedParameters> load_parameters(format::CheckpointFile& file, int heads);

}  // namespace maeil::nn
