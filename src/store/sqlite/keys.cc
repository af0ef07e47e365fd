#include "store/sqlite/keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <span>
#include <tuple>

#include "store/order.h"

namespace maeil::store::sqlite {
namespace {

constexpr char kOther = '\xff';

void put_big_endian(std::string& out, uint64_t value, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}

void put_number(std::string& out, const Document& value) {
  const double nearest = value.get<double>() + 0.0;  // -0.0 is 0.0
  // Exact: the two are within 2^10 of each other, and the difference of what both types hold is whole.
  long double exact = nearest;
  if (value.is_number_unsigned()) {
    exact = static_cast<long double>(value.get<uint64_t>());
  } else if (value.is_number_integer()) {
    exact = static_cast<long double>(value.get<int64_t>());
  }
  const auto bits = std::bit_cast<uint64_t>(nearest);
  put_big_endian(out, bits >> 63 ? ~bits : bits | uint64_t{1} << 63, 8);
  put_big_endian(out, static_cast<uint64_t>(std::lrint(static_cast<double>(exact - nearest)) + 32768), 2);
}

void put_text(std::string& out, const std::string& text) {
  for (const char c : text) {
    out += c;
    if (c == '\0') out += '\xff';
  }
  out.append(2, '\0');
}

void put_id(std::string& out, std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    out += static_cast<char>(digit(hex[i]) << 4 | digit(hex[i + 1]));
}

// False for what has no place in a key.
bool put_value(std::string& out, const Document& value) {
  if (value.is_array() || (value.is_object() && !is_extended(value))) return false;
  if (value.is_number_float() && !std::isfinite(value.get<double>())) return false;
  out += static_cast<char>(1 + type_rank(value));
  if (value.is_number()) {
    put_number(out, value);
  } else if (value.is_string()) {
    put_text(out, value.get_ref<const std::string&>());
  } else if (value.is_boolean()) {
    out += static_cast<char>(value.get<bool>());
  } else if (value.is_object() && !id_text(value).empty()) {
    put_id(out, id_text(value));
  } else if (value.is_object()) {
    const int64_t milliseconds = instant_of(value)->time_since_epoch().count();
    put_big_endian(out, static_cast<uint64_t>(milliseconds) ^ uint64_t{1} << 63, 8);
  }
  return true;
}

// The first key after all that begin with this one. REQUIRES: it begins with a value.
std::string after(std::string key) {
  while (key.back() == '\xff') key.pop_back();
  ++key.back();
  return key;
}

// Whether a sort is by exactly these fields in one direction, and _id after them.
bool sorts_by(const FindOptions& options, std::span<const std::string> fields) {
  auto sort = options.sort;
  if (sort.size() > 1 && sort.back().first == "_id") sort.pop_back();
  if (sort.empty() || sort.size() != fields.size()) return false;
  for (size_t i = 0; i < fields.size(); ++i) {
    if (sort[i].first != fields[i] || (sort[i].second < 0) != (options.sort.back().second < 0)) return false;
  }
  return true;
}

}  // namespace

std::string index_key(const Index& index, const Document& document, std::string_view id) {
  std::string key;
  for (const auto& field : index.fields) {
    const auto found = document.find(field);
    if (!put_value(key, found == document.end() ? Document() : *found)) {
      key = kOther;
      break;
    }
  }
  put_id(key, id);
  return key;
}

namespace {

// `by_order`: of two that are as narrow, the one that gives the find's order.
std::optional<KeyRange> best_range(std::string_view collection, const Filter& filter,
                                   const FindOptions& options, bool by_order) {
  std::optional<KeyRange> best;
  std::tuple<size_t, bool, bool> best_worth;
  for (const Index* index : indexes_of(collection)) {
    std::string key;
    size_t equal = 0;
    for (const Document* value;
         equal < index->fields.size() && (value = filter.required(index->fields[equal])); ++equal) {
      if (!put_value(key, *value)) break;
    }
    KeyRange range{index->number, key, key.empty() ? std::string(1, kOther) : after(key), false, false};
    bool bounded = false;
    if (equal < index->fields.size()) {
      const Filter::Bounds bounds = filter.bounds(index->fields[equal]);
      std::string low = key, high = key;
      if (bounds.low && put_value(low, *bounds.low)) {
        range.from = low;
        range.to = key + static_cast<char>(2 + type_rank(*bounds.low));
        bounded = true;
      }
      if (bounds.high && put_value(high, *bounds.high)) {
        if (!bounded) range.from = key + static_cast<char>(1 + type_rank(*bounds.high));
        range.to = after(high);
        bounded = true;
      }
      range.in_order = sorts_by(options, std::span(index->fields).subspan(equal));
      range.descending = range.in_order && options.sort.back().second < 0;
    }
    const std::tuple worth(equal, by_order && range.in_order, bounded);
    if (worth <= best_worth) continue;
    best_worth = worth;
    best = std::move(range);
  }
  return best;
}

// As many documents are read and sorted in less than 10 ms.
constexpr int64_t kFew = 1000;

Result<bool> holds_few(Connection& connection, const KeyRange& range) {
  MAEIL_ASSIGN(Query count, connection.query(R"(SELECT count(*) FROM (SELECT 1 FROM document_keys
      WHERE "index" = ? AND key >= ? AND key < ? LIMIT ?))"));
  count.bind(1, int64_t{range.index}).bind_bytes(2, range.from).bind_bytes(3, range.to).bind(4, kFew + 1);
  MAEIL_TRY(count.step());
  return count.integer(0) <= kFew;
}

}  // namespace

Result<std::optional<KeyRange>> choose_range(Connection& connection, std::string_view collection,
                                             const Filter& filter, const FindOptions& options) {
  auto ordered = best_range(collection, filter, options, true);
  if (!ordered || !ordered->in_order) return ordered;
  auto narrow = best_range(collection, filter, options, false);
  if (!narrow || narrow->index == ordered->index) return ordered;
  if (options.limit == 0) return narrow;
  MAEIL_ASSIGN(const bool few, holds_few(connection, *narrow));
  return few ? narrow : ordered;
}

Status update_keys(Connection& connection, std::string_view collection, std::string_view id, int64_t seq,
                   std::string_view before, std::string_view now) {
  const auto indexed = indexes_of(collection);
  if (indexed.empty()) return {};
  const auto key_of = [&](const Index& index, std::string_view body, const Document& document) {
    std::string key;
    if (body.empty()) return key;
    if (document.is_object()) return index_key(index, document, id);
    key = kOther;
    put_id(key, id);
    return key;
  };
  const Document old_document = before.empty() ? Document() : parse_document(before);
  const Document new_document = now.empty() ? Document() : parse_document(now);
  for (const Index* index : indexed) {
    const std::string old_key = key_of(*index, before, old_document),
                      new_key = key_of(*index, now, new_document);
    if (old_key == new_key) continue;
    if (!old_key.empty()) {
      MAEIL_ASSIGN(Query drop,
                   connection.query(R"(DELETE FROM document_keys WHERE "index" = ? AND key = ?)"));
      MAEIL_TRY(drop.bind(1, int64_t{index->number}).bind_bytes(2, old_key).run());
    }
    if (new_key.empty()) continue;
    MAEIL_ASSIGN(
        Query put,
        connection.query(R"(INSERT OR REPLACE INTO document_keys("index", key, seq) VALUES(?, ?, ?))"));
    MAEIL_TRY(put.bind(1, int64_t{index->number}).bind_bytes(2, new_key).bind(3, seq).run());
  }
  return {};
}

Status check_keys(Connection& connection) {
  const auto wrong = [&](std::string_view collection, std::string_view id) {
    return bad_input(
        fmt::format("store {}: document {} of {} is not in its index: restore a copy of the database",
                    connection.path(), id, collection));
  };
  int64_t expected = 0;
  MAEIL_ASSIGN(Query query, connection.query("SELECT collection, id, body, seq FROM documents ORDER BY seq"));
  MAEIL_ASSIGN(Query find,
               connection.query(R"(SELECT seq FROM document_keys WHERE "index" = ? AND key = ?)"));
  for (;;) {
    MAEIL_ASSIGN(const bool row, query.step());
    if (!row) break;
    const auto indexed = indexes_of(query.bytes(0));
    const Document document = indexed.empty() ? Document() : parse_document(query.bytes(2));
    for (const Index* index : indexed) {
      const std::string key = index_key(*index, document, query.bytes(1));
      find.reset().bind(1, int64_t{index->number}).bind_bytes(2, key);
      MAEIL_ASSIGN(const bool found, find.step());
      if (!found || find.integer(0) != query.integer(3)) return wrong(query.bytes(0), query.bytes(1));
      ++expected;
    }
  }
  MAEIL_ASSIGN(const int64_t keys, connection.number("SELECT count(*) FROM document_keys"));
  if (keys == expected) return {};
  return bad_input(
      fmt::format("store {}: {} keys of documents that are not there: restore a copy of the database",
                  connection.path(), keys - expected));
}

}  // namespace maeil::store::sqlite
