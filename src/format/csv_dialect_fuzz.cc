// Any bytes as a file of rows in an unknown dialect: guessed, converted, and what comes out is plain CSV.
#include <cstdlib>

#include "format/csv.h"
#include "format/csv_convert.h"
#include "format/csv_dialect.h"
#include "format/text_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace maeil;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)format::guess_encoding(bytes);
  const auto guess = format::guess_dialect(bytes, "f");
  if (!guess) return 0;
  for (const bool any_width : {false, true}) {
    std::string csv;
    const auto done =
        format::to_plain_csv(bytes, guess->dialect, any_width, [&](std::string_view piece) -> Status {
          csv += piece;
          return {};
        });
    if (!done) std::abort();
    // Each row is one record, unless a field is longer than a record of plain CSV may be.
    format::CsvReader reader(csv, "f");
    format::CsvRecord record;
    uint64_t records = 0;
    for (;;) {
      const auto more = reader.next(record);
      if (!more) return 0;
      if (!*more) break;
      ++records;
    }
    if (records != done->rows + 1) std::abort();
  }
  return 0;
}
