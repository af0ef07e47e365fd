// Locks of the operating system: flock on `<db>.<name>.lock`, which ends with its holder however that dies.
//
// `<db>` is the database file itself, whatever links lead to it: two names of one database have one lock. The
// file says who holds it, for the message of the next one. It stays when the lock is given up: removing it
// would let two holders lock two files of one name. It has the database's permission bits, so that who may
// write the one may lock the other.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "store/store.h"

namespace maeil::store::sqlite {

// kConflict when held, by another process or by this one. `name` is of a-z, 0-9, - and _. kIo: what
// bears the lock's name is no file of its own (a link). REQUIRES: the database is there.
Result<std::unique_ptr<Lock>> lock_file(const std::filesystem::path& database, std::string_view name,
                                        std::string_view holder);

// As Store::lock_holder.
Result<std::optional<LockHolder>> holder_of_lock(const std::filesystem::path& database,
                                                 std::string_view name);

}  // namespace maeil::store::sqlite
