// numpy arrays, scalars and dtypes inside a read pickle, checked against their data before memory is taken.
//
// Reads what numpy 1 and 2 write in every protocol: bool, integers, floats (2, 4, 8 bytes), text (U, S),
// dates (M8, m8) and objects; either byte order, C or Fortran order. Structured, complex and masked arrays
// are refused by their dtype's name.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "format/pickle.h"

namespace maeil::format {

// Elements in C order (the last index fastest), whatever the file's order was; exactly one of the four
// vectors holds them, product(shape) long.
struct Ndarray {
  std::vector<int64_t> shape;
  std::string dtype;                 // "float64", "int8", "bool", "str", "bytes", "object", "datetime64[ns]"
  std::vector<double> numbers;       // floats
  std::vector<int64_t> integers;     // bool, integers, dates (units since 1970; INT64_MIN is NaT)
  std::vector<std::string> texts;    // str, bytes
  std::vector<PickleValue> objects;  // object

  size_t count() const { return numbers.size() + integers.size() + texts.size() + objects.size(); }
};

[[nodiscard]] bool is_ndarray(PickleValue value);

// kBadInput: no array, an unsupported dtype, a shape that is negative, overflows or does not fit the data.
[[nodiscard]] Result<Ndarray> read_ndarray(PickleValue value);

// The elements as doubles: numbers, integers and numbers among objects; kBadInput for the rest.
[[nodiscard]] Result<std::vector<double>> to_reals(const Ndarray& array);

// numpy's name of a numpy.dtype object ("float64", "object") or of a scalar type such as numpy.float64.
[[nodiscard]] Result<std::string> read_dtype(PickleValue value);

// A Python bool, int or float, or a numpy scalar of such a type; empty for anything else.
[[nodiscard]] std::optional<double> number_of(PickleValue value);
// A Python bool or int, or a numpy scalar of such a type, exactly; empty for anything else and beyond int64.
[[nodiscard]] std::optional<int64_t> integer_of(PickleValue value);
// A numpy datetime64 scalar of seconds or finer as nanoseconds since 1970; empty for NaT and anything else.
[[nodiscard]] std::optional<int64_t> nanoseconds_of(PickleValue value);
// A Python str or a numpy str_ scalar; empty for anything else.
[[nodiscard]] std::optional<std::string> text_of(PickleValue value);

}  // namespace maeil::format
