// The columns of one file of rows, each with its distribution, as an HTML page that needs nothing else
// (page.h): what `maeil init --html` writes.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace maeil::quality {

// Numbers, dates as days since 1970, or texts with the rows of each; or neither, where values are not shown.
struct ColumnPicture {
  std::string name;
  std::string about;  // "number, 12 different values, 3 rows without one"
  std::string note;   // "" or what stands out: the target, a role, why it is dropped
  bool is_date = false;
  std::vector<std::pair<double, uint64_t>> numbers;
  std::vector<std::pair<std::string, uint64_t>> texts;
  uint64_t missing = 0;
};

// `facts`: lines below the title. UTF-8; every text is escaped. Shows the first kShownColumns columns and
// says so.
std::string columns_page(const std::string& title, const std::vector<std::string>& facts,
                         std::vector<ColumnPicture> columns);

}  // namespace maeil::quality
