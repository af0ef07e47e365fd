#include "store/sqlite/lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
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
  return fmt::format("{} (process {} on {}, since {})", part("holder"), part("pid"), part("host"), part("since"));
}

struct flock whole_file() {
  struct flock range = {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  return range;
}

}  // namespace

Result<std::unique_ptr<Lock>> lock_file(const std::filesystem::path& database, std::string_view name, std::string_view holder) {
  if (!is_lock_name(name)) return internal_error(fmt::format("\"{}\" is no name for a lock", name));
  std::filesystem::path path = database;
  path += fmt::format(".{}.lock", name);
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) {
    return io_error(fmt::format("cannot open the lock {}: {}", path.string(), std::generic_category().message(errno)));
  }
  int code = 0;
  while ((code = ::flock(descriptor, LOCK_EX | LOCK_NB)) != 0 && errno == EINTR) {
  }
  if (code != 0) {
    const int error = errno;
    const std::string other = error == EWOULDBLOCK ? holder_of(descriptor) : "";
    ::close(descriptor);
    if (error != EWOULDBLOCK) return io_error(fmt::format("cannot lock {}: {}", path.string(), std::generic_category().message(error)));
    return fail(ErrorCode::kConflict, fmt::format("the {} lock of {} is held by {}", name, database.string(), other));
  }
  // flock decides. The kernel tells nobody who has one, so this second kind, which it does tell of, is for who only asks.
  struct flock shown = whole_file();
  (void)::fcntl(descriptor, F_OFD_SETLK, &shown);
  char host[256] = "?";
  ::gethostname(host, sizeof host - 1);
  const std::string text = Document{{"holder", holder.substr(0, 200)}, {"pid", std::to_string(::getpid())}, {"host", host},
                                    {"since", format_instant(now())}}
                               .dump(-1, ' ', false, Document::error_handler_t::replace);
  // On a full disk the lock is held all the same; it only cannot say by whom.
  if (::ftruncate(descriptor, 0) != 0 || ::pwrite(descriptor, text.data(), text.size(), 0) < 0) errno = 0;
  return std::make_unique<FileLock>(descriptor);
}

Result<std::optional<LockHolder>> holder_of_lock(const std::filesystem::path& database, std::string_view name) {
  if (!is_lock_name(name)) return internal_error(fmt::format("\"{}\" is no name for a lock", name));
  std::filesystem::path path = database;
  path += fmt::format(".{}.lock", name);
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0 && errno == ENOENT) return std::nullopt;
  struct flock held = whole_file();
  if (descriptor < 0 || ::fcntl(descriptor, F_OFD_GETLK, &held) != 0) {
    const int error = errno;
    if (descriptor >= 0) ::close(descriptor);
    return io_error(fmt::format("cannot read the lock {}: {}", path.string(), std::generic_category().message(error)));
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
