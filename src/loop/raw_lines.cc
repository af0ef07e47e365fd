#include "loop/raw_lines.h"

#include <algorithm>

#include "base/file.h"
#include "base/hash.h"
#include "loop/prepared/raw_data.h"

namespace maeil::loop {

RawLines drawn_lines(const Source& source, Days date, uint64_t rows, int64_t seed,
                     const std::function<void(uint64_t done, uint64_t total)>& progress) {
  RawLines out;
  out.header = csv_header(source);
  out.rows = rows;
  out.columns = source.names.size();
  out.description = source.description + (source.scenario.empty() ? "" : ", " + source.scenario);
  out.facts = {{"source", source.description}, {"seed", seed}};
  out.result = {{"source", source.description}};
  if (!source.scenario.empty()) out.facts["scenario"] = out.result["scenario"] = source.scenario;
  if (source.fallback) out.facts["fallback"] = true;  // gate.h: such a day approves nothing
  out.lines = [&source, date, rows, seed, progress](
                  RowRange range,
                  const std::function<Status(std::string_view)>& sink) -> Result<LineOffsets> {
    const uint64_t count = std::min(range.count, rows - range.first);
    LineOffsets lines;
    MAEIL_TRY(write_csv_lines(
        source, date, range.first, count, static_cast<uint64_t>(seed),
        [&](std::string_view piece) {
          lines.bytes += piece.size();
          return sink(piece);
        },
        [&](uint64_t row) {
          if (row % raw_step(rows) == 0) lines.offsets.push_back(lines.bytes);
        },
        [&](uint64_t done) { progress(done, count); }));
    return lines;
  };
  // Files by their bytes, since workers may have different ones of one name.
  out.inputs = [&source, rows, seed]() -> Result<store::Document> {
    store::Document in = {{"rows", rows}, {"seed", seed}, {"source", source.description}};
    if (!source.scenario.empty()) in["scenario"] = source.scenario;
    for (const auto& [key, path] : source.files) {
      MAEIL_ASSIGN(const auto file, MappedFile::open(path));
      in[key] = sha256_hex(file.bytes());
    }
    return in;
  };
  return out;
}

}  // namespace maeil::loop
