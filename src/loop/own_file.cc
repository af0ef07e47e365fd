// The note beside a file is replaced as a whole, under a lock on the folder: days that run side by side write
// the same path, and none may lose what another has noted.
#include "loop/own_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <vector>

namespace maeil::loop {
namespace fs = std::filesystem;
namespace {

constexpr size_t kNoted = 100;  // the newest: more than the days that run side by side
constexpr uint64_t kMaxNoteBytes = 1 << 16;
constexpr size_t kHexDigits = 64;

fs::path note_beside(const fs::path& path) {
  return path.parent_path() / fmt::format(".{}.maeil", path.filename().string());
}

// The sha256 that are noted beside `path`, oldest first. None when there is no note, or none of ours.
std::vector<std::string> noted(const fs::path& path) {
  std::vector<std::string> out;
  const auto text = read_file(note_beside(path), kMaxNoteBytes);
  for (size_t at = 0; text && at < text->size();) {
    const size_t end = std::min(text->find('\n', at), text->size());
    if (end - at == kHexDigits) out.push_back(text->substr(at, kHexDigits));
    at = end + 1;
  }
  return out;
}

Status note(const fs::path& path, const std::string& sha256) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const int lock = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  while (lock >= 0 && ::flock(lock, LOCK_EX) != 0 && errno == EINTR) {  // NFS has none for folders
  }
  const auto write = [&]() -> Status {
    auto hashes = noted(path);
    if (!hashes.empty() && hashes.back() == sha256) return {};
    std::erase(hashes, sha256);
    hashes.push_back(sha256);
    std::string text =
        fmt::format("# {} holds what maeil wrote, and may be replaced, when its sha256 is one of these\n",
                    path.filename().string());
    const size_t first = hashes.size() > kNoted ? hashes.size() - kNoted : 0;
    for (size_t i = first; i < hashes.size(); ++i) text += hashes[i] + '\n';
    return write_file_atomically(note_beside(path), text);
  };
  const Status done = write();
  if (lock >= 0) ::close(lock);
  return done;
}

// Not through a mapping: a file of somebody else's may be cut meanwhile.
Result<std::string> sha256_of_file(const std::string& path) {
  const auto failed = [&] {
    return io_error(fmt::format("cannot read {}: {}", path, std::generic_category().message(errno)));
  };
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return failed();
  Sha256 hash;
  std::string buffer(1 << 18, '\0');
  for (;;) {
    const ssize_t got = ::read(file, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got > 0) hash.update({buffer.data(), static_cast<size_t>(got)});
    if (got > 0) continue;
    const auto ended = got == 0 ? Result<std::string>(hash.hex()) : Result<std::string>(failed());
    ::close(file);
    return ended;
  }
}

}  // namespace

// What is neither a file nor absent is AtomicFile's to refuse.
OwnFile::Seen OwnFile::look(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_size == 0) return std::nullopt;
  return info;
}

Result<bool> OwnFile::wrote(const std::string& path, const OwnFileKind& kind, const StoreToAsk& ask) {
  MAEIL_ASSIGN(const std::string sha256, sha256_of_file(path));
  for (const auto& known : noted(path)) {
    if (known == sha256) return true;
  }
  MAEIL_ASSIGN(store::Store & store, ask());
  store::FindOptions by_hash;
  by_hash.filter = {{"sha256", sha256}};
  by_hash.projection = {"sha256"};
  MAEIL_ASSIGN(const auto recorded, store.find_one(kind.collection, by_hash));
  return !recorded.is_null();
}

Status OwnFile::check(const std::string& path, const OwnFileKind& kind, const StoreToAsk& ask) {
  MAEIL_ASSIGN(const bool ours, wrote(path, kind, ask));
  if (ours) return {};
  return usage_error(
      fmt::format("{} is a file that maeil did not write, and {} would replace it: move it away, or {}", path,
                  kind.what, kind.else_do));
}

Result<OwnFile> OwnFile::begin(const std::string& path, const OwnFileKind& kind, StoreToAsk store) {
  const Seen seen = look(path);
  if (seen) MAEIL_TRY(check(path, kind, store));
  MAEIL_ASSIGN(AtomicFile file, AtomicFile::create(path));
  return OwnFile(std::move(file), kind, std::move(store), seen);
}

Status OwnFile::remove(const std::string& path, const OwnFileKind& kind, const StoreToAsk& store) {
  std::error_code error;
  if (look(path)) {
    MAEIL_ASSIGN(const bool ours, wrote(path, kind, store));
    if (!ours) return {};
    if (!fs::remove(path, error) && error)
      return io_error(fmt::format("cannot remove {}: {}", path, error.message()));
  }
  fs::remove(note_beside(path), error);  // one that stays says nothing of a file that is gone
  return {};
}

Status OwnFile::write(std::string_view bytes) {
  hash_.update(bytes);
  return file_.write(bytes);
}

const std::string& OwnFile::sha256() {
  if (sha256_.empty()) sha256_ = hash_.hex();
  return sha256_;
}

Status OwnFile::commit() {
  const std::string path = file_.path().string();
  const Seen now = look(path);
  const auto same = [](const struct stat& a, const struct stat& b) {
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino && a.st_size == b.st_size &&
           a.st_mtim.tv_sec == b.st_mtim.tv_sec && a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
  };
  if (now && !(seen_ && same(*now, *seen_))) MAEIL_TRY(check(path, kind_, store_));
  MAEIL_TRY(note(file_.path(), sha256()));
  return file_.commit();
}

}  // namespace maeil::loop
