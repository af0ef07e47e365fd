// A Gaussian copula over mixed columns, as SDV's GaussianCopulaSynthesizer has it, as plain data.
//
// A row is drawn so: z ~ N(0, correlation); u = Phi(z); x = F^-1(u) with the column's marginal F; then x becomes a
// value: of a category column, the label whose interval of [0, 1] holds x; of a number column, x itself, rounded, clipped,
// and made missing at random. Source: rdt 2.0 (UniformEncoder, FloatFormatter) and copulas 0.14.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "table/number_format.h"

namespace maeil::copula {

using Json = nlohmann::ordered_json;

enum class Family { kBeta, kNormal, kUniform };

// x = loc + scale * y with y of the standard family. scale 0: the constant loc. a, b are beta's shapes.
struct Marginal {
  Family family = Family::kBeta;
  double a = 1, b = 1, loc = 0, scale = 1;
};

double percent_point(const Marginal& marginal, double u);  // F^-1(u), 0 < u < 1 (Boost.Math)
double cumulative(const Marginal& marginal, double x);     // F(x)
// The same at u = Phi(z), accurate in both tails.
double percent_point_of_normal(const Marginal& marginal, double z);

struct Category {
  std::optional<std::string> label;  // absent: missing
  double upper = 1;                  // its interval ends here; it begins where the one before ends
};

struct CopulaColumn {
  std::string name;
  Marginal marginal;
  NumberFormat number_format = NumberFormat::kFloat;
  bool is_category = false;
  std::vector<Category> categories;  // of a category column: `upper` ascending, the last 1
  bool number_labels = false;        // labels are numbers, written by number_format
  double null_rate = 0;              // of a number column, from here on
  std::optional<int> digits;         // decimal places to round to
  std::optional<double> low, high;   // bounds to clip to
};

struct CopulaModel {
  std::vector<CopulaColumn> columns;  // in the order of the file
  std::vector<double> correlation;    // row-major, columns x columns, 1 on the diagonal
};

// kBadInput naming the column: sizes, probabilities, bounds, a marginal that is none, a correlation that is none.
Status check_model(const CopulaModel& model);

// SDV's .pkl or our JSON (docs/formats/copula.md), told apart by content. kBadInput names the file and the place.
Result<CopulaModel> read_model(const std::filesystem::path& path);
Json to_json(const CopulaModel& model);
Result<CopulaModel> from_json(const Json& json, const std::string& file_name);

std::vector<NumberFormat> number_formats(const CopulaModel& model);

}  // namespace maeil::copula
