// PyTorch checkpoints (.pth): zip archives as torch.save has written them since PyTorch 1.6, read without executing
// anything and written so that torch.load(weights_only=True) opens them from PyTorch 1.13 on.
//
// Layout of the archive, under any one root folder: data.pkl (the pickled dict, whose tensors name a storage by a key),
// data/<key> (the raw elements), byteorder, version. Legacy files from before 1.6, tar files and TorchScript
// are refused with advice. Sizes, shapes, strides and offsets are checked before memory is taken.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace maeil::format {

enum class DType : uint8_t { kFloat32, kFloat64, kInt64 };

// The elements are row-major; exactly the vector of its dtype holds them, product(shape) long.
struct Tensor {
  std::string name;
  std::vector<int64_t> shape;  // empty: a single value
  DType dtype = DType::kFloat32;
  std::vector<float> values;      // kFloat32
  std::vector<double> doubles;    // kFloat64
  std::vector<int64_t> integers;  // kInt64
};

// The elements as floats, whatever the dtype.
[[nodiscard]] std::vector<float> to_floats(const Tensor& tensor);

struct Checkpoint {
  std::vector<Tensor> state;            // a plain state dict, `model_state_dict` or `encoder_state_dict`, in file order
  std::vector<Tensor> projection_head;  // `projection_head_state_dict`
  bool has_projection_head = false;     // the file is of a pre-training
  // The other keys of the dict: texts, numbers, bools, null, lists and dicts. Float64 tensors of at most one dimension
  // come as numbers and lists of numbers (see write_checkpoint); whatever else is no plain value is left out.
  nlohmann::ordered_json extras = nlohmann::ordered_json::object();

  const Tensor* find(std::string_view name) const;  // in `state`
};

// `name` is how errors call the file. kBadInput: damaged, hostile or of another kind.
[[nodiscard]] Result<Checkpoint> read_checkpoint(std::string_view bytes, const std::string& name);
[[nodiscard]] Result<Checkpoint> read_checkpoint_file(const std::filesystem::path& path);

// The bytes of a checkpoint {"model_state_dict": OrderedDict of `state`, and the keys of the object `extras`}. Equal
// arguments give equal bytes. The elements are written unchanged, entries are stored.
// PyTorch 1.13's weights_only reader knows no Python float, so floats in `extras` are written as float64 tensors: a
// single one without dimension (float(x) in Python), a list of floats only as one of one dimension.
// kBadInput: a shape that does not fit its elements, a repeated name, extras nested deeper than 100.
[[nodiscard]] Result<std::string> write_checkpoint(const std::vector<Tensor>& state, const nlohmann::ordered_json& extras);
// The bytes of a plain state dict.
[[nodiscard]] Result<std::string> write_state_dict(const std::vector<Tensor>& state);

}  // namespace maeil::format
