// A tensor as data.pkl describes it: which elements of which storage. Only torch*.cc include this file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "format/checkpoint.h"
#include "format/pickle.h"

namespace maeil::format {

// The types of elements that are read; every other one is refused by its name.
enum class TorchType : uint8_t { kFloat, kDouble, kLong, kHalf, kBFloat16 };

uint64_t width(TorchType type);  // bytes of an element

// Where a tensor's elements are.
struct TorchView {
  std::string key;  // of the storage
  TorchType type = TorchType::kFloat;
  uint64_t storage = 0;  // elements in the storage
  uint64_t offset = 0, count = 1;
  std::vector<int64_t> shape, stride;
};

// Whether the value is what torch.save makes of a tensor or a parameter, of whatever type.
bool is_torch_tensor(PickleValue value);

// Checks all that the pickle says about it against each other. Messages go on from "tensor x".
Result<TorchView> torch_view(PickleValue value);

// The elements of `view` out of its storage's bytes, which hold them all; `swap`: of the other byte order.
Tensor gather(const TorchView& view, const std::string& name, std::string_view storage, bool swap);

}  // namespace maeil::format
