// The one way into this program for JSON (and CBOR) that somebody else may have written: parsed only when it
// is not nested too deep.
//
// nlohmann's JSON parser and destructor need no stack for depth, but its CBOR reader and copies of what was
// parsed do, and an ordered_json object copies its members whenever it grows: 400 KB of brackets end in a
// crash. So the depth is seen first. And an ordered_json looks through all keys of an object for each new
// one, so the keys are counted first too.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/error.h"

namespace maeil {

// our own files need 7; a store's documents have a bound of their own (store/document.h)
inline constexpr int kMaxJsonDepth = 64;

// Keys of one object, or as many in several as take the same time.
inline constexpr uint64_t kMaxJsonKeys = 100'000;

// Counts how often a key would be compared with those before it in its object.
class KeyComparisons {
 public:
  void enter() { keys_.push_back(0); }
  void leave() {
    if (!keys_.empty()) keys_.pop_back();
  }
  void key() {
    if (!keys_.empty()) comparisons_ += keys_.back()++;
  }
  bool too_many() const { return comparisons_ > kMaxJsonKeys * (kMaxJsonKeys - 1) / 2; }

 private:
  std::vector<uint64_t> keys_;
  uint64_t comparisons_ = 0;
};

// Gives each bracket and colon outside of texts to `see` until it says true; whether it did. Of a text that
// is no JSON it means nothing.
template <class See>
bool any_json_mark(std::string_view json, See&& see) {
  bool text = false;
  for (size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (text) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        text = false;
    } else if (c == '"') {
      text = true;
    } else if (c == '[' || c == '{' || c == ']' || c == '}' || c == ':') {
      if (see(c)) return true;
    }
  }
  return false;
}

// REQUIRES: not nested too deep.
inline bool json_has_too_many_keys(std::string_view json) {
  constexpr size_t kLeastKeyBytes = 5;  // "":0,
  if (json.size() < kLeastKeyBytes * kMaxJsonKeys) return false;
  KeyComparisons keys;
  return any_json_mark(json, [&](char c) {
    if (c == ':')
      keys.key();
    else if (c == '[' || c == '{')
      keys.enter();
    else
      keys.leave();
    return c == ':' && keys.too_many();
  });
}

// Whether arrays and objects lie deeper than `most` in one another.
inline bool json_nested_deeper(std::string_view json, int most) {
  int depth = 0;
  return any_json_mark(json, [&](char c) {
    if (c == '[' || c == '{') return ++depth > most;
    if (c != ':') --depth;
    return false;
  });
}

// The same of CBOR (RFC 8949), by the library's own reader, which stops where the handler says so.
class CborDepth : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit CborDepth(int most) : most_(most) {}
  bool too_deep() const { return too_deep_; }
  bool too_many_keys() const { return keys_.too_many(); }

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(size_t) override { return enter(); }
  bool start_array(size_t) override { return enter(); }
  bool key(string_t&) override {
    keys_.key();
    return !keys_.too_many();
  }
  bool end_object() override { return leave(); }
  bool end_array() override { return leave(); }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  bool enter() {
    keys_.enter();
    too_deep_ = ++depth_ > most_;
    return !too_deep_;
  }
  bool leave() {
    keys_.leave();
    --depth_;
    return true;
  }
  KeyComparisons keys_;
  int most_, depth_ = 0;
  bool too_deep_ = false;
};

inline tl::unexpected<Error> json_too_deep(const std::string& name, int most) {
  return bad_input(fmt::format("{}: its JSON is nested more than {} deep", name, most));
}

inline tl::unexpected<Error> json_too_many_keys(const std::string& name) {
  return bad_input(fmt::format("{}: an object in its JSON has more than {} keys, or several together", name,
                               kMaxJsonKeys));
}

// `name`: what to call it in the error, a file's name mostly. kBadInput for what is no JSON, too deep or of
// too many keys. A JSON of any kind is returned, a number too: the caller looks for what it expects.
template <class Json>
Result<Json> parse_json(std::string_view text, const std::string& name, int most = kMaxJsonDepth) {
  if (json_nested_deeper(text, most)) return json_too_deep(name, most);
  if (std::is_same_v<Json, nlohmann::ordered_json> && json_has_too_many_keys(text))
    return json_too_many_keys(name);
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return bad_input(fmt::format("{}: not valid JSON", name));
  return json;
}

template <class Json>
Result<Json> parse_cbor(std::string_view bytes, const std::string& name, int most = kMaxJsonDepth) {
  CborDepth depth(most);
  const auto* first = reinterpret_cast<const uint8_t*>(bytes.data());
  const bool read =
      nlohmann::json::sax_parse(first, first + bytes.size(), &depth, nlohmann::json::input_format_t::cbor);
  if (depth.too_deep()) return json_too_deep(name, most);
  if (depth.too_many_keys()) return json_too_many_keys(name);
  Json json =
      read ? Json::from_cbor(first, first + bytes.size(), true, false) : Json(Json::value_t::discarded);
  if (json.is_discarded()) return bad_input(fmt::format("{}: not valid CBOR", name));
  return json;
}

}  // namespace maeil
