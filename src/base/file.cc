// A write that fails half way must leave the old file as it was and no temporary behind: the destructor
// unlinks.
#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/output_path.h"

namespace maeil {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kTemporary = ".tmp-";

std::string reason(int error) { return std::generic_category().message(error); }

tl::unexpected<Error> system_error(const char* what, const fs::path& path, int error) {
  return io_error(fmt::format("cannot {} {}: {}", what, path.string(), reason(error)));
}

// Only whoever reads can say that a file is not there; to a writer a missing folder is a failure like any
// other.
tl::unexpected<Error> read_error(const fs::path& path, int error) {
  if (error == ENOENT) return not_found(fmt::format("cannot read {}: {}", path.string(), reason(error)));
  return system_error("read", path, error);
}

// A file descriptor that closes itself.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

int lock_at_once(int descriptor) {
  int code = 0;
  while ((code = ::flock(descriptor, LOCK_EX | LOCK_NB)) != 0 && errno == EINTR) {
  }
  return code;
}

// Whether a name is one of temporary_name, or of an earlier release's.
enum class Name { kOther, kOurs, kEarlier };

Name kind_of(std::string_view name) {
  const size_t mark = name.rfind(kTemporary);
  if (mark == name.npos || mark == 0) return Name::kOther;
  name.remove_prefix(mark + kTemporary.size());
  const auto only = [](std::string_view text, const char* digits) {
    return !text.empty() && text.find_first_not_of(digits) == text.npos;
  };
  if (name.size() == 16 && only(name, "0123456789abcdef")) return Name::kOurs;
  const size_t dash = std::min(name.find('-'), name.size() - 1);
  const bool numbers = only(name.substr(0, dash), "0123456789") && only(name.substr(dash + 1), "0123456789");
  return numbers ? Name::kEarlier : Name::kOther;
}

// Not a folder, older than `before`, and if it is a file, nobody's.
bool is_abandoned(const fs::path& path, Instant before) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) return false;
  const auto written =
      std::chrono::seconds(info.st_mtim.tv_sec) + std::chrono::nanoseconds(info.st_mtim.tv_nsec);
  if (written >= before.time_since_epoch()) return false;
  if (S_ISLNK(info.st_mode)) return true;
  if (!S_ISREG(info.st_mode)) return false;
  // For writing: NFS locks nothing else.
  const Descriptor file{::open(path.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
  return file.fd >= 0 && lock_at_once(file.fd) == 0;
}

}  // namespace

Result<fs::path> temporary_name(const fs::path& path) {
  uint64_t random = 0;
  ssize_t got = 0;
  while ((got = ::getrandom(&random, sizeof random, 0)) < 0 && errno == EINTR) {
  }
  if (got != sizeof random) return system_error("find a random name beside", path, errno);
  fs::path out = path;
  out += fmt::format("{}{:016x}", kTemporary, random);
  return out;
}

Result<std::vector<fs::path>> left_behind(const fs::path& folder, Instant before) {
  std::vector<fs::path> out;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const Name kind = kind_of(entry->path().filename().string());
    if (kind == Name::kOther) continue;
    const auto since = kind == Name::kEarlier ? before - std::chrono::hours(24) : before;
    if (is_abandoned(entry->path(), since)) out.push_back(entry->path());
  }
  if (error && error != std::errc::no_such_file_or_directory)
    return system_error("read folder", folder, error.value());
  std::ranges::sort(out);
  return out;
}

Result<std::string> read_file(const fs::path& path, uint64_t max_bytes) {
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) return read_error(path, errno);
  struct stat info{};
  if (::fstat(file.fd, &info) != 0) return read_error(path, errno);
  if (S_ISDIR(info.st_mode)) return read_error(path, EISDIR);
  std::string bytes;
  if (info.st_size > 0 && static_cast<uint64_t>(info.st_size) <= max_bytes) bytes.reserve(info.st_size);
  char buffer[1 << 16];
  for (;;) {
    const ssize_t got = ::read(file.fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return read_error(path, errno);
    if (got == 0) return bytes;
    bytes.append(buffer, got);
    if (bytes.size() > max_bytes) {
      return bad_input(
          fmt::format("{} is larger than the {} bytes such a file may have", path.string(), max_bytes));
    }
  }
}

// The temporary holds its lock before it is old enough for anybody to ask (left_behind). A file that is
// replaced by a stricter one is not open to more people meanwhile: it gets its mode at the end.
Result<AtomicFile> AtomicFile::create(const fs::path& path, Access access) {
  MAEIL_TRY(check_output_path(path));
  struct stat info{};
  const bool replaces = ::stat(path.c_str(), &info) == 0;
  const mode_t kept = info.st_mode & 0777;
  if (path.has_parent_path()) MAEIL_TRY(make_directories(path.parent_path()));
  fs::path temporary;
  int fd = -1;
  for (int tries = 0; fd < 0 && tries < 8; ++tries) {
    MAEIL_ASSIGN(temporary, temporary_name(path));
    fd = ::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                replaces || access == Access::kPrivate ? 0600 : 0644);
    if (fd < 0 && errno != EEXIST) break;
  }
  if (fd < 0 || ::fstat(fd, &info) != 0) {
    const int error = errno;
    if (fd >= 0) ::close(fd), ::unlink(temporary.c_str());
    return system_error("write", path, error);
  }
  (void)lock_at_once(fd);  // where there are no locks, nobody removes what is left behind either
  return AtomicFile(path, std::move(temporary), fd, replaces ? kept : info.st_mode & 0777);
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::move(other.temporary_)),
      descriptor_(other.descriptor_),
      mode_(other.mode_),
      size_(other.size_),
      flushed_(other.flushed_) {
  other.descriptor_ = -1;
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

Status AtomicFile::write(std::string_view bytes) {
  size_ += bytes.size();
  while (!bytes.empty()) {
    const ssize_t put = ::write(descriptor_, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return system_error("write", path_, errno);
    bytes.remove_prefix(put);
  }
  // The disk begins early, so that commit() has little left to wait for. Only a hint: its failure is commit's
  // to find.
  constexpr uint64_t kStep = 8 << 20;
  if (const uint64_t end = size_ / kStep * kStep; end > flushed_) {
    (void)::sync_file_range(descriptor_, static_cast<off64_t>(flushed_), static_cast<off64_t>(end - flushed_),
                            SYNC_FILE_RANGE_WRITE);
    flushed_ = end;
  }
  return {};
}

Status AtomicFile::commit() {
  struct stat info{};
  if (::fstat(descriptor_, &info) != 0) return system_error("write", path_, errno);
  if ((info.st_mode & 0777) != mode_ && ::fchmod(descriptor_, mode_) != 0) {
    return system_error("set the mode of", path_, errno);
  }
  if (::fsync(descriptor_) != 0) return system_error("sync", path_, errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return system_error("replace", path_, errno);
  ::close(descriptor_);
  descriptor_ = -1;
  return sync_directory(path_.has_parent_path() ? path_.parent_path() : fs::path("."));
}

Result<MappedFile> AtomicFile::map() const { return MappedFile::of(descriptor_, path_); }

Status write_file_atomically(const fs::path& path, std::string_view bytes) {
  MAEIL_ASSIGN(AtomicFile file, AtomicFile::create(path));
  MAEIL_TRY(file.write(bytes));
  return file.commit();
}

Status make_directories(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return io_error(fmt::format("cannot create folder {}: {}", path.string(), error.message()));
  return {};
}

Status sync_directory(const fs::path& path) {
  Descriptor folder{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (folder.fd < 0) return system_error("open folder", path, errno);
  if (::fsync(folder.fd) != 0 && errno != EINVAL) return system_error("sync folder", path, errno);
  return {};
}

Result<MappedFile> MappedFile::open(const fs::path& path) {
  // Without O_NONBLOCK a pipe that nobody writes to would be waited for.
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.fd < 0) return read_error(path, errno);
  return of(file.fd, path);
}

Result<MappedFile> MappedFile::of(int descriptor, const fs::path& path) {
  struct stat info{};
  if (::fstat(descriptor, &info) != 0) return system_error("read", path, errno);
  if (!S_ISREG(info.st_mode)) {
    return bad_input(fmt::format("{} is {}: a file is needed", path.string(),
                                 S_ISDIR(info.st_mode)    ? "a folder"
                                 : S_ISFIFO(info.st_mode) ? "a pipe, which can be read only once"
                                                          : "a device or a socket"));
  }
  if (info.st_size == 0) return MappedFile(nullptr, 0);
  void* data = ::mmap(nullptr, info.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  if (data == MAP_FAILED) return system_error("read", path, errno);
  return MappedFile(data, info.st_size);
}

void MappedFile::release(size_t bytes) {
  constexpr size_t kStep = 8 << 20;  // a system call for each chunk of a file would cost more than it gives
  const size_t end = std::min(bytes, size_) / kStep * kStep;
  if (end <= released_) return;
  ::madvise(static_cast<char*>(data_) + released_, end - released_, MADV_DONTNEED);
  released_ = end;
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(data_, size_);
}

}  // namespace maeil
