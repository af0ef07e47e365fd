#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <set>
#include <utility>

#include "format/torch.h"
#include "format/zip.h"

// data.pkl in protocol 2, of the opcodes that PyTorch 1.13's weights_only reader knows: no BINFLOAT, no memo
// needed.

namespace maeil::format {
namespace {

using Json = nlohmann::ordered_json;
static_assert(std::endian::native == std::endian::little, "the archive says byteorder little");

constexpr int kMaxExtrasDepth = 100;

const char* storage_type(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return "FloatStorage";
    case DType::kFloat64:
      return "DoubleStorage";
    case DType::kInt64:
      break;
  }
  return "LongStorage";
}

template <class T>
std::string raw_bytes(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

class Writer {
 public:
  Status state_dict(const std::vector<Tensor>& state) {
    out_ += "ccollections\nOrderedDict\n)R(";
    std::set<std::string_view> seen;
    for (const Tensor& tensor : state) {
      if (!seen.insert(tensor.name).second) return bad_input("two tensors are named " + tensor.name);
      int64_t count = 1;
      for (int64_t n : tensor.shape) {
        if (n < 0 || __builtin_mul_overflow(count, n, &count))
          return bad_input("tensor " + tensor.name + " has a shape that is negative or overflows");
      }
      size_t given = tensor.dtype == DType::kFloat32   ? tensor.values.size()
                     : tensor.dtype == DType::kFloat64 ? tensor.doubles.size()
                                                       : tensor.integers.size();
      if (given != static_cast<size_t>(count))
        return bad_input(
            fmt::format("tensor {} has {} elements for a shape of {}", tensor.name, given, count));
      text(tensor.name);
      rebuild(tensor.dtype, storages_.size(), given, 0, tensor.shape);
      storages_.push_back(tensor.dtype == DType::kFloat32   ? raw_bytes(tensor.values)
                          : tensor.dtype == DType::kFloat64 ? raw_bytes(tensor.doubles)
                                                            : raw_bytes(tensor.integers));
    }
    out_ += 'u';
    return {};
  }

  Status extras(const Json& json) {
    collect(json);
    floats_key_ = storages_.size();
    if (!floats_.empty()) storages_.push_back(raw_bytes(floats_));
    for (const auto& [key, value] : json.items()) {
      if (key == "model_state_dict") return bad_input("extras may not name model_state_dict");
      text(key);
      MAEIL_TRY(plain(value, 0));
    }
    return {};
  }

  void open_dict() { out_ += "}("; }
  void close_dict() { out_ += 'u'; }
  void text(std::string_view value) {
    out_ += 'X';
    number(value.size(), 4);
    out_ += value;
  }

  Result<std::string> archive() {
    std::vector<std::pair<std::string, std::string>> entries;
    entries.emplace_back("archive/data.pkl", "\x80\x02" + out_ + ".");
    entries.emplace_back("archive/byteorder", "little");
    for (size_t i = 0; i < storages_.size(); ++i)
      entries.emplace_back("archive/data/" + std::to_string(i), std::move(storages_[i]));
    entries.emplace_back("archive/version", "3\n");
    return write_stored_zip(entries);
  }

 private:
  void number(uint64_t value, size_t width) {
    for (size_t i = 0; i < width; ++i) out_ += static_cast<char>(value >> (8 * i));
  }
  void integer(int64_t value) {
    if (value >= INT32_MIN && value <= INT32_MAX) {
      out_ += 'J';
      number(static_cast<uint64_t>(value), 4);
    } else {
      out_ += "\x8a\x08";
      number(static_cast<uint64_t>(value), 8);
    }
  }
  // _rebuild_tensor_v2(storage, offset, shape, stride, requires_grad, hooks)
  void rebuild(DType dtype, size_t key, size_t storage, size_t offset, const std::vector<int64_t>& shape) {
    out_ += "ctorch._utils\n_rebuild_tensor_v2\n((";
    text("storage");
    out_ += fmt::format("ctorch\n{}\n", storage_type(dtype));
    text(std::to_string(key));
    text("cpu");
    integer(static_cast<int64_t>(storage));
    out_ += "tQ";
    integer(static_cast<int64_t>(offset));
    std::vector<int64_t> stride(shape.size(), 1);
    for (size_t d = shape.size(); d-- > 1;) stride[d - 1] = stride[d] * std::max<int64_t>(shape[d], 1);
    for (const std::vector<int64_t>* sizes : {&shape, &std::as_const(stride)}) {
      out_ += '(';
      for (int64_t n : *sizes) integer(n);
      out_ += 't';
    }
    out_ +=
        "\x89"
        "ccollections\nOrderedDict\n)RtR";
  }
  static bool all_floats(const Json& json) {
    return json.is_array() && !json.empty() &&
           std::all_of(json.begin(), json.end(), [](const Json& item) { return item.is_number_float(); });
  }
  // All floats go into one storage; this is its size, needed before the first of them is written.
  void collect(const Json& json) {
    if (json.is_number_float()) floats_.push_back(json.get<double>());
    if (json.is_structured()) {
      for (const auto& item : json) collect(item);
    }
  }
  Status plain(const Json& json, int depth) {
    if (depth > kMaxExtrasDepth)
      return bad_input(fmt::format("extras are nested deeper than {}", kMaxExtrasDepth));
    if (json.is_null()) {
      out_ += 'N';
    } else if (json.is_boolean()) {
      out_ += json.get<bool>() ? '\x88' : '\x89';
    } else if (json.is_number_unsigned() && json.get<uint64_t>() > INT64_MAX) {
      out_ += "\x8a\x09";
      number(json.get<uint64_t>(), 8);
      out_ += '\0';
    } else if (json.is_number_integer()) {
      integer(json.get<int64_t>());
    } else if (json.is_number_float()) {
      rebuild(DType::kFloat64, floats_key_, floats_.size(), next_float_++, {});
    } else if (json.is_string()) {
      text(json.get_ref<const std::string&>());
    } else if (all_floats(json)) {
      rebuild(DType::kFloat64, floats_key_, floats_.size(), next_float_, {static_cast<int64_t>(json.size())});
      next_float_ += json.size();
    } else if (json.is_array()) {
      out_ += "](";
      for (const auto& item : json) MAEIL_TRY(plain(item, depth + 1));
      out_ += 'e';
    } else if (json.is_object()) {
      open_dict();
      for (const auto& [key, value] : json.items()) {
        text(key);
        MAEIL_TRY(plain(value, depth + 1));
      }
      close_dict();
    } else {
      return bad_input("extras hold what is no JSON value");
    }
    return {};
  }

  std::string out_;
  std::vector<std::string> storages_;
  std::vector<double> floats_;
  size_t floats_key_ = 0, next_float_ = 0;
};

}  // namespace

Result<std::string> write_checkpoint(const std::vector<Tensor>& state, const Json& extras) {
  Writer writer;
  writer.open_dict();
  writer.text("model_state_dict");
  MAEIL_TRY(writer.state_dict(state));
  if (!extras.is_object() && !extras.is_null()) return bad_input("extras of a checkpoint are no object");
  if (extras.is_object()) MAEIL_TRY(writer.extras(extras));
  writer.close_dict();
  return writer.archive();
}

Result<std::string> write_state_dict(const std::vector<Tensor>& state) {
  Writer writer;
  MAEIL_TRY(writer.state_dict(state));
  return writer.archive();
}

}  // namespace maeil::format
