// Files: whole reads, atomic writes, directories that survive a power cut. Errors name the path and the
// system's reason.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace maeil {

// The whole file. kNotFound when it is absent, kIo when it cannot be read, kBadInput when larger than
// `max_bytes`.
Result<std::string> read_file(const std::filesystem::path& path, uint64_t max_bytes = uint64_t{4} << 30);

class MappedFile;

// `<path>.tmp-<16 random hex digits>`: a name for what shall replace `path`. Two containers with one folder
// have the same process ids, so nothing of the process is in it. Whoever makes something of that name must do
// so exclusively all the same.
Result<std::filesystem::path> temporary_name(const std::filesystem::path& path);

// What killed processes left in `folder` under such names: not written since `before`, and held by nobody. An
// AtomicFile holds a flock on its temporary as long as it lives, which other processes see, on NFS those of
// other machines too; a temporary that is not held will never be written again. Where the file system knows
// no locks, files stay. Of links only the age counts: they live for an instant. So do names of an earlier
// release (`.tmp-<pid>-<n>`), which held nothing, a day after `before`. Sorted; nothing when there is no such
// folder.
Result<std::vector<std::filesystem::path>> left_behind(const std::filesystem::path& folder, Instant before);

// A file that appears under its name only when it is complete: bytes go to temporary_name(path), and commit()
// syncs, renames and syncs the folder. Destroyed without commit, it leaves nothing behind. Parent folders are
// made. A file that is replaced passes its permission bits on; kShared: a new one gets 0644 without the
// umask's bits; kPrivate, for what no other user is meant to read (rows or secrets that are not written for
// people): a new one gets 0600. kUsage: there is a folder, a device or a pipe of that name. Everything else
// that fails is kIo, also where something is missing. Not thread safe.
class AtomicFile {
 public:
  enum class Access { kShared, kPrivate };
  static Result<AtomicFile> create(const std::filesystem::path& path, Access access = Access::kShared);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();

  Status write(std::string_view bytes);
  Status commit();
  // What was written so far. It stays readable as it is when another process replaces the file after
  // commit(). REQUIRES: before commit().
  Result<MappedFile> map() const;
  int descriptor() const { return descriptor_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  AtomicFile(std::filesystem::path path, std::filesystem::path temporary, int descriptor, unsigned mode)
      : path_(std::move(path)), temporary_(std::move(temporary)), descriptor_(descriptor), mode_(mode) {}
  std::filesystem::path path_, temporary_;
  int descriptor_;
  unsigned mode_;                    // the file's when it is complete
  uint64_t size_ = 0, flushed_ = 0;  // bytes written, and of these handed to the disk
};

// AtomicFile::create, write, commit; shared.
Status write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

Status make_directories(const std::filesystem::path& path);

// fsync of a folder, so that a rename in it is on disk.
Status sync_directory(const std::filesystem::path& path);

// A read-only mapping of a whole file; empty files give an empty view. The view lives as long as the object.
// REQUIRES: nobody truncates the file meanwhile.
class MappedFile {
 public:
  static Result<MappedFile> open(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept
      : data_(other.data_), size_(other.size_), released_(other.released_) {
    other.data_ = nullptr;
    other.size_ = 0;
  }
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile();
  std::string_view bytes() const { return {static_cast<const char*>(data_), size_}; }
  // Gives the memory of the first `bytes` back to the system; they can still be read, from the disk again.
  void release(size_t bytes);

 private:
  friend class AtomicFile;
  static Result<MappedFile> of(int descriptor, const std::filesystem::path& path);
  MappedFile(void* data, size_t size) : data_(data), size_(size) {}
  void* data_;
  size_t size_;
  size_t released_ = 0;
};

}  // namespace maeil
