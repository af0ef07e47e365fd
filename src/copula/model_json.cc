// The JSON form of a copula (docs/formats/copula.md). Everything the file says is checked here or by
// check_model, so no later code meets a wrong shape.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "copula/mixture.h"
#include "format/json.h"

namespace maeil::copula {
namespace {

using Json = nlohmann::ordered_json;

// One marginal's parameters by name, for both directions.
template <class M, class Visit>
void parameters(M& m, Visit&& visit) {
  using Family = std::remove_const_t<M>;
  if constexpr (std::is_same_v<Family, Beta> || std::is_same_v<Family, TruncatedGaussian>) {
    visit("a", m.a);
    visit("b", m.b);
  } else if constexpr (std::is_same_v<Family, Gamma>) {
    visit("a", m.a);
  } else if constexpr (std::is_same_v<Family, StudentT>) {
    visit("df", m.df);
  } else if constexpr (std::is_same_v<Family, Empirical>) {
    visit("z", m.z);
    visit("x", m.x);
    return;
  }
  visit("loc", m.loc);
  visit("scale", m.scale);
}

Json marginal_json(const Marginal& marginal) {
  Json out{{"family", family_name(marginal)}};
  std::visit(
      [&](const auto& m) { parameters(m, [&](const char* name, const auto& value) { out[name] = value; }); },
      marginal);
  return out;
}

template <class T>
Json nullable(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json output_json(const CategoryOutput& out) {
  Json labels = Json::array();
  for (size_t k = 0; k < out.labels.size(); ++k)
    labels.push_back(out.missing == k ? Json(nullptr) : Json(out.labels[k]));
  return Json{{"labels", std::move(labels)}, {"upper", out.upper}};
}

Json text_json(const DateForm& form) { return Json{{"date", form.format}, {"unit", form.unit}}; }
Json text_json(const KeyForm& form) {
  return Json{{"key", form.pattern},
              {"start", form.start},
              {"integer", form.integer},
              {"before", form.before},
              {"after", form.after}};
}

Json output_json(const NumberOutput& out) {
  Json json{{"format", out.format == NumberFormat::kInteger ? "integer"
                       : out.single                         ? "float32"
                                                            : "float"},
            {"missing", out.missing},
            {"digits", nullable(out.digits)},
            {"min", nullable(out.min)},
            {"max", nullable(out.max)}};
  if (out.text) json["text"] = std::visit([](const auto& form) { return text_json(form); }, *out.text);
  return json;
}

// Member `key` of an object, or why not.
Result<const Json*> member(const Json& object, const char* key) {
  if (!object.is_object()) return bad_input("is no object");
  const auto found = object.find(key);
  if (found == object.end()) return bad_input(fmt::format("has no \"{}\"", key));
  return &*found;
}

Result<double> number(const Json& object, const char* key) {
  MAEIL_ASSIGN(const Json* value, member(object, key));
  if (!value->is_number()) return bad_input(fmt::format("\"{}\" is no number", key));
  return value->get<double>();
}

Result<std::optional<double>> optional_number(const Json& object, const char* key) {
  MAEIL_ASSIGN(const Json* value, member(object, key));
  if (value->is_null()) return std::nullopt;
  MAEIL_ASSIGN(const double found, number(object, key));
  return found;
}

Result<std::string> text(const Json& object, const char* key) {
  MAEIL_ASSIGN(const Json* value, member(object, key));
  if (!value->is_string()) return bad_input(fmt::format("\"{}\" is no text", key));
  return value->get<std::string>();
}

Status append_numbers(const Json& array, const char* key, std::vector<double>& out) {
  if (!array.is_array()) return bad_input(fmt::format("\"{}\" is no array", key));
  for (const auto& value : array) {
    if (!value.is_number()) return bad_input(fmt::format("\"{}\" holds something that is no number", key));
    out.push_back(value.get<double>());
  }
  return {};
}

Status read_parameter(const Json& json, const char* name, double& value) {
  MAEIL_ASSIGN(value, number(json, name));
  return {};
}

Status read_parameter(const Json& json, const char* name, std::vector<double>& values) {
  MAEIL_ASSIGN(const Json* array, member(json, name));
  return append_numbers(*array, name, values);
}

// The family called `name`, with default parameters.
template <size_t I = 0>
Result<Marginal> family_from(const std::string& name) {
  if constexpr (I == std::variant_size_v<Marginal>) {
    return bad_input(fmt::format("the marginal family {} is not known", name));
  } else {
    Marginal out{std::in_place_index<I>};
    if (family_name(out) == name) return out;
    return family_from<I + 1>(name);
  }
}

Result<Marginal> marginal_from(const Json& json) {
  MAEIL_ASSIGN(const auto family, text(json, "family"));
  MAEIL_ASSIGN(Marginal out, family_from(family));
  Status good;
  std::visit(
      [&](auto& m) {
        parameters(m, [&](const char* name, auto& value) {
          const auto read = read_parameter(json, name, value);
          if (!read) good = tl::make_unexpected(read.error());
        });
      },
      out);
  MAEIL_TRY(good);
  return out;
}

Result<CategoryOutput> category_from(const Json& json) {
  CategoryOutput out;
  MAEIL_ASSIGN(const Json* labels, member(json, "labels"));
  if (!labels->is_array()) return bad_input("\"labels\" is no array");
  for (const auto& label : *labels) {
    if (label.is_null() && !out.missing) {
      out.missing = out.labels.size();
      out.labels.emplace_back();
    } else if (label.is_string()) {
      out.labels.push_back(label.get<std::string>());
    } else {
      return bad_input("\"labels\" holds something that is neither text nor the one null");
    }
  }
  MAEIL_ASSIGN(const Json* upper, member(json, "upper"));
  MAEIL_TRY(append_numbers(*upper, "upper", out.upper));
  return out;
}

Result<int64_t> whole(const Json& object, const char* key) {
  MAEIL_ASSIGN(const Json* value, member(object, key));
  if (!value->is_number_integer()) return bad_input(fmt::format("\"{}\" is no whole number", key));
  return value->get<int64_t>();
}

Result<TextForm> text_from(const Json& json) {
  if (json.is_object() && json.contains("date")) {
    DateForm out;
    MAEIL_ASSIGN(out.format, text(json, "date"));
    MAEIL_ASSIGN(out.unit, whole(json, "unit"));
    return out;
  }
  KeyForm out;
  MAEIL_ASSIGN(out.pattern, text(json, "key"));
  MAEIL_ASSIGN(out.start, whole(json, "start"));
  MAEIL_ASSIGN(const Json* integer, member(json, "integer"));
  if (!integer->is_boolean()) return bad_input("\"integer\" is neither true nor false");
  out.integer = integer->get<bool>();
  MAEIL_ASSIGN(out.before, text(json, "before"));
  MAEIL_ASSIGN(out.after, text(json, "after"));
  return out;
}

Result<NumberOutput> number_from(const Json& json) {
  NumberOutput out;
  MAEIL_ASSIGN(const auto format, text(json, "format"));
  if (format != "float" && format != "integer" && format != "float32")
    return bad_input(fmt::format("the number format {} is not known", format));
  out.format = format == "integer" ? NumberFormat::kInteger : NumberFormat::kFloat;
  out.single = format == "float32";
  MAEIL_ASSIGN(out.missing, number(json, "missing"));
  MAEIL_ASSIGN(const auto digits, optional_number(json, "digits"));
  if (digits) {
    if (!(*digits >= -15 && *digits <= 15)) return bad_input("digits must lie in -15..15");
    if (*digits != std::nearbyint(*digits)) return bad_input("digits must be a whole number");
    out.digits = static_cast<int>(*digits);
  }
  MAEIL_ASSIGN(out.min, optional_number(json, "min"));
  MAEIL_ASSIGN(out.max, optional_number(json, "max"));
  if (json.contains("text")) {
    MAEIL_ASSIGN(out.text, text_from(json["text"]));
  }
  return out;
}

Result<ColumnModel> column_from(const Json& json) {
  ColumnModel out;
  MAEIL_ASSIGN(out.name, text(json, "name"));
  MAEIL_ASSIGN(const Json* marginal, member(json, "marginal"));
  MAEIL_ASSIGN(out.marginal, marginal_from(*marginal));
  if (json.contains("category")) {
    MAEIL_ASSIGN(out.output, category_from(json["category"]));
  } else {
    MAEIL_ASSIGN(const Json* output, member(json, "number"));
    MAEIL_ASSIGN(out.output, number_from(*output));
  }
  return out;
}

// For messages: by name, or by place where the name is what is wrong.
std::string column_title(const Json& json, size_t place) {
  const auto name = text(json, "name");
  return name ? fmt::format("column {}", *name) : fmt::format("columns[{}]", place);
}

Result<int> version_of(const Json& json) {
  MAEIL_ASSIGN(const auto format, text(json, "format"));
  if (format != "maeil-copula") return bad_input("\"format\" is not maeil-copula");
  MAEIL_ASSIGN(const auto version, number(json, "version"));
  if (version != 1 && version != 2 && version != 3 && version != 4)
    return bad_input(fmt::format("version {} is not known, only 1 to 4", version));
  return static_cast<int>(version);
}

// "columns" and "correlation" of a copula.
Result<CopulaModel> copula_from(const Json& json) {
  CopulaModel out;
  MAEIL_ASSIGN(const Json* columns, member(json, "columns"));
  if (!columns->is_array()) return bad_input("\"columns\" is no array");
  for (const auto& column : *columns) {
    auto read = column_from(column);
    if (!read) return with_context(column_title(column, out.columns.size()), read.error());
    out.columns.push_back(std::move(*read));
  }
  MAEIL_ASSIGN(const Json* correlation, member(json, "correlation"));
  if (!correlation->is_array()) return bad_input("\"correlation\" is no array");
  for (const auto& row : *correlation) {
    const size_t before = out.correlation.size();
    MAEIL_TRY(append_numbers(row, "correlation", out.correlation));
    if (out.correlation.size() - before != out.columns.size())
      return bad_input("a row of \"correlation\" has the wrong length");
  }
  MAEIL_TRY(check_model(out));
  return out;
}

Result<CopulaModel> model_from(const Json& json) {
  MAEIL_ASSIGN(const int version, version_of(json));
  if (version != 1) return bad_input("a mixture of classes is no single copula");
  MAEIL_ASSIGN(auto source, text(json, "source"));
  MAEIL_ASSIGN(auto out, copula_from(json));
  out.source = std::move(source);
  return out;
}

// Whole column numbers.
Result<std::vector<size_t>> set_from(const Json& json, const char* key) {
  std::vector<double> columns;
  MAEIL_TRY(append_numbers(json, key, columns));
  std::vector<size_t> out;
  for (const double c : columns) {
    if (!(c >= 0 && c < kMaxColumns && c == static_cast<double>(static_cast<size_t>(c))))
      return bad_input(fmt::format("\"{}\" holds something that is no column", key));
    out.push_back(static_cast<size_t>(c));
  }
  return out;
}

// An entry of "missing_sets", or of version 2's "missing_groups", where it is one set.
Result<MissingSets> sets_from(const Json& json, const char* key, int version) {
  MissingSets out;
  if (version == 2) {
    out.emplace_back();
    MAEIL_ASSIGN(out.back(), set_from(json, key));
    return out;
  }
  if (!json.is_array()) return bad_input(fmt::format("\"{}\" holds something that is no array", key));
  for (const auto& set : json) {
    out.emplace_back();
    MAEIL_ASSIGN(out.back(), set_from(set, key));
  }
  return out;
}

Result<std::vector<MissingSets>> missing_from(const Json& json, int version) {
  std::vector<MissingSets> out;
  const char* key = version == 2 ? "missing_groups" : "missing_sets";
  MAEIL_ASSIGN(const Json* entries, member(json, key));
  if (!entries->is_array()) return bad_input(fmt::format("\"{}\" is no array", key));
  for (const auto& entry : *entries) {
    MAEIL_ASSIGN(auto sets, sets_from(entry, key, version));
    out.push_back(std::move(sets));
  }
  return out;
}

Result<std::vector<table::Constraint>> constraints_from(const Json& json) {
  std::vector<table::Constraint> out;
  if (!json.is_array()) return bad_input("\"constraints\" is no array");
  for (const auto& entry : json) {
    table::Constraint constraint;
    MAEIL_ASSIGN(const auto kind, text(entry, "kind"));
    const auto parsed = table::parse_constraint_kind(kind);
    if (!parsed) return bad_input(fmt::format("a constraint of kind {} is not known", kind));
    constraint.kind = *parsed;
    MAEIL_ASSIGN(const Json* columns, member(entry, "columns"));
    if (!columns->is_array()) return bad_input("the columns of a constraint are no array");
    for (const auto& column : *columns) {
      const bool total = &column == &columns->front() && column.is_number() &&
                         constraint.kind == table::Constraint::Kind::kSum;
      if (!total && !column.is_string()) return bad_input("a constraint names a column that is no text");
      if (total)
        constraint.total = column.get<double>();
      else
        constraint.columns.push_back(column.get<std::string>());
    }
    MAEIL_ASSIGN(constraint.equals, text(entry, "equals"));
    out.push_back(std::move(constraint));
  }
  return out;
}

Result<table::PatternPart> part_from(const Json& json) {
  table::PatternPart out;
  if (json.is_object() && json.contains("text")) {
    MAEIL_ASSIGN(out.text, text(json, "text"));
    return out;
  }
  MAEIL_ASSIGN(const auto name, text(json, "of"));
  out.alphabet = table::alphabet_named(name);
  if (out.alphabet.empty())
    return bad_input(fmt::format("the characters '{}' of a pattern are not known", name));
  MAEIL_ASSIGN(const double count, number(json, "count"));
  if (!(count >= 1 && count <= 256 && count == std::nearbyint(count)))
    return bad_input("the \"count\" of a pattern must be 1 to 256");
  out.count = static_cast<size_t>(count);
  return out;
}

Result<std::vector<GeneratedColumn>> generated_from(const Json& json) {
  std::vector<GeneratedColumn> out;
  if (!json.is_array()) return bad_input("\"generated\" is no array");
  for (const auto& entry : json) {
    GeneratedColumn column;
    MAEIL_ASSIGN(column.name, text(entry, "column"));
    MAEIL_ASSIGN(const Json* parts, member(entry, "pattern"));
    if (!parts->is_array()) return bad_input("a \"pattern\" is no array");
    for (const auto& one : *parts) {
      MAEIL_ASSIGN(auto part, part_from(one));
      column.pattern.parts.push_back(std::move(part));
    }
    MAEIL_ASSIGN(const double start, number(entry, "start"));
    if (!(start >= 0 && start < 0x1p60 && start == std::nearbyint(start)))
      return bad_input("the \"start\" of a pattern is no whole number");
    column.pattern.start = static_cast<uint64_t>(start);
    MAEIL_ASSIGN(column.pattern.rows_per_value, number(entry, "rows_per_value"));
    out.push_back(std::move(column));
  }
  return out;
}

Json generated_json(const std::vector<GeneratedColumn>& generated) {
  Json out = Json::array();
  for (const auto& column : generated) {
    Json parts = Json::array();
    for (const auto& part : column.pattern.parts) {
      if (part.alphabet.empty())
        parts.push_back({{"text", part.text}});
      else
        parts.push_back({{"of", table::alphabet_name(part.alphabet)}, {"count", part.count}});
    }
    out.push_back({{"column", column.name},
                   {"pattern", std::move(parts)},
                   {"start", column.pattern.start},
                   {"rows_per_value", column.pattern.rows_per_value}});
  }
  return out;
}

Result<Mixture> mixture_from(const Json& json) {
  MAEIL_ASSIGN(const int version, version_of(json));
  Mixture out;
  if (version == 1) {
    MAEIL_ASSIGN(auto model, model_from(json));
    out.source = model.source;
    out.classes.push_back({"", 1, std::move(model)});
    return out;
  }
  MAEIL_ASSIGN(out.source, text(json, "source"));
  MAEIL_ASSIGN(out.target, text(json, "target"));
  if (json.contains("quality_score")) {
    MAEIL_ASSIGN(out.quality_score, optional_number(json, "quality_score"));
  }
  MAEIL_ASSIGN(out.missing_sets, missing_from(json, version));
  MAEIL_ASSIGN(const Json* constraints, member(json, "constraints"));
  MAEIL_ASSIGN(out.constraints, constraints_from(*constraints));
  if (version >= 4) {
    MAEIL_ASSIGN(const Json* generated, member(json, "generated"));
    MAEIL_ASSIGN(out.generated, generated_from(*generated));
  }
  MAEIL_ASSIGN(const Json* classes, member(json, "classes"));
  if (!classes->is_array()) return bad_input("\"classes\" is no array");
  for (const auto& entry : *classes) {
    MixtureClass part;
    MAEIL_ASSIGN(part.label, text(entry, "label"));
    MAEIL_ASSIGN(part.share, number(entry, "share"));
    auto copula = copula_from(entry);
    if (!copula) return with_context(fmt::format("class '{}'", part.label), copula.error());
    part.copula = std::move(*copula);
    out.classes.push_back(std::move(part));
  }
  MAEIL_TRY(check_mixture(out));
  return out;
}

Json columns_json(const CopulaModel& model) {
  Json columns = Json::array();
  for (const auto& column : model.columns) {
    Json json{{"name", column.name}, {"marginal", marginal_json(column.marginal)}};
    const bool category = std::holds_alternative<CategoryOutput>(column.output);
    json[category ? "category" : "number"] =
        std::visit([](const auto& out) { return output_json(out); }, column.output);
    columns.push_back(std::move(json));
  }
  return columns;
}

Json correlation_json(const CopulaModel& model) {
  const size_t C = model.columns.size();
  Json correlation = Json::array();
  for (size_t i = 0; i < C; ++i) {
    correlation.push_back(
        std::vector<double>(model.correlation.begin() + i * C, model.correlation.begin() + (i + 1) * C));
  }
  return correlation;
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

// Parses, then `read`s; the library's own errors (out of memory, a number out of range) become ours.
template <class T>
Result<T> parse_as(const std::string& json, const std::string& file_name, Result<T> (*read)(const Json&)) {
  try {
    MAEIL_ASSIGN(const Json parsed, parse_json<Json>(json, file_name));
    auto model = read(parsed);
    if (!model) return with_context(file_name, model.error());
    return model;
  } catch (const std::exception& error) {
    return bad_input(fmt::format("{}: {}", file_name, error.what()));
  }
}

}  // namespace

std::string to_json(const CopulaModel& model) {
  return dump({{"format", "maeil-copula"},
               {"version", 1},
               {"source", model.source},
               {"columns", columns_json(model)},
               {"correlation", correlation_json(model)}});
}

std::string to_json(const Mixture& mixture) {
  Json classes = Json::array();
  for (const auto& part : mixture.classes) {
    classes.push_back({{"label", part.label},
                       {"share", part.share},
                       {"columns", columns_json(part.copula)},
                       {"correlation", correlation_json(part.copula)}});
  }
  Json constraints = Json::array();
  for (const auto& constraint : mixture.constraints) {
    Json columns(constraint.columns);
    if (constraint.total) columns.insert(columns.begin(), *constraint.total);
    constraints.push_back({{"kind", table::to_string(constraint.kind)},
                           {"columns", std::move(columns)},
                           {"equals", constraint.equals}});
  }
  // Version 3 where version 3 says everything, so that its readers go on reading it.
  Json out = {{"format", "maeil-copula"},
              {"version", mixture.generated.empty() ? 3 : 4},
              {"source", mixture.source},
              {"target", mixture.target},
              {"missing_sets", mixture.missing_sets},
              {"constraints", std::move(constraints)},
              {"classes", std::move(classes)}};
  if (!mixture.generated.empty()) out["generated"] = generated_json(mixture.generated);
  if (mixture.quality_score) out["quality_score"] = *mixture.quality_score;
  return dump(out);
}

Result<CopulaModel> parse_model_json(const std::string& json, const std::string& file_name) {
  return parse_as<CopulaModel>(json, file_name, model_from);
}
Result<Mixture> parse_mixture_json(const std::string& json, const std::string& file_name) {
  return parse_as<Mixture>(json, file_name, mixture_from);
}

}  // namespace maeil::copula
