#include "copula/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "copula/mixture.h"

namespace maeil::copula {
namespace {

Status check_output(const CategoryOutput& out) {
  if (out.labels.empty() || out.labels.size() != out.upper.size())
    return bad_input("needs as many labels as upper ends, and one at least");
  if (out.labels.size() > kMaxCategories) return bad_input("has too many categories");
  double below = 0;
  for (size_t k = 0; k < out.upper.size(); ++k) {
    if (!(out.upper[k] > below) || !std::isfinite(out.upper[k]))
      return bad_input(fmt::format("the upper end of category {} does not ascend", k));
    below = out.upper[k];
  }
  // SDV sets the last to 1; 1e-9 admits a sum of shares.
  if (std::abs(below - 1) > 1e-9) return bad_input("the last upper end is not 1");
  if (out.missing && *out.missing >= out.labels.size())
    return bad_input("the missing category does not exist");
  return {};
}

Status check_output(const NumberOutput& out) {
  if (!(out.missing >= 0 && out.missing <= 1))
    return bad_input("the share of missing values must lie in 0..1");
  if (out.digits && std::abs(*out.digits) > 15) return bad_input("digits must lie in -15..15");
  for (const auto& bound : {out.min, out.max}) {
    if (bound && !std::isfinite(*bound)) return bad_input("min and max must be finite");
  }
  if (out.min && out.max && *out.min > *out.max) return bad_input("min is above max");
  const auto wrong = out.text ? check_text_form(*out.text) : std::string();
  return wrong.empty() ? Status() : Status(bad_input(wrong));
}

// One value in 10^15 lies further out; what a heavy tail has there is clipped when it is drawn.
constexpr double kFurthestScore = 8;

Status check_range(const ColumnModel& column) {
  const auto* out = std::get_if<NumberOutput>(&column.output);
  if (!out) return {};
  const auto* date = out->text ? std::get_if<DateForm>(&*out->text) : nullptr;
  const double most = date ? kMostWhole / static_cast<double>(date->unit) : most_of(out->format);
  for (const double z : {-kFurthestScore, kFurthestScore}) {
    const double x = quantile_at(column.marginal, z),
                 clipped = std::min(std::max(x, out->min.value_or(x)), out->max.value_or(x));
    // Rounding multiplies by the power of its digits, which must not overflow either.
    const double scaled = clipped * std::pow(10.0, std::max(out->digits.value_or(0), 0));
    if (std::abs(clipped) > most || std::isinf(scaled)) {
      return bad_input(fmt::format("its values reach {:.3g}, more than {} can be", clipped,
                                   date                                    ? "a date"
                                   : out->format == NumberFormat::kInteger ? "a whole number of 64 bits"
                                                                           : "a number"));
    }
  }
  return {};
}

}  // namespace

std::vector<NumberFormat> number_formats(const CopulaModel& model) {
  std::vector<NumberFormat> out;
  for (const auto& column : model.columns) {
    const auto* number = std::get_if<NumberOutput>(&column.output);
    out.push_back(number ? number->format : NumberFormat::kFloat);
  }
  return out;
}

Status check_model(const CopulaModel& model) {
  const size_t C = model.columns.size();
  if (C == 0 || C > kMaxColumns)
    return bad_input(fmt::format("a copula has 1..{} columns, not {}", kMaxColumns, C));
  if (model.correlation.size() != C * C)
    return bad_input(fmt::format("the correlation of {} columns needs {} values", C, C * C));
  std::unordered_set<std::string_view> names;
  for (const auto& column : model.columns) {
    if (!names.insert(column.name).second)
      return bad_input(fmt::format("column {} is there twice", column.name));
    if (const auto wrong = check_marginal(column.marginal); !wrong.empty())
      return bad_input(fmt::format("column {}: {}", column.name, wrong));
    const auto checked = std::visit([](const auto& output) { return check_output(output); }, column.output);
    if (!checked) return with_context(fmt::format("column {}", column.name), checked.error());
    if (const auto range = check_range(column); !range)
      return with_context(fmt::format("column {}", column.name), range.error());
  }
  for (size_t i = 0; i < C; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      const double value = model.correlation_at(i, j);
      // SDV adds 2e-16 to the diagonal of a singular matrix; 1e-6 leaves room for decimal text.
      const bool good = std::isfinite(value) && std::abs(value - model.correlation_at(j, i)) <= 1e-6 &&
                        (i == j ? std::abs(value - 1) <= 1e-6 : std::abs(value) <= 1 + 1e-6);
      if (!good)
        return bad_input(fmt::format("the correlation of {} and {} is no correlation", model.columns[i].name,
                                     model.columns[j].name));
    }
  }
  return {};
}

Result<CopulaModel> read_model(const std::filesystem::path& path) {
  MAEIL_ASSIGN(auto mixture, read_mixture(path));
  if (mixture.classes.size() > 1 || !mixture.missing_sets.empty() || !mixture.constraints.empty() ||
      !mixture.generated.empty()) {
    return bad_input(fmt::format(
        "{}: holds {} with {} patterns of missing values, {} constraints and {} generated columns, which is "
        "more than a single copula: read it with read_mixture",
        path.string(),
        mixture.classes.size() == 1 ? "one class" : fmt::format("{} classes", mixture.classes.size()),
        mixture.missing_sets.size(), mixture.constraints.size(), mixture.generated.size()));
  }
  auto out = std::move(mixture.classes.front().copula);
  out.source = std::move(mixture.source);
  return out;
}

}  // namespace maeil::copula
