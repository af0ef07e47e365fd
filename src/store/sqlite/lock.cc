#include "store/sqlite/lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

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

// "maeil run (process 4711 on db1, since 2026-11-23T00:15:00.000Z)", as far as the file tells.
std::string holder_of(int descriptor) {
  char buffer[2048];
  const ssize_t size = ::pread(descriptor, buffer, sizeof buffer, 0);
  const Document text = parse_document({buffer, static_cast<size_t>(std::max<ssize_t>(size, 0))});
  if (!text.is_object()) return "another process";
  const auto part = [&](const char* name) {
    const auto found = text.find(name);
    return found != text.end() && found->is_string() ? found->get<std::string>() : std::string("?");
  };
  return fmt::format("{} (process {} on {}, since {})", part("holder"), part("pid"), part("host"), part("since"));
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
  char host[256] = "?";
  ::gethostname(host, sizeof host - 1);
  const std::string text = Document{{"holder", holder.substr(0, 200)}, {"pid", std::to_string(::getpid())}, {"host", host},
                                    {"since", format_instant(now())}}
                               .dump(-1, ' ', false, Document::error_handler_t::replace);
  // On a full disk the lock is held all the same; it only cannot say by whom.
  if (::ftruncate(descriptor, 0) != 0 || ::pwrite(descriptor, text.data(), text.size(), 0) < 0) errno = 0;
  return std::make_unique<FileLock>(descriptor);
}

}  // namespace maeil::store::sqlite
