// Marginals and frequencies class by class, then the correlation of scores, turned into latent correlations.
#include "copula/fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <limits>
#include <numeric>

#include "base/philox.h"
#include "base/threads.h"
#include "copula/column_fit.h"
#include "copula/correlate.h"
#include "copula/label_order.h"
#include "copula/missing.h"

namespace maeil::copula {
namespace {

constexpr float kNone = std::numeric_limits<float>::quiet_NaN();
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

void CopulaFitter::add(const Table& chunk) {
  if (all_.columns.empty()) {
    all_ = chunk;
    return;
  }
  mixed_ |= chunk.columns.size() != all_.columns.size();
  for (size_t c = 0; c < chunk.columns.size() && !mixed_; ++c) {
    const Column& from = chunk.columns[c];
    Column& to = all_.columns[c];
    mixed_ |= from.name != to.name || from.type != to.type;
    to.numbers.insert(to.numbers.end(), from.numbers.begin(), from.numbers.end());
    if (from.type == ColumnType::kNumber) continue;
    boost::unordered_flat_map<std::string_view, uint32_t> known;
    for (uint32_t i = 0; i < to.dictionary.size(); ++i) known.emplace(to.dictionary[i], i);
    std::vector<uint32_t> code;
    std::vector<std::string> fresh;
    for (const auto& text : from.dictionary) {
      const auto found = known.find(text);
      code.push_back(found != known.end() ? found->second : static_cast<uint32_t>(to.dictionary.size() + fresh.size()));
      if (found == known.end()) fresh.push_back(text);
    }
    to.dictionary.insert(to.dictionary.end(), fresh.begin(), fresh.end());
    for (const uint32_t k : from.codes) to.codes.push_back(k == kMissing ? kMissing : code[k]);
  }
  all_.rows += chunk.rows;
}

namespace {

// All that the classes share.
struct Common {
  size_t target = SIZE_MAX;
  std::vector<NumberOutput> numbers;             // (C)
  std::vector<MarginalChoice> marginals;         // (C)
  std::vector<MissingPatterns> missing;          // (G)
  std::vector<std::vector<uint32_t>> orders;     // (C + G) of labels
};

// Marginals and scores of one class. `rows`: all of it; `chosen`: those for the correlations.
MixtureClass fit_class(const Table& all, const Common& common, const Rows& rows, const Rows& chosen, std::vector<Latent>& latents) {
  const size_t C = all.columns.size(), G = common.missing.size();
  MixtureClass part;
  part.share = static_cast<double>(rows.size()) / static_cast<double>(all.rows);
  part.copula.columns.resize(C + G);
  latents.resize(C + G);
  parallel_for(C + G, 1, [&](size_t first, size_t last) {
    for (size_t l = first; l < last; ++l) {
      ColumnModel& out = part.copula.columns[l];
      Latent& latent = latents[l];
      latent.scores.assign(chosen.size(), kNone);
      const Column& column = l < C ? all.columns[l] : common.missing[l - C].patterns;
      if (l < C && column.type == ColumnType::kNumber) {
        std::vector<double> present;
        present.reserve(rows.size());
        for (const uint32_t row : rows) {
          if (!column.is_missing(row)) present.push_back(column.numbers[row]);
        }
        NumberFit fit = fit_number(std::move(present), common.marginals[l]);
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
        if (const uint32_t code = column.codes[chosen[i]]; code != kMissing) latent.scores[i] = static_cast<float>(fit.scores[code]);
      }
      latent.shape = score_shape(fit.atoms);
    }
  });
  if (common.target != SIZE_MAX) {
    const Column& target = all.columns[common.target];
    auto& output = std::get<CategoryOutput>(part.copula.columns[common.target].output);
    if (target.is_missing(rows.front())) {
      output.labels = {""};
      output.upper = {1};
      output.missing = 0;
    } else {
      part.label = target.text(rows.front());
    }
  }
  return part;
}

}  // namespace

Result<FittedMixture> CopulaFitter::fit(const FitPlan& plan) {
  if (all_.rows < 2) return bad_input("at least two rows are needed to fit a copula");
  if (mixed_) return bad_input("the rows to fit have different columns");
  MAEIL_TRY(table::check_values(plan.constraints, all_));
  if (all_.rows > UINT32_MAX) return bad_input("more than 2^32 rows cannot be fitted");
  const size_t C = all_.columns.size();
  Common common;
  common.numbers.resize(C);
  common.marginals = plan.marginals;
  common.marginals.resize(C, MarginalChoice::kEmpirical);
  if (!plan.target.empty()) {
    const Column* target = all_.find(plan.target);
    if (!target || target->type != ColumnType::kText) return bad_input(fmt::format("the target '{}' is no text column", plan.target));
    common.target = static_cast<size_t>(target - all_.columns.data());
    if (target->dictionary.size() >= kMaxClasses) {
      return bad_input(fmt::format("the target '{}' has {} values, more than the {} classes that are fitted", plan.target, target->dictionary.size(), kMaxClasses - 1));
    }
  }
  // The rows of each class, the classes by label.
  std::vector<Rows> classes(1);
  if (common.target == SIZE_MAX) {
    classes[0].resize(all_.rows);
    std::iota(classes[0].begin(), classes[0].end(), 0u);
  } else {
    const Column& target = all_.columns[common.target];
    std::vector<uint32_t> order(target.dictionary.size());
    std::iota(order.begin(), order.end(), 0u);
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return target.dictionary[a] < target.dictionary[b]; });
    std::vector<size_t> place(order.size());
    for (size_t k = 0; k < order.size(); ++k) place[order[k]] = k;
    classes.resize(order.size() + 1);
    for (size_t i = 0; i < all_.rows; ++i) classes[target.is_missing(i) ? order.size() : place[target.codes[i]]].push_back(static_cast<uint32_t>(i));
    std::erase_if(classes, [](const Rows& rows) { return rows.empty(); });
  }
  common.missing = find_missing_patterns(all_, common.target);
  Rows everything(all_.rows);
  std::iota(everything.begin(), everything.end(), 0u);
  const Rows sample = choose_rows(everything, kReferenceRows, plan.seed, 0);
  const Eigen::MatrixXf reference = reference_features(all_, sample);
  common.orders.resize(C + common.missing.size());
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
      for (const double x : column.numbers) {
        if (x != x) continue;
        number.min = std::min(number.min.value_or(x), x);
        number.max = std::max(number.max.value_or(x), x);
      }
    }
  });
  FittedMixture out;
  Mixture& mixture = out.mixture;
  mixture.target = plan.target;
  for (const auto& missing : common.missing) mixture.missing_sets.push_back(missing.sets);
  mixture.constraints = plan.constraints;
  std::vector<Correlations> correlations;
  std::vector<std::vector<ScoreShape>> shapes;
  for (size_t k = 0; k < classes.size(); ++k) {
    const Rows chosen = choose_rows(classes[k], kCorrelationRows, plan.seed, k + 1);
    std::vector<Latent> latents;
    mixture.classes.push_back(fit_class(all_, common, classes[k], chosen, latents));
    correlations.push_back(correlate_scores(latents, chosen.size()));
    shapes.emplace_back();
    for (auto& latent : latents) shapes.back().push_back(std::move(latent.shape));
  }
  const auto latent = latent_matrices(correlations, shapes);
  for (size_t k = 0; k < classes.size(); ++k) {
    const auto& matrix = latent.correlation[k];
    mixture.classes[k].copula.correlation.assign(matrix.data(), matrix.data() + matrix.size());
  }
  const auto most = std::max_element(latent.repairs.begin(), latent.repairs.end(), [](const auto& a, const auto& b) { return a.largest < b.largest; });
  if (most->largest > 0) {
    const auto& part = mixture.classes[static_cast<size_t>(most - latent.repairs.begin())];
    const auto name = [&](Eigen::Index l) { return part.copula.columns[static_cast<size_t>(l)].name; };
    out.repair = {part.label, name(most->column), name(most->row), most->largest, most->rms};
  }
  MAEIL_TRY(check_mixture(mixture));
  return out;
}

}  // namespace maeil::copula
