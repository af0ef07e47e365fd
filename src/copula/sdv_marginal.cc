#include "copula/sdv_marginal.h"

#include <algorithm>
#include <cmath>

#include "copula/choose_marginal.h"
#include "format/numpy.h"

namespace maeil::copula {
namespace {

// GaussianKDE keeps its points; its bandwidth is Scott's, from their standard deviation with n - 1.
Result<Marginal> read_kernel_estimate(const SdvValue& univariate) {
  for (const char* name : {"bw_method", "weights"}) {
    MAEIL_ASSIGN(const auto found, univariate.given(name));
    if (found) return bad_input(fmt::format("a GaussianKDE with {} is not supported", name));
  }
  MAEIL_ASSIGN(const auto params, univariate.attribute("_params"));
  const auto dataset = params.find("dataset");
  if (!dataset) return bad_input(params.path + " has no points");
  std::vector<double> points;
  if (format::is_ndarray(dataset->value)) {
    MAEIL_ASSIGN(const auto array, format::read_ndarray(dataset->value));
    MAEIL_ASSIGN(points, format::to_reals(array));
  }
  for (size_t i = 0; i < dataset->value.size(); ++i) {
    const auto point = format::number_of(dataset->value.item(i));
    if (!point) return dataset->item(i).is_not("a number");
    points.push_back(*point);
  }
  if (points.empty()) return dataset->is_not("a list of points");
  if (!std::all_of(points.begin(), points.end(), [](double x) { return std::isfinite(x); }))
    return bad_input(dataset->path + " has a point that is not finite");
  double mean = 0, square = 0;
  const auto n = static_cast<double>(points.size());
  for (const double x : points) mean += x / n;
  for (const double x : points) square += (x - mean) * (x - mean);
  std::sort(points.begin(), points.end());
  if (points.front() == points.back()) return Marginal(Uniform{points.front(), 0});
  return Marginal(kernel_estimate(points, std::sqrt(square / (n - 1)) * std::pow(n, -0.2)));
}

}  // namespace

Result<Marginal> read_sdv_marginal(SdvValue univariate) {
  if (univariate.class_name() == "Univariate") {  // the wrapper that chose the family keeps it here
    MAEIL_ASSIGN(univariate, univariate.attribute("_instance"));
  }
  const auto family = univariate.class_name();
  if (family == "GaussianKDE") return read_kernel_estimate(univariate);
  // A column of one value: its own methods give the value, whatever the parameters say (StudentTUnivariate's
  // are fitted).
  MAEIL_ASSIGN(const auto constant, univariate.number("_constant_value"));
  MAEIL_ASSIGN(const auto params, univariate.attribute("_params"));
  Status good;
  const auto get = [&](const char* key) {
    const auto found = params.find(key);
    const auto value = found ? format::number_of(found->value) : std::nullopt;
    if (!value && good)
      good = found ? Status(found->is_not("a number"))
                   : Status(bad_input(fmt::format("{} has no {}", params.path, key)));
    return value.value_or(0);
  };
  Marginal out;
  if (family == "BetaUnivariate")
    out = Beta{get("a"), get("b"), get("loc"), get("scale")};
  else if (family == "GaussianUnivariate")
    out = Gaussian{get("loc"), get("scale")};
  else if (family == "UniformUnivariate")
    out = Uniform{get("loc"), get("scale")};
  else if (family == "TruncatedGaussian")
    out = TruncatedGaussian{get("a"), get("b"), get("loc"), get("scale")};
  else if (family == "GammaUnivariate")
    out = Gamma{get("a"), get("loc"), get("scale")};
  else if (family == "StudentTUnivariate")
    out = StudentT{get("df"), get("loc"), get("scale")};
  else
    return bad_input(fmt::format("the marginal {} is not supported", family));
  MAEIL_TRY(good);
  if (constant) {
    std::visit([&](auto& m) { m.loc = *constant, m.scale = 0; }, out);
  }
  return out;
}

}  // namespace maeil::copula
