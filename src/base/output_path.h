// Where a file may be written: under the name of a regular file, or of none. Does not look whether its folder
// is there or can be written to.
#pragma once

#include <filesystem>

#include "base/error.h"

namespace maeil {

// kUsage: the name is empty, or is that of a folder, a device or a pipe, which a file that is put in its
// place would replace; or it leads, as /dev/stdout does, to an open file of this process, and the file would
// replace the link. A link to a file is replaced, the file that it names stays.
Status check_output_path(const std::filesystem::path& path);

}  // namespace maeil
