#include "format/zip.h"

#include <fmt/format.h>

#include "format/pickle_decode.h"

namespace maeil::format {
namespace {

constexpr zip_int64_t kMaxEntries = 100'000;
// What an honest archive may declare: trained weights hardly compress, constant ones do. Deflate itself
// reaches 1032:1.
constexpr uint64_t kFreeBytes = uint64_t{256} << 20;
constexpr uint64_t kMaxRatio = 16;

struct SourceError {
  SourceError() { zip_error_init(&error); }
  ~SourceError() { zip_error_fini(&error); }
  zip_error_t error;
};

}  // namespace

Result<ZipReader> ZipReader::open(std::string_view bytes, const std::string& name) {
  SourceError problem;
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &problem.error);
  if (!source) return internal_error(name + ": " + zip_error_strerror(&problem.error));
  zip_t* archive = zip_open_from_source(source, ZIP_RDONLY, &problem.error);
  if (!archive) {
    zip_source_free(source);
    return bad_input(fmt::format("{}: not a readable zip archive ({}); the file is truncated or damaged",
                                 name, zip_error_strerror(&problem.error)));
  }
  ZipReader out(archive, name);
  zip_int64_t count = zip_get_num_entries(archive, 0);
  if (count > kMaxEntries) return bad_input(fmt::format("{}: the archive has {} entries", name, count));
  for (zip_int64_t i = 0; i < count; ++i) {
    zip_stat_t stat;
    if (zip_stat_index(archive, static_cast<zip_uint64_t>(i), 0, &stat) != 0 ||
        !(stat.valid & ZIP_STAT_NAME) || !(stat.valid & ZIP_STAT_SIZE)) {
      return bad_input(fmt::format("{}: entry {} of the archive cannot be read", name, i));
    }
    if (__builtin_add_overflow(out.declared_, stat.size, &out.declared_) ||
        out.declared_ > kFreeBytes + kMaxRatio * bytes.size()) {
      return bad_input(fmt::format("{}: the archive's {} bytes declare far more than that (a zip bomb)", name,
                                   bytes.size()));
    }
    out.names_.emplace_back(stat.name);
  }
  return out;
}

bool ZipReader::has(const std::string& entry) const {
  return zip_name_locate(archive_.get(), entry.c_str(), 0) >= 0;
}

Result<uint64_t> ZipReader::size(const std::string& entry) const {
  zip_stat_t stat;
  if (zip_stat(archive_.get(), entry.c_str(), 0, &stat) != 0) {
    return bad_input(fmt::format("{}: the archive has no entry {}", name_, printable(entry)));
  }
  return stat.size;
}

Result<std::string> ZipReader::read(const std::string& entry) const {
  MAEIL_ASSIGN(uint64_t declared, size(entry));
  auto damaged = [&](const std::string& why) {
    return bad_input(fmt::format("{}: entry {} cannot be read: {}", name_, printable(entry), why));
  };
  std::unique_ptr<zip_file_t, int (*)(zip_file_t*)> file(zip_fopen(archive_.get(), entry.c_str(), 0),
                                                         zip_fclose);
  if (!file) return damaged(zip_strerror(archive_.get()));
  std::string out(declared, '\0');
  uint64_t filled = 0;
  while (filled < declared) {
    zip_int64_t n = zip_fread(file.get(), out.data() + filled, declared - filled);
    if (n < 0) return damaged(zip_error_strerror(zip_file_get_error(file.get())));
    if (n == 0) return damaged(fmt::format("it ends after {} of {} bytes", filled, declared));
    filled += static_cast<uint64_t>(n);
  }
  // The read at the end verifies the checksum, and that nothing follows.
  char more;
  zip_int64_t n = zip_fread(file.get(), &more, 1);
  if (n < 0) return damaged(zip_error_strerror(zip_file_get_error(file.get())));
  if (n > 0) return damaged(fmt::format("it is larger than the declared {} bytes", declared));
  return out;
}

Result<std::string> write_stored_zip(const std::vector<std::pair<std::string, std::string>>& entries) {
  SourceError problem;
  zip_source_t* target = zip_source_buffer_create(nullptr, 0, 0, &problem.error);
  zip_t* archive = target ? zip_open_from_source(target, ZIP_CREATE | ZIP_TRUNCATE, &problem.error) : nullptr;
  if (!archive) {
    if (target) zip_source_free(target);
    return internal_error(std::string("a zip archive cannot be made: ") + zip_error_strerror(&problem.error));
  }
  zip_source_keep(target);  // outlives zip_close
  std::unique_ptr<zip_source_t, void (*)(zip_source_t*)> owner(target, zip_source_free);
  auto fail_write = [&] {
    std::string why = zip_strerror(archive);
    zip_discard(archive);
    return internal_error("a zip archive cannot be written: " + why);
  };
  for (const auto& [name, content] : entries) {
    zip_source_t* source = zip_source_buffer(archive, content.data(), content.size(), 0);
    if (!source) return fail_write();
    zip_int64_t index = zip_file_add(archive, name.c_str(), source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
      zip_source_free(source);
      return fail_write();
    }
    auto at = static_cast<zip_uint64_t>(index);
    constexpr zip_uint16_t kFirstDay = (1 << 5) | 1;  // 1980-01-01, as PyTorch writes
    if (zip_set_file_compression(archive, at, ZIP_CM_STORE, 0) != 0 ||
        zip_file_set_dostime(archive, at, 0, kFirstDay, 0) != 0)
      return fail_write();
  }
  if (zip_close(archive) != 0) return fail_write();
  zip_stat_t stat;
  if (zip_source_stat(target, &stat) != 0 || zip_source_open(target) != 0)
    return internal_error("a written zip archive cannot be read back");
  std::string out(stat.size, '\0');
  zip_int64_t n = zip_source_read(target, out.data(), out.size());
  zip_source_close(target);
  if (n < 0 || static_cast<uint64_t>(n) != stat.size)
    return internal_error("a written zip archive cannot be read back");
  return out;
}

}  // namespace maeil::format
