// Locks on a server: a lease that its holder renews, with a number (the fence) that every commit of the
// holder's shows.
//
// A lease ends when it is released, when it was not renewed for MongoOptions::lease by the server's clock, or
// at once when its holder was a process of this machine that is gone. A holder that was paused past its lease
// finds another number in the control document and can commit nothing.
#pragma once

#include <functional>
#include <memory>

#include "store/mongo/server.h"
#include "store/store.h"

namespace maeil::store::mongo {

Result<std::unique_ptr<Lock>> take_lease(std::shared_ptr<Server> server, std::string_view name,
                                         std::string_view holder);

// As take_lease, but waits while the holder gives no sign of life, as long as `waiting` returns true; it gets
// a sentence for people. kConflict as soon as the holder renews its lease.
Result<std::unique_ptr<Lock>> wait_for_lease(std::shared_ptr<Server> server, std::string_view name,
                                             std::string_view holder,
                                             const std::function<bool(std::string_view)>& waiting);

// As Store::lock_holder.
Result<std::optional<LockHolder>> holder_of_lease(Server& server, const std::string& name);

}  // namespace maeil::store::mongo
