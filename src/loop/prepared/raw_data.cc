#include "loop/prepared/raw_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/hash.h"
#include "loop/own_file.h"
#include "loop/run_in_shards.h"
#include "loop/source.h"
#include "store/field_rules.h"

namespace maeil::loop {

Result<store::Document> raw_document(store::Store& store, Days date) {
  store::FindOptions options;
  options.filter = {{"logical_date", format_date(date)}, {"superseded_by", {{"$exists", false}}}};
  MAEIL_ASSIGN(auto raw, store.find_one("raw_data", options));
  if (raw.is_null())
    return not_found(fmt::format("there is no raw data for {}: run generate_data first", format_date(date)));
  using Kind = store::FieldKind;
  MAEIL_TRY(store::check_fields("raw_data", raw,
                                {{"filename", Kind::kFileName},
                                 {"file_id", Kind::kId},
                                 {"rows", Kind::kCount},
                                 {"sha256", Kind::kSha256},
                                 {"row_offsets.every", Kind::kCount},
                                 {"row_offsets.bytes[]", Kind::kCount}}));
  return raw;
}

Result<store::Document> raw_document(const dag::TaskContext& context) {
  return raw_document(context.store, context.logical_date);
}

Result<MappedFile> raw_file(dag::TaskContext& context, const store::Document& raw, const std::string& path) {
  const std::string wanted = raw.value("sha256", "");
  if (auto copy = MappedFile::open(path); copy && sha256_hex(copy->bytes()) == wanted) return copy;
  MAEIL_ASSIGN(OwnFile file, OwnFile::begin(path, kRawDataFile, [&] { return std::ref(context.store); }));
  MAEIL_TRY(context.store.read_blob(store::id_text(raw.value("file_id", store::Document())),
                                    [&](std::string_view bytes) { return file.write(bytes); }));
  if (file.sha256() != wanted)
    return bad_input(fmt::format("the raw data of {} in {} does not match its sha256",
                                 format_date(context.logical_date), context.store.description()));
  MAEIL_ASSIGN(MappedFile mapped, file.map());
  MAEIL_TRY(file.commit());
  return mapped;
}

Result<MappedFile> raw_rows(store::Store& store, const store::Document& raw, RowRange range,
                            const std::string& path) {
  const uint64_t total = raw.value("rows", uint64_t{0});
  const auto index = raw.value("row_offsets", store::Document());
  if (!index.is_object() || index.value("every", uint64_t{0}) != raw_step(total) ||
      !index.contains("bytes")) {
    return not_found(
        fmt::format("the raw data of {} does not say where its rows begin: run generate_data again",
                    raw.value("logical_date", "")));
  }
  const auto& offsets = index["bytes"];
  const auto offset_of = [&](uint64_t row) -> Result<uint64_t> {
    const uint64_t at = row / raw_step(total);
    if (row >= total) return UINT64_MAX;
    if (!offsets.is_array() || at >= offsets.size() || !offsets[at].is_number_integer())
      return bad_input("raw_data: row_offsets is damaged: run generate_data again");
    return offsets[at].get<uint64_t>();
  };
  MAEIL_ASSIGN(const uint64_t header, offset_of(0));
  MAEIL_ASSIGN(const uint64_t first, offset_of(range.first));
  MAEIL_ASSIGN(const uint64_t last, offset_of(range.first + range.count));
  MAEIL_ASSIGN(AtomicFile file, AtomicFile::create(path, AtomicFile::Access::kPrivate));
  uint64_t at = 0;
  bool done = false;
  // the part of `bytes` in from .. to
  const auto piece = [&](std::string_view bytes, uint64_t from, uint64_t to) -> Status {
    const uint64_t begin = std::max(from, at), end = std::min(to, at + bytes.size());
    return begin < end ? file.write(bytes.substr(begin - at, end - begin)) : Status{};
  };
  const Status read = store.read_blob(store::id_text(raw.value("file_id", store::Document())),
                                      [&](std::string_view bytes) -> Status {
                                        MAEIL_TRY(piece(bytes, 0, std::min(header, last)));
                                        MAEIL_TRY(piece(bytes, first, last));
                                        at += bytes.size();
                                        done = at >= last;
                                        return done ? fail(ErrorCode::kCancelled, "enough") : Status{};
                                      });
  if (!read && !done) return tl::make_unexpected(read.error());
  return file.map();
}

Result<RowsToRead> rows_to_read(dag::TaskContext& context, const Settings& settings,
                                const store::Document& raw, RowRange range) {
  if (range == kAllRows) {
    MAEIL_ASSIGN(MappedFile file, raw_file(context, raw, settings.data_path));
    return RowsToRead{std::move(file), settings.data_path, 0, raw.value("rows", uint64_t{0})};
  }
  std::string path = std::filesystem::path(settings.data_dir) / "parts" /
                     fmt::format("{}.{}-{}.{}.csv", format_date(context.logical_date), context.shard.index,
                                 context.shard.count, context.try_number);
  MAEIL_ASSIGN(MappedFile file, raw_rows(context.store, raw, range, path));
  return RowsToRead{std::move(file), std::move(path), range.first, range.count};
}

uint64_t raw_step(uint64_t rows) { return kSourceRows * std::max<uint64_t>(1, rows / (kSourceRows * 1024)); }

}  // namespace maeil::loop
