// The datasets of the working directory, each with its own settings.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/settings.h"

namespace maeil::cli {

// Of the working directory: what the commands read. `dataset`: "", or as recorded.
Result<Settings> settings_here(std::string_view dataset = {});

// Of each dataset that the working directory describes, and of the one that is meant; of the built-in one
// where there is no other, or it is meant. As load_settings; what is wrong with one of them is the error.
Result<std::vector<Settings>> settings_of_all(const Settings& meant);

}  // namespace maeil::cli
