// Reading a TOML table key by key with errors that name file, line and key.
#pragma once

#include <fmt/format.h>
#include <toml++/toml.h>

#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "base/error.h"

namespace maeil::table {

// Reads one table's keys, each at most once; what is left over or of another type is an error with its line.
class Keys {
 public:
  Keys(const toml::table& table, std::string place, std::string file)
      : table_(table), place_(std::move(place)), file_(std::move(file)) {}

  std::string text(const char* key, bool required = false) {
    return take<std::string>(key, required, "a text");
  }
  bool flag(const char* key) { return take<bool>(key, false, "true or false"); }
  int64_t number(const char* key) { return take<int64_t>(key, false, "a whole number"); }
  double real(const char* key, double otherwise) {
    const toml::node* node = table_.get(key);
    if (!node) return otherwise;
    if (const auto whole = node->value_exact<int64_t>()) {
      known_.insert(key);
      return static_cast<double>(*whole);
    }
    return take<double>(key, false, "a number");
  }
  // A value of a column: a text, a number or true or false, as its text.
  std::string value(const char* key, bool required = false) {
    const toml::node* node = table_.get(key);
    known_.insert(key);
    if (node && node->is_integer()) return fmt::format("{}", *node->value_exact<int64_t>());
    if (node && node->is_boolean()) return *node->value_exact<bool>() ? "true" : "false";
    if (node && node->is_floating_point() && std::isfinite(*node->value_exact<double>()))
      return fmt::format("{}", *node->value_exact<double>());
    return take<std::string>(key, required, "a text, a number, true or false");
  }
  void know(const char* key) { known_.insert(key); }

  Status finish() {
    for (const auto& [key, node] : table_) {
      if (!known_.contains(std::string(key.str())) && error_.empty()) {
        error_ = fmt::format("{}:{}: {} has no key '{}'", file_, node.source().begin.line, place_, key.str());
      }
    }
    if (!error_.empty()) return bad_input(error_);
    return {};
  }

 private:
  template <class T>
  T take(const char* key, bool required, const char* kind) {
    known_.insert(key);
    const toml::node* node = table_.get(key);
    if (!node) {
      if (required && error_.empty())
        error_ = fmt::format("{}:{}: {} needs the key '{}'", file_, table_.source().begin.line, place_, key);
      return T{};
    }
    if (const auto value = node->value_exact<T>()) return *value;
    if (error_.empty())
      error_ =
          fmt::format("{}:{}: '{}' of {} must be {}", file_, node->source().begin.line, key, place_, kind);
    return T{};
  }

  const toml::table& table_;
  std::string place_, file_, error_;
  std::set<std::string> known_;
};

}  // namespace maeil::table
