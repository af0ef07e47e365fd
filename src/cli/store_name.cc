#include "cli/store_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/secrets.h"
#include "cli/output.h"
#include "store/mongo/mongo_store.h"
#include "store/sqlite/sqlite_store.h"

namespace maeil::cli {
namespace fs = std::filesystem;
namespace {

bool is_server_set(const Settings& settings) {
  const char* const names[] = {"MONGODB_URI",      "MONGODB_HOST",     "MONGODB_PORT",
                               "MONGODB_DATABASE", "MONGODB_USERNAME", "MONGODB_PASSWORD"};
  return std::ranges::any_of(names, [&](const char* name) { return is_set(settings, name); });
}

StoreName file_name(const std::string& path) {
  StoreName name;
  name.file = path;
  return name;
}

Result<StoreName> server_of_settings(const Settings& settings) {
  StoreName name;
  name.uri = settings.mongodb_uri;
  name.lease = std::chrono::seconds(settings.lease_seconds);
  if (name.uri.empty()) {
    const bool user = !settings.mongodb_username.empty(), password = !settings.mongodb_password.empty();
    if (password && !user) return usage_error("MONGODB_PASSWORD is set, MONGODB_USERNAME is not");
    if (user && !password) return usage_error("MONGODB_USERNAME is set, MONGODB_PASSWORD is not");
    name.uri = store::make_mongo_uri(settings.mongodb_host, settings.mongodb_port, settings.mongodb_username,
                                     settings.mongodb_password);
  }
  // The database that the URI names counts unless MONGODB_DATABASE was said.
  if (is_set(settings, "MONGODB_DATABASE")) name.database = settings.mongodb_database;
  return name;
}

// What stands before the first '/', in small letters: "mongodb:", "127.0.0.1:27017", "." or a file's name.
std::string first_part(const std::string& text) {
  std::string part = text.substr(0, text.find('/'));
  for (char& c : part) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return part;
}

}  // namespace

std::string StoreName::shown() const {
  return is_file() ? fmt::format("SQLite {}", file) : redact_address(uri);
}

Result<StoreName> store_of_settings(const Settings& settings) {
  return is_server_set(settings) ? server_of_settings(settings) : file_name(settings.store_path);
}

Result<StoreName> parse_store_name(const std::string& text, const Settings& settings) {
  constexpr const char* kForms =
      "the path of a file, mongodb://host:27017/database, or mongodb for the server of the MONGODB_ settings";
  if (text.empty() || text == "sqlite:")
    return usage_error(fmt::format("no store is named: write {}", kForms));
  const std::string first = first_part(text);
  if (first == "mongodb" && first.size() == text.size()) {
    if (!is_server_set(settings))
      return usage_error(
          "'mongodb' is the server of the MONGODB_ settings, and none is set: set MONGODB_URI or "
          "MONGODB_HOST");
    return server_of_settings(settings);
  }
  if ((first == "mongodb:" || first == "mongodb+srv:") && text.substr(first.size()).starts_with("//")) {
    StoreName name;
    name.uri = text;
    name.lease = std::chrono::seconds(settings.lease_seconds);
    return name;
  }
  if (first.starts_with("sqlite:") && !text.substr(7).starts_with("//")) return file_name(text.substr(7));
  if (first.find_first_of(":@") != std::string::npos) {
    return usage_error(
        fmt::format("'{}' names no store: write {}; ./ in front of a file's name that holds : or @",
                    redact_address(text), kForms));
  }
  return file_name(text);
}

bool is_same_file(const StoreName& a, const StoreName& b) {
  std::error_code error;
  return a.is_file() && b.is_file() && fs::equivalent(a.file, b.file, error) && !error;
}

Result<std::unique_ptr<store::Store>> open_store(const StoreName& name, Access access) {
  if (name.is_file()) {
    store::SqliteOptions options;
    options.create = access == Access::kCreate;
    options.read_only = access == Access::kRead;
    options.migrating = [](const store::MigrationProgress& progress) {
      if (progress.done > 0 || progress.all == 0) return;
      note(fmt::format("{} was made by an older maeil: making its indexes once, of {} documents; older "
                       "versions cannot use it afterwards",
                       progress.path, progress.all),
           LogLevel::kInfo);
    };
    std::error_code error;
    const auto size = fs::file_size(name.file, error);
    if (!options.create && !error && size == 0)
      return not_found(fmt::format("{} holds nothing: the file is empty", name.file));
    return store::open_sqlite(name.file, options);
  }
  store::MongoOptions options;
  options.lease = name.lease;
  options.create = access == Access::kCreate;
  options.read_only = access == Access::kRead;
  options.warn = [](std::string_view sentence) {
    note(fmt::format("warning: {}", sentence), LogLevel::kWarning);
  };
  return store::open_mongo(name.uri, name.database, options);
}

}  // namespace maeil::cli
