// Which dataset of a folder is meant, and where its files lie (settings.h says the rule).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/settings.h"

namespace maeil {

inline constexpr const char* kDatasetFile = "dataset.toml";  // the dataset, unless another is named
inline constexpr const char* kDatasetsFolder = "datasets";   // of several, each NAME.toml

// A dataset that a file describes.
struct DescribedDataset {
  std::string name;
  // what documents, DAGs and folders call it: the name, or what that was before `maeil dataset rename`
  std::string recorded_as;
  std::filesystem::path spec;
  std::optional<Error> wrong = {};  // why the file says no name: then both are that of the file
};

// What `text`, the content of the file `spec`, says. kBadInput: no TOML, no name, or one that DAGs and
// folders cannot have.
Result<DescribedDataset> read_dataset_name(const std::string& text, const std::filesystem::path& spec);

// Those of `folder`: dataset.toml there first, then datasets/*.toml in the order of the files' names.
std::vector<DescribedDataset> datasets_in(const std::filesystem::path& folder);

// Sets `dataset` (as recorded) and `dataset_spec` ("": the built-in one's) from what these say and `asked`
// ("": nothing). kUsage: it is not clear which one is meant, or there is no such one; as
// read_dataset_name, kNotFound, kIo.
// Then `dataset_spec` is the file that was chosen, if any.
Status choose_dataset(const std::filesystem::path& folder, std::string_view asked, Settings& settings);

// The dataset's rehearsal (loop/rehearsal.h) is a dataset of this name; it takes in no file, query or labels,
// and writes no scores into a database.
inline constexpr std::string_view kRehearsal = ".rehearsal";
void become_rehearsal(Settings& settings);

// MODEL_SAVE_PATH, DATA_DIR and DATA_PATH as they are of `dataset`: in folders of its name, but for the
// built-in one.
void go_below_dataset(Settings& settings);

}  // namespace maeil
