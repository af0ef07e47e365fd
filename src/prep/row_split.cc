#include "prep/row_split.h"

#include <optional>
#include <string>

#include "base/hash.h"

namespace maeil::prep {
namespace {

// The ids of a row as one text, each with its length before it; nothing where one is missing.
std::optional<std::string> id_of(const std::vector<const Column*>& ids, size_t row) {
  std::string out;
  for (const Column* column : ids) {
    if (column->is_missing(row)) return std::nullopt;
    const auto text = column->text(row);
    out += std::to_string(text.size());
    out += ':';
    out += text;
  }
  return out;
}

}  // namespace

std::vector<std::optional<uint64_t>> key_hashes(const table::DatasetSpec& spec, const Table& chunk) {
  const Column* group = spec.roles.group.empty() ? nullptr : chunk.find(spec.roles.group);
  std::vector<uint64_t> of_group;  // by the code of its text
  if (group) {
    for (const auto& text : group->dictionary) of_group.push_back(hash64(text));
  }
  std::vector<const Column*> ids;
  for (const auto& name : spec.roles.id) {
    if (const Column* column = chunk.find(name)) ids.push_back(column);
  }
  const bool has_ids = !ids.empty() && ids.size() == spec.roles.id.size();
  std::vector<std::optional<uint64_t>> out(chunk.rows);
  for (size_t row = 0; row < chunk.rows; ++row) {
    if (group && !group->is_missing(row)) {
      out[row] = of_group[group->codes[row]];
    } else if (const auto id = has_ids ? id_of(ids, row) : std::nullopt; id) {
      out[row] = hash64(*id);
    }
  }
  return out;
}

std::vector<std::optional<uint64_t>> id_hashes(const table::DatasetSpec& spec, const Table& chunk) {
  std::vector<const Column*> ids;
  for (const auto& name : spec.roles.id) ids.push_back(chunk.find(name));
  std::vector<std::optional<uint64_t>> out(chunk.rows);
  for (size_t row = 0; row < chunk.rows; ++row) {
    if (const auto id = id_of(ids, row)) out[row] = hash64(*id);
  }
  return out;
}

Split split_of_key(uint64_t key_hash) { return split_of_word(static_cast<uint32_t>(key_hash >> 32)); }

namespace {

// By a row's key where it has one, else by its number.
template <class Part, class ByKey, class ByNumber>
std::vector<Part> parts_of(const Keys& keys, const std::vector<uint64_t>& row_numbers, ByKey by_key,
                           ByNumber by_number) {
  std::vector<Part> out;
  out.reserve(keys.size());
  for (size_t row = 0; row < keys.size(); ++row)
    out.push_back(keys[row] ? by_key(*keys[row]) : by_number(row_numbers[row]));
  return out;
}

}  // namespace

std::vector<uint8_t> validation_of(const Keys& keys, uint64_t seed, Days date,
                                   const std::vector<uint64_t>& row_numbers) {
  return parts_of<uint8_t>(keys, row_numbers, is_validation_key,
                           [&](uint64_t row) { return is_validation(seed, date, row); });
}

std::vector<Split> splits_of(const Keys& keys, uint64_t seed, Days date,
                             const std::vector<uint64_t>& row_numbers) {
  return parts_of<Split>(keys, row_numbers, split_of_key,
                         [&](uint64_t row) { return split_of(seed, date, row); });
}

std::vector<uint8_t> validation_of(const table::DatasetSpec& spec, const Table& chunk, uint64_t seed,
                                   Days date, const std::vector<uint64_t>& row_numbers) {
  return validation_of(key_hashes(spec, chunk), seed, date, row_numbers);
}

std::vector<Split> splits_of(const table::DatasetSpec& spec, const Table& chunk, uint64_t seed, Days date,
                             const std::vector<uint64_t>& row_numbers) {
  return splits_of(key_hashes(spec, chunk), seed, date, row_numbers);
}

}  // namespace maeil::prep
