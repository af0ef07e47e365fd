// Any bytes as a CSV file: read by a spec that has a column of each type, as plain CSV and as a file whose
// dialect is found, by what the spec says and by nothing.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "table/csv_table.h"
#include "table/infer.h"

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

// Which is another answer than the decimal comma of [read].
std::string without_thousands() {
  std::string out(kSpec);
  const std::string_view key = " thousands = \",\",";
  return out.erase(out.find(key), key.size());
}

// A file of the bytes, in memory, by its path.
struct MemoryFile {
  MemoryFile(const uint8_t* data, size_t size) : descriptor(::memfd_create("rows", MFD_CLOEXEC)) {
    if (descriptor < 0 || ::write(descriptor, data, size) != static_cast<ssize_t>(size)) std::abort();
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { ::close(descriptor); }
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor); }
  int descriptor;
};

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
  static const table::DatasetSpec said =
      table::parse_dataset_spec(
          table::without_thousands() +
              "[read]\nencoding = 'CP949'\ndelimiter = ';'\ndecimal = ','\nmissing = ['-']\n",
          "said.toml")
          .value();
  const table::MemoryFile file(data, size);
  for (const auto* known : {&spec, &said}) {
    (void)table::read_csv_file(file.path(), *known, {false},
                               [](Table&&, const std::vector<uint64_t>&) -> Status { return {}; });
  }
  (void)table::infer_columns(std::filesystem::path(file.path()), nullptr, "");
  return 0;
}
