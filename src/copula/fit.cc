// Marginals and frequencies class by class, then the correlation of scores, turned into latent correlations.
#include "copula/fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/hash.h"
#include "base/philox.h"
#include "base/threads.h"
#include "copula/column_fit.h"
#include "copula/correlate.h"
#include "copula/label_order.h"
#include "copula/missing.h"
#include "table/rounding.h"

namespace maeil::copula {
namespace {

constexpr float kNone = std::numeric_limits<float>::quiet_NaN();
constexpr double kMissingNumber = std::numeric_limits<double>::quiet_NaN();
const std::string kGeneratedLabel = "(generated)";
using Rows = std::vector<uint32_t>;

// How many rows labels are ordered by: their order needs less than a correlation.
constexpr size_t kReferenceRows = 20000;

// Which of a class's rows the correlations are computed from: one of each stretch of equal length, in order.
Rows choose_rows(const Rows& rows, size_t most, uint64_t seed, uint64_t number) {
  if (rows.size() <= most) return rows;
  RandomSequence random(seed, RandomStream::kFitSample, number);
  Rows out;
  for (size_t i = 0; i < most; ++i) {
    const size_t from = rows.size() * i / most, to = rows.size() * (i + 1) / most;
    out.push_back(rows[from + random.next_below(static_cast<uint32_t>(to - from))]);
  }
  return out;
}

}  // namespace

// Texts are found by their hash; where two have the same, the next seed's.
uint32_t CopulaFitter::code_of(size_t column, const std::string& text) {
  auto& dictionary = all_.columns[column].dictionary;
  for (uint64_t seed = 0;; ++seed) {
    const auto [found, fresh] =
        codes_[column].emplace(hash64(text, seed), static_cast<uint32_t>(dictionary.size()));
    if (fresh) dictionary.push_back(text);
    if (dictionary[found->second] == text) return found->second;
  }
}

void CopulaFitter::add(const Table& chunk) {
  if (all_.columns.empty()) {
    for (const Column& from : chunk.columns) {
      all_.columns.push_back({from.name, from.type, {}, {}, {}});
      is_generated_.push_back(std::any_of(generated_.begin(), generated_.end(),
                                          [&](const auto& one) { return one.name == from.name; }));
    }
    codes_.resize(chunk.columns.size());
  }
  mixed_ |= chunk.columns.size() != all_.columns.size();
  for (size_t c = 0; c < chunk.columns.size() && !mixed_; ++c) {
    const Column& from = chunk.columns[c];
    Column& to = all_.columns[c];
    mixed_ |= from.name != to.name || from.type != to.type;
    // Of a generated column a constant stands for every value; -0 is 0.
    const double keep = is_generated_[c] ? 0 : 1;
    for (const double x : from.numbers) to.numbers.push_back(x == x ? x * keep + 0.0 : kMissingNumber);
    if (from.type == ColumnType::kNumber) continue;
    std::vector<uint32_t> code;
    code.reserve(from.dictionary.size());
    for (const auto& text : from.dictionary)
      code.push_back(code_of(c, is_generated_[c] ? kGeneratedLabel : text));
    for (const uint32_t k : from.codes) to.codes.push_back(k == kMissing ? kMissing : code[k]);
  }
  all_.rows += chunk.rows;
}

namespace {

// All that the classes share.
struct Common {
  size_t target = SIZE_MAX;
  std::vector<NumberOutput> numbers;          // (C)
  std::vector<MarginalChoice> marginals;      // (C)
  std::vector<std::vector<double>> shared;    // (C) of numbers: shared_values
  std::vector<MissingPatterns> missing;       // (G)
  std::vector<std::vector<uint32_t>> orders;  // (C + G) of labels
};

// Rows that one copula is fitted to: a class's, or all of them for the classes that are merged.
struct Class {
  std::string label;
  bool missing = false;  // the target is
  size_t copula = 0;     // which of the fitted ones
  size_t rows = 0;
};

std::vector<double> present_numbers(const Column& column, const Rows& rows) {
  std::vector<double> out;
  out.reserve(rows.size());
  for (const uint32_t row : rows) {
    if (!column.is_missing(row)) out.push_back(column.numbers[row]);
  }
  return out;
}

// The target's column of a class: its label in every row.
void make_certain(const Class& one, CategoryOutput& out) {
  out.labels = {one.missing ? "" : one.label};
  out.upper = {1};
  out.missing = one.missing ? std::optional<size_t>(0) : std::nullopt;
}

// Marginals and scores of one class. `rows`: all of it; `chosen`: those for the correlations; `everything`:
// of the file.
CopulaModel fit_class(const Table& all, const Common& common, const Rows& rows, const Rows& chosen,
                      const Rows& everything, std::vector<Latent>& latents) {
  const size_t C = all.columns.size(), G = common.missing.size();
  CopulaModel copula;
  copula.columns.resize(C + G);
  latents.resize(C + G);
  parallel_for(C + G, 1, [&](size_t first, size_t last) {
    for (size_t l = first; l < last; ++l) {
      ColumnModel& out = copula.columns[l];
      Latent& latent = latents[l];
      latent.scores.assign(chosen.size(), kNone);
      const Column& column = l < C ? all.columns[l] : common.missing[l - C].patterns;
      if (l < C && column.type == ColumnType::kNumber) {
        std::vector<double> present = present_numbers(column, rows);
        // A class with fewer values than can be told apart from its rows has the file's.
        if (!present.empty() && present.size() < kFewRows) present = present_numbers(column, everything);
        NumberFit fit = fit_number(std::move(present), common.marginals[l], common.shared[l]);
        for (size_t i = 0; i < chosen.size(); ++i) {
          const double x = column.numbers[chosen[i]];
          if (x == x) latent.scores[i] = static_cast<float>(score_of_value(fit, x));
        }
        out = {column.name, std::move(fit.marginal), common.numbers[l]};
        latent.shape = score_shape(fit.atoms);
        continue;
      }
      std::vector<size_t> counts(column.dictionary.size());
      for (const uint32_t row : rows) {
        if (column.codes[row] != kMissing) ++counts[column.codes[row]];
      }
      out.name = l < C ? column.name : "missing: " + column.name;
      out.marginal = Uniform{0, 1};
      CategoryFit fit = fit_category(column.dictionary, counts, common.orders[l]);
      out.output = std::move(fit.output);
      for (size_t i = 0; i < chosen.size(); ++i) {
        if (const uint32_t code = column.codes[chosen[i]]; code != kMissing)
          latent.scores[i] = static_cast<float>(fit.scores[code]);
      }
      latent.shape = score_shape(fit.atoms);
    }
  });
  return copula;
}

}  // namespace

Result<FittedMixture> CopulaFitter::fit(const FitPlan& plan) {
  if (mixed_) return bad_input("the rows to fit have different columns");
  if (all_.rows < kLeastClassRows) {
    return bad_input(
        fmt::format("{} rows cannot be fitted, only {} or more: what is drawn from fewer would be hardly "
                    "more than copies",
                    all_.rows, kLeastClassRows));
  }
  FittedMixture out;
  MAEIL_ASSIGN(out.rare, withhold_rare_values(all_, plan.target, plan.dates, is_generated_));
  MAEIL_TRY(table::check_values(plan.constraints, all_));
  if (all_.rows > UINT32_MAX) return bad_input("more than 2^32 rows cannot be fitted");
  const size_t C = all_.columns.size();
  Common common;
  common.numbers.resize(C);
  common.marginals = plan.marginals;
  common.marginals.resize(C, MarginalChoice::kEmpirical);
  if (!plan.target.empty()) {
    const Column* target = all_.find(plan.target);
    if (!target || target->type != ColumnType::kText)
      return bad_input(fmt::format("the target '{}' is no text column", plan.target));
    common.target = static_cast<size_t>(target - all_.columns.data());
    if (target->dictionary.size() >= kMaxClasses) {
      return bad_input(fmt::format("the target '{}' has {} values, more than the {} classes that are fitted",
                                   plan.target, target->dictionary.size(), kMaxClasses - 1));
    }
  }
  // The rows of each class, the classes by label.
  Rows everything(all_.rows);
  std::iota(everything.begin(), everything.end(), 0u);
  std::vector<Rows> fitted;  // the rows of each copula
  std::vector<Class> classes;
  if (common.target == SIZE_MAX) {
    classes.push_back({.rows = all_.rows});
    fitted.push_back(everything);
  } else {
    const Column& target = all_.columns[common.target];
    std::vector<uint32_t> order(target.dictionary.size());
    std::iota(order.begin(), order.end(), 0u);
    std::sort(order.begin(), order.end(),
              [&](uint32_t a, uint32_t b) { return target.dictionary[a] < target.dictionary[b]; });
    std::vector<size_t> place(order.size());
    for (size_t k = 0; k < order.size(); ++k) place[order[k]] = k;
    std::vector<Rows> rows(order.size() + 1);
    for (size_t i = 0; i < all_.rows; ++i)
      rows[target.is_missing(i) ? order.size() : place[target.codes[i]]].push_back(static_cast<uint32_t>(i));
    size_t whole = SIZE_MAX;  // the copula of the merged classes
    for (size_t k = 0; k < rows.size(); ++k) {
      if (rows[k].empty()) continue;
      Class one{.label = k < order.size() ? target.dictionary[order[k]] : "",
                .missing = k == order.size(),
                .copula = fitted.size(),
                .rows = rows[k].size()};
      if (rows[k].size() < kLeastClassRows) {
        if (whole == SIZE_MAX) whole = fitted.size(), fitted.push_back(everything);
        one.copula = whole;
        out.merged.push_back({one.label, one.rows});
      } else {
        fitted.push_back(std::move(rows[k]));
      }
      classes.push_back(std::move(one));
    }
  }
  common.missing = find_missing_patterns(all_, common.target);
  const Rows sample = choose_rows(everything, kReferenceRows, plan.seed, 0);
  const Eigen::MatrixXf reference = reference_features(all_, sample);
  common.orders.resize(C + common.missing.size());
  common.shared.resize(C);
  parallel_for(common.orders.size(), 1, [&](size_t first, size_t last) {
    for (size_t c = first; c < last; ++c) {
      const Column& column = c < C ? all_.columns[c] : common.missing[c - C].patterns;
      if (column.type == ColumnType::kText) {
        const auto date = std::find_if(plan.dates.begin(), plan.dates.end(), [&](const DateColumn& one) {
          return c < C && one.name == column.name;
        });
        common.orders[c] =
            order_labels(column, date != plan.dates.end(),
                         date != plan.dates.end() ? date->format : std::nullopt, sample, reference);
        continue;
      }
      NumberOutput& number = common.numbers[c];
      number.format = c < plan.formats.size() ? plan.formats[c] : NumberFormat::kFloat;
      number.digits = learn_digits(column.numbers);
      common.shared[c] = shared_values(column.numbers);
      if (std::all_of(column.numbers.begin(), column.numbers.end(), [](double x) { return x != x; }))
        continue;
      const auto ends = smoothed_ends(column.numbers);
      const table::Rounding rounding(number.digits);  // an end is a value that the column can have
      number.min = rounding(ends.low);
      number.max = rounding(ends.high);
    }
  });
  Mixture& mixture = out.mixture;
  mixture.target = plan.target;
  for (const auto& missing : common.missing) mixture.missing_sets.push_back(missing.sets);
  mixture.constraints = plan.constraints;
  mixture.generated = generated_;
  std::vector<CopulaModel> copulas;
  std::vector<Correlations> correlations;
  std::vector<std::vector<ScoreShape>> shapes;
  for (size_t k = 0; k < fitted.size(); ++k) {
    const bool merged = common.target != SIZE_MAX && fitted[k].size() == all_.rows && fitted.size() > 1;
    const Rows chosen = choose_rows(fitted[k], kCorrelationRows, plan.seed, k + 1);
    std::vector<Latent> latents;
    copulas.push_back(fit_class(all_, common, fitted[k], chosen, everything, latents));
    correlations.push_back(correlate_scores(latents, chosen.size()));
    correlations.back().pooled = !merged;  // the classes' rows are in their own copulas
    shapes.emplace_back();
    for (auto& latent : latents) shapes.back().push_back(std::move(latent.shape));
  }
  const auto latent = latent_matrices(correlations, shapes);
  for (size_t k = 0; k < copulas.size(); ++k) {
    const auto& matrix = latent.correlation[k];
    copulas[k].correlation.assign(matrix.data(), matrix.data() + matrix.size());
  }
  for (const Class& one : classes) {
    mixture.classes.push_back(
        {one.label, static_cast<double>(one.rows) / static_cast<double>(all_.rows), copulas[one.copula]});
    if (common.target != SIZE_MAX)
      make_certain(one,
                   std::get<CategoryOutput>(mixture.classes.back().copula.columns[common.target].output));
  }
  const auto most = std::max_element(latent.repairs.begin(), latent.repairs.end(),
                                     [](const auto& a, const auto& b) { return a.largest < b.largest; });
  if (most->largest > 0) {
    const auto copula = static_cast<size_t>(most - latent.repairs.begin());
    const auto part =
        std::find_if(classes.begin(), classes.end(), [&](const Class& one) { return one.copula == copula; });
    const auto name = [&](Eigen::Index l) { return copulas[copula].columns[static_cast<size_t>(l)].name; };
    out.repair = {part->label, name(most->column), name(most->row), most->largest, most->rms};
  }
  MAEIL_TRY(check_mixture(mixture));
  return out;
}

}  // namespace maeil::copula
