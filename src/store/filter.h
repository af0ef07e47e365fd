// A filter as people write it in mongosh, checked once and then asked of many documents.
//
// {"a.b": 1} and $eq $ne $gt $gte $lt $lte $in $nin $exists $not on a field; $and $or around filters. As in
// MongoDB: a field that is an array matches if the array or one of its elements does; null matches a missing
// field; $gt and the like only compare values of one type. Thread safe once parsed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "store/document.h"

namespace maeil::store {

class Filter {
 public:
  // kUsage for what is no filter: an unknown operator, a wrong argument, nesting beyond kMaxDepth.
  static Result<Filter> parse(const Document& filter);

  bool matches(const Document& document) const;

  // The value that every match has in this top-level field ({"task_id": "x"}, also inside $and), or null. For
  // indexes.
  const Document* required(const std::string& field) const;

  // Values between which every match has this top-level field, or an element of it (null: none is known). For
  // indexes.
  struct Bounds {
    const Document* low = nullptr;
    const Document* high = nullptr;
  };
  Bounds bounds(const std::string& field) const;

  // The top-level fields that the filter looks at.
  void add_fields(std::vector<std::string>& fields) const;

 private:
  enum class Kind { kAnd, kOr, kNot, kEqual, kGreater, kGreaterEqual, kLess, kLessEqual, kIn, kExists };
  Kind kind_ = Kind::kAnd;
  std::vector<Filter> children_;   // kAnd, kOr, kNot
  std::vector<std::string> path_;  // the rest
  Document value_;

  static Result<Filter> parse_filter(const Document& filter);
  static Status parse_field(const std::string& field, const Document& condition, std::vector<Filter>& out);
  static Filter leaf(Kind kind, const std::string& field, Document value);
  static Filter negation(std::vector<Filter> children);
  bool matches_leaf(const Document& document) const;
  bool holds(const Document& value) const;
};

}  // namespace maeil::store
