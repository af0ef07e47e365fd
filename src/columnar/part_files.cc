#include "columnar/part_files.h"

#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/error.h"

namespace maeil::columnar {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kEndings[] = {".parquet", ".pq", ".arrow", ".arrows", ".feather", ".ipc"};
constexpr int kMostLevels = 16;

tl::unexpected<Error> cannot_read(const std::string& path, int error) {
  const std::string text = fmt::format("cannot read {}: {}", path, std::generic_category().message(error));
  return error == ENOENT || error == ENOTDIR ? not_found(text) : io_error(text);
}

bool is_left_out(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with('_') || name.starts_with('.');
}

Status add_folder(const fs::path& folder, int level, std::vector<std::string>& out) {
  if (level > kMostLevels)
    return bad_input(
        fmt::format("{}: folders lie in folders more than {} deep", folder.string(), kMostLevels));
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  for (const auto& entry : entries) {
    if (is_left_out(entry.path())) continue;
    const std::string path = entry.path().string();
    std::error_code ignored;
    if (entry.is_directory(ignored)) {
      if (entry.path().filename().string().find('=') == std::string::npos)
        return bad_input(
            fmt::format("{} is a folder that is not named key=value: name the folder or the files "
                        "that are meant",
                        path));
      MAEIL_TRY(add_folder(entry.path(), level + 1, out));
      continue;
    }
    const std::string ending = entry.path().extension().string();
    if (std::ranges::find(kEndings, ending) == std::end(kEndings))
      return bad_input(
          fmt::format("{} is neither *.parquet nor *.arrow, and the folder is to be read as parts "
                      "of one table: name the files that are meant, or take it out",
                      path));
    out.push_back(path);
  }
  if (error) return cannot_read(folder.string(), error.value());
  return {};
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

// A folder of such a name was made in error: no parts will come.
bool is_named_as_text(const std::string& path) {
  constexpr std::string_view kText[] = {".csv", ".tsv", ".txt", ".dat", ".gz", ".zst"};
  return std::ranges::any_of(kText, [&](std::string_view ending) { return path.ends_with(ending); });
}

// A folder's files; else the path itself.
Status add(const std::string& path, std::vector<std::string>& out) {
  struct ::stat info{};
  if (::stat(path.c_str(), &info) != 0) return cannot_read(path, errno);
  if (S_ISDIR(info.st_mode)) return add_folder(path, 0, out);
  out.push_back(path);
  return {};
}

std::string unescaped(std::string_view text) {
  const auto digit = [](char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
  };
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape =
        text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0;
    out += escape ? static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2])) : text[i];
    if (escape) i += 2;
  }
  return out;
}

}  // namespace

Result<std::vector<std::string>> part_files(const std::string& path) {
  struct ::stat info{};
  std::vector<std::string> out;
  const bool there = ::stat(path.c_str(), &info) == 0;
  const int error = errno;
  if (there) {
    MAEIL_TRY(add(path, out));
    if (out.empty() && is_named_as_text(path))
      return bad_input(
          fmt::format("{} is no file, and as a folder it holds no *.parquet and no *.arrow", path));
    // Its parts may come yet.
    if (out.empty()) return not_found(fmt::format("{} is a folder without *.parquet and *.arrow", path));
  } else {
    if (path.find_first_of("*?[") == std::string::npos) return cannot_read(path, error);
    MAEIL_ASSIGN(const auto found, matches_of(path));
    for (const auto& one : found) {
      // "_SUCCESS" beside the parts; a pattern that says "_" itself means such names.
      if (found.size() == 1 || !is_left_out(one) || is_left_out(path)) MAEIL_TRY(add(one, out));
    }
    if (out.empty()) return cannot_read(path, ENOENT);
  }
  std::ranges::sort(out);
  return out;
}

std::vector<PartKey> part_keys(const std::string& path) {
  std::vector<PartKey> out;
  for (const auto& folder : fs::path(path).parent_path()) {
    const std::string name = folder.string();
    const size_t equals = name.find('=');
    if (equals == 0 || equals == std::string::npos) continue;
    const std::string value = unescaped(std::string_view(name).substr(equals + 1));
    out.push_back({unescaped(std::string_view(name).substr(0, equals)),
                   value == "__HIVE_DEFAULT_PARTITION__" ? std::nullopt : std::optional(value)});
  }
  return out;
}

bool is_columnar(std::string_view bytes) {
  // Behind "PAR1" stands a page or, without rows, the footer: both begin with Thrift's mark of a first field.
  // A CSV file may have a column of that name.
  const bool parquet = bytes.starts_with("PAR1\x15") || bytes.starts_with("PARE");
  return parquet || (bytes.size() >= 12 && bytes.starts_with("PAR1") && bytes.ends_with("PAR1")) ||
         bytes.starts_with(std::string_view("ARROW1\0", 7)) || bytes.starts_with("\xff\xff\xff\xff");
}

}  // namespace maeil::columnar
