#include "copula/mixture.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_set>

#include "base/file.h"
#include "copula/sdv.h"

namespace maeil::copula {

namespace {

// The class is known by its label, and its rows say so: conditions on the target choose classes instead of
// searching rows.
Status check_target(const Mixture& mixture) {
  const auto names = column_names(mixture);
  const auto found = std::find(names.begin(), names.end(), mixture.target);
  if (found == names.end()) return bad_input(fmt::format("the target '{}' is no column", mixture.target));
  for (const auto& part : mixture.classes) {
    const auto* output =
        std::get_if<CategoryOutput>(&part.copula.columns[static_cast<size_t>(found - names.begin())].output);
    for (size_t k = 0; k < (output ? output->labels.size() : 1); ++k) {
      const bool same =
          output && output->labels[k] == part.label && (output->missing == k) == part.label.empty();
      if (!same)
        return bad_input(fmt::format("class '{}': its target {} must have that value in every row",
                                     part.label, mixture.target));
    }
  }
  return {};
}

// Tried on a table without rows, so that a name or a type that does not fit is found before any row is drawn.
Status check_constraint_columns(const Mixture& mixture) {
  if (const auto wrong = table::check_constraints(mixture.constraints); !wrong.empty())
    return bad_input(wrong);
  Table none;
  for (size_t c = 0; c < mixture.columns(); ++c) {
    const auto& column = mixture.classes.front().copula.columns[c];
    none.columns.push_back(
        {column.name, is_text(column) ? ColumnType::kText : ColumnType::kNumber, {}, {}, {}});
  }
  return table::apply_constraints(mixture.constraints, none);
}

Status check_generated(const Mixture& mixture) {
  std::unordered_set<std::string_view> names;
  for (const auto& one : mixture.generated) {
    if (!names.insert(one.name).second)
      return bad_input(fmt::format("generated: column '{}' is there twice", one.name));
    size_t c = 0;
    while (c < mixture.columns() && mixture.classes.front().copula.columns[c].name != one.name) ++c;
    if (c == mixture.columns()) return bad_input(fmt::format("generated: '{}' is no column", one.name));
    if (one.name == mixture.target) return bad_input(fmt::format("generated: '{}' is the target", one.name));
    const bool number =
        std::holds_alternative<NumberOutput>(mixture.classes.front().copula.columns[c].output);
    const auto checked = table::check_pattern(one.pattern, number);
    if (!checked) return with_context(fmt::format("generated: column '{}'", one.name), checked.error());
  }
  return {};
}

}  // namespace

Status check_mixture(const Mixture& mixture) {
  if (mixture.classes.empty() || mixture.classes.size() > kMaxClasses)
    return bad_input(fmt::format("a mixture has 1..{} classes", kMaxClasses));
  const auto& first = mixture.classes.front().copula;
  const size_t G = mixture.missing_sets.size();
  if (first.columns.size() <= G)
    return bad_input("there are no columns beside the patterns of missing values");
  double shares = 0;
  std::unordered_set<std::string_view> labels;
  for (const auto& part : mixture.classes) {
    if (!labels.insert(part.label).second)
      return bad_input(fmt::format("class '{}' is there twice", part.label));
    const auto checked = check_model(part.copula);
    if (!checked) return with_context(fmt::format("class '{}'", part.label), checked.error());
    if (!(part.share >= 0 && part.share <= 1))
      return bad_input(fmt::format("class '{}': its share must lie in 0..1", part.label));
    shares += part.share;
    if (part.copula.columns.size() != first.columns.size())
      return bad_input(fmt::format("class '{}' has other columns than the first", part.label));
    for (size_t c = 0; c < first.columns.size(); ++c) {
      const auto& column = part.copula.columns[c];
      if (column.name != first.columns[c].name || column.output.index() != first.columns[c].output.index() ||
          is_text(column) != is_text(first.columns[c])) {
        return bad_input(
            fmt::format("class '{}': column {} differs from the first class's", part.label, column.name));
      }
      const auto* number = std::get_if<NumberOutput>(&column.output);
      if (number && number->missing > 0 && mixture.classes.size() > 1) {
        return bad_input(fmt::format(
            "class '{}': column {} is missing by a share of its own, which only a single class may have",
            part.label, column.name));
      }
      if (c < first.columns.size() - G) continue;
      const auto* patterns = std::get_if<CategoryOutput>(&column.output);
      const size_t sets = mixture.missing_sets[c - (first.columns.size() - G)].size();
      const auto is_pattern = [&](const std::string& label) {
        return label.size() == sets && label.find_first_not_of("01") == std::string::npos;
      };
      if (!patterns || patterns->missing ||
          !std::all_of(patterns->labels.begin(), patterns->labels.end(), is_pattern)) {
        return bad_input(
            fmt::format("class '{}': the categories of {} should have a character 0 or 1 for each set of "
                        "missing columns, {} here",
                        part.label, column.name, sets));
      }
    }
  }
  if (std::abs(shares - 1) > 1e-6) return bad_input("the shares of the classes do not add up to 1");
  for (const auto& sets : mixture.missing_sets) {
    for (const auto& set : sets) {
      for (const size_t c : set) {
        if (c >= mixture.columns())
          return bad_input("a set of missing columns names one that does not exist");
      }
    }
  }
  if (!mixture.target.empty()) MAEIL_TRY(check_target(mixture));
  MAEIL_TRY(check_generated(mixture));
  return check_constraint_columns(mixture);
}

Status set_class_share(Mixture& mixture, const std::string& label, double share) {
  std::string known;
  MixtureClass* chosen = nullptr;
  for (auto& part : mixture.classes) {
    if (part.label == label) chosen = &part;
    known += (known.empty() ? "" : ", ") + (part.label.empty() ? std::string("(missing)") : part.label);
  }
  if (mixture.target.empty())
    return usage_error(
        "the model was fitted without a target, so it has no classes to choose: fit with --target");
  if (!chosen)
    return usage_error(fmt::format("'{}' is no class of {}: it has {}", label, mixture.target, known));
  if (!(share >= 0 && share <= 1)) return usage_error("the share of a class must lie in 0..1");
  double others = 0;
  for (const auto& part : mixture.classes) others += &part == chosen ? 0 : part.share;
  if (others <= 0 && share < 1)
    return usage_error(fmt::format("'{}' is the only class of {} that has rows: its share is 1, not {}",
                                   label, mixture.target, share));
  const double factor = others > 0 ? (1 - share) / others : 0;
  for (auto& part : mixture.classes) part.share = &part == chosen ? share : part.share * factor;
  return {};
}

Status keep_classes(Mixture& mixture, const std::function<bool(const std::string& label)>& keep) {
  std::string known;
  double kept = 0;
  for (const auto& part : mixture.classes) {
    known += fmt::format("{}{} ({:.3g})", known.empty() ? "" : ", ",
                         part.label.empty() ? "(missing)" : part.label, part.share);
    if (keep(part.label)) kept += part.share;
  }
  if (!(kept > 0))
    return usage_error(fmt::format("no class of {} that has rows is left: it has {}", mixture.target, known));
  std::erase_if(mixture.classes, [&](const auto& part) { return !keep(part.label); });
  for (auto& part : mixture.classes) part.share /= kept;
  return {};
}

std::vector<std::string> column_names(const Mixture& mixture) {
  std::vector<std::string> out;
  for (size_t c = 0; c < mixture.columns(); ++c)
    out.push_back(mixture.classes.front().copula.columns[c].name);
  return out;
}

std::vector<NumberFormat> number_formats(const Mixture& mixture) {
  auto out = number_formats(mixture.classes.front().copula);
  out.resize(mixture.columns());
  return out;
}

std::vector<table::ValueRange> value_ranges(const Mixture& mixture) {
  std::vector<table::ValueRange> out(mixture.columns());
  for (size_t c = 0; c < out.size(); ++c) {
    for (const auto& part : mixture.classes) {
      const auto* number = std::get_if<NumberOutput>(&part.copula.columns[c].output);
      if (!number || number->text) continue;
      const auto own = digits_of(*number);
      if (&part == &mixture.classes.front()) {
        out[c] = {own, number->min, number->max};
        continue;
      }
      // What one class does not limit is not limited.
      out[c].digits = own && out[c].digits ? std::optional(std::max(*own, *out[c].digits)) : std::nullopt;
      out[c].min =
          number->min && out[c].min ? std::optional(std::min(*number->min, *out[c].min)) : std::nullopt;
      out[c].max =
          number->max && out[c].max ? std::optional(std::max(*number->max, *out[c].max)) : std::nullopt;
    }
  }
  return out;
}

Result<Mixture> read_mixture(const std::filesystem::path& path) {
  MAEIL_ASSIGN(std::string bytes, read_file(path, uint64_t{1} << 30));
  const auto first = bytes.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && bytes[first] == '{') return parse_mixture_json(bytes, path.string());
  MAEIL_ASSIGN(auto model, parse_sdv_model(std::move(bytes), path.string()));
  Mixture out;
  out.source = model.source;
  out.notes = std::move(model.notes);
  out.classes.push_back({"", 1, std::move(model)});
  return out;
}

Status write_mixture(const Mixture& mixture, const std::filesystem::path& path) {
  return write_file_atomically(path, to_json(mixture));
}

}  // namespace maeil::copula
