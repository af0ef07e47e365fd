// The embedded store: one SQLite file in WAL mode, next to it `-wal`, `-shm` and one `.lock` file per lock's
// name.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "store/store.h"

namespace maeil::store {

// How far the change of a store that an older maeil made to this one's form has come: when it begins (done is
// 0) and after each of its steps, each of which is one transaction; at the end done is all.
struct MigrationProgress {
  const std::string& path;
  int64_t done = 0, all = 0;  // documents, nearly
};

struct SqliteOptions {
  bool create = true;  // false: kNotFound when there is no such file
  // Writes are refused, and nothing is made, not even in a database that holds nothing (kNotFound); implies
  // create = false. A lock() only says whether somebody has it: what it returns holds nothing.
  bool read_only = false;
  int busy_timeout_ms = 30000;  // how long a write waits for another process's; then kConflict
  std::function<void(const MigrationProgress&)> migrating = nullptr;
};

// Opens or creates the database, or changes one of an older maeil (schema 1: without indexes) to this one's
// form; `read_only` reads one as it is. Killed in the middle of that, the next one goes on with it.
// kBadInput: not a database, damaged, another program's, written by a newer maeil. kIo: the file or its
// folder cannot be read or written, the disk is full. A failure changes nothing on disk that a reader would
// notice. A signal SIGXFSZ left at its default is set to be ignored, so that a file size limit is an error
// too. A new database can be read by this user alone (0600; -wal, -shm and the locks take its permission
// bits, whatever they become). kBadInput, too: the file has several hard links. Every write is on disk when
// it returns (synchronous=FULL). Do not use the Store in a child after fork().
Result<std::unique_ptr<Store>> open_sqlite(const std::filesystem::path& path,
                                           const SqliteOptions& options = {});

}  // namespace maeil::store
