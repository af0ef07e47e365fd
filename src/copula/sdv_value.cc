#include "copula/sdv_value.h"

#include "format/numpy.h"
#include "format/pickle_decode.h"

namespace maeil::copula {

using format::PickleKind;
using format::PickleValue;

std::string SdvValue::class_name() const {
  const auto name = value.class_name();
  return name.empty() ? format::to_string(value.kind()) : format::printable(name.substr(name.rfind('.') + 1));
}

tl::unexpected<Error> SdvValue::is_not(std::string_view expected) const {
  const auto name = value.class_name();
  return bad_input(fmt::format("{} is a {}, not {}", path,
                               name.empty() ? format::to_string(value.kind()) : format::printable(name),
                               expected));
}

Result<std::optional<SdvValue>> SdvValue::given(std::string_view name) const {
  const auto state = value.state();
  if (!value.is(PickleKind::kObject)) return is_not("an object that is read");
  if (state && !state->is(PickleKind::kDict) && !state->is(PickleKind::kTuple)) {
    return SdvValue{*state, path + "'s state"}.is_not("a dict of attributes");
  }
  const auto found = value.attribute(name);
  if (!found || found->is_none()) return std::nullopt;
  return SdvValue{*found, fmt::format("{}.{}", path, name)};
}

Result<SdvValue> SdvValue::attribute(std::string_view name) const {
  MAEIL_ASSIGN(auto found, given(name));
  if (!found) return bad_input(fmt::format("{} has no attribute {}", path, name));
  return std::move(*found);
}

Result<bool> SdvValue::flag(std::string_view name) const {
  MAEIL_ASSIGN(const auto found, number(name));
  return found.value_or(0) != 0;
}

Result<std::optional<double>> SdvValue::number(std::string_view name) const {
  MAEIL_ASSIGN(const auto found, given(name));
  if (!found) return std::nullopt;
  const auto number = format::number_of(found->value);
  // pandas' missing values: the extreme of a column that has no value.
  if (!number && (found->class_name() == "NA" || found->class_name() == "NAType" ||
                  found->class_name() == "_nat_unpickle"))
    return std::nullopt;
  if (!number) return found->is_not("a number");
  return *number;
}

Result<std::optional<std::string>> SdvValue::text(std::string_view name) const {
  MAEIL_ASSIGN(const auto found, given(name));
  if (!found) return std::nullopt;
  auto text = format::text_of(found->value);
  if (!text) return found->is_not("a text");
  return std::move(*text);
}

Result<bool> SdvValue::is_empty(std::string_view name) const {
  MAEIL_ASSIGN(const auto found, given(name));
  if (!found) return true;
  switch (found->value.kind()) {
    case PickleKind::kList:
    case PickleKind::kTuple:
    case PickleKind::kSet:
    case PickleKind::kDict:
      return found->value.size() == 0 && found->value.pair_count() == 0;
    default:
      return found->is_not("a list");
  }
}

std::optional<SdvValue> SdvValue::find(const std::string& key) const {
  for (size_t i = value.pair_count(); i-- > 0;) {
    if (name_text(value.key(i)) == key) return SdvValue{value.mapped(i), fmt::format("{}[{}]", path, key)};
  }
  return {};
}

Status take_text(size_t bytes, uint64_t& text_left) {
  if (bytes > text_left) return bad_input("its names and categories repeat each other without end");
  text_left -= bytes;
  return {};
}

std::optional<std::string> name_text(PickleValue value) {
  if (auto text = format::text_of(value)) return text;
  if (value.is(PickleKind::kInteger)) return std::to_string(*value.integer());
  // a numpy integer
  const auto number = value.is(PickleKind::kObject) ? format::number_of(value) : std::nullopt;
  if (number && *number == static_cast<double>(static_cast<int64_t>(*number)))
    return std::to_string(static_cast<int64_t>(*number));
  return {};
}

}  // namespace maeil::copula
