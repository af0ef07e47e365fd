// The records of a CSV file as a source of chunks (chunk_source.h). Fields are kept by column, so that each
// column is read in order.
#include "table/csv_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/threads.h"
#include "format/csv.h"
#include "format/csv_row.h"
#include "format/number_text.h"
#include "table/chunk_source.h"
#include "table/columnar_chunks.h"
#include "table/field_values.h"
#include "table/text_codes.h"

namespace maeil::table {
namespace {

using format::CsvRecord;

// Where a field lies: in the chunk's bytes, or in the text of unescaped fields.
struct Field {
  uint32_t begin = 0, size = 0;
};
constexpr uint32_t kUnescaped = uint32_t{1} << 31;                    // in `begin`
static_assert(kChunkBytes + 4 * format::kMaxCsvRecord < kUnescaped);  // written anew a record may double

// A chunk's records, and their memory, used again for the next.
struct Records {
  std::vector<CsvRecord> records;
  std::string written;        // their bytes where they do not lie in the file
  size_t bytes_end = 0;       // where in the file the chunk ends
  std::vector<Field> fields;  // (columns of the spec, rows)
  std::string unescaped;

  std::string_view text(Field field) const {
    if (field.begin & kUnescaped)
      return std::string_view(unescaped).substr(field.begin - kUnescaped, field.size);
    return {records.front().bytes.data() + field.begin, field.size};
  }
  const Field* column(size_t c) const { return &fields[c * records.size()]; }
};

void split_records(const Layout& layout, const format::FieldRules* rules, Records& s,
                   std::vector<std::string>& wrong) {
  const size_t n = s.records.size();
  s.fields.assign(layout.field_of_column.size() * n, {});
  s.unescaped.clear();
  const char* base = s.records.front().bytes.data();
  format::CsvRow fields(layout.fields, rules);
  for (size_t row = 0; row < n; ++row) {
    wrong[row] = fields.split(s.records[row].bytes);
    if (!wrong[row].empty()) continue;
    for (size_t c = 0; c < layout.field_of_column.size(); ++c) {
      if (layout.field_of_column[c] < 0) continue;
      const auto f = static_cast<size_t>(layout.field_of_column[c]);
      const std::string_view field = fields[f];
      const bool inside = fields.in_record(f);
      s.fields[c * n + row] = {inside ? static_cast<uint32_t>(field.data() - base)
                                      : static_cast<uint32_t>(s.unescaped.size()) | kUnescaped,
                               static_cast<uint32_t>(field.size())};
      if (!inside) s.unescaped += field;
    }
  }
}

// Takes the next records into the slot, at most a chunk; `ahead` is one that was read before, if `more`. A
// record that lies too far off (empty lines) begins a chunk.
Result<bool> take_records(RowReader& reader, CsvRecord& ahead, bool& more, Records& s) {
  s.records.clear();
  s.written.clear();
  const char* begin = ahead.bytes.data();
  std::vector<size_t> ends;
  while (more && s.records.size() < kChunkRows &&
         (reader.stays() ? static_cast<size_t>(ahead.bytes.data() - begin) : s.written.size()) <
             kChunkBytes) {
    s.records.push_back(ahead);
    if (!reader.stays()) {
      s.written += ahead.bytes;
      ends.push_back(s.written.size());
    }
    s.bytes_end = reader.position();
    MAEIL_ASSIGN(more, reader.next(ahead));
  }
  for (size_t i = 0, from = 0; i < ends.size(); from = ends[i++])
    s.records[i].bytes = std::string_view(s.written).substr(from, ends[i] - from);
  return !s.records.empty();
}

class CsvChunks : public ChunkSource {
 public:
  // `done_with(n)`: the first n bytes are not needed any more.
  CsvChunks(RowReader reader, const format::FieldRules* rules, std::function<void(size_t)> done_with)
      : reader_(std::move(reader)), rules_(rules), done_with_(std::move(done_with)) {}

  const std::vector<std::string>& names() const override { return reader_.names(); }
  void begin(const Layout& layout, size_t slots) override {
    layout_ = &layout;
    slots_.resize(slots);
  }
  Result<size_t> take(size_t slot) override {
    if (!begun_) {
      MAEIL_ASSIGN(more_, reader_.next(ahead_));
      begun_ = true;
    }
    MAEIL_TRY(take_records(reader_, ahead_, more_, slots_[slot]));
    return slots_[slot].records.size();
  }
  Status split(size_t slot, std::vector<std::string>& wrong) override {
    split_records(*layout_, rules_, slots_[slot], wrong);
    return {};
  }
  void read_numbers(size_t slot, const Wanted& wanted, std::vector<std::string>& wrong,
                    std::vector<double>& numbers, std::vector<uint32_t>& bad) override {
    const Records& s = slots_[slot];
    const Field* fields = s.column(wanted.column);
    for (size_t i = 0; i < numbers.size(); ++i) {
      if (wrong[i].empty() && !parse_number(s.text(fields[i]), wanted.spec->thousands, numbers[i]))
        bad.push_back(static_cast<uint32_t>(i));
    }
  }
  void read_texts(size_t slot, const Wanted& wanted, std::vector<std::string>& wrong,
                  std::vector<uint32_t>& codes, std::vector<std::string>& dictionary) override {
    const Records& s = slots_[slot];
    const Field* fields = s.column(wanted.column);
    TextCodes code_of(dictionary);
    for (size_t i = 0; i < codes.size(); ++i) {
      if (fields[i].size == 0 || !wrong[i].empty()) continue;
      const std::string_view text = s.text(fields[i]);
      if (wanted.missing_words && is_missing(text)) continue;
      codes[i] = code_of.code(text);
    }
  }
  std::string field(size_t slot, size_t column, size_t row) override {
    return std::string(slots_[slot].text(slots_[slot].column(column)[row]));
  }
  uint64_t line(size_t slot, size_t row) const override { return slots_[slot].records[row].line; }
  void finished(size_t slot) override {
    if (done_with_) done_with_(slots_[slot].bytes_end);
  }
  std::vector<std::string> remarks() const override { return reader_.remarks(); }

 private:
  RowReader reader_;
  const format::FieldRules* rules_;
  std::function<void(size_t)> done_with_;
  const Layout* layout_ = nullptr;
  std::vector<Records> slots_;
  CsvRecord ahead_;
  bool begun_ = false, more_ = false;
};

// Chunks are moved out of the slots, for a sink that wants them to keep.
Result<ReadReport> read_for_sink(
    const ChunkSink& sink,
    const std::function<Result<ReadReport>(size_t slots, const std::function<Status(size_t, CsvChunk&)>&,
                                           const std::function<Status(size_t)>&)>& read) {
  std::vector<CsvChunk> chunks(pipeline_slots());
  return read(
      chunks.size(),
      [&](size_t slot, CsvChunk& chunk) -> Status {
        chunks[slot] = std::move(chunk);
        chunk = {};
        chunk.table.rows = chunks[slot].table.rows;
        return {};
      },
      [&](size_t slot) { return sink(std::move(chunks[slot].table), chunks[slot].row_index); });
}

Result<ReadReport> read_rows_of(RowFile& file, const DatasetSpec& spec, const ReadOptions& options,
                                size_t slots, const std::function<Status(size_t, CsvChunk&)>& work,
                                const std::function<Status(size_t)>& finish) {
  const auto read = [&](ChunkSource& source) {
    return read_chunks(source, file.name(), spec, options, slots, work, finish);
  };
  if (file.columnar()) {
    ColumnarChunks source(file, spec);
    MAEIL_ASSIGN(ReadReport report, read(source));
    report.how = file.how();
    report.numbers_rows = true;
    return report;
  }
  file.rewind();
  MAEIL_ASSIGN(RowReader reader, RowReader::begin(file));
  CsvChunks source(std::move(reader), &file.rules(), [&](size_t bytes) { file.release(bytes); });
  MAEIL_ASSIGN(ReadReport report, read(source));
  report.how = file.how();
  return report;
}

}  // namespace

Result<ReadReport> read_csv(std::string_view bytes, const std::string& file_name, const DatasetSpec& spec,
                            const ReadOptions& options, const ChunkSink& sink) {
  MAEIL_ASSIGN(RowReader reader, RowReader::plain(bytes, file_name));
  return read_for_sink(sink, [&](size_t slots, const auto& work, const auto& finish) {
    CsvChunks source(std::move(reader), nullptr, {});
    return read_chunks(source, file_name, spec, options, slots, work, finish);
  });
}

Result<ReadReport> read_csv_file(RowFile& file, const DatasetSpec& spec, const ReadOptions& options,
                                 const ChunkSink& sink) {
  return read_for_sink(sink, [&](size_t slots, const auto& work, const auto& finish) {
    return read_rows_of(file, spec, options, slots, work, finish);
  });
}

Result<ReadReport> read_csv_file(const std::filesystem::path& path, const DatasetSpec& spec,
                                 const ReadOptions& options, const ChunkSink& sink) {
  MAEIL_ASSIGN(RowFile file, RowFile::open(path, &spec));
  return read_csv_file(file, spec, options, sink);
}

Result<ReadReport> read_csv_file_in_slots(RowFile& file, const DatasetSpec& spec, const ReadOptions& options,
                                          size_t slots,
                                          const std::function<Status(size_t, const CsvChunk&)>& work,
                                          const std::function<Status(size_t)>& finish) {
  return read_rows_of(file, spec, options, slots, work, finish);
}

CsvFormat::CsvFormat(std::vector<std::string> names, std::vector<NumberFormat> formats)
    : formats_(std::move(formats)), header_(format::kUtf8Bom) {
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) header_ += ',';
    format::append_csv_text(header_, names[i]);
  }
  header_ += '\n';
}

void CsvFormat::append_rows(const Table& chunk, format::TextBuffer& out) const {
  std::vector<format::CsvTexts> texts;
  size_t longest_line = 1;
  for (const Column& column : chunk.columns) {
    texts.emplace_back(column.dictionary);
    longest_line += 1 + std::max(texts.back().longest(), format::kMaxNumberText);
  }
  for (size_t row = 0; row < chunk.rows; ++row) {
    char* at = out.reserve(longest_line);
    for (size_t c = 0; c < chunk.columns.size(); ++c) {
      const Column& column = chunk.columns[c];
      if (column.type == ColumnType::kText) {
        if (column.codes[row] != kMissing) at = texts[c].copy(column.codes[row], at);
      } else if (const double number = column.numbers[row]; number == number) {
        // A whole number beyond 64 bits (a sum of many) is written as a float rather than as another number.
        const bool whole = formats_[c] == NumberFormat::kInteger && std::abs(number) < 0x1p63;
        at = whole ? format::write_integer(at, std::llround(number)) : format::write_float(at, number);
      }
      *at++ = ',';
    }
    at[-1] = '\n';
    out.advance(at);
  }
}

}  // namespace maeil::table
