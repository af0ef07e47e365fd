// Names are split at their dots and compared from the end; prefixes are kept as the file has them.
#include "nn/checkpoint.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>

namespace maeil::nn {
namespace {

using Parts = std::vector<std::string_view>;

// How the names of a model's tensors end; "#" is a number.
constexpr std::string_view kEndings[] = {
    "embeddings.#.weight",
    "numeric_embeddings.#.weight",
    "numeric_embeddings.#.bias",
    "num_embeddings.#.weight",  // another name of numeric_embeddings
    "num_embeddings.#.bias",
    "transformer.layers.#.self_attn.in_proj_weight",
    "transformer.layers.#.self_attn.in_proj_bias",
    "transformer.layers.#.self_attn.out_proj.weight",
    "transformer.layers.#.self_attn.out_proj.bias",
    "transformer.layers.#.linear1.weight",
    "transformer.layers.#.linear1.bias",
    "transformer.layers.#.linear2.weight",
    "transformer.layers.#.linear2.bias",
    "transformer.layers.#.norm1.weight",
    "transformer.layers.#.norm1.bias",
    "transformer.layers.#.norm2.weight",
    "transformer.layers.#.norm2.bias",
    "fc.0.weight",
    "fc.0.bias",
    "fc.3.weight",
    "fc.3.bias",
};
// Every model has this one, so it tells how many there are.
constexpr std::string_view kAnchor = "encoder.transformer.layers.0.self_attn.in_proj_weight";

Parts split(std::string_view name) {
  Parts out;
  for (size_t at = 0;;) {
    const size_t dot = name.find('.', at);
    out.push_back(name.substr(at, dot - at));
    if (dot == name.npos) return out;
    at = dot + 1;
  }
}

bool is_wrapper(std::string_view part) { return part == "module" || part.starts_with('_'); }

bool is_number(std::string_view part) {
  return !part.empty() && part.size() < 8 && (part == "0" || part[0] != '0') &&
         std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
}

struct Role {
  std::string prefix;  // what stands before the ending, with its dot
  std::string name;    // in Parameters
  bool head = false;
};

std::optional<Role> role_by(std::string_view name, const Parts& parts, std::string_view ending) {
  const Parts pattern = split(ending);
  std::string out;
  size_t at = parts.size();
  for (size_t i = pattern.size(); i-- > 0;) {
    if (i + 1 < pattern.size()) {
      while (at > 0 && is_wrapper(parts[at - 1])) --at;
    }
    if (at == 0) return {};
    const std::string_view part = parts[--at];
    if (pattern[i] == "#" ? !is_number(part) : part != pattern[i]) return {};
    const std::string_view known = part == "num_embeddings" ? "numeric_embeddings" : part;
    out = out.empty() ? std::string(known) : fmt::format("{}.{}", known, out);
  }
  const bool head = pattern[0] == "fc";
  return Role{std::string(name.substr(0, static_cast<size_t>(parts[at].data() - name.data()))),
              head ? out : "encoder." + out, head};
}

std::optional<Role> role_of(std::string_view name) {
  const Parts parts = split(name);
  for (const std::string_view ending : kEndings) {
    if (auto role = role_by(name, parts, ending)) return role;
  }
  return {};
}

std::string quoted(const std::vector<std::string>& names, size_t most = 3) {
  std::vector<std::string> some;
  for (size_t i = 0; i < std::min(most, names.size()); ++i)
    some.push_back("'" + names[i].substr(0, 40) + "'");
  return fmt::format("{}{}", fmt::join(some, ", "), names.size() > most ? ", ..." : "");
}

std::string place_of(const std::string& path, const std::string& prefix) {
  return (path.empty() ? std::string("at the top") : "under '" + path + "'") +
         (prefix.empty() ? "" : " as '" + prefix + "*'");
}

// An encoder in a dict, by what stands before its names.
struct Candidate {
  size_t dict;
  std::string prefix;
};

Error nothing_found(std::span<const format::TensorDict> dicts) {
  if (dicts.empty()) {
    return {ErrorCode::kBadInput,
            "holds no tensors, neither as a state dict nor under a key (state_dict, model, model_state_dict "
            "...); save the model's state_dict() with torch.save"};
  }
  std::vector<const format::TensorDict*> largest;
  for (const auto& dict : dicts) largest.push_back(&dict);
  std::stable_sort(largest.begin(), largest.end(),
                   [](const auto* a, const auto* b) { return a->names.size() > b->names.size(); });
  constexpr size_t kShown = 2;
  std::vector<std::string> found;
  for (size_t i = 0; i < std::min(kShown, largest.size()); ++i) {
    found.push_back(fmt::format("{} tensors {} ({})", largest[i]->names.size(),
                                place_of(largest[i]->path, ""), quoted(largest[i]->names)));
  }
  if (largest.size() > kShown)
    found.push_back(fmt::format("{} more dicts of tensors", largest.size() - kShown));
  return {ErrorCode::kBadInput,
          fmt::format("holds no TabTransformer: found {}; expected names that end in embeddings.0.weight or "
                      "numeric_embeddings.0.weight, in "
                      "transformer.layers.0.self_attn.in_proj_weight and so on and, for a classifier, in "
                      "fc.0.weight and fc.3.weight, whatever stands before "
                      "them",
                      fmt::join(found, "; "))};
}

// The prefix of the head that belongs to the encoder; empty: there is none in the dict.
Result<std::optional<std::string>> head_of(const std::string& encoder, const std::set<std::string>& heads) {
  std::vector<std::string> fitting;
  for (const auto& head : heads) {
    if (encoder.starts_with(head)) fitting.push_back(head + "fc.");
  }
  if (fitting.size() > 1)
    return bad_input(
        fmt::format("holds several heads for one encoder: {}; save the state_dict() of the model alone",
                    quoted(fitting)));
  if (fitting.size() == 1) return std::optional(fitting[0].substr(0, fitting[0].size() - 3));
  if (heads.empty()) return std::optional<std::string>();
  return bad_input(
      fmt::format("holds an encoder as '{}*' and a head as '{}fc.*', which do not belong together; save the "
                  "state_dict() of the model alone",
                  encoder, *heads.begin()));
}

// Where the model begins: a bare encoder may be an attribute `encoder` of what was saved.
std::string root_of_encoder(const std::string& prefix) {
  Parts parts = split(prefix);
  parts.pop_back();  // after the last dot
  while (!parts.empty() && is_wrapper(parts.back())) parts.pop_back();
  if (parts.empty() || parts.back() != "encoder") return prefix;
  return prefix.substr(0, static_cast<size_t>(parts.back().data() - prefix.data()));
}

bool is_projection_head(std::string_view rest) {
  for (const auto part : split(rest)) {
    if (!is_wrapper(part)) return part == "projection_head";
  }
  return false;
}

}  // namespace

Result<ModelPlace> find_model(std::span<const format::TensorDict> dicts) {
  std::vector<Candidate> found;
  for (size_t d = 0; d < dicts.size(); ++d) {
    for (const auto& name : dicts[d].names) {
      const auto role = role_of(name);
      if (role && role->name == kAnchor) found.push_back({d, role->prefix});
    }
  }
  if (found.empty()) return tl::make_unexpected(nothing_found(dicts));
  if (found.size() > 1) {
    std::vector<std::string> places;
    for (const auto& candidate : found)
      places.push_back(place_of(dicts[candidate.dict].path, candidate.prefix));
    return bad_input(fmt::format(
        "holds {} models: {}; which one is meant cannot be seen: save its state_dict() alone with torch.save",
        found.size(), fmt::join(places, ", ")));
  }
  ModelPlace out;
  out.dict = found[0].dict;
  const std::string& encoder = found[0].prefix;
  const auto& names = dicts[out.dict].names;
  std::vector<std::optional<Role>> roles;
  std::set<std::string> heads;
  for (const auto& name : names) {
    roles.push_back(role_of(name));
    if (roles.back() && roles.back()->head) heads.insert(roles.back()->prefix);
  }
  MAEIL_ASSIGN(const auto head, head_of(encoder, heads));
  const std::string root = head ? *head : root_of_encoder(encoder);
  std::map<std::string, size_t> taken;
  for (size_t i = 0; i < names.size(); ++i) {
    const auto& role = roles[i];
    if (role && role->prefix == (role->head ? head.value_or("") : encoder)) {
      const auto [before, is_new] = taken.emplace(role->name, i);
      if (!is_new)
        return bad_input(
            fmt::format("tensor {} is there twice{}", names[i],
                        names[before->second] == names[i] ? "" : ", also as " + names[before->second]));
      out.tensors.push_back({i, role->name});
    } else if (!names[i].starts_with(root) ||
               (!head && is_projection_head(std::string_view(names[i]).substr(root.size())))) {
      out.beside.push_back(names[i]);
    } else {
      return bad_input(fmt::format("tensor {} is not part of a TabTransformer (found {})", names[i],
                                   place_of(dicts[out.dict].path, encoder)));
    }
  }
  return out;
}

Result<LoadedParameters> load_parameters(format::CheckpointFile& file, int heads) {
  MAEIL_ASSIGN(const ModelPlace place, find_model(file.dicts()));
  std::vector<std::vector<float>> values;
  std::vector<NamedTensor> tensors;
  values.reserve(place.tensors.size());
  size_t rounded = 0;
  for (const auto& part : place.tensors) {
    MAEIL_ASSIGN(const format::Tensor tensor, file.read(place.dict, part.index));
    MAEIL_ASSIGN(auto floats, format::to_floats(tensor));
    rounded += tensor.dtype == format::DType::kFloat64;
    values.push_back(std::move(floats));
    tensors.push_back({part.name, tensor.shape, values.back(), tensor.name});
  }
  LoadedParameters out;
  MAEIL_ASSIGN(out.parameters, parameters_from_tensors(tensors, heads));
  if (rounded > 0) out.remarks.push_back(fmt::format("{} float64 tensors were rounded to float32", rounded));
  if (!place.beside.empty()) {
    out.remarks.push_back(fmt::format("{} tensors beside the model were not read: {}", place.beside.size(),
                                      quoted(place.beside)));
  }
  return out;
}

}  // namespace maeil::nn
