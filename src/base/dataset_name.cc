#include "base/dataset_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace maeil {

Status check_dataset_name(std::string_view name) {
  const auto is_part = [](unsigned char c) {
    return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           c == '-' || c == '_' || c == '.';
  };
  const bool fits = !name.empty() && name.size() <= 64 && std::ranges::all_of(name, is_part) &&
                    name.front() != '.' && name.front() != '-' &&
                    name.find(kAfterDataset) == std::string_view::npos && name.front() != '_' &&
                    name.back() != '_' && name.back() != '-' && name.back() != '.';
  // Beside which a dataset's folder lies.
  constexpr std::array<std::string_view, 6> kFolders = {"raw",    "processed", "parts",
                                                        "scores", "deployed",  "deployments"};
  if (std::ranges::find(kFolders, name) != kFolders.end())
    return usage_error(fmt::format("'{}' cannot be a dataset's name: a folder of maeil's own has it", name));
  if (fits) return {};
  return usage_error(fmt::format(
      "'{}' cannot be a dataset's name: letters, digits, and \"-\", \"_\" and \".\" between them, "
      "no two \"_\" in a row, 64 bytes at most",
      name));
}

std::string name_in_dataset(std::string_view dataset, std::string_view name) {
  if (dataset.empty() || dataset == kBuiltinDataset) return std::string(name);
  return fmt::format("{}{}{}", dataset, kAfterDataset, name);
}

std::string dataset_of_dag(std::string_view dag_id) {
  const size_t at = dag_id.find(kAfterDataset);
  return std::string(at == std::string_view::npos ? std::string_view() : dag_id.substr(0, at));
}

}  // namespace maeil
