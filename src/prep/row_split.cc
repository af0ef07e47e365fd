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

std::vector<uint8_t> validation_of(const table::DatasetSpec& spec, const Table& chunk, uint64_t seed,
                                   Days date, const std::vector<uint64_t>& row_numbers) {
  const auto keys = key_hashes(spec, chunk);
  std::vector<uint8_t> out;
  out.reserve(chunk.rows);
  for (size_t row = 0; row < chunk.rows; ++row)
    out.push_back(keys[row] ? is_validation_key(*keys[row]) : is_validation(seed, date, row_numbers[row]));
  return out;
}

std::vector<Split> splits_of(const table::DatasetSpec& spec, const Table& chunk, uint64_t seed, Days date,
                             const std::vector<uint64_t>& row_numbers) {
  const auto keys = key_hashes(spec, chunk);
  std::vector<Split> out;
  out.reserve(chunk.rows);
  for (size_t row = 0; row < chunk.rows; ++row)
    out.push_back(keys[row] ? split_of_key(*keys[row]) : split_of(seed, date, row_numbers[row]));
  return out;
}

}  // namespace maeil::prep
