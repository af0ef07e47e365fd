#include "columnar/bound_column.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "columnar/value_text.h"
#include "format/float16.h"
#include "format/number_text.h"

namespace maeil::columnar {
namespace {

bool bit(const void* bits, size_t at) {
  return static_cast<const unsigned char*>(bits)[at / 8] >> (at % 8) & 1;
}

void append_float(double value, std::string& out) {
  if (std::isnan(value)) return;
  if (std::isinf(value))
    out += value < 0 ? "-inf" : "inf";
  else
    format::append_float(out, value);
}

template <class T>
void append_integer(T value, std::string& out) {
  char text[format::kMaxNumberText];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

}  // namespace

BoundColumn::BoundColumn(const ColumnType& type, const ArrowArray& array, int64_t offset,
                         const DateText* date_text)
    : type_(type),
      array_(array),
      start_(static_cast<size_t>(array.offset + offset)),
      date_text_(date_text),
      clock_(type.zone.get()) {
  if (type.kind != ValueKind::kNull && array.n_buffers > 0 && array.null_count != 0)
    valid_ = static_cast<const unsigned char*>(array.buffers[0]);
  if (!type.is_dictionary()) return;
  value_type_ = std::make_unique<ColumnType>(type);
  value_type_->index_width = 0;
  dictionary_ = std::make_unique<BoundColumn>(*value_type_, *array.dictionary, 0, date_text);
  dictionary_size_ = static_cast<size_t>(array.dictionary->length);
}

bool BoundColumn::is_null(size_t row) const {
  if (type_.kind == ValueKind::kNull && !dictionary_) return true;
  if (valid_ && !bit(valid_, start_ + row)) return true;
  return dictionary_ && dictionary_->is_null(index(row));
}

size_t BoundColumn::index(size_t row) const {
  switch (type_.index_width) {
    case 1:
      return static_cast<size_t>(values<uint8_t>()[row]);
    case 2:
      return static_cast<size_t>(values<uint16_t>()[row]);
    case 4:
      return static_cast<size_t>(values<uint32_t>()[row]);
    default:
      return static_cast<size_t>(values<uint64_t>()[row]);
  }
}

std::string_view BoundColumn::view(size_t row) const {
  const auto text = [&](const auto* offsets) {
    return std::string_view(static_cast<const char*>(array_.buffers[2]) + offsets[row],
                            static_cast<size_t>(offsets[row + 1] - offsets[row]));
  };
  if (type_.width == 4) return text(values<int32_t>());
  if (type_.width == 8) return text(values<int64_t>());
  // A view: its length, and 12 bytes of text or 4 of them, a buffer and the place in it.
  const char* at = static_cast<const char*>(array_.buffers[1]) + (start_ + row) * 16;
  int32_t parts[4];
  std::memcpy(parts, at, sizeof parts);
  const auto size = static_cast<size_t>(parts[0]);
  if (size <= 12) return {at + 4, size};
  return {static_cast<const char*>(array_.buffers[2 + parts[2]]) + parts[3], size};
}

bool BoundColumn::has_bits() const {
  if (dictionary_) return false;
  return type_.kind != ValueKind::kText && type_.kind != ValueKind::kNull && type_.width <= 8;
}

// Not those of floats (NaN), of moments with a zone (an hour comes twice), of milliseconds that are dates.
bool BoundColumn::bits_are_texts() const {
  if (!has_bits() || type_.zone) return false;
  return type_.kind != ValueKind::kFloat && (type_.kind != ValueKind::kDate || type_.width == 4);
}

uint64_t BoundColumn::bits(size_t row) const {
  if (type_.kind == ValueKind::kBoolean) return bit(array_.buffers[1], start_ + row);
  switch (type_.width) {
    case 1:
      return values<uint8_t>()[row];
    case 2:
      return values<uint16_t>()[row];
    case 4:
      return values<uint32_t>()[row];
    default:
      return values<uint64_t>()[row];
  }
}

void BoundColumn::append_seconds(int64_t value, int64_t unit, std::string& out) {
  // A form of the column's own has microseconds at most.
  if (date_text_ && *date_text_ && (unit <= 1'000'000 || value % 1000 == 0)) {
    const double seconds = static_cast<double>(value) / static_cast<double>(unit);
    if ((*date_text_)(seconds, out)) return;
  }
  append_timestamp(out, value, unit);
}

void BoundColumn::append_text(size_t row, std::string& out) {
  if (dictionary_) return dictionary_->append_text(index(row), out);
  const auto whole = [&]<class S, class U>(S, U) {
    type_.kind == ValueKind::kUnsigned ? append_integer(values<U>()[row], out)
                                       : append_integer(values<S>()[row], out);
  };
  switch (type_.kind) {
    case ValueKind::kNull:
    case ValueKind::kRefused:
      return;
    case ValueKind::kBoolean:
      out += bits(row) ? "True" : "False";
      return;
    case ValueKind::kSigned:
    case ValueKind::kUnsigned:
      if (type_.width == 1) return whole(int8_t{}, uint8_t{});
      if (type_.width == 2) return whole(int16_t{}, uint16_t{});
      if (type_.width == 4) return whole(int32_t{}, uint32_t{});
      return whole(int64_t{}, uint64_t{});
    case ValueKind::kFloat:
      if (type_.width == 2) return append_float(format::float16_to_float(values<uint16_t>()[row]), out);
      return append_float(type_.width == 4 ? values<float>()[row] : values<double>()[row], out);
    case ValueKind::kDecimal:
      return append_decimal(
          out, values<unsigned char>() - start_ + (start_ + row) * static_cast<size_t>(type_.width),
          type_.width, type_.scale);
    case ValueKind::kDate: {
      if (type_.width == 4) return append_seconds(int64_t{values<int32_t>()[row]} * 86400, 1, out);
      const int64_t parts = values<int64_t>()[row], day = 86'400'000;
      return append_seconds((parts / day - (parts % day < 0)) * 86400, 1, out);
    }
    case ValueKind::kTime:
      return append_time(out, type_.width == 4 ? values<int32_t>()[row] : values<int64_t>()[row], type_.unit);
    case ValueKind::kTimestamp: {
      const int64_t value = values<int64_t>()[row];
      const int64_t seconds = value / type_.unit - (value % type_.unit < 0);
      const int64_t shift = clock_.shown(seconds) - seconds;
      int64_t shown;
      if (__builtin_mul_overflow(shift, type_.unit, &shown) || __builtin_add_overflow(shown, value, &shown))
        shown = value;  // at the ends of what 64 bits of nanoseconds hold
      return append_seconds(shown, type_.unit, out);
    }
    case ValueKind::kText:
      out += view(row);
      return;
  }
}

bool BoundColumn::copy_numbers(size_t first, size_t count, double* out) const {
  if (dictionary_) return false;
  const auto copy = [&]<class T>(const T* from) {
    from += first;
    for (size_t i = 0; i < count; ++i) out[i] = static_cast<double>(from[i]);
  };
  const auto whole = [&]<class S, class U>(S, U) {
    type_.kind == ValueKind::kUnsigned ? copy(values<U>()) : copy(values<S>());
  };
  if (type_.kind == ValueKind::kSigned || type_.kind == ValueKind::kUnsigned) {
    if (type_.width == 1)
      whole(int8_t{}, uint8_t{});
    else if (type_.width == 2)
      whole(int16_t{}, uint16_t{});
    else if (type_.width == 4)
      whole(int32_t{}, uint32_t{});
    else
      whole(int64_t{}, uint64_t{});
  } else if (type_.kind == ValueKind::kFloat) {
    if (type_.width == 8)
      copy(values<double>());
    else if (type_.width == 4)
      copy(values<float>());
    else
      for (size_t i = 0; i < count; ++i) out[i] = format::float16_to_float(values<uint16_t>()[first + i]);
  } else {
    return false;
  }
  if (!valid_) return true;
  for (size_t i = 0; i < count; ++i) {
    if (!bit(valid_, start_ + first + i)) out[i] = std::numeric_limits<double>::quiet_NaN();
  }
  return true;
}

}  // namespace maeil::columnar
