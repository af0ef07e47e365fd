// A write that fails half way must leave the old file as it was and no temporary behind: the destructor unlinks.
#include "base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <system_error>

namespace maeil {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kTemporary = ".tmp-";

std::string reason(int error) { return std::generic_category().message(error); }

tl::unexpected<Error> system_error(const char* what, const fs::path& path, int error) {
  const auto code = error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo;
  return fail(code, fmt::format("cannot {} {}: {}", what, path.string(), reason(error)));
}

// A file descriptor that closes itself.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

// Of `<name>.tmp-<pid>-<n>` the pid; nothing of any other name.
std::optional<pid_t> owner_of(std::string_view name) {
  const size_t mark = name.rfind(kTemporary);
  if (mark == name.npos || mark == 0) return std::nullopt;
  name.remove_prefix(mark + kTemporary.size());
  pid_t pid = 0;
  unsigned n = 0;
  const char* const end = name.data() + name.size();
  const auto [dash, bad_pid] = std::from_chars(name.data(), end, pid);
  if (bad_pid != std::errc() || pid <= 0 || dash == end || *dash != '-') return std::nullopt;
  const auto [rest, bad_n] = std::from_chars(dash + 1, end, n);
  return bad_n == std::errc() && rest == end ? std::optional(pid) : std::nullopt;
}

bool is_gone(pid_t pid) { return ::kill(pid, 0) != 0 && errno == ESRCH; }

bool is_older(const fs::path& path, Instant before) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0 || S_ISDIR(info.st_mode)) return false;
  const auto written = std::chrono::seconds(info.st_mtim.tv_sec) + std::chrono::nanoseconds(info.st_mtim.tv_nsec);
  return written < before.time_since_epoch();
}

}  // namespace

fs::path temporary_name(const fs::path& path) {
  static std::atomic<unsigned> counter{0};
  fs::path out = path;
  out += fmt::format("{}{}-{}", kTemporary, ::getpid(), counter.fetch_add(1));
  return out;
}

Result<std::vector<fs::path>> left_behind(const fs::path& folder, Instant before) {
  std::vector<fs::path> out;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const auto owner = owner_of(entry->path().filename().string());
    if (owner && is_gone(*owner) && is_older(entry->path(), before)) out.push_back(entry->path());
  }
  if (error && error != std::errc::no_such_file_or_directory) return system_error("read folder", folder, error.value());
  std::ranges::sort(out);
  return out;
}

Result<std::string> read_file(const fs::path& path, uint64_t max_bytes) {
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) return system_error("read", path, errno);
  struct stat info {};
  if (::fstat(file.fd, &info) != 0) return system_error("read", path, errno);
  if (S_ISDIR(info.st_mode)) return system_error("read", path, EISDIR);
  std::string bytes;
  if (info.st_size > 0 && static_cast<uint64_t>(info.st_size) <= max_bytes) bytes.reserve(info.st_size);
  char buffer[1 << 16];
  for (;;) {
    const ssize_t got = ::read(file.fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("read", path, errno);
    if (got == 0) return bytes;
    bytes.append(buffer, got);
    if (bytes.size() > max_bytes) {
      return bad_input(fmt::format("{} is larger than the {} bytes such a file may have", path.string(), max_bytes));
    }
  }
}

Result<AtomicFile> AtomicFile::create(const fs::path& path) {
  struct stat there {};
  if (::stat(path.c_str(), &there) == 0 && !S_ISREG(there.st_mode)) {
    return usage_error(fmt::format("cannot write {}: it is no regular file, and would be replaced by one", path.string()));
  }
  if (path.has_parent_path()) MAEIL_TRY(make_directories(path.parent_path()));
  fs::path temporary = temporary_name(path);
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) return io_error(fmt::format("cannot write {}: {}", path.string(), reason(errno)));
  return AtomicFile(path, std::move(temporary), fd);
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)), temporary_(std::move(other.temporary_)), descriptor_(other.descriptor_), size_(other.size_), flushed_(other.flushed_) {
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
  // The disk begins early, so that commit() has little left to wait for. Only a hint: its failure is commit's to find.
  constexpr uint64_t kStep = 8 << 20;
  if (const uint64_t end = size_ / kStep * kStep; end > flushed_) {
    (void)::sync_file_range(descriptor_, static_cast<off64_t>(flushed_), static_cast<off64_t>(end - flushed_), SYNC_FILE_RANGE_WRITE);
    flushed_ = end;
  }
  return {};
}

Status AtomicFile::commit() {
  if (::fsync(descriptor_) != 0) return system_error("sync", path_, errno);
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return system_error("replace", path_, errno);
  ::close(descriptor_);
  descriptor_ = -1;
  return sync_directory(path_.has_parent_path() ? path_.parent_path() : fs::path("."));
}

Result<MappedFile> AtomicFile::map() const { return MappedFile::open(temporary_); }

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
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) return system_error("read", path, errno);
  struct stat info {};
  if (::fstat(file.fd, &info) != 0) return system_error("read", path, errno);
  if (!S_ISREG(info.st_mode)) return system_error("read", path, S_ISDIR(info.st_mode) ? EISDIR : EINVAL);
  if (info.st_size == 0) return MappedFile(nullptr, 0);
  void* data = ::mmap(nullptr, info.st_size, PROT_READ, MAP_PRIVATE, file.fd, 0);
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
