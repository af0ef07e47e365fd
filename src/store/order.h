// How values compare, and where a dotted path leads: MongoDB's rules, on which filters and sorts rest.
//
// The order of types is null < numbers < text < objects < arrays < ids < booleans < dates; inside a type,
// numbers compare by value whatever their kind, text by bytes, dates as instants, objects and arrays member
// by member.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "store/document.h"

namespace maeil::store {

// equal ranks can be compared by $lt and the like
int type_rank(const Document& value);
int compare_values(const Document& a, const Document& b);  // < 0, 0, > 0: a total order

// Splits "a.b.0" at its dots.
std::vector<std::string> split_path(const std::string& path);

// What a path leads to. In an array it enters every object, and the element with that number.
struct PathValues {
  std::vector<const Document*> values;  // point into the document
  bool missing = false;                 // at least one branch ended before the path did
};
PathValues values_at(const Document& document, const std::vector<std::string>& path);

// Sort fields with their paths split. Missing sorts as null; an array by its smallest value, or its largest
// if descending. Ties are sorted by `_id`, in the direction of the last field.
using SortKey = std::vector<Document>;
class Sorter {
 public:
  explicit Sorter(const std::vector<std::pair<std::string, int>>& fields);
  bool empty() const { return fields_.empty(); }
  SortKey key(const Document& document) const;
  bool less(const SortKey& a, const SortKey& b) const;

 private:
  std::vector<std::pair<std::vector<std::string>, bool>> fields_;  // path, descending
};

// Keeps the named top-level fields and `_id`, in the document's order; all when none are named.
void project(Document& document, const std::vector<std::string>& fields);

}  // namespace maeil::store
