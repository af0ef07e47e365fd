// How the parts of a day that is prepared in shards are kept: one frame for each piece, its columns as the
// machine holds them and its lines of processed_data.csv; the totals in the part's document.
#include <fmt/format.h>

#include <algorithm>

#include "loop/prepared/part_report.h"
#include "loop/prepared/prepare.h"
#include "loop/prepared/raw_data.h"

namespace maeil::loop {
namespace {

// The numbers of a part's document, added up element by element.
std::vector<uint64_t> counts_from(const store::Document& part, const char* name) {
  std::vector<uint64_t> out;
  for (const auto& value : part.at("counts").value(name, store::Document::array()))
    out.push_back(value.get<uint64_t>());
  return out;
}

store::Document frame_of(const PreparedPiece& piece) {
  store::Document columns = store::Document::array();
  for (const auto& column : piece.chunk) {
    store::Document values;
    if (const auto* whole = std::get_if<std::vector<int64_t>>(&column.values))
      values = packed(*whole);
    else if (const auto* real = std::get_if<std::vector<double>>(&column.values))
      values = packed(*real);
    else
      values = std::get<std::vector<std::string>>(column.values);
    columns.push_back({{"name", column.name},
                       {"kind", std::string(1, "ids"[column.values.index()])},
                       {"values", std::move(values)}});
  }
  const std::string_view text = piece.text.view();
  return {{"text", store::Document::binary({text.begin(), text.end()})}, {"columns", std::move(columns)}};
}

Status read_frame(const store::Document& frame, PreparedPiece& piece) {
  piece.chunk.clear();
  for (const auto& column : frame.value("columns", store::Document::array())) {
    store::RowColumn out;
    out.name = column.value("name", "");
    const std::string kind = column.value("kind", "");
    if (kind == "i") {
      MAEIL_ASSIGN(out.values, unpacked<int64_t>(column.at("values")));
    } else if (kind == "d") {
      MAEIL_ASSIGN(out.values, unpacked<double>(column.at("values")));
    } else {
      out.values = column.at("values").get<std::vector<std::string>>();
    }
    piece.chunk.push_back(std::move(out));
  }
  const auto& text = frame.at("text").get_binary();
  piece.text.clear();
  piece.text.append({reinterpret_cast<const char*>(text.data()), text.size()});
  return {};
}

}  // namespace

RowCuts Preparing::cuts() const {
  const uint64_t rows = raw_.value("rows", uint64_t{0});
  return {rows, raw_step(rows)};
}

Result<store::Document> Preparing::inputs() const {
  return store::Document{{"raw_sha256", raw_.value("sha256", "")},
                         {"feature_spec_hash", prep::feature_spec_hash(preparation_)},
                         {"validation_id", validated_.validation_id},
                         {"seed", day_.settings.seed}};
}

Status Preparing::write(const PreparedPiece& piece, PartWriter& part) const {
  return part.write_frame(frame_of(piece));
}

PartSummary Preparing::summary(const PreparedTotals& totals, RowRange rows) const {
  store::Document facts = report_facts(totals.report);
  const auto& counts = totals.counts;
  facts["counts"] = {
      {"unseen", counts.unseen}, {"nulls", counts.nulls}, {"out_of_range", counts.out_of_range}};
  return {std::move(facts),
          fmt::format("rows {} to {} of {}", rows.first, rows.first + rows.count, cuts().rows)};
}

Status Preparing::read(const store::Document& part, const Sink& sink, PreparedTotals& totals) const {
  PreparedPiece piece;
  MAEIL_TRY(read_part_frames(context_, part, [&](const store::Document& frame) -> Status {
    MAEIL_TRY(read_frame(frame, piece));
    return sink(piece);
  }));
  MAEIL_TRY(add_report(part, prep::spec_of(preparation_, day_.spec), totals.report));
  if (part.value("rows", uint64_t{0}) > 0)
    prep::add(totals.counts,
              {counts_from(part, "unseen"), counts_from(part, "nulls"), counts_from(part, "out_of_range")});
  return {};
}

}  // namespace maeil::loop
