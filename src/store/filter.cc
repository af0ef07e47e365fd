#include "store/filter.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/order.h"

namespace maeil::store {
namespace {

// {"$gt": 3}: an object of operators, as against a date, an id or an object to compare with.
bool is_condition(const Document& value) {
  return value.is_object() && !value.empty() && value.begin().key().starts_with('$') && !is_extended(value);
}

}  // namespace

Filter Filter::leaf(Kind kind, const std::string& field, Document value) {
  Filter filter;
  filter.kind_ = kind;
  filter.path_ = split_path(field);
  filter.value_ = std::move(value);
  return filter;
}

Filter Filter::negation(std::vector<Filter> children) {
  Filter filter;
  filter.kind_ = Kind::kNot;
  filter.children_ = std::move(children);
  return filter;
}

Result<Filter> Filter::parse(const Document& filter) {
  if (!nested_at_most(filter, kMaxDepth))
    return usage_error(fmt::format("a filter may be nested {} deep at most", kMaxDepth));
  return parse_filter(filter);
}

Result<Filter> Filter::parse_filter(const Document& filter) {
  if (!filter.is_object())
    return usage_error(
        fmt::format("a filter is a JSON object such as {{\"status\": \"deployed\"}}, not {}", shown(filter)));
  Filter all;
  for (const auto& [name, condition] : filter.items()) {
    if (!name.starts_with('$')) {
      MAEIL_TRY(parse_field(name, condition, all.children_));
      continue;
    }
    if (name != "$and" && name != "$or")
      return usage_error(fmt::format("filter operator {} is not known", name));
    if (!condition.is_array() || condition.empty())
      return usage_error(fmt::format("{} needs an array of filters", name));
    Filter group;
    group.kind_ = name == "$or" ? Kind::kOr : Kind::kAnd;
    for (const auto& part : condition) {
      MAEIL_ASSIGN(Filter child, parse_filter(part));
      group.children_.push_back(std::move(child));
    }
    all.children_.push_back(std::move(group));
  }
  return all;
}

Status Filter::parse_field(const std::string& field, const Document& condition, std::vector<Filter>& out) {
  if (!is_condition(condition)) {
    out.push_back(leaf(Kind::kEqual, field, condition));
    return {};
  }
  for (const auto& [name, value] : condition.items()) {
    const auto add = [&, &argument = value](Kind kind) { out.push_back(leaf(kind, field, argument)); };
    const auto add_not = [&, &argument = value](Kind kind) {
      out.push_back(negation({leaf(kind, field, argument)}));
    };
    if (name == "$eq") {
      add(Kind::kEqual);
    } else if (name == "$ne") {
      add_not(Kind::kEqual);
    } else if (name == "$gt") {
      add(Kind::kGreater);
    } else if (name == "$gte") {
      add(Kind::kGreaterEqual);
    } else if (name == "$lt") {
      add(Kind::kLess);
    } else if (name == "$lte") {
      add(Kind::kLessEqual);
    } else if (name == "$in" || name == "$nin") {
      if (!value.is_array()) return usage_error(fmt::format("field {}: {} needs an array", field, name));
      name == "$in" ? add(Kind::kIn) : add_not(Kind::kIn);
    } else if (name == "$exists") {
      if (!value.is_boolean() && !value.is_number())
        return usage_error(fmt::format("field {}: $exists needs true or false", field));
      const bool wanted = value.is_boolean() ? value.get<bool>() : value.get<double>() != 0;
      wanted ? add(Kind::kExists) : add_not(Kind::kExists);
    } else if (name == "$not") {
      if (!is_condition(value))
        return usage_error(fmt::format("field {}: $not needs operators such as {{\"$gt\": 3}}", field));
      std::vector<Filter> inner;
      MAEIL_TRY(parse_field(field, value, inner));
      out.push_back(negation(std::move(inner)));
    } else {
      return usage_error(fmt::format("field {}: filter operator {} is not known", field, name));
    }
  }
  return {};
}

bool Filter::matches(const Document& document) const {
  const auto matches_it = [&](const Filter& child) { return child.matches(document); };
  switch (kind_) {
    case Kind::kAnd:
      return std::ranges::all_of(children_, matches_it);
    case Kind::kOr:
      return std::ranges::any_of(children_, matches_it);
    case Kind::kNot:
      return !std::ranges::all_of(children_, matches_it);
    default:
      return matches_leaf(document);
  }
}

bool Filter::matches_leaf(const Document& document) const {
  const PathValues found = values_at(document, path_);
  if (kind_ == Kind::kExists) return !found.values.empty();
  if (found.missing && holds(Document())) return true;
  for (const Document* value : found.values) {
    if (holds(*value)) return true;
    if (value->is_array() &&
        std::ranges::any_of(*value, [&](const Document& element) { return holds(element); }))
      return true;
  }
  return false;
}

bool Filter::holds(const Document& value) const {
  if (kind_ == Kind::kIn)
    return std::ranges::any_of(value_, [&](const Document& one) { return compare_values(value, one) == 0; });
  if (type_rank(value) != type_rank(value_)) return false;
  const int c = compare_values(value, value_);
  switch (kind_) {
    case Kind::kEqual:
      return c == 0;
    case Kind::kGreater:
      return c > 0;
    case Kind::kGreaterEqual:
      return c >= 0;
    case Kind::kLess:
      return c < 0;
    default:
      return c <= 0;
  }
}

const Document* Filter::required(const std::string& field) const {
  if (kind_ == Kind::kEqual && path_.size() == 1 && path_[0] == field) return &value_;
  if (kind_ != Kind::kAnd) return nullptr;
  for (const auto& child : children_) {
    if (const Document* value = child.required(field)) return value;
  }
  return nullptr;
}

Filter::Bounds Filter::bounds(const std::string& field) const {
  Bounds found;
  if (path_.size() == 1 && path_[0] == field) {
    if (kind_ == Kind::kGreater || kind_ == Kind::kGreaterEqual) found.low = &value_;
    if (kind_ == Kind::kLess || kind_ == Kind::kLessEqual) found.high = &value_;
  }
  if (kind_ != Kind::kAnd) return found;
  for (const auto& child : children_) {
    const Bounds of_child = child.bounds(field);
    if (!found.low) found.low = of_child.low;
    if (!found.high) found.high = of_child.high;
  }
  return found;
}

void Filter::add_fields(std::vector<std::string>& fields) const {
  if (!path_.empty()) fields.push_back(path_[0]);
  for (const auto& child : children_) child.add_fields(fields);
}

}  // namespace maeil::store
