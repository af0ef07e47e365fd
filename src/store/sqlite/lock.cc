#include "store/sqlite/lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <system_error>

#include "store/field_rules.h"
#include "store/lock_name.h"

namespace maeil::store::sqlite {
namespace {

class FileLock : public Lock {
 public:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  ~FileLock() override {
    (void)!::ftruncate(descriptor_, 0);  // a description of nobody would only mislead
    ::close(descriptor_);
  }

 private:
  int descriptor_;
};

// What the holder wrote into the file; null when that cannot be read.
Document read_description(int descriptor) {
  char buffer[2048];
  const ssize_t size = ::pread(descriptor, buffer, sizeof buffer, 0);
  Document text = parse_document({buffer, static_cast<size_t>(std::max<ssize_t>(size, 0))});
  return text.is_object() ? std::move(text) : Document();
}

// "maeil run (process 4711 on db1, since 2026-11-23T00:15:00.000Z)", as far as the file tells.
std::string holder_of(int descriptor) {
  const Document text = read_description(descriptor);
  if (text.is_null()) return "another process";
  const auto part = [&](const char* name) {
    const auto found = text.find(name);
    return found != text.end() && found->is_string() ? found->get<std::string>() : std::string("?");
  };
  return fmt::format("{} (process {} on {}, since {})", part("holder"), part("pid"), part("host"),
                     part("since"));
}

tl::unexpected<Error> lock_error(const std::filesystem::path& path, std::string_view what) {
  return io_error(fmt::format("cannot open the lock {}: {}", path.string(), what));
}

// The lock of a database, whatever name it was opened by.
Result<std::filesystem::path> lock_path(const std::filesystem::path& database, std::string_view name) {
  if (!is_lock_name(name)) return internal_error(fmt::format("\"{}\" is no name for a lock", name));
  std::error_code absent;
  std::filesystem::path path = std::filesystem::canonical(database, absent);
  if (absent) return lock_error(database, absent.message());
  path += fmt::format(".{}.lock", name);
  return path;
}

// -1: `read_only`, and there is no such file. A link there, of either kind, would have us lock and empty
// somebody else's file.
Result<int> open_lock(const std::filesystem::path& database, const std::filesystem::path& path,
                      bool read_only) {
  constexpr std::string_view kLink = "it is a link, or no file: remove it";
  const auto failed = [&](int error) { return lock_error(path, std::generic_category().message(error)); };
  const int always = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
  int descriptor = ::open(path.c_str(), read_only ? O_RDONLY | always : O_RDWR | always);
  if (descriptor < 0 && errno == ENOENT) {
    struct stat rows{};
    if (read_only) return -1;
    if (::stat(database.c_str(), &rows) != 0) return failed(errno);
    descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | always, 0600);
    // then others may not lock: safe
    if (descriptor >= 0 && ::fchmod(descriptor, rows.st_mode & 0666) != 0) errno = 0;
    // another process was faster
    if (descriptor < 0 && errno == EEXIST) descriptor = ::open(path.c_str(), O_RDWR | always);
  }
  if (descriptor < 0) return errno == ELOOP ? lock_error(path, kLink) : failed(errno);
  struct stat info{};
  if (::fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode) && info.st_nlink == 1) return descriptor;
  ::close(descriptor);
  return lock_error(path, kLink);
}

struct flock whole_file() {
  struct flock range = {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  return range;
}

}  // namespace

Result<std::unique_ptr<Lock>> lock_file(const std::filesystem::path& database, std::string_view name,
                                        std::string_view holder) {
  MAEIL_ASSIGN(const std::filesystem::path path, lock_path(database, name));
  MAEIL_ASSIGN(const int descriptor, open_lock(database, path, false));
  int code = 0;
  while ((code = ::flock(descriptor, LOCK_EX | LOCK_NB)) != 0 && errno == EINTR) {
  }
  if (code != 0) {
    const int error = errno;
    const std::string other = error == EWOULDBLOCK ? holder_of(descriptor) : "";
    ::close(descriptor);
    if (error != EWOULDBLOCK) {
      return io_error(
          fmt::format("cannot lock {}: {}", path.string(), std::generic_category().message(error)));
    }
    return fail(ErrorCode::kConflict,
                fmt::format("the {} lock of {} is held by {}", name, database.string(), other));
  }
  // flock decides. The kernel tells nobody who has one, so this second kind, which it does tell of, is for
  // who only asks.
  struct flock shown = whole_file();
  (void)::fcntl(descriptor, F_OFD_SETLK, &shown);
  char host[256] = "?";
  ::gethostname(host, sizeof host - 1);
  const std::string text = Document{
      {"holder", holder.substr(0, 200)},
      {"pid", std::to_string(::getpid())},
      {"host", host},
      {"since",
       format_instant(now())}}.dump(-1, ' ', false, Document::error_handler_t::replace);
  // On a full disk the lock is held all the same; it only cannot say by whom.
  if (::ftruncate(descriptor, 0) != 0 || ::pwrite(descriptor, text.data(), text.size(), 0) < 0) errno = 0;
  return std::make_unique<FileLock>(descriptor);
}

Result<std::optional<LockHolder>> holder_of_lock(const std::filesystem::path& database,
                                                 std::string_view name) {
  MAEIL_ASSIGN(const std::filesystem::path path, lock_path(database, name));
  MAEIL_ASSIGN(const int descriptor, open_lock(database, path, true));
  if (descriptor < 0) return std::nullopt;
  struct flock held = whole_file();
  if (::fcntl(descriptor, F_OFD_GETLK, &held) != 0) {
    const int error = errno;
    ::close(descriptor);
    return lock_error(path, std::generic_category().message(error));
  }
  std::optional<LockHolder> holder;
  if (held.l_type != F_UNLCK) {
    const Document text = read_description(descriptor);
    holder = LockHolder{text_field(text, "holder"), text_field(text, "host"), text_field(text, "pid")};
  }
  ::close(descriptor);
  return holder;
}

}  // namespace maeil::store::sqlite
