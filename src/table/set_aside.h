// Rows of a file that are left out though they can be read, since they break the contract, each with its
// reason.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace maeil::table {

struct SetAside {
  std::vector<uint64_t> rows;        // ascending; from 0, among the file's records
  std::vector<uint16_t> reason_of;   // (rows) into reasons
  std::vector<std::string> reasons;  // "column 'rate': above max"

  bool empty() const { return rows.empty(); }
};

}  // namespace maeil::table
