#include "model/tree_ensemble.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/threads.h"

namespace maeil::model {
namespace {

constexpr size_t kMostTrees = 100'000;
constexpr size_t kMostNodes = size_t{1} << 26;  // 1 GiB of them
constexpr int kMostDepth = 4096;
constexpr size_t kBlock = 64;    // rows whose features stay in the cache while all trees pass over them
constexpr size_t kTogether = 8;  // rows that go through a tree in step, so that one need not wait for another
constexpr int kStepsTogether = 16;  // through deeper trees each goes alone, since most leaves are higher up

// Numbers of the model's parameters are written as texts.
template <class T>
Result<T> number(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return bad_input(fmt::format("{} is missing", key));
  const auto& text = found->get_ref<const std::string&>();
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    return bad_input(fmt::format("{} is no number", key));
  return value;
}

template <class T>
Result<std::vector<T>> array_of(const nlohmann::json& tree, const char* key) {
  const auto found = tree.find(key);
  if (found == tree.end() || !found->is_array()) return bad_input(fmt::format("{} is no list", key));
  std::vector<T> out;
  out.reserve(found->size());
  for (const auto& value : *found) {
    if constexpr (std::is_floating_point_v<T>) {
      if (!value.is_number()) return bad_input(fmt::format("{} holds what is no number", key));
      out.push_back(value.get<T>());
      if (!std::isfinite(out.back()))
        return bad_input(fmt::format("{} holds a number that is not finite", key));
    } else {
      if (value.is_boolean()) {
        out.push_back(value.get<bool>());
        continue;
      }
      if (!value.is_number_integer() || value.get<int64_t>() < std::numeric_limits<int32_t>::min() ||
          value.get<int64_t>() > std::numeric_limits<int32_t>::max())
        return bad_input(fmt::format("{} holds what is no whole number", key));
      out.push_back(static_cast<T>(value.get<int64_t>()));
    }
  }
  return out;
}

bool is_code(int32_t code, int cardinality) { return code >= -1 && code < cardinality; }

const nlohmann::json& member(const nlohmann::json& object, const char* key) {
  static const auto kNone = nlohmann::json::object();
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_object() ? *found : kNone;
}

}  // namespace

Result<TreeEnsemble> TreeEnsemble::from_xgboost(const nlohmann::json& model,
                                                std::span<const int> cardinalities, size_t numeric) {
  TreeEnsemble out;
  out.cardinalities_.assign(cardinalities.begin(), cardinalities.end());
  out.numeric_ = numeric;
  const nlohmann::json& learner = member(model, "learner");
  const nlohmann::json& booster = member(learner, "gradient_booster");
  const nlohmann::json& parameters = member(learner, "learner_model_param");
  const nlohmann::json& objective = member(learner, "objective");
  if (!booster.contains("name") || booster["name"] != "gbtree")
    return bad_input("the model's booster is no gbtree");
  if (!objective.contains("name") || objective["name"] != "binary:logistic")
    return bad_input("the model's objective is not binary:logistic");
  MAEIL_ASSIGN(const auto classes, number<int64_t>(parameters, "num_class"));
  MAEIL_ASSIGN(const auto features, number<int64_t>(parameters, "num_feature"));
  MAEIL_ASSIGN(const float base, number<float>(parameters, "base_score"));
  if (classes > 1) return bad_input(fmt::format("the model has {} classes", classes));
  if (features != static_cast<int64_t>(out.features())) {
    return bad_input(
        fmt::format("the model reads {} features, the preparation has {}", features, out.features()));
  }
  if (!(base > 0 && base < 1)) return bad_input("base_score is no probability between 0 and 1");
  out.base_ = -std::log(1.0f / base - 1.0f);

  const nlohmann::json& trees = member(booster, "model");
  const auto list = trees.find("trees"), groups = trees.find("tree_info");
  if (list == trees.end() || !list->is_array()) return bad_input("the model has no list of trees");
  if (groups == trees.end() || !groups->is_array() || groups->size() != list->size() ||
      member(trees, "gbtree_model_param").empty())
    return bad_input("the model's tree_info or gbtree_model_param is not of its trees");
  if (list->size() > kMostTrees) return bad_input(fmt::format("the model has {} trees", list->size()));
  for (size_t i = 0; i < list->size(); ++i) {
    if (const Status added = out.add_tree((*list)[i]); !added)
      return with_context(fmt::format("tree {}", i), added.error());
  }
  return out;
}

// Nodes are taken as they are reached from the root, each once: what a writer left behind unused is dropped,
// and a way that comes back is refused.
Status TreeEnsemble::add_tree(const nlohmann::json& tree) {
  if (!tree.is_object()) return bad_input("it is no object");
  MAEIL_ASSIGN(const auto left, array_of<int32_t>(tree, "left_children"));
  MAEIL_ASSIGN(const auto right, array_of<int32_t>(tree, "right_children"));
  MAEIL_ASSIGN(const auto feature, array_of<int32_t>(tree, "split_indices"));
  MAEIL_ASSIGN(const auto condition, array_of<float>(tree, "split_conditions"));
  MAEIL_ASSIGN(const auto missing_left, array_of<int32_t>(tree, "default_left"));
  MAEIL_ASSIGN(const auto kind, array_of<int32_t>(tree, "split_type"));
  std::vector<float> cover;  // who only scores does not need it
  if (tree.contains("sum_hessian")) {
    MAEIL_ASSIGN(cover, array_of<float>(tree, "sum_hessian"));
  }
  MAEIL_ASSIGN(const auto categories, array_of<int32_t>(tree, "categories"));
  MAEIL_ASSIGN(const auto set_nodes, array_of<int32_t>(tree, "categories_nodes"));
  MAEIL_ASSIGN(const auto set_begins, array_of<int32_t>(tree, "categories_segments"));
  MAEIL_ASSIGN(const auto set_sizes, array_of<int32_t>(tree, "categories_sizes"));
  const size_t count = left.size();
  if (count == 0 || right.size() != count || feature.size() != count || condition.size() != count ||
      missing_left.size() != count || kind.size() != count || (!cover.empty() && cover.size() != count))
    return bad_input("its lists are not of one length");
  if (set_begins.size() != set_nodes.size() || set_sizes.size() != set_nodes.size())
    return bad_input("its lists of categories are not of one length");
  if (nodes_.size() + count > kMostNodes) return bad_input("the trees have too many nodes");

  std::vector<int32_t> set_of(count, -1);
  size_t named = 0;  // categories of all sets: as many as the list has, or some set would name another's
  for (size_t s = 0; s < set_nodes.size(); ++s) {
    const auto node = static_cast<size_t>(set_nodes[s]);
    if (set_nodes[s] < 0 || node >= count || set_of[node] >= 0 || set_begins[s] < 0 || set_sizes[s] < 0 ||
        static_cast<size_t>(set_begins[s]) + static_cast<size_t>(set_sizes[s]) > categories.size())
      return bad_input(fmt::format("its set of categories {} is of no node, or lies outside of the list", s));
    named += static_cast<size_t>(set_sizes[s]);
    if (named > categories.size()) return bad_input("its sets of categories overlap");
    set_of[node] = static_cast<int32_t>(s);
  }

  struct Way {
    size_t node;     // in the file
    uint32_t place;  // in nodes_
    int depth;
  };
  const auto begin = static_cast<uint32_t>(nodes_.size());
  trees_.push_back({begin, 0});
  nodes_.emplace_back();
  std::vector<uint8_t> reached(count);
  std::vector<Way> ways = {{0, begin, 0}};
  reached[0] = 1;
  while (!ways.empty()) {
    const Way way = ways.back();
    ways.pop_back();
    const size_t n = way.node;
    covers_.resize(nodes_.size());
    covers_[way.place] = cover.empty() ? 0 : cover[n];
    trees_.back().depth = std::max(trees_.back().depth, way.depth);
    Node node;
    if (left[n] == -1) {
      node = {std::numeric_limits<float>::infinity(), kMissingLeft, way.place, 0};
      nodes_[way.place] = node;
      values_.resize(nodes_.size());
      values_[way.place] = condition[n];
      continue;
    }
    const auto is_child = [&](int32_t child) {
      return child > 0 && static_cast<size_t>(child) < count && !reached[static_cast<size_t>(child)];
    };
    if (!is_child(left[n]) || !is_child(right[n]) || left[n] == right[n])
      return bad_input(fmt::format("node {} has children that cannot be", n));
    if (way.depth >= kMostDepth) return bad_input("it is too deep");
    if (feature[n] < 0 || static_cast<size_t>(feature[n]) >= features())
      return bad_input(fmt::format("node {} splits by feature {}, of {}", n, feature[n], features()));
    const auto f = static_cast<uint32_t>(feature[n]);
    node.feature = f | (missing_left[n] ? kMissingLeft : 0);
    if (kind[n] == 0) {
      node.split = condition[n];
    } else {
      if (kind[n] != 1 || set_of[n] < 0 || f >= cardinalities_.size())
        return bad_input(fmt::format("node {} splits by categories, which it or feature {} has not", n, f));
      const auto s = static_cast<size_t>(set_of[n]);
      const auto words = std::bit_ceil(static_cast<uint32_t>((cardinalities_[f] + 31) / 32));
      node.feature |= kCategory | static_cast<uint32_t>(std::countr_zero(words)) << kWordsShift;
      node.set = static_cast<uint32_t>(sets_.size());
      if (sets_.size() + words > kMostNodes) return bad_input("its sets of categories are too large");
      sets_.resize(sets_.size() + words);
      uint32_t* set = sets_.data() + node.set;
      for (int32_t c = 0; c < set_sizes[s]; ++c) {
        const int32_t category = categories[static_cast<size_t>(set_begins[s]) + static_cast<size_t>(c)];
        if (category < 0 || category >= cardinalities_[f])
          return bad_input(fmt::format("node {} names category {} of feature {}, which has {}", n, category,
                                       f, cardinalities_[f]));
        set[category / 32] |= 1u << (category % 32);
      }
    }
    node.left = static_cast<uint32_t>(nodes_.size());
    nodes_.resize(nodes_.size() + 2);
    nodes_[way.place] = node;
    reached[static_cast<size_t>(left[n])] = reached[static_cast<size_t>(right[n])] = 1;
    ways.push_back({static_cast<size_t>(right[n]), node.left + 1, way.depth + 1});
    ways.push_back({static_cast<size_t>(left[n]), node.left, way.depth + 1});
  }
  values_.resize(nodes_.size());
  covers_.resize(nodes_.size());
  depth_ = std::max(depth_, trees_.back().depth);
  return {};
}

// A row's features as the trees compare them, (F). false: one is a code that is none, or infinite.
inline bool TreeEnsemble::fill(const int32_t* codes, const float* numbers, float* to) const {
  const size_t C = cardinalities_.size();
  bool good = true;
  for (size_t f = 0; f < C; ++f) {
    to[f] = category_value(codes[f]);
    good &= is_code(codes[f], cardinalities_[f]);
  }
  for (size_t f = 0; f < numeric_; ++f) {
    to[C + f] = numbers[f];
    good &= !(std::abs(numbers[f]) == std::numeric_limits<float>::infinity());
  }
  return good;
}

Result<std::vector<float>> TreeEnsemble::margins(const nn::Rows& rows) const {
  std::vector<float> out(rows.count, base_);
  MAEIL_TRY(add_leaves(rows, out));
  return out;
}

Status TreeEnsemble::check_sizes(const nn::Rows& rows, size_t margins) const {
  const size_t C = cardinalities_.size(), N = numeric_;
  if (rows.codes.size() == rows.count * C && rows.numbers.size() == rows.count * N && margins == rows.count)
    return {};
  return internal_error(fmt::format("{} codes, {} numbers and {} margins are not {} rows of {} and {}",
                                    rows.codes.size(), rows.numbers.size(), margins, rows.count, C, N));
}

void TreeEnsemble::fill_rows(const nn::Rows& rows, size_t first, size_t last, float* to,
                             std::atomic<size_t>& wrong) const {
  const size_t C = cardinalities_.size(), F = features();
  for (size_t row = first; row < last; ++row, to += F) {
    const int32_t* codes = rows.codes.data() + row * C;
    const float* numbers = rows.numbers.data() + row * numeric_;
    if (fill(codes, numbers, to)) continue;
    size_t bad = 0;  // the first feature that is wrong
    while (bad < C ? is_code(codes[bad], cardinalities_[bad]) : !std::isinf(numbers[bad - C])) ++bad;
    for (size_t seen = wrong; row * F + bad < seen && !wrong.compare_exchange_weak(seen, row * F + bad);) {
    }
    std::fill_n(to, F, 0.0f);
  }
}

Status TreeEnsemble::refuse(const nn::Rows& rows, size_t wrong) const {
  if (wrong == SIZE_MAX) return {};
  const size_t C = cardinalities_.size(), row = wrong / features(), f = wrong % features();
  if (f < C)
    return bad_input(fmt::format("row {}: code {} of categorical feature {}, which has {} values", row,
                                 rows.codes[row * C + f], f, cardinalities_[f]));
  return bad_input(fmt::format("row {}: numeric feature {} is infinite", row, f - C));
}

Status TreeEnsemble::add_leaves(const nn::Rows& rows, std::span<float> margins) const {
  const size_t F = features();
  MAEIL_TRY(check_sizes(rows, margins.size()));
  std::atomic<size_t> wrong{SIZE_MAX};  // the least place, row * F + feature
  std::vector<std::vector<float>> buffers(static_cast<size_t>(thread_count()));
  parallel_for_workers(rows.count, kBlock, [&](size_t first, size_t last, int worker) {
    auto& block = buffers[static_cast<size_t>(worker)];
    block.resize(kBlock * F);
    fill_rows(rows, first, last, block.data(), wrong);
    for (const Tree& tree : trees_) {
      size_t row = first;
      for (; tree.depth <= kStepsTogether && row + kTogether <= last; row += kTogether) {
        const float* from = block.data() + (row - first) * F;
        uint32_t at[kTogether];
        std::fill_n(at, kTogether, tree.root);
        for (int depth = 0; depth < tree.depth; ++depth)
          for (size_t k = 0; k < kTogether; ++k) at[k] = step(at[k], from + k * F);
        for (size_t k = 0; k < kTogether; ++k) margins[row + k] += values_[at[k]];
      }
      for (; row < last; ++row) {
        uint32_t at = tree.root;
        while (nodes_[at].left != at) at = step(at, block.data() + (row - first) * F);
        margins[row] += values_[at];
      }
    }
  });
  return refuse(rows, wrong);
}

std::vector<double> probabilities_of(std::span<const float> margins) {
  std::vector<double> out(margins.size());
  for (size_t i = 0; i < out.size(); ++i) out[i] = 1 / (1 + std::exp(-static_cast<double>(margins[i])));
  return out;
}

}  // namespace maeil::model
