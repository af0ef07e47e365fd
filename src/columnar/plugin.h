// libmaeil_arrow.so, loaded when a file first needs it.
#pragma once

#include <string>

#include "base/error.h"
#include "columnar/plugin_interface.h"

namespace maeil::columnar {

// The library that the variable MAEIL_ARROW_LIBRARY names, else the one beside this program. kNotFound, with
// `file` in front and what to do, where it is not there, cannot be loaded or is of another version of maeil.
// Loaded once; thread safe.
Result<const ArrowPlugin*> load_plugin(const std::string& file);

}  // namespace maeil::columnar
