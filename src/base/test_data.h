// Where tests find the real files and the peers' answers. Only for tests.
//
// MAEIL_SEED_DIR and MAEIL_GOLDEN_DIR name the folders; without them they are looked for beside the source
// tree. A test that needs one starts with MAEIL_NEEDS(seed_dir()): absent data skips it with one line, or
// fails it when MAEIL_REQUIRE_DATA is set (as .ci/run does).
#pragma once

#include <cstdlib>
#include <filesystem>

namespace maeil {

inline std::filesystem::path data_dir(const char* variable, const char* beside) {
  if (const char* named = std::getenv(variable)) return named;
  return std::filesystem::path(MAEIL_SOURCE_DIR) / beside;
}
inline std::filesystem::path seed_dir() { return data_dir("MAEIL_SEED_DIR", "../shared/seed"); }
inline std::filesystem::path golden_dir() { return data_dir("MAEIL_GOLDEN_DIR", "../shared/golden/data"); }

}  // namespace maeil

#define MAEIL_NEEDS(folder)                                                                          \
  if (!std::filesystem::exists(folder)) {                                                            \
    if (std::getenv("MAEIL_REQUIRE_DATA")) FAIL() << "needs " << (folder).string();                  \
    GTEST_SKIP() << "skipped: needs " << (folder).string() << " (MAEIL_SEED_DIR, MAEIL_GOLDEN_DIR)"; \
  }
