// A model's tensors as other programs save them: one face for PyTorch's zip archives (torch.h) and
// safetensors (safetensors.h).
//
// A trainer puts a state dict where it likes, beside optimiser states, arguments and objects of its own. So
// opening a file only lists the dicts of tensors in it, wherever they are; the caller, who knows a model's
// names, picks one, and only those tensors are read. Nothing in a file is ever executed, and what is not
// asked for stays unread. Sizes, shapes, strides and offsets are checked before memory is taken.
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace maeil::format {

enum class DType : uint8_t { kFloat32, kFloat64, kInt64 };

// The elements are row-major; exactly the vector of its dtype holds them, product(shape) long. float16 and
// bfloat16 are widened to float32, which holds each of their values exactly.
struct Tensor {
  std::string name;
  std::vector<int64_t> shape;  // empty: a single value
  DType dtype = DType::kFloat32;
  std::vector<float> values;      // kFloat32
  std::vector<double> doubles;    // kFloat64
  std::vector<int64_t> integers;  // kInt64
};

// The elements as float32. kBadInput: integers, or a float64 beyond float32's range, naming the tensor and
// the place.
[[nodiscard]] Result<std::vector<float>> to_floats(const Tensor& tensor);

// "(2, 0)": where element `index` of a row-major tensor of that shape is.
std::string place_text(std::span<const int64_t> shape, size_t index);

// A dict in the file that holds tensors, itself and not in a further dict.
struct TensorDict {
  std::string
      path;  // keys and [positions] from the file's root, as in "checkpoint.model"; empty: the root itself
  std::vector<std::string> names;  // of its tensors, in file order; a damaged file may repeat one
};

// An opened file, which borrows the bytes. Not thread safe.
class CheckpointFile {
 public:
  virtual ~CheckpointFile() = default;
  const std::vector<TensorDict>& dicts() const { return dicts_; }
  // One tensor. REQUIRES: both positions exist. kBadInput names the file and the tensor.
  [[nodiscard]] Result<Tensor> read(size_t dict, size_t tensor);
  // The value of a key of the root: texts, numbers, bools, null, lists and dicts. Float64 tensors of at most
  // one dimension come as numbers and lists of numbers (see write_checkpoint); whatever else in it is no
  // plain value is left out. Empty: there is no such key, or its value is no plain one. kBadInput: damaged,
  // or nested too deep.
  [[nodiscard]] Result<std::optional<nlohmann::ordered_json>> value(std::string_view key);

 protected:
  virtual Result<Tensor> read_one(size_t dict, size_t tensor) = 0;
  virtual Result<std::optional<nlohmann::ordered_json>> value_of(std::string_view key) = 0;
  std::vector<TensorDict> dicts_;
};

// `bytes` must outlive what is returned; `name` is how errors call the file. What kind of file it is shows in
// its first bytes. kBadInput: damaged, hostile or of another kind, with what can be done about it.
[[nodiscard]] Result<std::unique_ptr<CheckpointFile>> open_checkpoint(std::string_view bytes,
                                                                      const std::string& name);

}  // namespace maeil::format
