#include "copula/model.h"

#include <fmt/format.h>

#include <boost/math/special_functions/beta.hpp>
#include <boost/math/special_functions/erf.hpp>
#include <cmath>
#include <set>

#include "base/file.h"
#include "copula/sdv.h"

namespace maeil::copula {
namespace {

namespace bm = boost::math;
// Errors come back as values, never as exceptions.
using Policy = bm::policies::policy<bm::policies::domain_error<bm::policies::ignore_error>, bm::policies::pole_error<bm::policies::ignore_error>,
                                    bm::policies::overflow_error<bm::policies::ignore_error>,
                                    bm::policies::evaluation_error<bm::policies::ignore_error>,
                                    bm::policies::underflow_error<bm::policies::ignore_error>,
                                    bm::policies::promote_double<false>>;

const char* name_of(Family family) { return family == Family::kBeta ? "beta" : family == Family::kNormal ? "normal" : "uniform"; }

// Smallest difference between neighbouring edges that a fitted file may have by rounding.
bool ascending(const std::vector<Category>& categories) {
  double before = 0;
  for (const auto& category : categories) {
    if (!(category.upper >= before)) return false;
    before = category.upper;
  }
  return !categories.empty() && std::abs(before - 1) < 1e-9;
}

}  // namespace

double percent_point(const Marginal& m, double u) {
  if (m.scale == 0) return m.loc;
  switch (m.family) {
    case Family::kBeta: return m.loc + m.scale * bm::ibeta_inv(m.a, m.b, u, Policy());
    case Family::kNormal: return m.loc - m.scale * std::sqrt(2.0) * bm::erfc_inv(2 * u, Policy());
    default: return m.loc + m.scale * u;
  }
}

double percent_point_of_normal(const Marginal& m, double z) {
  if (z <= 0) return percent_point(m, 0.5 * std::erfc(-z / std::sqrt(2.0)));
  const double tail = 0.5 * std::erfc(z / std::sqrt(2.0));  // 1 - u, exact where u is not
  if (m.scale == 0) return m.loc;
  switch (m.family) {
    case Family::kBeta: return m.loc + m.scale * bm::ibetac_inv(m.a, m.b, tail, Policy());
    case Family::kNormal: return m.loc + m.scale * z;
    default: return m.loc + m.scale * (1 - tail);
  }
}

double cumulative(const Marginal& m, double x) {
  if (m.scale == 0) return x < m.loc ? 0 : 1;
  const double y = (x - m.loc) / m.scale;
  switch (m.family) {
    case Family::kBeta: return y <= 0 ? 0 : y >= 1 ? 1 : bm::ibeta(m.a, m.b, y, Policy());
    case Family::kNormal: return 0.5 * std::erfc(-y / std::sqrt(2.0));
    default: return std::clamp(y, 0.0, 1.0);
  }
}

Status check_model(const CopulaModel& model) {
  const size_t n = model.columns.size();
  if (n == 0 || n > 10000) return bad_input(fmt::format("the distribution model has {} columns", n));
  std::set<std::string> names;
  for (const auto& column : model.columns) {
    const auto wrong = [&](const char* what) { return bad_input(fmt::format("column '{}': {}", column.name, what)); };
    const auto& m = column.marginal;
    if (!names.insert(column.name).second) return wrong("is there twice");
    if (!(std::isfinite(m.loc) && std::isfinite(m.scale) && m.scale >= 0)) return wrong("loc and scale of the marginal are no numbers, or scale is negative");
    if (m.family == Family::kBeta && !(m.a > 0 && m.b > 0 && m.a < 1e12 && m.b < 1e12)) return wrong("the shapes of the beta marginal must be positive");
    if (column.is_category && !ascending(column.categories)) return wrong("the intervals of its categories do not cover 0 to 1 in order");
    if (!column.is_category && !(column.null_rate >= 0 && column.null_rate <= 1)) return wrong("the share of missing values is not between 0 and 1");
    if (column.low && column.high && !(*column.low <= *column.high)) return wrong("its smallest value is larger than its largest");
    if (column.digits && (*column.digits < -300 || *column.digits > 300)) return wrong("the number of digits makes no sense");
  }
  if (model.correlation.size() != n * n) return bad_input(fmt::format("the correlation has {} entries for {} columns", model.correlation.size(), n));
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      const double r = model.correlation[i * n + j];
      if (!(std::abs(r) <= 1 + 1e-9) || std::abs(r - model.correlation[j * n + i]) > 1e-6 || (i == j && std::abs(r - 1) > 1e-6)) {
        return bad_input(fmt::format("the correlation of '{}' and '{}' is {}: a symmetric matrix with ones on its diagonal is expected",
                                     model.columns[i].name, model.columns[j].name, r));
      }
    }
  }
  return {};
}

std::vector<NumberFormat> number_formats(const CopulaModel& model) {
  std::vector<NumberFormat> out;
  for (const auto& column : model.columns) out.push_back(column.number_format);
  return out;
}

Json to_json(const CopulaModel& model) {
  Json columns = Json::array();
  for (const auto& c : model.columns) {
    const auto& m = c.marginal;
    Json column = {{"name", c.name},
                   {"kind", c.is_category ? "category" : "number"},
                   {"number_format", c.number_format == NumberFormat::kFloat ? "float" : "integer"},
                   {"marginal", {{"family", name_of(m.family)}, {"a", m.a}, {"b", m.b}, {"loc", m.loc}, {"scale", m.scale}}}};
    if (c.is_category) {
      column["number_labels"] = c.number_labels;
      Json categories = Json::array();
      for (const auto& k : c.categories) categories.push_back({{"label", k.label ? Json(*k.label) : Json()}, {"upper", k.upper}});
      column["categories"] = categories;
    } else {
      column["null_rate"] = c.null_rate;
      column["digits"] = c.digits ? Json(*c.digits) : Json();
      column["low"] = c.low ? Json(*c.low) : Json();
      column["high"] = c.high ? Json(*c.high) : Json();
    }
    columns.push_back(std::move(column));
  }
  Json correlation = Json::array();
  const size_t n = model.columns.size();
  for (size_t i = 0; i < n; ++i) {
    correlation.push_back(std::vector<double>(model.correlation.begin() + i * n, model.correlation.begin() + (i + 1) * n));
  }
  return {{"format", "maeil.copula"}, {"version", 1}, {"columns", columns}, {"correlation", correlation}};
}

Result<CopulaModel> from_json(const Json& json, const std::string& file_name) {
  try {
    if (json.at("format") != "maeil.copula" || json.at("version") != 1) {
      return bad_input(fmt::format("{} is no distribution model that this maeil reads: format 'maeil.copula', version 1 is expected", file_name));
    }
    CopulaModel model;
    for (const auto& item : json.at("columns")) {
      CopulaColumn c;
      c.name = item.at("name").get<std::string>();
      c.is_category = item.at("kind").get<std::string>() == "category";
      c.number_format = item.at("number_format").get<std::string>() == "integer" ? NumberFormat::kInteger : NumberFormat::kFloat;
      const auto& m = item.at("marginal");
      const auto family = m.at("family").get<std::string>();
      if (family != "beta" && family != "normal" && family != "uniform") {
        return bad_input(fmt::format("{}: column '{}': the marginal '{}' is not known", file_name, c.name, family));
      }
      c.marginal = {family == "beta" ? Family::kBeta : family == "normal" ? Family::kNormal : Family::kUniform, m.at("a").get<double>(),
                    m.at("b").get<double>(), m.at("loc").get<double>(), m.at("scale").get<double>()};
      if (c.is_category) {
        c.number_labels = item.at("number_labels").get<bool>();
        for (const auto& k : item.at("categories")) {
          c.categories.push_back({k.at("label").is_null() ? std::nullopt : std::optional(k.at("label").get<std::string>()), k.at("upper").get<double>()});
        }
      } else {
        c.null_rate = item.at("null_rate").get<double>();
        if (!item.at("digits").is_null()) c.digits = item.at("digits").get<int>();
        if (!item.at("low").is_null()) c.low = item.at("low").get<double>();
        if (!item.at("high").is_null()) c.high = item.at("high").get<double>();
      }
      model.columns.push_back(std::move(c));
    }
    for (const auto& row : json.at("correlation")) {
      for (const auto& r : row) model.correlation.push_back(r.get<double>());
    }
    if (auto status = check_model(model); !status) return with_context(file_name, status.error());
    return model;
  } catch (const nlohmann::json::exception& error) {
    return bad_input(fmt::format("{}: the distribution model is not as it should be: {}", file_name, error.what()));
  }
}

Result<CopulaModel> read_model(const std::filesystem::path& path) {
  MAEIL_ASSIGN(const std::string bytes, read_file(path, uint64_t{1} << 30));
  const size_t first = bytes.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && bytes[first] == '{') {
    const Json json = Json::parse(bytes, nullptr, false);
    if (json.is_discarded()) return bad_input(fmt::format("{} looks like JSON, but is none", path.string()));
    return from_json(json, path.string());
  }
  return read_sdv_model(bytes, path.string());
}

}  // namespace maeil::copula
