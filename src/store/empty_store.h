// The store that is not there yet, for commands that only read: it holds nothing, and nothing can be written
// to it.
#pragma once

#include <memory>
#include <string>

#include "store/store.h"

namespace maeil::store {

// `description` as Store::description would say it. Writes are kNotFound; a lock is granted, since there is
// nothing that it could guard.
std::unique_ptr<Store> make_empty_store(std::string description);

}  // namespace maeil::store
