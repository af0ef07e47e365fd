#include "table/dataset_spec.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>
#include <utility>

#include "base/file.h"
#include "table/builtin_dataset.h"
#include "table/contract_keys.h"
#include "table/due_days_keys.h"
#include "table/field_values.h"
#include "table/read_keys.h"
#include "table/toml_keys.h"

namespace maeil::table {

// Made by CMake from the files of datasets/.
extern const char* const kCorporateLoanFeatures;

namespace {

Result<SpecColumn> read_column(const toml::table& table, const std::string& file) {
  Keys keys(table, "a column", file);
  SpecColumn column;
  column.name = keys.text("name", true);
  const std::string type = keys.text("type", true);
  column.nullable = keys.flag("nullable");
  column.optional = keys.flag("optional");
  column.drop = keys.flag("drop");
  column.keep_date = keys.flag("keep_date");
  const std::string missing = keys.text("missing_date"), format = keys.text("format"),
                    thousands = keys.text("thousands"), monotone = keys.text("monotone");
  if (!missing.empty()) column.missing_date = missing;
  column.first_characters = static_cast<int>(keys.number("first_characters"));
  column.lower_case = keys.flag("lower_case");
  column.segment = keys.flag("segment");
  column.marginal = keys.text("marginal");
  MAEIL_TRY(keys.finish());
  const auto place = fmt::format("{}:{}: column '{}'", file, table.source().begin.line, column.name);
  if (type == "text")
    column.type = SpecType::kText;
  else if (type == "number")
    column.type = SpecType::kNumber;
  else if (type == "date")
    column.type = SpecType::kDate;
  else
    return bad_input(fmt::format("{}: type must be text, number or date, not '{}'", place, type));
  if (!format.empty()) {
    if (column.type != SpecType::kDate)
      return bad_input(fmt::format("{}: format needs type = \"date\"", place));
    auto parsed = DateFormat::parse(format);
    if (!parsed) return with_context(place, parsed.error());
    if (!parsed->has_year()) return bad_input(fmt::format("{}: the format '{}' has no year", place, format));
    column.format = std::move(*parsed);
  }
  if (!monotone.empty()) {
    if (column.type != SpecType::kNumber || (monotone != "up" && monotone != "down"))
      return bad_input(fmt::format("{}: monotone is \"up\" or \"down\", and needs type = \"number\"", place));
    column.monotone = monotone == "up" ? 1 : -1;
  }
  if (!thousands.empty()) {
    if (column.type != SpecType::kNumber || thousands != ",")
      return bad_input(fmt::format("{}: thousands is \",\", and needs type = \"number\"", place));
    column.thousands = true;
  }
  if (column.missing_date && !parse_date(*column.missing_date))
    return bad_input(fmt::format("{}: missing_date must be YYYY-MM-DD", place));
  if (column.keep_date && column.type != SpecType::kDate)
    return bad_input(fmt::format("{}: keep_date needs type = \"date\"", place));
  if (!column.marginal.empty() && column.type != SpecType::kNumber)
    return bad_input(fmt::format("{}: marginal needs type = \"number\"", place));
  if (column.first_characters < 0)
    return bad_input(fmt::format("{}: first_characters must not be negative", place));
  return column;
}

SpecColumn* find_column(DatasetSpec& spec, std::string_view name) {
  return const_cast<SpecColumn*>(spec.find(name));
}

// Of what is compared and not reckoned with: "1.50" stays that, and a number's words for missing are
// missing.
void read_as_text(SpecColumn& column) {
  column.missing_words = column.missing_words || column.type == SpecType::kNumber;
  column.type = SpecType::kText;
  column.thousands = false;
}

// "" or what type the column must have to be columns[i] of the constraint.
std::string type_wanted(const Constraint& constraint, size_t i, const DatasetSpec& spec) {
  const SpecType type = spec.find(constraint.columns[i])->type;
  if (constraint.kind == Constraint::Kind::kOnlyWhen)
    return i == 1 && !constraint.equals.empty() && type != SpecType::kText ? "text" : "";
  if (constraint.kind == Constraint::Kind::kOrder &&
      spec.find(constraint.columns[0])->type == SpecType::kDate)
    return type != SpecType::kDate ? "date" : "";
  return type != SpecType::kNumber ? "number" : "";
}

// `columns` of a constraint: names, of which the first of a sum may be a number.
Status read_constraint_columns(const toml::array& columns, Constraint& out) {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (const auto name = columns[i].value_exact<std::string>()) {
      out.columns.push_back(*name);
    } else if (i == 0 && out.kind == Constraint::Kind::kSum && columns[i].is_number()) {
      out.total = columns[i].value<double>();
      if (!std::isfinite(*out.total))
        return bad_input(fmt::format("{}: the total of a sum must be finite", out.place));
    } else {
      return bad_input(fmt::format(
          "{}: 'columns' must hold names of columns, or a number as the total of a sum", out.place));
    }
  }
  return {};
}

// Drawn dates are put into an order as read_date reads them, without the spec's formats.
Status check_order_formats(const Constraint& constraint, const DatasetSpec& spec) {
  if (constraint.kind != Constraint::Kind::kOrder) return {};
  for (const auto& name : constraint.columns) {
    const SpecColumn& column = *spec.find(name);
    if (!column.format || column.format->is_plain()) continue;
    return bad_input(
        fmt::format("{}: the order needs dates that are read without a format, and column '{}' has '{}'",
                    constraint.place, name, column.format->text()));
  }
  return {};
}

Result<Constraint> read_constraint(const toml::table& table, const std::string& file,
                                   const DatasetSpec& spec) {
  Constraint out;
  out.place = fmt::format("{}:{}", file, table.source().begin.line);
  Keys keys(table, "a constraint", file);
  const std::string kind = keys.text("kind", true);
  out.equals = keys.text("equals");
  keys.know("columns");
  MAEIL_TRY(keys.finish());
  const auto parsed = parse_constraint_kind(kind);
  if (!parsed)
    return bad_input(fmt::format("{}: kind must be order, sum or only_when, not '{}'", out.place, kind));
  out.kind = *parsed;
  if (out.kind != Constraint::Kind::kOnlyWhen && table.contains("equals"))
    return bad_input(fmt::format("{}: equals belongs to kind = \"only_when\"", out.place));
  if (const auto* columns = table["columns"].as_array()) MAEIL_TRY(read_constraint_columns(*columns, out));
  for (size_t i = 0; i < out.columns.size(); ++i) {
    if (!spec.find(out.columns[i]))
      return bad_input(fmt::format("{}: '{}' is no column", out.place, out.columns[i]));
    const auto wanted = type_wanted(out, i, spec);
    if (!wanted.empty())
      return bad_input(fmt::format("{}: '{}' must be a {} column", out.place, out.columns[i], wanted));
  }
  MAEIL_TRY(check_order_formats(out, spec));
  return out;
}

// [[constraints]] tables, between columns that the spec has.
Status read_constraints(const toml::table& document, const std::string& file, DatasetSpec& spec) {
  const auto* array = document["constraints"].as_array();
  if (!array) return {};
  for (const auto& node : *array) {
    if (!node.is_table())
      return bad_input(fmt::format("{}:{}: a constraint must be a table", file, node.source().begin.line));
    MAEIL_ASSIGN(auto constraint, read_constraint(*node.as_table(), file, spec));
    spec.constraints.push_back(std::move(constraint));
    // After each, so that the one that closes a circle is named.
    if (const std::string wrong = check_constraints(spec.constraints); !wrong.empty())
      return bad_input(fmt::format("{}: {}", spec.constraints.back().place, wrong));
  }
  return {};
}

// [[drop]] tables: names, each alone or behind each of the prefixes.
Status apply_drops(const toml::table& document, const std::string& file, DatasetSpec& spec) {
  const auto* drops = document["drop"].as_array();
  if (!drops) return {};
  for (const auto& node : *drops) {
    const auto* table = node.as_table();
    if (!table)
      return bad_input(fmt::format("{}:{}: drop must be [[drop]] tables", file, node.source().begin.line));
    std::vector<std::string> prefixes, names;
    for (const auto& [list, key] : {std::pair{&prefixes, "prefixes"}, {&names, "names"}}) {
      if (const auto* array = (*table)[key].as_array()) {
        for (const auto& item : *array) list->push_back(item.value_or(std::string()));
      }
    }
    if (prefixes.empty()) prefixes.push_back("");
    for (const auto& prefix : prefixes) {
      for (const auto& name : names) {
        bool found = false;
        for (auto& column : spec.columns) {
          if (column.name == prefix + name) found = column.drop = true;
        }
        if (!found)
          return bad_input(fmt::format("{}:{}: drop names '{}', which is no column", file,
                                       table->source().begin.line, prefix + name));
      }
    }
  }
  return {};
}

// Names of processed_data's own, beside which a feature's has no place.
constexpr std::string_view kTaken[] = {
    "_id",         "row",       "split",  "dataset",      "dataset_name", "processing_timestamp",
    "raw_data_id", "timestamp", "run_id", "logical_date", "in_validation"};

// The names that prepared rows have, each once.
Status check_prepared_names(const DatasetSpec& spec, const std::string& file) {
  std::set<std::string> names;
  const auto add = [&](const std::string& name, const std::string& of) -> Status {
    const bool is_taken = std::ranges::find(kTaken, name) != std::end(kTaken);
    if (!is_taken && names.insert(name).second) return {};
    return bad_input(fmt::format("{}: {} would be called '{}' in processed_data, as {}: {}", file, of, name,
                                 is_taken ? "a field of its own is" : "another feature is",
                                 "rename the column in the file, or drop = true"));
  };
  for (const auto& column : spec.columns) {
    if (column.role) continue;
    const auto of = fmt::format("column '{}'", column.name);
    const bool is_target = column.name == spec.target;
    if (column.type == SpecType::kDate ? column.keep_date : is_target || !column.drop)
      MAEIL_TRY(add(column.name, of));
    if (column.nullable && !is_target) MAEIL_TRY(add(column.name + "_isnull", "the null flag of " + of));
  }
  for (const auto& count : spec.day_counts) MAEIL_TRY(add(count.name, "day count '" + count.name + "'"));
  return {};
}

Status check(const DatasetSpec& spec, const std::string& file) {
  std::set<std::string> names;
  for (const auto& column : spec.columns) {
    if (!names.insert(column.name).second)
      return bad_input(fmt::format("{}: column '{}' is named twice", file, column.name));
  }
  for (const auto& column : spec.columns) {
    if (column.segment &&
        (column.type != SpecType::kText || column.drop || column.role || column.name == spec.target))
      return bad_input(
          fmt::format("{}: column '{}': segment needs a text column that is a feature: no id, "
                      "group, target or dropped column",
                      file, column.name));
  }
  MAEIL_TRY(check_prepared_names(spec, file));
  for (const auto& count : spec.day_counts) {
    for (const auto& end : {count.from, count.to}) {
      const SpecColumn* column = spec.find(end);
      if (column ? column->type != SpecType::kDate : !parse_date(end)) {
        return bad_input(fmt::format("{}: day count '{}': '{}' is neither a date column nor YYYY-MM-DD", file,
                                     count.name, end));
      }
    }
  }
  return {};
}

constexpr int64_t kMostDelayDays = 36500;

// The column is a text from here on, in which a number's words for missing are missing. REQUIRES: the
// columns.
Status read_target(const toml::table& document, const std::string& file, DatasetSpec& spec) {
  const toml::node* node = document.get("target");
  if (!node) return {};
  const auto place = fmt::format("{}:{}", file, node->source().begin.line);
  if (!node->is_table()) return bad_input(fmt::format("{}: target must be a [target] table", place));
  Keys keys(*node->as_table(), "[target]", file);
  spec.target = keys.text("column", true);
  const std::string positive = keys.value("positive", true), negative = keys.value("negative");
  if (node->as_table()->contains("delay_days")) spec.delay_days = keys.number("delay_days");
  MAEIL_TRY(keys.finish());
  if (spec.delay_days && (*spec.delay_days < 0 || *spec.delay_days > kMostDelayDays)) {
    return bad_input(fmt::format("{}: delay_days of [target] must be 0 to {}, not {}", place, kMostDelayDays,
                                 *spec.delay_days));
  }
  if (spec.target.empty()) return bad_input(fmt::format("{}: the column of [target] has no name", place));
  SpecColumn* column = find_column(spec, spec.target);
  if (!column) return bad_input(fmt::format("{}: target '{}' is no column", place, spec.target));
  if (column->type == SpecType::kDate)
    return bad_input(fmt::format("{}: target '{}' is a date: it must be text or number", place, spec.target));
  if (positive.empty() || (negative.empty() && node->as_table()->contains("negative"))) {
    return bad_input(
        fmt::format("{}: an empty field is a missing label, so that '{}' of [target] cannot be empty", place,
                    positive.empty() ? "positive" : "negative"));
  }
  const TargetForms forms[] = {target_forms(positive), target_forms(negative)};
  spec.target_forms = {.numbers = forms[0].numbers || forms[1].numbers,
                       .words = forms[0].words || forms[1].words};
  spec.positive = target_text(positive, spec.target_forms);
  spec.negative = target_text(negative, spec.target_forms);
  if (spec.negative == spec.positive)
    return bad_input(fmt::format("{}: the target's negative and positive value are the same", place));
  if (column->type == SpecType::kNumber) {
    for (const auto& [value, form] : {std::pair{positive, forms[0]}, {negative, forms[1]}}) {
      if (value.empty() || form.numbers) continue;
      return bad_input(
          fmt::format("{}: '{}' is no number, which the target '{}' is", place, value, spec.target));
    }
  }
  read_as_text(*column);
  column->missing_words = !is_missing(positive) && (negative.empty() || !is_missing(negative));
  return {};
}

// [roles]: id (a column or a list of them), group, time. REQUIRES: the columns and the target.
Status read_roles(const toml::table& document, const std::string& file, DatasetSpec& spec) {
  const toml::node* node = document.get("roles");
  if (!node) return {};
  const auto place = fmt::format("{}:{}", file, node->source().begin.line);
  if (!node->is_table()) return bad_input(fmt::format("{}: roles must be a [roles] table", place));
  const toml::table& table = *node->as_table();
  Keys keys(table, "[roles]", file);
  const toml::array* list = table["id"].as_array();
  if (list)
    keys.know("id");
  else if (std::string id = keys.text("id"); !id.empty())
    spec.roles.id.push_back(std::move(id));
  spec.roles.group = keys.text("group");
  spec.roles.time = keys.text("time");
  MAEIL_TRY(keys.finish());
  for (size_t i = 0; list && i < list->size(); ++i) {
    const auto id = (*list)[i].value_exact<std::string>();
    if (!id) return bad_input(fmt::format("{}: 'id' of [roles] must hold names of columns", place));
    spec.roles.id.push_back(*id);
  }
  for (const char* key : {"id", "group", "time"}) {
    const toml::node* value = table.get(key);
    if (value && (value->is_string() ? value->as_string()->get().empty() : value->as_array()->empty()))
      return bad_input(
          fmt::format("{}:{}: '{}' of [roles] names no column", file, value->source().begin.line, key));
  }
  const auto give = [&](const char* key, const std::string& name) -> Status {
    const auto at = fmt::format("{}:{}", file, table.get(key)->source().begin.line);
    SpecColumn* column = find_column(spec, name);
    if (!column)
      return bad_input(fmt::format("{}: '{}' of [roles] names '{}', which is no column", at, key, name));
    if (name == spec.target)
      return bad_input(fmt::format("{}: '{}' of [roles] names '{}', which is the target", at, key, name));
    if (key == std::string_view("time") && column->type != SpecType::kDate)
      return bad_input(fmt::format("{}: 'time' of [roles] names '{}', which is no date column", at, name));
    if (!column->marginal.empty()) {
      return bad_input(
          fmt::format("{}: '{}' of [roles] names '{}', of which nothing is learned: take its marginal out",
                      at, key, name));
    }
    column->role = true;
    if (column->type == SpecType::kDate) return {};
    column->identifier = true;
    read_as_text(*column);
    return {};
  };
  std::set<std::string_view> ids;
  for (const auto& id : spec.roles.id) {
    if (!ids.insert(id).second)
      return bad_input(fmt::format("{}: 'id' of [roles] names '{}' twice", place, id));
    MAEIL_TRY(give("id", id));
    if (id == "probability" || id == "decision" || id == "model_version") {
      return bad_input(fmt::format(
          "{}: the id '{}' is a column of a day's scores already: rename it in the file", place, id));
    }
  }
  if (!spec.roles.group.empty()) MAEIL_TRY(give("group", spec.roles.group));
  if (!spec.roles.time.empty()) MAEIL_TRY(give("time", spec.roles.time));
  return {};
}

Status read_reasons(const toml::table& document, const std::string& file, DatasetSpec& spec) {
  const toml::node* node = document.get("reasons");
  if (!node) return {};
  const auto at = [&](const toml::node& of) { return fmt::format("{}:{}", file, of.source().begin.line); };
  if (!node->is_table()) return bad_input(at(*node) + ": reasons must be a [reasons] table");
  for (const auto& [key, words] : *node->as_table()) {
    const std::string name(key.str());
    if (!spec.find(name) &&
        std::ranges::find(spec.day_counts, name, &DayCount::name) == spec.day_counts.end())
      return bad_input(
          fmt::format("{}: [reasons] names '{}', which is no column and no day count", at(words), name));
    ReasonWords out;
    if (const auto text = words.value_exact<std::string>()) {
      out = {*text, *text};
    } else if (words.is_table()) {
      Keys keys(*words.as_table(), fmt::format("'{}' of [reasons]", name), file);
      out = {keys.text("en"), keys.text("ko")};
      MAEIL_TRY(keys.finish());
    }
    if (out.en.empty() && out.ko.empty())
      return bad_input(fmt::format(
          "{}: '{}' of [reasons] must be a text, or {{ en = \"...\", ko = \"...\" }}", at(words), name));
    spec.reasons.emplace(name, std::move(out));
  }
  return {};
}

Result<DatasetSpec> read_spec(const toml::table& document, const std::string& file) {
  DatasetSpec spec;
  Keys top(document, "the dataset", file);
  spec.name = top.text("name", true);
  spec.file = file;
  if (std::string recorded = top.text("recorded_as"); !recorded.empty())  // base/dataset_choice.h
    spec.new_name = std::exchange(spec.name, std::move(recorded));
  for (const char* key : {"target", "roles", "columns", "day_counts", "drop", "constraints", "contract",
                          "settings", "read", "calendar", "reasons"})
    top.know(key);
  MAEIL_TRY(top.finish());
  if (const auto* settings = document.get("settings"); settings && !settings->is_table())  // base/settings.h
    return bad_input(
        fmt::format("{}:{}: settings must be a [settings] table", file, settings->source().begin.line));
  MAEIL_ASSIGN(spec.read, parse_read_spec(document, file));
  MAEIL_ASSIGN(spec.due, parse_due_days(document, file));
  const auto* columns = document["columns"].as_array();
  if (!columns || columns->empty()) return bad_input(fmt::format("{}: there are no columns", file));
  for (const auto& node : *columns) {
    if (!node.is_table())
      return bad_input(fmt::format("{}:{}: a column must be a table", file, node.source().begin.line));
    MAEIL_ASSIGN(SpecColumn column, read_column(*node.as_table(), file));
    spec.columns.push_back(std::move(column));
  }
  MAEIL_TRY(read_target(document, file, spec));
  MAEIL_TRY(read_roles(document, file, spec));
  if (const auto* counts = document["day_counts"].as_array()) {
    for (const auto& node : *counts) {
      if (!node.is_table())
        return bad_input(fmt::format("{}:{}: a day count must be a table", file, node.source().begin.line));
      Keys count(*node.as_table(), "a day count", file);
      DayCount out{count.text("name", true), count.text("from", true), count.text("to", true)};
      MAEIL_TRY(count.finish());
      spec.day_counts.push_back(std::move(out));
    }
  }
  MAEIL_TRY(read_reasons(document, file, spec));
  MAEIL_TRY(apply_drops(document, file, spec));
  MAEIL_TRY(read_constraints(document, file, spec));
  MAEIL_ASSIGN(spec.contract, parse_contract(document, file, spec));
  MAEIL_TRY(check(spec, file));
  return spec;
}

}  // namespace

const SpecColumn* DatasetSpec::find(std::string_view column) const {
  for (const auto& candidate : columns) {
    if (candidate.name == column) return &candidate;
  }
  return nullptr;
}

Status require_target(const DatasetSpec& spec) {
  if (!spec.target.empty()) return {};
  return bad_input(
      fmt::format("{}: there is no [target], which preparing rows and training on them needs", spec.file));
}

Result<DatasetSpec> parse_dataset_spec(std::string_view text, const std::string& file_name) {
  try {
    toml::table document = toml::parse(text, file_name);
    MAEIL_ASSIGN(DatasetSpec spec, read_spec(document, file_name));
    document.erase("settings");  // passwords may be among them, and a model's file carries this text
    std::ostringstream out;
    out << document << '\n';
    spec.text = out.str();
    return spec;
  } catch (const toml::parse_error& error) {
    return bad_input(fmt::format("{}:{}: {}", file_name, error.source().begin.line, error.description()));
  }
}

Result<DatasetSpec> read_dataset_spec(const std::filesystem::path& path) {
  MAEIL_ASSIGN(const std::string text, read_file(path, 1 << 22));
  return parse_dataset_spec(text, path.string());
}

Result<DatasetSpec> builtin_dataset_spec() {
  MAEIL_ASSIGN(DatasetSpec spec, parse_dataset_spec(kCorporateLoanToml, "the built-in corporate_loan.toml"));
  spec.text.clear();
  return spec;
}
std::string_view builtin_feature_map() { return kCorporateLoanFeatures; }

}  // namespace maeil::table
