// Any bytes as a CSV file: read by a spec that has a column of each type.
#include "table/csv_table.h"

namespace maeil::table {
namespace {

constexpr std::string_view kSpec = R"(
name = "small"
columns = [
  { name = "a", type = "number", thousands = ",", nullable = true },
  { name = "d", type = "date", missing_date = "1900-01-01" },
  { name = "e", type = "date", format = "%d.%m.%Y %H:%M:%S.%f", optional = true },
  { name = "t", type = "text", first_characters = 3, lower_case = true, nullable = true },
  { name = "y", type = "text" },
]
[target]
column = "y"
negative = "0"
positive = "1"
)";

}  // namespace
}  // namespace maeil::table

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace maeil;
  static const table::DatasetSpec spec = table::parse_dataset_spec(table::kSpec, "small.toml").value();
  set_thread_count(1);
  for (const bool target : {true, false}) {
    (void)table::read_csv({reinterpret_cast<const char*>(data), size}, "f", spec, {target},
                          [](Table&&, const std::vector<uint64_t>&) -> Status { return {}; });
  }
  return 0;
}
