// A value inside a read synthesizer together with the way to it, so that every refusal says what stands
// where.
//
// Python's classes keep their defaults out of the pickle, so an attribute that is absent or None is "not
// given". What stands in the place of a needed value and is not known (an opaque node, another kind) is an
// error with its path and its class, never a default.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "format/pickle.h"

namespace maeil::copula {

struct SdvValue {
  format::PickleValue value;
  std::string path;  // "GaussianCopulaSynthesizer._data_processor.formatters"

  // The last part of its class's name, fit for a message; the kind ("dict") where it has no class.
  std::string class_name() const;
  // kBadInput: "PATH is a CLASS, not EXPECTED".
  tl::unexpected<Error> is_not(std::string_view expected) const;

  // Empty: absent or None. kBadInput: this is no object whose attributes are known.
  Result<std::optional<SdvValue>> given(std::string_view name) const;
  Result<SdvValue> attribute(std::string_view name) const;  // kBadInput also where it is not given

  Result<bool> flag(std::string_view name) const;  // not given: false
  Result<std::optional<double>> number(std::string_view name) const;
  Result<std::optional<std::string>> text(std::string_view name) const;
  // A list, tuple, set or dict without members, or not given.
  Result<bool> is_empty(std::string_view name) const;

  // REQUIRES: i < value.size()
  SdvValue item(size_t i) const { return {value.item(i), fmt::format("{}[{}]", path, i)}; }
  // The last pair whose key has this text (a whole number's is its digits), as Python keeps it.
  std::optional<SdvValue> find(const std::string& key) const;
};

// Takes the bytes of a name or a category off those that a file may have: a text that it has once and refers
// to from many places is copied for each of them. kBadInput: none are left.
Status take_text(size_t bytes, uint64_t& text_left);

// A column's name: a text, or a whole number as its digits.
std::optional<std::string> name_text(format::PickleValue value);

}  // namespace maeil::copula
