// Marginals and frequencies class by class, then the correlation of scores, turned into latent correlations.
#include "copula/fit.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "base/hash.h"
#include "base/philox.h"
#include "base/threads.h"
#include "base/time.h"
#include "copula/latent.h"

namespace maeil::copula {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr float kNone = std::numeric_limits<float>::quiet_NaN();
// Knots between atoms: a value is then off by 1/512 of the ranks at most, below what two samples of 100,000 rows differ by.
constexpr size_t kKnots = 512;
// A class's correlations lean on the pooled ones with the weight of so many rows.
constexpr double kPooledRows = 10;
using Matrix = Eigen::MatrixXf;
using Rows = std::vector<uint32_t>;

double score_of(double u) { return normal_quantile(std::clamp(u, 1e-9, 1 - 1e-9)); }

// Decimal places (at most 14, as rdt) that all values need; nullopt when 14 do not suffice.
std::optional<int> learn_digits(const std::vector<double>& values) {
  for (int digits = 0; digits <= 14; ++digits) {
    const double power = std::pow(10.0, digits);
    const bool exact = std::all_of(values.begin(), values.end(), [&](double x) { return x != x || std::nearbyint(x * power) / power == x; });
    if (exact) return digits;
  }
  return std::nullopt;
}

// One latent of one class: how scores lie on z.
struct Latent {
  ScoreShape shape;
  std::vector<float> scores;  // of the class's correlation rows; NaN where missing
};

// A number's marginal over the rows: atoms where values are shared, knots at mid-ranks between them.
struct NumberFit {
  Marginal marginal;
  std::vector<Atom> atoms;
  std::vector<double> values, scores;  // distinct values, ascending, and the score of each
};

NumberFit fit_number(std::vector<double> sorted, MarginalChoice choice) {
  NumberFit out;
  Empirical polygon;
  if (sorted.empty()) {
    polygon.z = {0};
    polygon.x = {0};
    out.marginal = std::move(polygon);
    return out;
  }
  std::sort(sorted.begin(), sorted.end());
  const auto n = static_cast<double>(sorted.size());
  std::vector<size_t> ends;  // after the last of each distinct value
  for (size_t i = 0; i < sorted.size(); ++i) {
    if (i + 1 == sorted.size() || sorted[i + 1] != sorted[i]) ends.push_back(i + 1);
  }
  // Few values, much repeated: all are atoms. Else those that are too frequent to be neighbours' chance.
  const bool discrete = ends.size() <= kKnots && ends.size() * 2 <= sorted.size();
  const size_t frequent = discrete ? 1 : std::max<size_t>(3, sorted.size() / kKnots);
  const size_t step = std::max<size_t>(1, sorted.size() / kKnots);
  size_t begin = 0, last_knot = 0;
  for (const size_t end : ends) {
    const double x = sorted[begin], from = score_of(static_cast<double>(begin) / n), to = score_of(static_cast<double>(end) / n);
    const double middle = score_of((static_cast<double>(begin + end)) / (2 * n));
    out.values.push_back(x);
    if (end - begin >= frequent) {
      const Atom atom{begin == 0 ? -kInfinity : from, end == sorted.size() ? kInfinity : to};
      out.atoms.push_back(atom);
      out.scores.push_back(interval_mean(atom.from, atom.to));
      polygon.z.insert(polygon.z.end(), {from, to});
      polygon.x.insert(polygon.x.end(), {x, x});
      last_knot = end;
    } else {
      out.scores.push_back(middle);
      // The eight outermost values at either end keep a knot of their own.
      if (begin < 8 || end + 8 > sorted.size() || begin >= last_knot + step) {
        polygon.z.push_back(middle);
        polygon.x.push_back(x);
        last_knot = begin;
      }
    }
    begin = end;
  }
  // Ranks and ties stay the data's own, whatever family the values are drawn from.
  if (auto family = choose_marginal(sorted, choice)) out.marginal = std::move(*family);
  else out.marginal = std::move(polygon);
  return out;
}

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

// Columns that are missing in the same rows, and never otherwise; columns that are never missing belong to none.
std::vector<std::vector<size_t>> group_missing(const Table& all, size_t target) {
  std::vector<std::pair<uint64_t, uint64_t>> pattern(all.columns.size());
  parallel_for(all.columns.size(), 1, [&](size_t first, size_t last) {
    std::string mask;
    for (size_t c = first; c < last; ++c) {
      mask.assign(all.rows, '0');
      bool any = false;
      for (size_t i = 0; i < all.rows; ++i) {
        if (all.columns[c].is_missing(i)) mask[i] = '1', any = true;
      }
      if (any) pattern[c] = {hash64(mask, 1), hash64(mask, 2)};
    }
  });
  std::vector<std::vector<size_t>> out;
  std::map<std::pair<uint64_t, uint64_t>, size_t> known;
  for (size_t c = 0; c < all.columns.size(); ++c) {
    if (c == target || pattern[c] == std::pair<uint64_t, uint64_t>{}) continue;
    const auto [found, fresh] = known.emplace(pattern[c], out.size());
    if (fresh) out.emplace_back();
    out[found->second].push_back(c);
  }
  return out;
}

// An order for a text column's labels. Dates: by day. Others: by the score that best explains the numbers of `reference`
// (rows of the sample, one column a feature, standardised): the first left singular vector of the labels' mean vectors, weighted by their
// frequency, as in correspondence analysis.
std::vector<uint32_t> order_labels(const Column& column, bool date, const Rows& sample, const Matrix& reference) {
  const size_t K = column.dictionary.size();
  std::vector<uint32_t> order(K);
  std::iota(order.begin(), order.end(), 0u);
  std::vector<double> key(K, 0);
  if (date) {
    for (size_t k = 0; k < K; ++k) {
      const auto& text = column.dictionary[k];
      const auto day = parse_day_month_year(text);
      const auto iso = day ? Result<Days>(*day) : parse_date(text);
      key[k] = iso ? static_cast<double>(iso->time_since_epoch().count()) : 0;
    }
  } else if (K > 2 && reference.cols() > 0) {
    Matrix means = Matrix::Zero(static_cast<Eigen::Index>(K), reference.cols());
    Eigen::VectorXf count = Eigen::VectorXf::Zero(static_cast<Eigen::Index>(K));
    for (Eigen::Index f = 0; f < reference.cols(); ++f) {
      for (size_t i = 0; i < sample.size(); ++i) {
        const uint32_t code = column.codes[sample[i]];
        if (code == kMissing) continue;
        means(code, f) += reference(static_cast<Eigen::Index>(i), f);
        if (f == 0) count(code) += 1;
      }
    }
    const Eigen::VectorXf weight = count.cwiseMax(1).cwiseSqrt();
    means = (weight.cwiseInverse().asDiagonal() * means).eval();  // sqrt(n_k) * mean
    Eigen::VectorXf axis = Eigen::VectorXf::LinSpaced(reference.cols(), 1, 2);
    for (int step = 0; step < 30; ++step) {
      axis = (means.transpose() * (means * axis)).eval();
      const float norm = axis.norm();
      if (!(norm > 0)) break;
      axis /= norm;
    }
    const Eigen::VectorXf found = weight.cwiseInverse().asDiagonal() * (means * axis);
    for (size_t k = 0; k < K; ++k) key[k] = found(static_cast<Eigen::Index>(k));
  }
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return key[a] != key[b] ? key[a] < key[b] : column.dictionary[a] < column.dictionary[b];
  });
  return order;
}

// What labels are ordered by: every number's ranks and every text's labels (those of 32 or fewer) as flags, standardised.
Matrix reference_features(const Table& all, const Rows& sample) {
  std::vector<Eigen::VectorXf> features;
  const auto push = [&](Eigen::VectorXf feature) {
    feature.array() -= feature.mean();
    const float norm = feature.norm();
    if (norm > 1e-6f) features.push_back(feature / norm * std::sqrt(static_cast<float>(sample.size())));
  };
  for (const Column& column : all.columns) {
    const auto n = static_cast<Eigen::Index>(sample.size());
    if (column.type == ColumnType::kText) {
      if (column.dictionary.size() > 32) continue;
      for (size_t k = 0; k < column.dictionary.size(); ++k) {
        Eigen::VectorXf flag(n);
        for (Eigen::Index i = 0; i < n; ++i) flag(i) = column.codes[sample[static_cast<size_t>(i)]] == k;
        push(std::move(flag));
      }
      continue;
    }
    std::vector<double> present;
    for (const uint32_t row : sample) {
      if (!column.is_missing(row)) present.push_back(column.numbers[row]);
    }
    const NumberFit fit = fit_number(std::move(present), MarginalChoice::kEmpirical);
    Eigen::VectorXf score = Eigen::VectorXf::Zero(n);
    for (Eigen::Index i = 0; i < n; ++i) {
      const double x = column.numbers[sample[static_cast<size_t>(i)]];
      if (x == x) score(i) = static_cast<float>(fit.scores[static_cast<size_t>(std::lower_bound(fit.values.begin(), fit.values.end(), x) - fit.values.begin())]);
    }
    push(std::move(score));
  }
  Matrix out(static_cast<Eigen::Index>(sample.size()), static_cast<Eigen::Index>(features.size()));
  for (size_t f = 0; f < features.size(); ++f) out.col(static_cast<Eigen::Index>(f)) = features[f];
  return out;
}

// Correlations of scores over the rows where both are there, and how many those are. Tiles of columns run on all
// threads; each entry is summed by one thread in the rows' order.
struct Correlations {
  Eigen::MatrixXd r, rows;
};
Correlations correlate_scores(std::vector<Latent>& latents, size_t n) {
  const auto L = static_cast<Eigen::Index>(latents.size());
  Matrix x(static_cast<Eigen::Index>(n), L), there(static_cast<Eigen::Index>(n), L);
  for (Eigen::Index l = 0; l < L; ++l) {
    auto& scores = latents[static_cast<size_t>(l)].scores;
    for (size_t i = 0; i < n; ++i) {
      const bool present = scores[i] == scores[i];
      x(static_cast<Eigen::Index>(i), l) = present ? scores[i] : 0;
      there(static_cast<Eigen::Index>(i), l) = present;
    }
    scores = {};
  }
  const Matrix squares = x.cwiseAbs2();
  Eigen::MatrixXd products(L, L), counts(L, L), sums(L, L), square_sums(L, L);
  constexpr Eigen::Index kTile = 32;
  parallel_for(static_cast<size_t>((L + kTile - 1) / kTile), 1, [&](size_t first, size_t last) {
    for (size_t t = first; t < last; ++t) {
      const Eigen::Index c = static_cast<Eigen::Index>(t) * kTile, width = std::min(kTile, L - c);
      // Pieces of 4,096 rows in single precision, added up in double.
      for (auto* sum : {&products, &counts, &sums, &square_sums}) sum->middleCols(c, width).setZero();
      for (Eigen::Index row = 0; row < x.rows(); row += 4096) {
        const Eigen::Index height = std::min<Eigen::Index>(4096, x.rows() - row);
        const auto right = there.block(row, c, height, width);
        products.middleCols(c, width) += (x.middleRows(row, height).transpose() * x.block(row, c, height, width)).cast<double>();
        counts.middleCols(c, width) += (there.middleRows(row, height).transpose() * right).cast<double>();
        sums.middleCols(c, width) += (x.middleRows(row, height).transpose() * right).cast<double>();
        square_sums.middleCols(c, width) += (squares.middleRows(row, height).transpose() * right).cast<double>();
      }
    }
  });
  Correlations out{Eigen::MatrixXd::Identity(L, L), counts};
  for (Eigen::Index i = 0; i < L; ++i) {
    for (Eigen::Index j = 0; j < i; ++j) {
      const double rows = counts(i, j);
      if (rows < 3) continue;
      const double mean_i = sums(i, j) / rows, mean_j = sums(j, i) / rows;
      const double var_i = square_sums(i, j) / rows - mean_i * mean_i, var_j = square_sums(j, i) / rows - mean_j * mean_j;
      if (var_i < 1e-6 || var_j < 1e-6) continue;
      const double r = (products(i, j) / rows - mean_i * mean_j) / std::sqrt(var_i * var_j);
      out.r(i, j) = out.r(j, i) = std::clamp(r, -1.0, 1.0);
    }
  }
  return out;
}

CategoryOutput category_of(const std::vector<std::string>& labels, const std::vector<size_t>& counts, const std::vector<uint32_t>& order,
                           std::vector<Atom>& atoms, std::vector<double>& score) {
  CategoryOutput out;
  const auto total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), size_t{0}));
  size_t before = 0;
  score.assign(counts.size(), 0);
  for (const uint32_t k : order) {
    if (counts[k] == 0) continue;
    const double from = static_cast<double>(before) / total, to = static_cast<double>(before += counts[k]) / total;
    atoms.push_back({before == counts[k] ? -kInfinity : normal_quantile(from), static_cast<double>(before) == total ? kInfinity : normal_quantile(to)});
    score[k] = interval_mean(atoms.back().from, atoms.back().to);
    out.labels.push_back(labels[k]);
    out.upper.push_back(static_cast<double>(before) == total ? 1 : to);
  }
  if (out.labels.empty()) {  // missing throughout: the flag says so, the value does not matter
    out.labels.push_back(labels.empty() ? "" : labels[0]);
    out.upper.push_back(1);
    atoms.push_back({-kInfinity, kInfinity});
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
  std::vector<std::vector<uint32_t>> orders;     // (C) of labels
  std::vector<std::vector<size_t>> groups;       // (G)
};

// Marginals and scores of one class. `rows`: all of it; `chosen`: those for the correlations.
MixtureClass fit_class(const Table& all, const Common& common, const Rows& rows, const Rows& chosen, std::vector<Latent>& latents) {
  const size_t C = all.columns.size(), G = common.groups.size();
  MixtureClass part;
  part.share = static_cast<double>(rows.size()) / static_cast<double>(all.rows);
  part.copula.columns.resize(C + G);
  latents.resize(C + G);
  const std::vector<std::string> flag_labels{"0", "1"};
  parallel_for(C + G, 1, [&](size_t first, size_t last) {
    for (size_t l = first; l < last; ++l) {
      ColumnModel& out = part.copula.columns[l];
      Latent& latent = latents[l];
      latent.scores.assign(chosen.size(), kNone);
      std::vector<Atom> atoms;
      std::vector<double> score;
      const Column& column = all.columns[l < C ? l : common.groups[l - C].front()];
      if (l < C && column.type == ColumnType::kNumber) {
        std::vector<double> present;
        present.reserve(rows.size());
        for (const uint32_t row : rows) {
          if (!column.is_missing(row)) present.push_back(column.numbers[row]);
        }
        NumberFit fit = fit_number(std::move(present), common.marginals[l]);
        for (size_t i = 0; i < chosen.size(); ++i) {
          const double x = column.numbers[chosen[i]];
          if (x == x) latent.scores[i] = static_cast<float>(fit.scores[static_cast<size_t>(std::lower_bound(fit.values.begin(), fit.values.end(), x) - fit.values.begin())]);
        }
        out = {column.name, std::move(fit.marginal), common.numbers[l]};
        latent.shape = score_shape(fit.atoms);
        continue;
      }
      const bool flag = l >= C;
      const auto code_of = [&](uint32_t row) { return flag ? static_cast<uint32_t>(column.is_missing(row)) : column.codes[row]; };
      const auto& labels = flag ? flag_labels : column.dictionary;
      std::vector<size_t> counts(labels.size());
      for (const uint32_t row : rows) {
        if (code_of(row) != kMissing) ++counts[code_of(row)];
      }
      out.name = flag ? "missing: " + column.name : column.name;
      out.marginal = Uniform{0, 1};
      out.output = category_of(labels, counts, flag ? std::vector<uint32_t>{0, 1} : common.orders[l], atoms, score);
      for (size_t i = 0; i < chosen.size(); ++i) {
        if (const uint32_t code = code_of(chosen[i]); code != kMissing) latent.scores[i] = static_cast<float>(score[code]);
      }
      latent.shape = score_shape(atoms);
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
  if (all_.rows > UINT32_MAX) return bad_input("more than 2^32 rows cannot be fitted");
  const size_t C = all_.columns.size();
  Common common;
  common.numbers.resize(C);
  common.orders.resize(C);
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
  common.groups = group_missing(all_, common.target);
  Rows everything(all_.rows);
  std::iota(everything.begin(), everything.end(), 0u);
  const Rows sample = choose_rows(everything, kReferenceRows, plan.seed, 0);
  const Matrix reference = reference_features(all_, sample);
  parallel_for(C, 1, [&](size_t first, size_t last) {
    for (size_t c = first; c < last; ++c) {
      const Column& column = all_.columns[c];
      if (column.type == ColumnType::kText) {
        const bool date = std::find(plan.dates.begin(), plan.dates.end(), column.name) != plan.dates.end();
        common.orders[c] = order_labels(column, date, sample, reference);
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
  mixture.missing_groups = common.groups;
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
  const auto L = static_cast<Eigen::Index>(C + common.groups.size());
  Eigen::MatrixXd pooled = Eigen::MatrixXd::Zero(L, L), weight = pooled;
  for (const auto& part : correlations) {
    pooled += part.rows.cwiseProduct(part.r);
    weight += part.rows;
  }
  pooled = pooled.cwiseQuotient(weight.cwiseMax(1)).eval();
  std::vector<double> repairs(classes.size());
  parallel_for(classes.size(), 1, [&](size_t first, size_t last) {
    for (size_t k = first; k < last; ++k) {
      Eigen::MatrixXd matrix = Eigen::MatrixXd::Identity(L, L);
      for (Eigen::Index i = 0; i < L; ++i) {
        for (Eigen::Index j = 0; j < i; ++j) {
          const double rows = correlations[k].rows(i, j);
          const double r = (rows * correlations[k].r(i, j) + kPooledRows * pooled(i, j)) / (rows + kPooledRows);
          const ScoreShape &left = shapes[k][static_cast<size_t>(i)], &right = shapes[k][static_cast<size_t>(j)];
          // Rare values tell little of the normals behind them (two flags that never meet would say -1): a latent correlation shrinks by
          // the information that is lost, 1/(v v') - 1 times the variance it would have between continuous columns.
          const double lost = 1 / std::max(left.variance * right.variance, 1e-9) - 1;
          matrix(i, j) = matrix(j, i) = latent_correlation(left, right, r) * rows / std::max(rows + kPooledRows * std::max(lost, 0.0), 1.0);
        }
      }
      repairs[k] = repair_correlation(matrix);
      auto& to = mixture.classes[k].copula.correlation;
      to.assign(matrix.data(), matrix.data() + L * L);
    }
  });
  out.repair = *std::max_element(repairs.begin(), repairs.end());
  MAEIL_TRY(check_mixture(mixture));
  return out;
}

}  // namespace maeil::copula
