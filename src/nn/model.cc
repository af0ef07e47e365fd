// The table of tensors, PyTorch's initial values, and reading a checkpoint's tensors back by name.
// Names and shapes come from files: everything is checked against the table before a value is copied.
#include "nn/model.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <map>
#include <string_view>

#include "base/philox.h"
#include "format/checkpoint.h"

namespace maeil::nn {
namespace {

constexpr int64_t kMaxParameters = int64_t{1} << 30;
constexpr int kMaxTokens = 65535;  // a token's number takes 16 bits in the dropout counter

std::string shape_text(const std::vector<int64_t>& shape) {
  return fmt::format("({})", fmt::join(shape, ", "));
}

std::string layer_name(int layer, const char* rest) {
  return fmt::format("encoder.transformer.layers.{}.{}", layer, rest);
}

int64_t parameter_count(const ModelShape& s) {
  const int64_t d = s.width;
  int64_t n = 0;
  for (int cardinality : s.cardinalities) n += cardinality * d;
  return n + 2 * s.numeric * d +
         s.layers * (4 * d * d + 4 * d + 2 * d * s.feed_forward + s.feed_forward + d + 4 * d) +
         s.head_hidden * (d + 1) + int64_t{s.classes} * (s.head_hidden + 1);
}

const std::string& shown(const NamedTensor& tensor) {
  return tensor.in_file.empty() ? tensor.name : tensor.in_file;
}

Status check_finite(const std::string& name, std::span<const int64_t> shape, std::span<const float> values) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i])) continue;
    return bad_input(
        fmt::format("tensor {} holds {} at {}: a model with a value that is no number cannot score; it comes "
                    "from a training that diverged "
                    "or from numbers that overflowed",
                    name,
                    std::isnan(values[i]) ? "NaN"
                    : values[i] > 0       ? "infinity"
                                          : "-infinity",
                    format::place_text(shape, i)));
  }
  return {};
}

Result<std::map<std::string, const NamedTensor*>> by_name(std::span<const NamedTensor> tensors) {
  std::map<std::string, const NamedTensor*> found;
  for (const NamedTensor& tensor : tensors) {
    int64_t size = 1;
    for (int64_t extent : tensor.shape) {
      if (extent < 0 || extent > kMaxParameters || size * extent > kMaxParameters) {
        return bad_input(
            fmt::format("tensor {}: impossible shape {}", shown(tensor), shape_text(tensor.shape)));
      }
      size *= extent;
    }
    if (static_cast<size_t>(size) != tensor.values.size()) {
      return bad_input(fmt::format("tensor {}: {} values do not fill shape {}", shown(tensor),
                                   tensor.values.size(), shape_text(tensor.shape)));
    }
    if (!found.emplace(tensor.name, &tensor).second) {
      return bad_input(fmt::format("tensor {} is there twice", shown(tensor)));
    }
  }
  return found;
}

void fill_uniform(RandomSequence& random, std::span<float> values, double bound) {
  for (float& value : values) value = static_cast<float>((2 * random.next_uniform() - 1) * bound);
}

void fill_normal(RandomSequence& random, std::span<float> values) {
  for (size_t i = 0; i < values.size(); i += 2) {  // Box-Muller
    const double radius = std::sqrt(-2 * std::log(random.next_uniform()));
    const double angle = 6.283185307179586 * random.next_uniform();
    values[i] = static_cast<float>(radius * std::cos(angle));
    if (i + 1 < values.size()) values[i + 1] = static_cast<float>(radius * std::sin(angle));
  }
}

void initialise(const ModelShape& shape, const TensorEntry& entry, size_t index, uint64_t seed,
                std::span<float> out) {
  RandomSequence random(seed, RandomStream::kInit, index);
  const std::string_view name = entry.name;
  const bool weight = name.ends_with("weight");
  const auto linear = [&](int fan_in) {
    fill_uniform(random, out, 1 / std::sqrt(static_cast<double>(fan_in)));
  };
  if (name.find(".embeddings.") != name.npos) return fill_normal(random, out);
  if (name.find("numeric_embeddings.") != name.npos) return linear(1);
  if (name.ends_with("in_proj_weight")) {
    return fill_uniform(random, out, std::sqrt(6.0 / (shape.width + 3.0 * shape.width)));
  }
  if (name.ends_with("in_proj_bias") || name.ends_with("out_proj.bias")) return;
  if (name.find(".norm") != name.npos) return std::fill(out.begin(), out.end(), weight ? 1.0f : 0.0f);
  if (name.find(".linear2.") != name.npos) return linear(shape.feed_forward);
  if (name.starts_with("fc.3.")) return linear(shape.head_hidden);
  linear(shape.width);
}

}  // namespace

Status check_shape(const ModelShape& s) {
  for (size_t i = 0; i < s.cardinalities.size(); ++i) {
    if (s.cardinalities[i] < 1) return bad_input(fmt::format("categorical feature {} has no categories", i));
  }
  if (s.numeric < 0 || s.cardinalities.size() > kMaxTokens || s.numeric > kMaxTokens || s.tokens() < 1 ||
      s.tokens() > kMaxTokens) {
    return bad_input(
        fmt::format("a model of {} categorical and {} numeric features: there must be 1 to {} in all",
                    s.cardinalities.size(), s.numeric, kMaxTokens));
  }
  for (int size : {s.width, s.heads, s.layers, s.feed_forward, s.head_hidden, s.classes}) {
    if (size < 1 || size > 65536) {
      return bad_input(
          fmt::format("impossible model: width {}, heads {}, layers {}, feed-forward {}, head {}, classes {}",
                      s.width, s.heads, s.layers, s.feed_forward, s.head_hidden, s.classes));
    }
  }
  if (s.width % s.heads != 0)
    return bad_input(fmt::format("{} heads do not divide the width {}", s.heads, s.width));
  if (parameter_count(s) > kMaxParameters) return bad_input("the model has more than 2^30 parameters");
  return {};
}

Parameters zero_parameters(const ModelShape& s) {
  Parameters p;
  p.shape = s;
  const auto add = [&](std::string name, std::vector<int64_t> shape) {
    TensorEntry entry{std::move(name), std::move(shape), 0, 1};
    for (int64_t extent : entry.shape) entry.size *= static_cast<size_t>(extent);
    if (!p.tensors.empty()) entry.offset = p.tensors.back().offset + p.tensors.back().size;
    p.tensors.push_back(std::move(entry));
  };
  const int64_t d = s.width, m = s.feed_forward;
  for (int i = 0; i < s.categorical(); ++i)
    add(fmt::format("encoder.embeddings.{}.weight", i), {s.cardinalities[i], d});
  for (int i = 0; i < s.numeric; ++i) {
    add(fmt::format("encoder.numeric_embeddings.{}.weight", i), {d, 1});
    add(fmt::format("encoder.numeric_embeddings.{}.bias", i), {d});
  }
  for (int i = 0; i < s.layers; ++i) {  // the order that kernels::layer_offsets describes
    add(layer_name(i, "self_attn.in_proj_weight"), {3 * d, d});
    add(layer_name(i, "self_attn.in_proj_bias"), {3 * d});
    add(layer_name(i, "self_attn.out_proj.weight"), {d, d});
    add(layer_name(i, "self_attn.out_proj.bias"), {d});
    add(layer_name(i, "linear1.weight"), {m, d});
    add(layer_name(i, "linear1.bias"), {m});
    add(layer_name(i, "linear2.weight"), {d, m});
    add(layer_name(i, "linear2.bias"), {d});
    for (const char* norm : {"norm1.weight", "norm1.bias", "norm2.weight", "norm2.bias"})
      add(layer_name(i, norm), {d});
  }
  add("fc.0.weight", {s.head_hidden, d});
  add("fc.0.bias", {s.head_hidden});
  add("fc.3.weight", {s.classes, s.head_hidden});
  add("fc.3.bias", {s.classes});
  p.values.assign(p.tensors.back().offset + p.tensors.back().size, 0.0f);
  return p;
}

Result<Parameters> initial_parameters(const ModelShape& shape, uint64_t seed) {
  MAEIL_TRY(check_shape(shape));
  Parameters p = zero_parameters(shape);
  for (size_t i = 0; i < p.tensors.size(); ++i) {
    initialise(shape, p.tensors[i], i, seed, {p.values.data() + p.tensors[i].offset, p.tensors[i].size});
  }
  return p;
}

std::vector<NamedTensor> Parameters::named(bool encoder_only) const {
  std::vector<NamedTensor> out;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const std::string& name = tensors[i].name;
    if (!encoder_only) out.push_back({name, tensors[i].shape, tensor(i)});
    if (encoder_only && name.starts_with("encoder."))
      out.push_back({name.substr(8), tensors[i].shape, tensor(i)});
  }
  return out;
}

Result<ModelShape> shape_from_tensors(std::span<const NamedTensor> tensors, int heads) {
  MAEIL_ASSIGN(const auto found, by_name(tensors));
  const auto extent = [&](const std::string& name, size_t axis) -> Result<int> {
    const auto it = found.find(name);
    if (it == found.end()) return bad_input(fmt::format("tensor {} is missing", name));
    const auto& shape = it->second->shape;
    if (shape.size() != 2) {
      return bad_input(
          fmt::format("tensor {}: shape {}, expected two dimensions", shown(*it->second), shape_text(shape)));
    }
    return static_cast<int>(shape[axis]);
  };
  ModelShape s;
  s.heads = heads;
  for (int i = 0; found.contains(fmt::format("encoder.embeddings.{}.weight", i)); ++i) {
    MAEIL_ASSIGN(const int cardinality, extent(fmt::format("encoder.embeddings.{}.weight", i), 0));
    s.cardinalities.push_back(cardinality);
  }
  while (found.contains(fmt::format("encoder.numeric_embeddings.{}.weight", s.numeric))) ++s.numeric;
  s.layers = 0;
  while (found.contains(layer_name(s.layers, "self_attn.in_proj_weight"))) ++s.layers;
  if (s.tokens() == 0)
    return bad_input("no tensor encoder.embeddings.0.weight nor encoder.numeric_embeddings.0.weight");
  MAEIL_ASSIGN(s.width, extent(layer_name(0, "self_attn.in_proj_weight"), 1));
  MAEIL_ASSIGN(s.feed_forward, extent(layer_name(0, "linear1.weight"), 0));
  if (found.contains("fc.0.weight")) {
    MAEIL_ASSIGN(s.head_hidden, extent("fc.0.weight", 0));
    MAEIL_ASSIGN(s.classes, extent("fc.3.weight", 0));
  }
  MAEIL_TRY(check_shape(s));
  return s;
}

Result<Parameters> parameters_from_tensors(std::span<const NamedTensor> tensors, int heads,
                                           uint64_t head_seed) {
  MAEIL_ASSIGN(const ModelShape shape, shape_from_tensors(tensors, heads));
  MAEIL_ASSIGN(auto found, by_name(tensors));
  Parameters p = zero_parameters(shape);
  p.has_head = found.contains("fc.0.weight");
  for (size_t i = 0; i < p.tensors.size(); ++i) {
    const TensorEntry& entry = p.tensors[i];
    const std::span<float> out(p.values.data() + entry.offset, entry.size);
    const auto it = found.find(entry.name);
    if (it == found.end()) {
      if (p.has_head || !entry.name.starts_with("fc."))
        return bad_input(fmt::format("tensor {} is missing", entry.name));
      initialise(shape, entry, i, head_seed, out);
      continue;
    }
    if (it->second->shape != entry.shape) {
      return bad_input(fmt::format("tensor {}: shape {}, expected {}", shown(*it->second),
                                   shape_text(it->second->shape), shape_text(entry.shape)));
    }
    MAEIL_TRY(check_finite(shown(*it->second), entry.shape, it->second->values));
    std::copy(it->second->values.begin(), it->second->values.end(), out.begin());
    found.erase(it);
  }
  if (!found.empty()) {
    return bad_input(fmt::format("tensor {} is not part of a TabTransformer", shown(*found.begin()->second)));
  }
  return p;
}

Status check_finite(const Parameters& parameters) {
  for (size_t i = 0; i < parameters.tensors.size(); ++i) {
    MAEIL_TRY(check_finite(parameters.tensors[i].name, parameters.tensors[i].shape, parameters.tensor(i)));
  }
  return {};
}

}  // namespace maeil::nn
