// Small CSV files for the tests of the quality report.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace maeil::quality {

inline const std::string kTestData = std::string(MAEIL_SOURCE_DIR) + "/src/quality/testdata/";

// Writes `text` into a file of its own for the running test; returns its path.
inline std::string test_file(const std::string& name, const std::string& text) {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  const auto path = std::filesystem::path(testing::TempDir()) /
                    (std::string("quality_") + test->test_suite_name() + "_" + test->name() + "_" + name);
  std::ofstream(path) << text;
  return path.string();
}

}  // namespace maeil::quality
