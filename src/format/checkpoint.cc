// Which kind of file it is, and the one conversion that all kinds share.
#include "format/checkpoint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <new>

#include "format/pickle_decode.h"
#include "format/safetensors.h"
#include "format/torch.h"

namespace maeil::format {
namespace {

// Why bytes are neither a zip archive nor safetensors.
Error unknown_kind(std::string_view bytes, const std::string& name) {
  constexpr std::string_view kLegacy = "\x80\x02\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19.";
  std::string why = ": this is neither a PyTorch checkpoint (a zip archive) nor a safetensors file";
  if (bytes.starts_with(kLegacy)) {
    why =
        ": a checkpoint in the format from before PyTorch 1.6; load it in PyTorch and save it again with "
        "torch.save(state_dict, path)";
  } else if (bytes.size() > 262 && bytes.substr(257, 5) == "ustar") {
    why =
        ": a checkpoint in the tar format of early PyTorch; load it in PyTorch and save it again with "
        "torch.save(state_dict, path)";
  } else if (bytes.starts_with("\x80")) {
    why = ": a bare pickle instead of a checkpoint; save the model's state_dict() with torch.save";
  } else if (bytes.empty()) {
    why = ": the file is empty";
  }
  return {ErrorCode::kBadInput, name + why};
}

// "model-00001-of-00002.safetensors" is one of two, "model.safetensors.index.json" the list of them: Hugging
// Face's way to save what is large. The tensors of one alone may look like a smaller model.
bool is_part_of_checkpoint(std::string_view name) {
  name.remove_prefix(name.find_last_of('/') + 1);
  if (name.ends_with(".index.json")) return true;
  const auto digits = [](std::string_view text) {
    return text.size() == 5 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  const std::string_view stem = name.substr(0, name.find_last_of('.'));
  constexpr std::string_view kForm = "-00001-of-00002";
  if (stem.size() < kForm.size()) return false;
  const auto end = stem.substr(stem.size() - kForm.size());
  return end[0] == '-' && digits(end.substr(1, 5)) && end.substr(6, 4) == "-of-" && digits(end.substr(10)) &&
         end.substr(10) > "00001";
}

}  // namespace

std::string place_text(std::span<const int64_t> shape, size_t index) {
  std::vector<size_t> place(shape.size());
  for (size_t d = shape.size(); d-- > 0;) {
    const auto extent = static_cast<size_t>(shape[d]);
    place[d] = index % extent;
    index /= extent;
  }
  return fmt::format("({})", fmt::join(place, ", "));
}

Result<std::vector<float>> to_floats(const Tensor& tensor) {
  if (tensor.dtype == DType::kFloat32) return tensor.values;
  const auto wrong = [&](const std::string& why) {
    return bad_input(fmt::format("tensor {} {}", printable(tensor.name), why));
  };
  if (tensor.dtype == DType::kInt64) return wrong("is of int64; weights are floating-point numbers");
  std::vector<float> out(tensor.doubles.size());
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<float>(tensor.doubles[i]);
    if (std::isinf(out[i]) && std::isfinite(tensor.doubles[i])) {
      return wrong(fmt::format("holds {} at {}, which is beyond float32", tensor.doubles[i],
                               place_text(tensor.shape, i)));
    }
  }
  return out;
}

Result<Tensor> CheckpointFile::read(size_t dict, size_t tensor) {
  try {
    return read_one(dict, tensor);
  } catch (const std::bad_alloc&) {
    return bad_input(
        fmt::format("tensor {} does not fit into memory", printable(dicts_[dict].names[tensor])));
  }
}

Result<std::optional<nlohmann::ordered_json>> CheckpointFile::value(std::string_view key) {
  try {
    return value_of(key);
  } catch (const std::bad_alloc&) {
    return bad_input(fmt::format("the value of {} does not fit into memory", printable(key)));
  }
}

Result<std::unique_ptr<CheckpointFile>> open_checkpoint(std::string_view bytes, const std::string& name) {
  if (is_part_of_checkpoint(name)) {
    return bad_input(
        name +
        ": one part of a checkpoint in several files; load the whole in Python and save it as one with "
        "safetensors.torch.save_file(model.state_dict(), path)");
  }
  try {
    if (bytes.starts_with("PK\x03\x04")) return open_torch(bytes, name);
    if (looks_like_safetensors(bytes)) return open_safetensors(bytes, name);
    return tl::make_unexpected(unknown_kind(bytes, name));
  } catch (const std::bad_alloc&) {
    return bad_input(name + ": the checkpoint does not fit into memory");
  }
}

}  // namespace maeil::format
