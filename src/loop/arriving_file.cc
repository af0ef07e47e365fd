#include "loop/arriving_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <vector>

#include "base/hash.h"
#include "columnar/part_files.h"

namespace maeil::loop {
namespace {

tl::unexpected<Error> cannot_read(const std::string& path, int error) {
  const std::string text = fmt::format("cannot read {}: {}", path, std::generic_category().message(error));
  return error == ENOENT ? not_found(text) : io_error(text);
}

bool is_unchanged(const struct ::stat& a, const struct ::stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
         a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

// The bytes behind the descriptor into the copy. How many there were.
Result<uint64_t> copy(int from, const std::string& path, AtomicFile& to, Sha256& hash) {
  std::string buffer(1 << 20, '\0');
  for (uint64_t total = 0;;) {
    const ssize_t got = ::read(from, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot_read(path, errno);
    if (got == 0) return total;
    const std::string_view piece(buffer.data(), static_cast<size_t>(got));
    hash.update(piece);
    MAEIL_TRY(to.write(piece));
    total += piece.size();
  }
}

}  // namespace

Result<std::vector<std::string>> files_of(const std::string& pattern) {
  MAEIL_ASSIGN(auto files, columnar::part_files(pattern));
  if (files.size() == 1) return files;
  for (const auto& path : files) {
    const auto file = MappedFile::open(path);
    // What is empty may become anything.
    if (!file || file->bytes().empty() || columnar::is_columnar(file->bytes())) continue;
    return bad_input(fmt::format("{} fits {} files ({}, {}{}): a day has one, or parts of Parquet or Arrow",
                                 pattern, files.size(), files[0], files[1], files.size() > 2 ? " ..." : ""));
  }
  return files;
}

uint64_t FileSeen::bytes() const {
  uint64_t out = 0;
  for (const auto& file : files) out += static_cast<uint64_t>(file.info.st_size);
  return out;
}

const FileSeen::One* FileSeen::empty() const {
  const auto found = std::ranges::find_if(files, [](const One& file) { return file.info.st_size == 0; });
  return found == files.end() ? nullptr : &*found;
}

Result<std::optional<FileSeen>> look_at(const std::string& pattern) {
  using Seen = std::optional<FileSeen>;
  auto paths = files_of(pattern);
  if (!paths && paths.error().code == ErrorCode::kNotFound) return Seen();
  if (!paths) return tl::make_unexpected(paths.error());
  FileSeen out{paths->size() == 1 ? paths->front() : pattern, {}};
  for (auto& path : *paths) {
    FileSeen::One& file = out.files.emplace_back(FileSeen::One{std::move(path), {}});
    if (::stat(file.path.c_str(), &file.info) != 0) {
      if (errno == ENOENT) return Seen();
      return cannot_read(file.path, errno);
    }
    if (!S_ISREG(file.info.st_mode)) return bad_input(fmt::format("{} is no file", file.path));
  }
  return Seen(std::move(out));
}

bool is_same(const FileSeen& a, const FileSeen& b) {
  return std::ranges::equal(a.files, b.files, [](const FileSeen::One& one, const FileSeen::One& other) {
    return one.path == other.path && is_unchanged(one.info, other.info);
  });
}

Result<TakenBytes> take_bytes(const std::string& path, const std::string& scratch) {
  MAEIL_TRY(MappedFile::open(path));  // says what is no file
  struct Closing {
    int fd;
    ~Closing() {
      if (fd >= 0) ::close(fd);
    }
  } const file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct ::stat opened{}, read{};
  if (file.fd < 0 || ::fstat(file.fd, &opened) != 0) return cannot_read(path, errno);
  MAEIL_ASSIGN(AtomicFile into, AtomicFile::create(scratch, AtomicFile::Access::kPrivate));
  Sha256 hash;
  MAEIL_ASSIGN(const uint64_t size, copy(file.fd, path, into, hash));
  if (::fstat(file.fd, &read) != 0) return cannot_read(path, errno);
  if (size != static_cast<uint64_t>(opened.st_size) || !is_unchanged(opened, read)) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("{} was written to while it was read ({} bytes when it was opened, {} read): "
                            "nothing was taken in",
                            path, opened.st_size, size));
  }
  return TakenBytes{std::move(into), hash.hex()};
}

namespace {

// The paths below the folder that all files lie in.
std::vector<std::string> names_of(const std::vector<std::string>& paths) {
  size_t common = paths.front().rfind('/') + 1;  // 0: none
  for (const auto& path : paths) {
    size_t same = 0;
    while (same < std::min(common, path.size()) && path[same] == paths.front()[same]) ++same;
    common = same == 0 ? 0 : path.rfind('/', same - 1) + 1;
  }
  std::vector<std::string> out;
  for (const auto& path : paths) out.push_back(path.substr(common));
  return out;
}

void add_line(const std::string& name, const std::string& sha256, Sha256& hash) {
  hash.update(fmt::format("{} {}\n", name, sha256));
}

}  // namespace

Result<TakenFiles> take_files(const std::string& pattern, const std::string& scratch) {
  MAEIL_ASSIGN(const auto paths, files_of(pattern));
  const auto names = names_of(paths);
  TakenFiles out{paths.size() == 1 ? paths.front() : pattern, {}, ""};
  Sha256 hash;
  for (size_t i = 0; i < paths.size(); ++i) {
    MAEIL_ASSIGN(TakenBytes bytes, take_bytes(paths[i], scratch));
    MAEIL_ASSIGN(const MappedFile copied, bytes.copy.map());
    add_line(names[i], bytes.sha256, hash);
    out.files.push_back({paths[i], names[i], std::move(bytes), copied.bytes().size()});
  }
  out.sha256 = paths.size() == 1 ? out.files[0].bytes.sha256 : hash.hex();
  return out;
}

Result<table::RowFile> TakenFiles::open(const table::DatasetSpec* known) const {
  std::vector<columnar::Part> parts;
  for (const auto& file : files) {
    MAEIL_ASSIGN(MappedFile bytes, file.bytes.copy.map());
    if (files.size() == 1) return table::RowFile::open(std::move(bytes), file.path, known);
    parts.push_back({std::move(bytes), file.path, columnar::part_keys(file.path)});
  }
  return table::RowFile::open(std::move(parts), path, known);
}

Status TakenFiles::each_byte(const std::function<Status(std::string_view)>& sink) const {
  constexpr size_t kPiece = 1 << 20;
  for (const auto& file : files) {
    MAEIL_ASSIGN(const MappedFile copied, file.bytes.copy.map());
    for (size_t at = 0; at < copied.bytes().size(); at += kPiece)
      MAEIL_TRY(sink(copied.bytes().substr(at, kPiece)));
  }
  return {};
}

store::Document TakenFiles::parts() const {
  if (files.size() == 1) return {};
  store::Document out = store::Document::array();
  for (const auto& file : files)
    out.push_back({{"name", file.name}, {"sha256", file.bytes.sha256}, {"bytes", file.size}});
  return out;
}

Result<std::string> sha256_of(const std::string& pattern) {
  MAEIL_ASSIGN(const auto paths, files_of(pattern));
  const auto names = names_of(paths);
  Sha256 hash;
  for (size_t i = 0; i < paths.size(); ++i) {
    MAEIL_ASSIGN(const MappedFile file, MappedFile::open(paths[i]));
    const std::string sha256 = sha256_hex(file.bytes());
    if (paths.size() == 1) return sha256;
    add_line(names[i], sha256, hash);
  }
  return hash.hex();
}

}  // namespace maeil::loop
