// The functions that PyTorch names to build a tensor, and the walk over strides that does it here.
#include "format/torch_tensor.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "format/float16.h"

namespace maeil::format {
namespace {

constexpr size_t kMaxTensorDimensions = 64;
constexpr int kMaxWrappings = 4;  // a parameter of a tensor with attributes is two

// The arguments of torch._utils._rebuild_tensor_v2: storage, offset, shape, stride, ... They are an object's,
// or a tuple's.
struct Arguments {
  PickleValue value;
  bool of_object;
  size_t size() const { return of_object ? value.argument_count() : value.size(); }
  PickleValue operator[](size_t i) const { return of_object ? value.argument(i) : value.item(i); }
};

bool is_parameter(PickleValue value) {
  return value.is_class("torch._utils._rebuild_parameter") ||
         value.is_class("torch._utils._rebuild_parameter_with_state");
}
bool is_plain(PickleValue value) {
  return value.is_class("torch._utils._rebuild_tensor_v2") || value.is_class("torch._utils._rebuild_tensor");
}
// A tensor with attributes of its own, or of a subclass: (function, class, the function's arguments,
// attributes).
bool is_typed(PickleValue value) { return value.is_class("torch._tensor._rebuild_from_type_v2"); }

Result<Arguments> arguments_of(PickleValue value) {
  for (int depth = 0; is_parameter(value); ++depth) {
    if (value.argument_count() < 1 || depth > kMaxWrappings)
      return bad_input("is a parameter without a tensor");
    value = value.argument(0);
  }
  Arguments out{value, true};
  if (is_typed(value)) {
    if (value.argument_count() < 3 || value.argument(0).class_name() != "torch._utils._rebuild_tensor_v2" ||
        !value.argument(2).is(PickleKind::kTuple)) {
      return bad_input("is a tensor of a class of its own");
    }
    out = {value.argument(2), false};
  } else if (!is_plain(value)) {
    return bad_input("is a parameter without a tensor");
  }
  if (out.size() < 4) return bad_input("has no storage, offset, shape and stride");
  return out;
}

Result<std::vector<int64_t>> sizes(PickleValue value, const char* what) {
  std::vector<int64_t> out;
  if (value.is_class("torch.Size") && value.argument_count() == 1) value = value.argument(0);
  if (!value.is(PickleKind::kTuple) && !value.is(PickleKind::kList)) {
    return bad_input(fmt::format("has a {} instead of its {}", to_string(value.kind()), what));
  }
  if (value.size() > kMaxTensorDimensions) return bad_input(fmt::format("has {} dimensions", value.size()));
  for (size_t i = 0; i < value.size(); ++i) {
    auto n = value.item(i).integer();
    if (!n) return bad_input(fmt::format("has a {} that holds a {}", what, to_string(value.item(i).kind())));
    if (*n < 0) return bad_input(fmt::format("has a negative {} ({})", what, *n));
    out.push_back(*n);
  }
  return out;
}

Result<TorchType> type_of(const std::string& storage) {
  constexpr std::pair<std::string_view, TorchType> kTypes[] = {
      {"torch.FloatStorage", TorchType::kFloat},
      {"torch.DoubleStorage", TorchType::kDouble},
      {"torch.LongStorage", TorchType::kLong},
      {"torch.HalfStorage", TorchType::kHalf},
      {"torch.BFloat16Storage", TorchType::kBFloat16}};
  for (const auto& [name, type] : kTypes) {
    if (storage == name) return type;
  }
  return bad_input(
      fmt::format("is of {}; float32, float64, float16, bfloat16 and int64 are read: save the model's "
                  "state_dict() after model.float()",
                  storage.empty() ? "an unknown type" : storage));
}

// Fills `count`, and checks that no element lies outside the storage.
Status check_reach(TorchView& view) {
  uint64_t last = view.offset;
  bool empty = false;
  for (size_t d = 0; d < view.shape.size(); ++d) {
    const auto extent = static_cast<uint64_t>(view.shape[d]);
    empty = empty || extent == 0;
    if (__builtin_mul_overflow(view.count, extent, &view.count))
      return bad_input("has a shape that overflows");
    uint64_t reach = 0;
    if (extent > 0 && (__builtin_mul_overflow(extent - 1, static_cast<uint64_t>(view.stride[d]), &reach) ||
                       __builtin_add_overflow(last, reach, &last))) {
      return bad_input("has a stride that overflows");
    }
  }
  if (empty) {
    view.count = 0;
  } else if (last >= view.storage) {
    return bad_input(fmt::format("reaches element {} of a storage of {}", last, view.storage));
  } else if (view.count > view.storage) {
    return bad_input(fmt::format("repeats its storage ({} elements from {}); save a contiguous() copy of it",
                                 view.count, view.storage));
  }
  return {};
}

// Calls put(i, raw) for each element, row-major; `raw` are its bytes in this machine's order.
template <size_t kWidth, class Put>
void for_each_element(const TorchView& view, std::string_view storage, bool swap, const Put& put) {
  std::vector<int64_t> index(view.shape.size(), 0);
  uint64_t at = view.offset;
  for (uint64_t i = 0; i < view.count; ++i) {
    char raw[kWidth];
    std::memcpy(raw, storage.data() + at * kWidth, kWidth);
    if (swap) {
      for (size_t k = 0; k < kWidth / 2; ++k) std::swap(raw[k], raw[kWidth - 1 - k]);
    }
    put(i, raw);
    for (size_t d = index.size(); d-- > 0;) {
      at += static_cast<uint64_t>(view.stride[d]);
      if (++index[d] < view.shape[d]) break;
      at -= static_cast<uint64_t>(view.stride[d]) * static_cast<uint64_t>(view.shape[d]);
      index[d] = 0;
    }
  }
}

template <class T>
std::vector<T> copied(const TorchView& view, std::string_view storage, bool swap) {
  std::vector<T> out(view.count);
  for_each_element<sizeof(T)>(view, storage, swap,
                              [&](uint64_t i, const char* raw) { std::memcpy(&out[i], raw, sizeof(T)); });
  return out;
}

template <class Widen>
std::vector<float> widened(const TorchView& view, std::string_view storage, bool swap, const Widen& widen) {
  std::vector<float> out(view.count);
  for_each_element<2>(view, storage, swap, [&](uint64_t i, const char* raw) {
    uint16_t bits;
    std::memcpy(&bits, raw, 2);
    out[i] = widen(bits);
  });
  return out;
}

}  // namespace

uint64_t width(TorchType type) {
  switch (type) {
    case TorchType::kFloat:
      return 4;
    case TorchType::kHalf:
    case TorchType::kBFloat16:
      return 2;
    default:
      return 8;
  }
}

bool is_torch_tensor(PickleValue value) { return is_plain(value) || is_parameter(value) || is_typed(value); }

Result<TorchView> torch_view(PickleValue value) {
  MAEIL_ASSIGN(const Arguments arguments, arguments_of(value));
  const PickleValue persistent = arguments[0];
  if (!persistent.is(PickleKind::kPersistent)) return bad_input("names no storage");
  const PickleValue id = persistent.argument(0);
  if (!id.is(PickleKind::kTuple) || id.size() < 5 || id.item(0).text() != "storage" || !id.item(2).text() ||
      !id.item(4).integer()) {
    return bad_input("names a storage in an unknown form");
  }
  TorchView out;
  MAEIL_ASSIGN(out.type, type_of(id.item(1).class_name()));
  out.key = std::string(*id.item(2).text());
  const int64_t elements = *id.item(4).integer();
  const auto offset = arguments[1].integer();
  if (elements < 0 || elements > (int64_t{1} << 40))
    return bad_input(fmt::format("has a storage of {} elements", elements));
  if (!offset || *offset < 0) return bad_input("has a negative offset into its storage");
  out.storage = static_cast<uint64_t>(elements);
  out.offset = static_cast<uint64_t>(*offset);
  MAEIL_ASSIGN(out.shape, sizes(arguments[2], "shape"));
  MAEIL_ASSIGN(out.stride, sizes(arguments[3], "stride"));
  if (out.shape.size() != out.stride.size()) return bad_input("has a shape and a stride of different length");
  MAEIL_TRY(check_reach(out));
  return out;
}

Tensor gather(const TorchView& view, const std::string& name, std::string_view storage, bool swap) {
  Tensor out{name, view.shape, DType::kFloat32, {}, {}, {}};
  switch (view.type) {
    case TorchType::kFloat:
      out.values = copied<float>(view, storage, swap);
      break;
    case TorchType::kHalf:
      out.values = widened(view, storage, swap, float16_to_float);
      break;
    case TorchType::kBFloat16:
      out.values = widened(view, storage, swap, bfloat16_to_float);
      break;
    case TorchType::kDouble:
      out.dtype = DType::kFloat64;
      out.doubles = copied<double>(view, storage, swap);
      break;
    case TorchType::kLong:
      out.dtype = DType::kInt64;
      out.integers = copied<int64_t>(view, storage, swap);
      break;
  }
  return out;
}

}  // namespace maeil::format
