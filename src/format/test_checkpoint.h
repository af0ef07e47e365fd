// A checkpoint read whole, for tests: every tensor of every dict, which no command does.
#pragma once

#include "format/checkpoint.h"

namespace maeil::format::testing {

struct Whole {
  std::vector<TensorDict> dicts;
  std::vector<std::vector<Tensor>> tensors;  // as dicts
  std::vector<Tensor> state;                 // of the largest dict

  const Tensor* find(std::string_view name) const {
    for (const Tensor& tensor : state) {
      if (tensor.name == name) return &tensor;
    }
    return nullptr;
  }
};

inline Result<Whole> read_whole(std::string_view bytes, const std::string& name) {
  MAEIL_ASSIGN(const auto file, open_checkpoint(bytes, name));
  Whole out;
  out.dicts = file->dicts();
  for (size_t d = 0; d < out.dicts.size(); ++d) {
    out.tensors.emplace_back();
    for (size_t t = 0; t < out.dicts[d].names.size(); ++t) {
      MAEIL_ASSIGN(Tensor tensor, file->read(d, t));
      out.tensors.back().push_back(std::move(tensor));
    }
    if (out.tensors.back().size() > out.state.size()) out.state = out.tensors.back();
  }
  return out;
}

// The plain value of a key of the root; null where there is none.
inline nlohmann::ordered_json value_in(std::string_view bytes, std::string_view key) {
  const auto file = open_checkpoint(bytes, "value");
  const auto value = file ? (*file)->value(key) : std::nullopt;
  return value && *value ? **value : nlohmann::ordered_json();
}

}  // namespace maeil::format::testing
