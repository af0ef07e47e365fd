#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "base/file.h"
#include "format/numpy.h"
#include "format/pickle_decode.h"
#include "format/torch.h"
#include "format/torch_zip.h"

namespace maeil::format {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMaxDimensions = 64;
constexpr uint64_t kMaxPickle = uint64_t{64} << 20;  // data.pkl; the real one has 43 KB for 277 tensors
constexpr int kMaxDepth = 100;                       // of nested extras
constexpr uint64_t kMaxSharing = 4;                  // tensors' bytes over the archive's; tied weights make 2
constexpr uint64_t kFreeTensorBytes = 1 << 20;

// Where a tensor's elements are.
struct View {
  std::string key;  // of the storage
  DType dtype = DType::kFloat32;
  uint64_t storage = 0;  // elements in the storage
  uint64_t offset = 0, count = 1;
  std::vector<int64_t> shape, stride;
};

uint64_t width(DType dtype) { return dtype == DType::kFloat32 ? 4 : 8; }

bool is_tensor(PickleValue value) {
  return value.is_class("torch._utils._rebuild_tensor_v2") || value.is_class("torch._utils._rebuild_tensor") ||
         value.is_class("torch._utils._rebuild_parameter");
}

Result<std::vector<int64_t>> sizes(PickleValue value, const char* what) {
  std::vector<int64_t> out;
  if (value.is_class("torch.Size") && value.argument_count() == 1) value = value.argument(0);
  if (!value.is(PickleKind::kTuple) && !value.is(PickleKind::kList)) return bad_input(fmt::format("has a {} instead of its {}", to_string(value.kind()), what));
  if (value.size() > kMaxDimensions) return bad_input(fmt::format("has {} dimensions", value.size()));
  for (size_t i = 0; i < value.size(); ++i) {
    auto n = value.item(i).integer();
    if (!n) return bad_input(fmt::format("has a {} that holds a {}", what, to_string(value.item(i).kind())));
    if (*n < 0) return bad_input(fmt::format("has a negative {} ({})", what, *n));
    out.push_back(*n);
  }
  return out;
}

// Checks what data.pkl says about a tensor; messages go on from "tensor x".
Result<View> view_of(PickleValue value) {
  for (int depth = 0; value.is_class("torch._utils._rebuild_parameter"); ++depth) {
    if (value.argument_count() < 1 || depth > 4) return bad_input("is a parameter without a tensor");
    value = value.argument(0);
  }
  if (!is_tensor(value) || value.argument_count() < 4) return bad_input("has no storage, offset, shape and stride");
  PickleValue persistent = value.argument(0);
  if (!persistent.is(PickleKind::kPersistent)) return bad_input("names no storage");
  PickleValue id = persistent.argument(0);
  if (!id.is(PickleKind::kTuple) || id.size() < 5 || id.item(0).text() != "storage" || !id.item(2).text() || !id.item(4).integer()) {
    return bad_input("names a storage in an unknown form");
  }
  View out;
  std::string type = id.item(1).class_name();
  if (type == "torch.FloatStorage") {
    out.dtype = DType::kFloat32;
  } else if (type == "torch.DoubleStorage") {
    out.dtype = DType::kFloat64;
  } else if (type == "torch.LongStorage") {
    out.dtype = DType::kInt64;
  } else {
    return bad_input(fmt::format("is of {}; only float32, float64 and int64 are read", type.empty() ? "an unknown type" : type));
  }
  out.key = std::string(*id.item(2).text());
  int64_t elements = *id.item(4).integer();
  auto offset = value.argument(1).integer();
  if (elements < 0 || elements > (int64_t{1} << 40)) return bad_input(fmt::format("has a storage of {} elements", elements));
  if (!offset || *offset < 0) return bad_input("has a negative offset into its storage");
  out.storage = static_cast<uint64_t>(elements);
  out.offset = static_cast<uint64_t>(*offset);
  MAEIL_ASSIGN(out.shape, sizes(value.argument(2), "shape"));
  MAEIL_ASSIGN(out.stride, sizes(value.argument(3), "stride"));
  if (out.shape.size() != out.stride.size()) return bad_input("has a shape and a stride of different length");
  uint64_t last = out.offset;
  bool empty = false;
  for (size_t d = 0; d < out.shape.size(); ++d) {
    empty = empty || out.shape[d] == 0;
    if (__builtin_mul_overflow(out.count, static_cast<uint64_t>(out.shape[d]), &out.count)) return bad_input("has a shape that overflows");
    uint64_t reach = 0;
    if (out.shape[d] > 0 && (__builtin_mul_overflow(static_cast<uint64_t>(out.shape[d] - 1), static_cast<uint64_t>(out.stride[d]), &reach) ||
                             __builtin_add_overflow(last, reach, &last))) {
      return bad_input("has a stride that overflows");
    }
  }
  if (empty) {
    out.count = 0;
  } else if (last >= out.storage) {
    return bad_input(fmt::format("reaches element {} of a storage of {}", last, out.storage));
  } else if (out.count > out.storage) {
    return bad_input(fmt::format("repeats its storage ({} elements from {}); save a contiguous() copy of it", out.count, out.storage));
  }
  return out;
}

// The elements of `view` out of its storage's bytes, row-major.
template <class T>
std::vector<T> gather(const View& view, std::string_view storage, bool swap) {
  std::vector<T> out(view.count);
  std::vector<int64_t> index(view.shape.size(), 0);
  uint64_t at = view.offset;
  for (T& element : out) {
    char raw[sizeof(T)];
    std::memcpy(raw, storage.data() + at * sizeof(T), sizeof(T));
    if (swap) {
      for (size_t i = 0; i < sizeof(T) / 2; ++i) std::swap(raw[i], raw[sizeof(T) - 1 - i]);
    }
    std::memcpy(&element, raw, sizeof(T));
    for (size_t d = index.size(); d-- > 0;) {
      at += static_cast<uint64_t>(view.stride[d]);
      if (++index[d] < view.shape[d]) break;
      at -= static_cast<uint64_t>(view.stride[d]) * static_cast<uint64_t>(view.shape[d]);
      index[d] = 0;
    }
  }
  return out;
}

class Reader {
 public:
  Reader(const ZipReader& zip, std::string root, bool swap, const std::string& name, size_t nodes)
      : zip_(zip), root_(std::move(root)), swap_(swap), name_(name),
        bytes_left_(kMaxSharing * zip.declared() + kFreeTensorBytes), values_left_(4 * nodes + 1000) {}

  Result<Tensor> tensor(const std::string& tensor_name, PickleValue value) {
    auto context = [&](Error error) { return with_context(fmt::format("{}: tensor {}", name_, printable(tensor_name)), std::move(error)); };
    auto view = view_of(value);
    if (!view) return context(std::move(view.error()));
    uint64_t bytes = view->count * width(view->dtype);
    if (bytes > bytes_left_) return context({ErrorCode::kBadInput, "shares its storage with too many others"});
    bytes_left_ -= bytes;
    auto storage = load(*view);
    if (!storage) return context(std::move(storage.error()));
    Tensor out{tensor_name, view->shape, view->dtype, {}, {}, {}};
    switch (view->dtype) {
      case DType::kFloat32: out.values = gather<float>(*view, *storage, swap_); break;
      case DType::kFloat64: out.doubles = gather<double>(*view, *storage, swap_); break;
      case DType::kInt64: out.integers = gather<int64_t>(*view, *storage, swap_); break;
    }
    return out;
  }

  Result<std::vector<Tensor>> state_dict(PickleValue value, const std::string& key) {
    if (!value.is(PickleKind::kDict)) return bad_input(fmt::format("{}: {} is a {} instead of a dict of tensors", name_, key, to_string(value.kind())));
    std::vector<Tensor> out;
    for (size_t i = 0; i < value.pair_count(); ++i) {
      auto tensor_name = value.key(i).text();
      if (!tensor_name || !is_tensor(value.mapped(i))) {
        return bad_input(fmt::format("{}: {} holds a {} that is no tensor", name_, key, to_string(value.mapped(i).kind())));
      }
      MAEIL_ASSIGN(Tensor read, tensor(std::string(*tensor_name), value.mapped(i)));
      out.push_back(std::move(read));
    }
    return out;
  }

  // False: the value is no plain one and is left out.
  Result<bool> plain(PickleValue value, int depth, Json& out) {
    if (depth > kMaxDepth) return bad_input(fmt::format("{}: values nested deeper than {}", name_, kMaxDepth));
    if (values_left_-- == 0) return bad_input(name_ + ": values that repeat each other without end");
    switch (value.kind()) {
      case PickleKind::kNone: out = nullptr; return true;
      case PickleKind::kBool: out = *value.boolean(); return true;
      case PickleKind::kInteger: out = *value.integer(); return true;
      case PickleKind::kReal: out = *value.real(); return true;
      case PickleKind::kBigInteger:
      case PickleKind::kText: out = std::string(*value.text()); return true;
      case PickleKind::kList:
      case PickleKind::kTuple:
      case PickleKind::kSet:
        out = Json::array();
        for (size_t i = 0; i < value.size(); ++i) {
          Json item;
          MAEIL_TRY(plain(value.item(i), depth + 1, item));
          out.push_back(std::move(item));
        }
        return true;
      case PickleKind::kDict:
        out = Json::object();
        for (size_t i = 0; i < value.pair_count(); ++i) MAEIL_TRY(plain_pair(value, i, depth, out));
        return true;
      default: break;
    }
    if (is_tensor(value)) return plain_tensor(value, out);
    if (auto text = text_of(value)) {
      if (!is_valid_text(*text)) return false;
      out = *text;
      return true;
    }
    auto number = number_of(value);
    if (number) out = *number;
    return number.has_value();
  }

  Status plain_pair(PickleValue dict, size_t i, int depth, Json& out) {
    PickleValue key = dict.key(i);
    std::string text;
    if (key.text()) {
      text = std::string(*key.text());
    } else if (key.integer()) {
      text = std::to_string(*key.integer());
    } else {
      return {};
    }
    Json item;
    MAEIL_ASSIGN(bool is_plain, plain(dict.mapped(i), depth + 1, item));
    if (is_plain) out[text] = std::move(item);
    return {};
  }

 private:
  static bool is_valid_text(const std::string& text) { return text.find('\0') == text.npos; }

  // Floats of `extras`, as write_checkpoint writes them. Other tensors there (an optimiser's) are left out unread.
  Result<bool> plain_tensor(PickleValue value, Json& out) {
    auto view = view_of(value);
    if (!view || view->dtype != DType::kFloat64 || view->shape.size() > 1) return false;
    MAEIL_ASSIGN(Tensor read, tensor("among the other values", value));
    if (read.shape.empty()) {
      out = read.doubles[0];
    } else {
      out = read.doubles;
    }
    return true;
  }

  // The storage's bytes; the last one is kept, since neighbours often share it.
  Result<std::string_view> load(const View& view) {
    if (view.key != loaded_key_ || loaded_dtype_ != view.dtype) {
      std::string entry = root_ + "data/" + view.key;
      if (!zip_.has(entry)) return bad_input(fmt::format("its storage {} is missing from the file", printable(view.key)));
      MAEIL_ASSIGN(uint64_t size, zip_.size(entry));
      if (size != view.storage * width(view.dtype)) {
        return bad_input(fmt::format("its storage {} has {} bytes instead of {}", printable(view.key), size, view.storage * width(view.dtype)));
      }
      loaded_key_.clear();
      MAEIL_ASSIGN(loaded_, zip_.read(entry));
      loaded_key_ = view.key;
      loaded_dtype_ = view.dtype;
    }
    if (loaded_.size() < view.storage * width(view.dtype)) return bad_input("its storage is said to have two sizes");
    return std::string_view(loaded_);
  }

  const ZipReader& zip_;
  std::string root_;
  bool swap_;
  const std::string& name_;
  uint64_t bytes_left_;
  size_t values_left_;
  std::string loaded_key_, loaded_;
  DType loaded_dtype_ = DType::kFloat32;
};

// Why bytes that are no zip are no checkpoint either.
Error not_a_zip(std::string_view bytes, const std::string& name) {
  constexpr std::string_view kLegacy = "\x80\x02\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19.";
  std::string why = ": this is no PyTorch checkpoint (no zip archive)";
  if (bytes.starts_with(kLegacy)) {
    why = ": a checkpoint in the format from before PyTorch 1.6; load it in PyTorch and save it again with torch.save(state_dict, path)";
  } else if (bytes.size() > 262 && bytes.substr(257, 5) == "ustar") {
    why = ": a checkpoint in the tar format of early PyTorch; load it in PyTorch and save it again with torch.save(state_dict, path)";
  } else if (bytes.starts_with("\x80")) {
    why = ": a bare pickle instead of a checkpoint; save the model's state_dict() with torch.save";
  } else if (bytes.empty()) {
    why = ": the file is empty";
  }
  return {ErrorCode::kBadInput, name + why};
}

// The folder of the one data.pkl, with its "/".
Result<std::string> find_root(const ZipReader& zip, const std::string& name) {
  std::string root;
  int found = 0;
  for (const std::string& entry : zip.names()) {
    if (entry != "data.pkl" && !entry.ends_with("/data.pkl")) continue;
    root = entry.substr(0, entry.size() - std::string_view("data.pkl").size());
    ++found;
  }
  if (found != 1) return bad_input(fmt::format("{}: the archive has {} entries data.pkl instead of one; this is no PyTorch checkpoint", name, found));
  if (zip.has(root + "constants.pkl")) {
    return bad_input(name + ": a TorchScript program; save its state_dict() with torch.save");
  }
  return root;
}

Result<Checkpoint> sort_out(Reader& reader, PickleValue root, const std::string& name) {
  if (!root.is(PickleKind::kDict)) {
    const auto what = root.class_name();
    return bad_input(fmt::format("{}: holds a {} instead of a dict of tensors", name, what.empty() ? to_string(root.kind()) : printable(what)));
  }
  Checkpoint out;
  for (size_t i = 0; i < root.pair_count(); ++i) {
    auto key = root.key(i).text();
    if (key == "model_state_dict" || key == "encoder_state_dict") {
      if (!out.state.empty()) return bad_input(name + ": holds two state dicts");
      MAEIL_ASSIGN(out.state, reader.state_dict(root.mapped(i), std::string(*key)));
    } else if (key == "projection_head_state_dict") {
      MAEIL_ASSIGN(out.projection_head, reader.state_dict(root.mapped(i), std::string(*key)));
      out.has_projection_head = true;
    }
  }
  bool plain_dict = out.state.empty() && !out.has_projection_head;
  for (size_t i = 0; i < root.pair_count(); ++i) {
    auto key = root.key(i).text();
    if (key == "model_state_dict" || key == "encoder_state_dict" || key == "projection_head_state_dict") continue;
    if (plain_dict && key && is_tensor(root.mapped(i))) {
      MAEIL_ASSIGN(Tensor tensor, reader.tensor(std::string(*key), root.mapped(i)));
      out.state.push_back(std::move(tensor));
    } else {
      MAEIL_TRY(reader.plain_pair(root, i, 0, out.extras));
    }
  }
  if (out.state.empty()) return bad_input(name + ": holds no tensors: neither a state dict nor model_state_dict or encoder_state_dict");
  return out;
}

Result<Checkpoint> read_archive(std::string_view bytes, const std::string& name) {
  if (!bytes.starts_with("PK\x03\x04")) return tl::make_unexpected(not_a_zip(bytes, name));
  MAEIL_ASSIGN(ZipReader zip, ZipReader::open(bytes, name));
  MAEIL_ASSIGN(std::string root, find_root(zip, name));
  bool big = false;
  if (zip.has(root + "byteorder")) {
    MAEIL_ASSIGN(uint64_t size, zip.size(root + "byteorder"));
    if (size > 16) return bad_input(name + ": the byte order is neither little nor big");
    MAEIL_ASSIGN(std::string order, zip.read(root + "byteorder"));
    big = order == "big";
    if (!big && order != "little") return bad_input(fmt::format("{}: the byte order {} is neither little nor big", name, printable(order)));
  }
  MAEIL_ASSIGN(uint64_t pickle_size, zip.size(root + "data.pkl"));
  if (pickle_size > kMaxPickle) return bad_input(fmt::format("{}: data.pkl has {} bytes", name, pickle_size));
  MAEIL_ASSIGN(std::string pickle, zip.read(root + "data.pkl"));
  MAEIL_ASSIGN(PickleDocument document, read_pickle(std::move(pickle), name + " (data.pkl)"));
  Reader reader(zip, root, big != (std::endian::native == std::endian::big), name, document.node_count());
  return sort_out(reader, document.root(), name);
}

}  // namespace

std::vector<float> to_floats(const Tensor& tensor) {
  std::vector<float> out = tensor.values;
  for (double value : tensor.doubles) out.push_back(static_cast<float>(value));
  for (int64_t value : tensor.integers) out.push_back(static_cast<float>(value));
  return out;
}

const Tensor* Checkpoint::find(std::string_view name) const {
  for (const Tensor& tensor : state) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

Result<Checkpoint> read_checkpoint(std::string_view bytes, const std::string& name) {
  try {
    return read_archive(bytes, name);
  } catch (const std::bad_alloc&) {
    return bad_input(name + ": the checkpoint does not fit into memory");
  }
}

Result<Checkpoint> read_checkpoint_file(const std::filesystem::path& path) {
  MAEIL_ASSIGN(std::string bytes, read_file(path));
  return read_checkpoint(bytes, path.string());
}

}  // namespace maeil::format
