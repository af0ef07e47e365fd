#include "format/numpy.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>

#include "format/float16.h"
#include "format/pickle_decode.h"

namespace maeil::format {
namespace {

constexpr size_t kMaxDimensions = 64;  // numpy 2's own limit

struct Dtype {
  char kind = 0;         // numpy's letter: b i u f U S O M m
  size_t size = 0;       // bytes of an element
  bool swapped = false;  // big-endian
  std::string name;
};

std::string last_part(std::string_view class_name) {
  return std::string(class_name.substr(class_name.rfind('.') + 1));
}

// Whether `value` was made by one of numpy's functions, under the name of numpy 1 or of numpy 2.
bool is_made_by(PickleValue value, std::string_view numpy1, std::string_view numpy2) {
  return value.is_class(numpy1) || value.is_class(numpy2);
}
bool is_scalar(PickleValue value) {
  return is_made_by(value, "numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar");
}
bool is_reconstructed(PickleValue value) {
  return is_made_by(value, "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct");
}
bool is_from_buffer(PickleValue value) {
  return is_made_by(value, "numpy.core.numeric._frombuffer", "numpy._core.numeric._frombuffer");
}

Result<Dtype> dtype_of(PickleValue value) {
  if (!value.is_class("numpy.dtype") || value.argument_count() < 1 || !value.argument(0).text()) {
    return bad_input(fmt::format("a numpy array has a {} instead of a dtype", to_string(value.kind())));
  }
  std::string code(*value.argument(0).text());
  Dtype out;
  auto unsupported = [&] {
    return bad_input(fmt::format("numpy dtype {} is not supported", printable(code)));
  };
  if (code.size() < 2) return unsupported();
  out.kind = code[0];
  const char* end = code.data() + code.size();
  if (std::from_chars(code.data() + 1, end, out.size).ptr != end || out.size > (size_t{1} << 30))
    return unsupported();
  auto state = value.state();
  if (state && state->size() > 1 && state->item(1).text() == ">") out.swapped = true;
  std::string bits = std::to_string(out.size * 8);
  bool power = out.size == 1 || out.size == 2 || out.size == 4 || out.size == 8;
  switch (out.kind) {
    case 'b':
      out.name = "bool";
      return out.size == 1 ? Result<Dtype>(out) : unsupported();
    case 'i':
      out.name = "int" + bits;
      break;
    case 'u':
      out.name = "uint" + bits;
      break;
    case 'f':
      out.name = "float" + bits;
      power = power && out.size > 1;
      break;
    case 'U':
      out.name = "str";
      out.size *= 4;
      return out;
    case 'S':
      out.name = "bytes";
      return out;
    case 'O':
      out.name = "object";
      return out;
    case 'M':
    case 'm': {
      power = out.size == 8;
      out.name = out.kind == 'M' ? "datetime64" : "timedelta64";
      if (!state || state->size() == 0) break;
      PickleValue unit = state->item(state->size() - 1);
      if (unit.is(PickleKind::kTuple) && unit.size() == 2 && unit.item(1).size() > 0) {
        if (auto text = unit.item(1).item(0).bytes()) out.name += "[" + printable(*text) + "]";
      }
      break;
    }
    default:
      return unsupported();
  }
  return power ? Result<Dtype>(out) : unsupported();
}

uint64_t bits_of(const char* at, size_t size, bool swapped) {
  uint64_t bits = 0;
  for (size_t i = 0; i < size; ++i) {
    size_t shift = 8 * (swapped ? size - 1 - i : i);
    bits |= static_cast<uint64_t>(static_cast<unsigned char>(at[i])) << shift;
  }
  return bits;
}

double real_of(const char* at, const Dtype& dtype) {
  uint64_t bits = bits_of(at, dtype.size, dtype.swapped);
  if (dtype.size == 8) {
    double value;
    std::memcpy(&value, &bits, 8);
    return value;
  }
  if (dtype.size == 2) return float16_to_float(static_cast<uint16_t>(bits));
  auto narrow = static_cast<uint32_t>(bits);
  float value;
  std::memcpy(&value, &narrow, 4);
  return value;
}

// Empty: an unsigned value beyond int64.
std::optional<int64_t> integer_of(const char* at, const Dtype& dtype) {
  uint64_t bits = bits_of(at, dtype.size, dtype.swapped);
  if (dtype.kind == 'i' && dtype.size < 8 && (bits >> (8 * dtype.size - 1)))
    bits |= ~uint64_t{0} << (8 * dtype.size);
  if (dtype.kind == 'u' && (bits >> 63)) return {};
  return static_cast<int64_t>(bits);
}

// Empty: a code point that is none.
std::optional<std::string> string_of(const char* at, const Dtype& dtype) {
  if (dtype.kind == 'S') {
    std::string_view bytes(at, dtype.size);
    while (!bytes.empty() && bytes.back() == '\0') bytes.remove_suffix(1);
    return std::string(bytes);
  }
  std::string escaped;
  size_t used = dtype.size / 4;
  while (used > 0 && bits_of(at + 4 * (used - 1), 4, false) == 0) --used;
  for (size_t i = 0; i < used; ++i)
    escaped += fmt::format("\\U{:08x}", bits_of(at + 4 * i, 4, dtype.swapped));
  return decode_raw_unicode(escaped);
}

// The position in the file of each element in C order, for data in Fortran order.
class Order {
 public:
  Order(const std::vector<int64_t>& shape, bool fortran)
      : shape_(shape), fortran_(fortran), index_(shape.size(), 0), step_(shape.size(), 1) {
    for (size_t d = 1; d < shape.size(); ++d) step_[d] = step_[d - 1] * shape[d - 1];
  }
  size_t next() {
    if (!fortran_) return at_++;
    size_t position = at_;
    for (size_t d = shape_.size(); d-- > 0;) {
      at_ += static_cast<size_t>(step_[d]);
      if (++index_[d] < shape_[d]) break;
      at_ -= static_cast<size_t>(step_[d] * shape_[d]);
      index_[d] = 0;
    }
    return position;
  }

 private:
  const std::vector<int64_t>& shape_;
  bool fortran_;
  std::vector<int64_t> index_, step_;
  size_t at_ = 0;
};

// product(shape); kBadInput where it is negative, overflows or exceeds `available` elements.
Result<size_t> checked_count(PickleValue shape_value, size_t available, std::vector<int64_t>& shape) {
  std::vector<PickleValue> dimensions;
  if (shape_value.is(PickleKind::kTuple)) {
    if (shape_value.size() > kMaxDimensions)
      return bad_input(fmt::format("a numpy array has {} dimensions", shape_value.size()));
    for (size_t i = 0; i < shape_value.size(); ++i) dimensions.push_back(shape_value.item(i));
  } else {
    dimensions.push_back(shape_value);
  }
  size_t count = 1;
  for (PickleValue dimension : dimensions) {
    auto n = dimension.integer();
    if (!n || *n < 0) return bad_input("a numpy array has a shape that is no list of sizes");
    if (__builtin_mul_overflow(count, static_cast<size_t>(*n), &count) || count > (size_t{1} << 40)) {
      return bad_input("a numpy array has a shape that overflows");
    }
    shape.push_back(*n);
  }
  if (count != available)
    return bad_input(fmt::format("a numpy array's shape has {} elements, its data {}", count, available));
  return count;
}

Result<Ndarray> decode(PickleValue shape, PickleValue dtype_value, bool fortran, PickleValue data) {
  MAEIL_ASSIGN(Dtype dtype, dtype_of(dtype_value));
  Ndarray out;
  out.dtype = dtype.name;
  if (dtype.kind == 'O') {
    if (!data.is(PickleKind::kList)) return bad_input("a numpy array of objects has no list of them");
    MAEIL_ASSIGN(size_t count, checked_count(shape, data.size(), out.shape));
    Order order(out.shape, fortran);
    out.objects.reserve(count);
    for (size_t i = 0; i < count; ++i) out.objects.push_back(data.item(order.next()));
    return out;
  }
  auto raw = data.bytes();
  if (!raw)
    return bad_input(fmt::format("a numpy array has a {} instead of its bytes", to_string(data.kind())));
  if (dtype.size == 0 || raw->size() % dtype.size != 0) {
    return bad_input(fmt::format("a numpy array of {} has {} bytes, no multiple of {}", dtype.name,
                                 raw->size(), dtype.size));
  }
  MAEIL_ASSIGN(size_t count, checked_count(shape, raw->size() / dtype.size, out.shape));
  Order order(out.shape, fortran);
  for (size_t i = 0; i < count; ++i) {
    const char* at = raw->data() + order.next() * dtype.size;
    if (dtype.kind == 'f') {
      out.numbers.push_back(real_of(at, dtype));
    } else if (dtype.kind == 'U' || dtype.kind == 'S') {
      auto text = string_of(at, dtype);
      if (!text) return bad_input("a numpy array of text holds what is no code point");
      out.texts.push_back(std::move(*text));
    } else {
      auto value = integer_of(at, dtype);
      if (!value) return bad_input("a numpy array of uint64 holds a value beyond int64");
      out.integers.push_back(*value);
    }
  }
  return out;
}

// A numpy scalar's single element, as an array of one.
Result<Ndarray> scalar(PickleValue value) {
  if (value.argument_count() != 2) return bad_input("a numpy scalar without a value");
  MAEIL_ASSIGN(Dtype dtype, dtype_of(value.argument(0)));
  auto raw = value.argument(1).bytes();
  if (!raw || raw->size() != dtype.size || dtype.kind == 'O')
    return bad_input("a numpy scalar whose bytes do not fit its dtype");
  Ndarray out;
  out.dtype = dtype.name;
  if (dtype.kind == 'f') {
    out.numbers.push_back(real_of(raw->data(), dtype));
  } else if (dtype.kind == 'U' || dtype.kind == 'S') {
    if (auto text = string_of(raw->data(), dtype)) out.texts.push_back(std::move(*text));
  } else if (auto whole = integer_of(raw->data(), dtype)) {
    out.integers.push_back(*whole);
  }
  return out;
}

}  // namespace

bool is_ndarray(PickleValue value) { return is_reconstructed(value) || is_from_buffer(value); }

Result<Ndarray> read_ndarray(PickleValue value) {
  if (is_from_buffer(value)) {
    if (value.argument_count() != 4) return bad_input("a numpy array from a buffer takes four arguments");
    return decode(value.argument(2), value.argument(1), value.argument(3).text() == "F", value.argument(0));
  }
  if (!is_reconstructed(value))
    return bad_input(fmt::format("a {} instead of a numpy array", to_string(value.kind())));
  auto state = value.state();
  if (!state || !state->is(PickleKind::kTuple) || state->size() != 5)
    return bad_input("a numpy array without its state");
  return decode(state->item(1), state->item(2), state->item(3).boolean().value_or(false), state->item(4));
}

Result<std::vector<double>> to_reals(const Ndarray& array) {
  std::vector<double> out = array.numbers;
  for (int64_t value : array.integers) out.push_back(static_cast<double>(value));
  for (PickleValue object : array.objects) {
    auto value = number_of(object);
    if (!value) return bad_input("an array of objects holds what is no number");
    out.push_back(*value);
  }
  if (!array.texts.empty()) return bad_input("an array of text instead of numbers");
  return out;
}

Result<std::string> read_dtype(PickleValue value) {
  if (value.is(PickleKind::kGlobal) && value.class_name().starts_with("numpy."))
    return last_part(value.class_name());
  MAEIL_ASSIGN(Dtype dtype, dtype_of(value));
  return dtype.name;
}

std::optional<double> number_of(PickleValue value) {
  if (auto plain = value.real()) return plain;
  if (!is_scalar(value)) return {};
  auto one = scalar(value);
  if (!one || one->dtype.starts_with("datetime") || one->dtype.starts_with("timedelta")) return {};
  if (one->numbers.size() == 1) return one->numbers[0];
  if (one->integers.size() == 1) return static_cast<double>(one->integers[0]);
  return {};
}

std::optional<int64_t> integer_of(PickleValue value) {
  if (const auto plain = value.integer()) return plain;
  const auto one = is_scalar(value) ? scalar(value) : Result<Ndarray>(Ndarray());
  if (!one || one->dtype.starts_with("datetime") || one->dtype.starts_with("timedelta") ||
      one->integers.size() != 1)
    return {};
  return one->integers[0];
}

std::optional<int64_t> nanoseconds_of(PickleValue value) {
  const auto one = is_scalar(value) ? scalar(value) : Result<Ndarray>(Ndarray());
  if (!one || one->integers.size() != 1 || one->integers[0] == INT64_MIN) return {};
  for (const auto& [name, unit] : {std::pair("s", 1'000'000'000), std::pair("ms", 1'000'000),
                                   std::pair("us", 1000), std::pair("ns", 1)}) {
    int64_t out = 0;
    if (one->dtype == fmt::format("datetime64[{}]", name) &&
        !__builtin_mul_overflow(one->integers[0], unit, &out))
      return out;
  }
  return {};
}

std::optional<std::string> text_of(PickleValue value) {
  if (value.is(PickleKind::kText)) return std::string(*value.text());
  if (!is_scalar(value)) return {};
  auto one = scalar(value);
  if (!one || one->dtype != "str" || one->texts.size() != 1) return {};
  return one->texts[0];
}

}  // namespace maeil::format
