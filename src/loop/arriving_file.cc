#include "loop/arriving_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <glob.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <vector>

#include "base/hash.h"

namespace maeil::loop {
namespace {

tl::unexpected<Error> cannot_read(const std::string& path, int error) {
  const std::string text = fmt::format("cannot read {}: {}", path, std::generic_category().message(error));
  return error == ENOENT ? not_found(text) : io_error(text);
}

Result<std::vector<std::string>> matches_of(const std::string& pattern) {
  glob_t found{};
  const int code = ::glob(pattern.c_str(), 0, nullptr, &found);
  std::vector<std::string> out;
  for (size_t i = 0; code == 0 && i < found.gl_pathc; ++i) out.emplace_back(found.gl_pathv[i]);
  ::globfree(&found);
  if (code != 0 && code != GLOB_NOMATCH) return io_error(fmt::format("cannot look for {}", pattern));
  return out;
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

Result<std::string> one_file(const std::string& pattern) {
  struct ::stat info{};
  if (::stat(pattern.c_str(), &info) == 0) return pattern;
  const int error = errno;
  if (pattern.find_first_of("*?[") == std::string::npos) return cannot_read(pattern, error);
  MAEIL_ASSIGN(const auto found, matches_of(pattern));
  if (found.empty()) return cannot_read(pattern, ENOENT);
  if (found.size() == 1) return found.front();
  return bad_input(fmt::format("{} fits {} files ({}, {}{}): a day has one", pattern, found.size(), found[0],
                               found[1], found.size() > 2 ? " ..." : ""));
}

Result<std::optional<FileSeen>> look_at(const std::string& pattern) {
  using Seen = std::optional<FileSeen>;
  auto path = one_file(pattern);
  if (!path && path.error().code == ErrorCode::kNotFound) return Seen();
  if (!path) return tl::make_unexpected(path.error());
  FileSeen out{std::move(*path), {}};
  if (::stat(out.path.c_str(), &out.info) != 0) {
    if (errno == ENOENT) return Seen();
    return cannot_read(out.path, errno);
  }
  if (!S_ISREG(out.info.st_mode)) return bad_input(fmt::format("{} is no file", out.path));
  return Seen(std::move(out));
}

bool is_same(const FileSeen& a, const FileSeen& b) {
  return a.path == b.path && is_unchanged(a.info, b.info);
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

}  // namespace maeil::loop
