// What a column of a Parquet or Arrow file holds, read from its schema: the one table of types. What each
// becomes as text and as a number: bound_column.h and docs/formats/parquet.md.
#pragma once

#include <memory>
#include <string>

#include "columnar/c_data.h"
#include "columnar/zone_clock.h"

namespace maeil::columnar {

enum class ValueKind {
  kNull,       // nothing but missing values
  kBoolean,    // one bit
  kSigned,     // width 1, 2, 4, 8 bytes
  kUnsigned,   // the same
  kFloat,      // width 2, 4, 8
  kDecimal,    // width 4, 8, 16, 32: a whole number of 10^-scale
  kDate,       // width 4: days; 8: milliseconds
  kTime,       // of day, width 4 or 8, in `unit`
  kTimestamp,  // width 8, in `unit`; with a zone: moments, which its clock shows
  kText,       // width 4 or 8 (of offsets); 16: views
  kRefused,    // lists, structs, binary ...: what a cell of a table is not
};

struct ColumnType {
  ValueKind kind = ValueKind::kRefused;
  int width = 0;
  int64_t unit = 1;  // parts of a second: 1, 1000, 1000000 or 1000000000
  int scale = 0;     // of kDecimal
  std::shared_ptr<const Zone> zone;
  // Of a dictionary column: of its indices. All above is of the dictionary's values.
  ValueKind index = ValueKind::kRefused;
  int index_width = 0;
  std::string name;  // of the type, for people: "decimal(12, 2)", "list", "timestamp of Asia/Seoul"

  bool is_dictionary() const { return index_width > 0; }
};

// Never fails: what is not known is kRefused, and says what it is. A zone that this machine does not know is,
// too.
ColumnType column_type(const ArrowSchema& schema);

// Whether rows of both may stand below one another, so that a value is written in the same way in either:
// whole numbers of any width do, whole numbers and floats do not ("5" and "5.0"), missing ones with all.
bool is_alike(const ColumnType& a, const ColumnType& b);

}  // namespace maeil::columnar
