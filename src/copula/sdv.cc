// Walks from the synthesizer to what sampling needs. Class names are compared by their last part, since SDV moved its
// modules between releases; the tree is walked to fixed depths only, so a file that contains itself ends like any other.
#include "copula/sdv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "copula/choose_marginal.h"
#include "format/number_text.h"
#include "format/numpy.h"
#include "format/pandas.h"
#include "format/pickle.h"

namespace maeil::copula {
namespace {

using format::PickleKind;
using format::PickleValue;

std::string short_class(PickleValue value) {
  const auto name = value.class_name();
  return name.empty() ? format::to_string(value.kind()) : name.substr(name.rfind('.') + 1);
}

Result<PickleValue> attribute(PickleValue object, const char* name) {
  if (const auto found = object.attribute(name)) return *found;
  return bad_input(fmt::format("{} has no attribute {}", short_class(object), name));
}

// An attribute that is absent or None is nothing: Python's classes keep their defaults out of the pickle.
std::optional<PickleValue> given(PickleValue object, const char* name) {
  const auto found = object.attribute(name);
  return found && !found->is_none() ? found : std::nullopt;
}

bool is_true(PickleValue object, const char* name) {
  const auto found = given(object, name);
  return found && format::number_of(*found).value_or(0) != 0;
}

Result<std::optional<double>> optional_number(PickleValue object, const char* name) {
  const auto found = given(object, name);
  if (!found) return std::nullopt;
  const auto number = format::number_of(*found);
  if (!number) return bad_input(fmt::format("{}.{} is no number", short_class(object), name));
  return *number;
}

// Refuses a synthesizer that does more than draw from its copula: `name` must be absent, None or empty.
Status must_be_empty(PickleValue object, const char* name) {
  const auto found = given(object, name);
  if (!found || (found->size() == 0 && found->pair_count() == 0 && !found->text())) return {};
  return bad_input(fmt::format("{}.{} is not empty: constraints and keys are not supported", short_class(object), name));
}

// GaussianKDE keeps its points; its bandwidth is Scott's, from their standard deviation with n - 1.
Result<Marginal> read_kernel_estimate(PickleValue univariate) {
  for (const char* name : {"bw_method", "weights"}) {
    if (given(univariate, name)) return bad_input(fmt::format("a GaussianKDE with {} is not supported", name));
  }
  MAEIL_ASSIGN(const auto params, attribute(univariate, "_params"));
  const auto dataset = params.find("dataset");
  if (!dataset || dataset->size() == 0) return bad_input("GaussianKDE has no points");
  std::vector<double> points;
  double mean = 0, square = 0;
  for (size_t i = 0; i < dataset->size(); ++i) {
    const auto point = format::number_of(dataset->item(i));
    if (!point || !std::isfinite(*point)) return bad_input("GaussianKDE has a point that is no number");
    points.push_back(*point);
  }
  const auto n = static_cast<double>(points.size());
  for (const double x : points) mean += x / n;
  for (const double x : points) square += (x - mean) * (x - mean);
  std::sort(points.begin(), points.end());
  if (points.front() == points.back()) return Marginal(Uniform{points.front(), 0});
  return Marginal(kernel_estimate(points, std::sqrt(square / (n - 1)) * std::pow(n, -0.2)));
}

Result<Marginal> read_marginal(PickleValue univariate) {
  if (short_class(univariate) == "Univariate") {  // the wrapper that chose the family keeps it here
    MAEIL_ASSIGN(univariate, attribute(univariate, "_instance"));
  }
  const auto family = short_class(univariate);
  if (family == "GaussianKDE") return read_kernel_estimate(univariate);
  MAEIL_ASSIGN(const auto params, attribute(univariate, "_params"));
  Status good;
  const auto get = [&](const char* key) {
    const auto found = params.find(key);
    const auto value = found ? format::number_of(*found) : std::nullopt;
    if (!value && good) good = bad_input(fmt::format("{} has no number {}", family, key));
    return value.value_or(0);
  };
  Marginal out;
  if (family == "BetaUnivariate") out = Beta{get("a"), get("b"), get("loc"), get("scale")};
  else if (family == "GaussianUnivariate") out = Gaussian{get("loc"), get("scale")};
  else if (family == "UniformUnivariate") out = Uniform{get("loc"), get("scale")};
  else if (family == "TruncatedGaussian") out = TruncatedGaussian{get("a"), get("b"), get("loc"), get("scale")};
  else if (family == "GammaUnivariate") out = Gamma{get("a"), get("loc"), get("scale")};
  else if (family == "StudentTUnivariate") out = StudentT{get("df"), get("loc"), get("scale")};
  else return bad_input(fmt::format("the marginal {} is not supported", family));
  MAEIL_TRY(good);
  return out;
}

bool is_integer_type(const std::string& dtype) { return dtype.starts_with("int") || dtype.starts_with("uint"); }

std::string whole_text(double value) { return fmt::format("{:.0f}", value); }

std::string float_text(double value) {
  std::string out;
  format::append_float(out, value);
  return out;
}

bool is_missing_key(PickleValue key) {
  const auto number = format::number_of(key);
  return key.is_none() || (number && std::isnan(*number)) || short_class(key) == "NAType";
}

// The category as pandas writes it to CSV once the column has its dtype back.
Result<std::string> label_text(PickleValue key, const std::string& dtype) {
  if (const auto text = format::text_of(key)) return std::string(*text);
  const auto number = format::number_of(key);
  if (!number || !std::isfinite(*number)) return bad_input(fmt::format("a category is a {}", short_class(key)));
  if (dtype == "bool" || (dtype == "object" && key.is(PickleKind::kBool))) return *number != 0 ? "True" : "False";
  if (dtype.starts_with("float")) return float_text(*number);
  if (is_integer_type(dtype)) return whole_text(*number);
  bool whole = key.is(PickleKind::kInteger);
  if (key.is(PickleKind::kObject) && key.argument_count() > 0) {  // a numpy scalar
    MAEIL_ASSIGN(const auto scalar_type, format::read_dtype(key.argument(0)));
    whole = is_integer_type(scalar_type);
  }
  return whole ? whole_text(*number) : float_text(*number);
}

Result<CategoryOutput> read_uniform_encoder(PickleValue transformer) {
  MAEIL_ASSIGN(const auto dtype_value, attribute(transformer, "dtype"));
  MAEIL_ASSIGN(std::string dtype, format::read_dtype(dtype_value));
  MAEIL_ASSIGN(const auto intervals, attribute(transformer, "intervals"));
  if (!intervals.is(PickleKind::kDict)) return bad_input("its intervals are no dict");
  const size_t K = intervals.pair_count();
  if (K > kMaxCategories) return bad_input("it has too many categories");
  CategoryOutput out;
  for (size_t k = 0; k < K; ++k) {
    if (is_missing_key(intervals.key(k))) {
      if (out.missing) return bad_input("two of its categories mean missing");
      out.missing = k;
    }
  }
  if (out.missing && is_integer_type(dtype)) dtype = "float64";  // pandas cannot keep missing whole numbers
  for (size_t k = 0; k < K; ++k) {
    std::string label;
    if (out.missing != k) {
      MAEIL_ASSIGN(label, label_text(intervals.key(k), dtype));
    }
    const auto ends = intervals.mapped(k);
    const auto upper = ends.size() == 2 ? format::number_of(ends.item(1)) : std::nullopt;
    if (!upper) return bad_input(fmt::format("the interval of category {} is no pair of numbers", k));
    out.labels.push_back(std::move(label));
    out.upper.push_back(*upper);
  }
  return out;
}

Result<NumberOutput> read_float_formatter(PickleValue transformer) {
  NumberOutput out;
  const auto representation = given(transformer, "computer_representation");
  if (representation && !format::text_of(*representation).value_or("").starts_with("Float")) {
    return bad_input("a FloatFormatter with a computer_representation other than Float is not supported");
  }
  MAEIL_ASSIGN(const auto dtype_value, attribute(transformer, "_dtype"));
  MAEIL_ASSIGN(const auto dtype, format::read_dtype(dtype_value));
  if (!is_integer_type(dtype) && !dtype.starts_with("float")) return bad_input(fmt::format("a FloatFormatter of dtype {} is not supported", dtype));
  MAEIL_ASSIGN(const auto nulls, attribute(transformer, "null_transformer"));
  const auto generation = given(nulls, "_missing_value_generation");
  const auto way = generation ? format::text_of(*generation).value_or("?") : "None";
  if (way == "from_column") return bad_input("missing_value_generation from_column is not supported");
  if (way == "random" && is_true(nulls, "nulls")) {
    MAEIL_ASSIGN(const auto share, optional_number(nulls, "_null_percentage"));
    out.missing = share.value_or(0);
  }
  const bool whole = is_integer_type(dtype) && out.missing == 0;
  out.format = whole ? NumberFormat::kInteger : NumberFormat::kFloat;
  if (is_true(transformer, "learn_rounding_scheme")) {
    MAEIL_ASSIGN(const auto digits, optional_number(transformer, "_rounding_digits"));
    if (digits && !(std::abs(*digits) <= 15)) return bad_input("its rounding digits are beyond -15..15");
    if (digits) out.digits = static_cast<int>(*digits);
  }
  if (!out.digits && is_integer_type(dtype)) out.digits = 0;
  if (is_true(transformer, "enforce_min_max_values")) {
    MAEIL_ASSIGN(out.min, optional_number(transformer, "_min_value"));
    MAEIL_ASSIGN(out.max, optional_number(transformer, "_max_value"));
    // A column that was missing throughout has NaN for both, and nothing is clipped.
    if (out.min && std::isnan(*out.min)) out.min.reset();
    if (out.max && std::isnan(*out.max)) out.max.reset();
  }
  return out;
}

Result<ColumnModel> read_column(const std::string& name, PickleValue univariate, PickleValue transformer) {
  ColumnModel out;
  out.name = name;
  MAEIL_ASSIGN(out.marginal, read_marginal(univariate));
  const auto kind = short_class(transformer);
  if (kind == "UniformEncoder" || kind == "OrderedUniformEncoder") {
    MAEIL_ASSIGN(out.output, read_uniform_encoder(transformer));
  } else if (kind == "FloatFormatter") {
    MAEIL_ASSIGN(out.output, read_float_formatter(transformer));
  } else {
    return bad_input(fmt::format("the transformer {} is not supported", kind));
  }
  return out;
}

// Where each of the copula's columns stands in the frame and in the list of marginals.
Result<CopulaModel> read_synthesizer(PickleValue root) {
  if (short_class(root) != "GaussianCopulaSynthesizer") {
    return bad_input(fmt::format("a {} is no GaussianCopulaSynthesizer", short_class(root)));
  }
  MAEIL_ASSIGN(const auto processor, attribute(root, "_data_processor"));
  MAEIL_ASSIGN(const auto copula, attribute(root, "_model"));
  if (short_class(copula) != "GaussianMultivariate") return bad_input(fmt::format("its model is a {}, no GaussianMultivariate: was it fitted?", short_class(copula)));
  for (const char* name : {"_chained_constraints", "_reject_sampling_constraints"}) MAEIL_TRY(must_be_empty(root, name));
  for (const char* name : {"_constraints_to_reverse", "_keys", "_primary_key"}) MAEIL_TRY(must_be_empty(processor, name));
  MAEIL_ASSIGN(const auto hyper, attribute(processor, "_hyper_transformer"));
  MAEIL_ASSIGN(const auto transformers, attribute(hyper, "field_transformers"));
  MAEIL_ASSIGN(const auto names, attribute(copula, "columns"));
  MAEIL_ASSIGN(const auto univariates, attribute(copula, "univariates"));
  MAEIL_ASSIGN(const auto correlation_value, attribute(copula, "correlation"));
  MAEIL_ASSIGN(const auto correlation, format::read_frame(correlation_value));
  MAEIL_ASSIGN(const auto metadata, attribute(processor, "metadata"));
  MAEIL_ASSIGN(const auto order, attribute(metadata, "columns"));

  const size_t C = names.size();
  if (C == 0 || C > kMaxColumns) return bad_input(fmt::format("its copula has {} columns", C));
  if (univariates.size() != C || correlation.rows != C || correlation.columns.size() != C) {
    return bad_input("its columns, marginals and correlation differ in number");
  }
  std::unordered_map<std::string, size_t> position;
  for (size_t i = 0; i < C; ++i) {
    const auto name = format::text_of(names.item(i));
    if (!name) return bad_input("the name of a column is no text");
    position.emplace(*name, i);
    if (correlation.columns[i].name != *name || (!correlation.index.empty() && correlation.index.at(i) != *name)) {
      return bad_input(fmt::format("its correlation is not in the order of its columns at {}", *name));
    }
    if (correlation.columns[i].numbers.size() != C) return bad_input("its correlation holds something that is no number");
  }

  CopulaModel out;
  std::vector<size_t> at;  // output column -> the copula's
  for (size_t c = 0; c < order.pair_count(); ++c) {
    const auto name = format::text_of(order.key(c)).value_or("");
    const auto found = position.find(std::string(name));
    if (found == position.end()) return bad_input(fmt::format("its copula does not draw the column {}, a key or an id: not supported", name));
    const auto transformer = transformers.find(name);
    if (!transformer) return bad_input(fmt::format("column {} has no transformer", name));
    auto column = read_column(std::string(name), univariates.item(found->second), *transformer);
    if (!column) return with_context(fmt::format("column {}", name), column.error());
    out.columns.push_back(std::move(*column));
    at.push_back(found->second);
  }
  if (out.columns.size() != C) return bad_input("its copula draws columns that its metadata does not name");
  out.correlation.resize(C * C);
  for (size_t i = 0; i < C; ++i) {
    for (size_t j = 0; j < C; ++j) out.correlation[i * C + j] = correlation.columns[at[j]].numbers[at[i]];
  }
  MAEIL_TRY(check_model(out));
  return out;
}

}  // namespace

Result<CopulaModel> parse_sdv_model(std::string bytes, const std::string& file_name) {
  MAEIL_ASSIGN(const auto document, format::read_pickle(std::move(bytes), file_name));
  auto model = read_synthesizer(document.root());
  if (!model) return with_context(file_name, model.error());
  model->source = file_name.substr(file_name.find_last_of('/') + 1);
  return model;
}

}  // namespace maeil::copula
