#include "store/order.h"

#include <algorithm>

namespace maeil::store {
namespace {

enum Rank { kNull, kNumber, kText, kObject, kArray, kId, kBoolean, kDate };

template <class T>
int three_way(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

// x87's and the 128 bit long double hold every int64_t, uint64_t and double exactly.
long double number(const Document& value) {
  if (value.is_number_unsigned()) return static_cast<long double>(value.get<uint64_t>());
  if (value.is_number_integer()) return static_cast<long double>(value.get<int64_t>());
  return value.get<double>();
}

int compare_objects(const Document& a, const Document& b) {
  auto i = a.begin(), j = b.begin();
  for (; i != a.end() && j != b.end(); ++i, ++j) {
    if (const int c = three_way(type_rank(*i), type_rank(*j))) return c;
    if (const int c = i.key().compare(j.key())) return c;
    if (const int c = compare_values(*i, *j)) return c;
  }
  return (i != a.end()) - (j != b.end());
}

int compare_arrays(const Document& a, const Document& b) {
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (const int c = compare_values(a[i], b[i])) return c;
  }
  return three_way(a.size(), b.size());
}

// The element that a path's step names, or null. No leading zeros, and nothing an array could not hold.
const Document* element(const Document& array, const std::string& step) {
  if (step.empty() || step.size() > 9 || (step.size() > 1 && step[0] == '0')) return nullptr;
  size_t index = 0;
  for (const char c : step) {
    if (c < '0' || c > '9') return nullptr;
    index = index * 10 + static_cast<size_t>(c - '0');
  }
  return index < array.size() ? &array[index] : nullptr;
}

void walk(const Document& value, const std::vector<std::string>& path, size_t at, PathValues& found) {
  if (at == path.size()) {
    found.values.push_back(&value);
    return;
  }
  if (value.is_object() && !is_extended(value)) {
    const auto member = value.find(path[at]);
    if (member == value.end()) {
      found.missing = true;
    } else {
      walk(*member, path, at + 1, found);
    }
    return;
  }
  if (!value.is_array()) {
    found.missing = true;
    return;
  }
  if (const Document* indexed = element(value, path[at])) walk(*indexed, path, at + 1, found);
  for (const auto& member : value) {
    if (member.is_object() && !is_extended(member)) walk(member, path, at, found);
  }
}

}  // namespace

int type_rank(const Document& value) {
  switch (value.type()) {
    case Document::value_t::number_integer:
    case Document::value_t::number_unsigned:
    case Document::value_t::number_float:
      return kNumber;
    case Document::value_t::string:
      return kText;
    case Document::value_t::array:
      return kArray;
    case Document::value_t::boolean:
      return kBoolean;
    case Document::value_t::object:
      if (!is_extended(value)) return kObject;
      return value.begin().key() == "$oid" ? kId : kDate;
    default:
      return kNull;
  }
}

int compare_values(const Document& a, const Document& b) {
  const int rank = type_rank(a);
  if (const int c = three_way(rank, type_rank(b))) return c;
  switch (rank) {
    case kNumber:
      return three_way(number(a), number(b));
    case kText:
      return three_way(a.get_ref<const std::string&>().compare(b.get_ref<const std::string&>()), 0);
    case kObject:
      return compare_objects(a, b);
    case kArray:
      return compare_arrays(a, b);
    case kId:
      return three_way(id_text(a), id_text(b));
    case kBoolean:
      return three_way(a.get<bool>(), b.get<bool>());
    case kDate:
      return three_way(*instant_of(a), *instant_of(b));
    default:
      return 0;
  }
}

std::vector<std::string> split_path(const std::string& path) {
  std::vector<std::string> steps;
  size_t from = 0;
  for (size_t dot; (dot = path.find('.', from)) != std::string::npos; from = dot + 1)
    steps.push_back(path.substr(from, dot - from));
  steps.push_back(path.substr(from));
  return steps;
}

PathValues values_at(const Document& document, const std::vector<std::string>& path) {
  PathValues found;
  walk(document, path, 0, found);
  return found;
}

Sorter::Sorter(const std::vector<std::pair<std::string, int>>& fields) {
  for (const auto& [path, direction] : fields) fields_.emplace_back(split_path(path), direction < 0);
  if (!fields.empty()) fields_.emplace_back(split_path("_id"), fields.back().second < 0);
}

SortKey Sorter::key(const Document& document) const {
  SortKey key;
  for (const auto& [path, descending] : fields_) {
    const Document* best = nullptr;
    const auto offer = [&, down = descending](const Document& value) {
      if (!best || (compare_values(value, *best) < 0) != down) best = &value;
    };
    for (const Document* value : values_at(document, path).values) {
      if (!value->is_array() || value->empty()) {
        offer(*value);
      } else {
        for (const auto& member : *value) offer(member);
      }
    }
    key.push_back(best ? *best : Document());
  }
  return key;
}

bool Sorter::less(const SortKey& a, const SortKey& b) const {
  for (size_t i = 0; i < fields_.size(); ++i) {
    if (const int c = compare_values(a[i], b[i])) return (c < 0) != fields_[i].second;
  }
  return false;
}

void project(Document& document, const std::vector<std::string>& fields) {
  if (fields.empty()) return;
  Document kept = Document::object();
  for (auto member = document.begin(); member != document.end(); ++member) {
    if (member.key() == "_id" || std::ranges::find(fields, member.key()) != fields.end())
      kept[member.key()] = std::move(*member);
  }
  document = std::move(kept);
}

}  // namespace maeil::store
