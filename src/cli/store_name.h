// Which store the settings, or a word on the command line, mean; and opening it.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/settings.h"
#include "store/store.h"

namespace maeil::cli {

struct StoreName {
  std::string file;           // of the embedded store; else
  std::string uri, database;  // of a server; a database goes before the URI's
  std::chrono::seconds lease{30};
  bool is_file() const { return uri.empty(); }
  std::string shown() const;  // without secrets
};

// A server when any MONGODB_ setting is there, as the Python project's users have them; else the embedded
// file. kUsage when user or password stands alone.
Result<StoreName> store_of_settings(const Settings& settings);

// "mongodb://host/database" and "mongodb+srv://...", "mongodb" for the server of the settings, "sqlite:FILE"
// or just a file's path. What could be meant as something else (another scheme, host:port,
// user:password@host) is kUsage and not a file of that name: "./a:b" is one.
Result<StoreName> parse_store_name(const std::string& text, const Settings& settings);

// Whether both are one file, by whatever paths.
bool is_same_file(const StoreName& a, const StoreName& b);

enum class Access {
  kCreate,
  kExisting,  // kNotFound when it holds nothing; such a one is left as it is
  kRead,      // the same, and nothing is written at all: there are no locks
};
Result<std::unique_ptr<store::Store>> open_store(const StoreName& name, Access access = Access::kCreate);

}  // namespace maeil::cli
