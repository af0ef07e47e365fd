// Blobs as GridFS files in the bucket `fs`, as the Python project and every MongoDB tool read and write them.
// A blob is registered in maeil_uploads before its first piece and appears with its document in fs.files,
// written last; that document also has `sha256`, by which a blob of ours is known.
//
// maeil_uploads {_id: the blob's, begun: when something was last written to it, by the server's clock,
//                dropped: true once its pieces are being removed as garbage}
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "store/mongo/connection.h"
#include "store/store.h"

namespace maeil::store::mongo {

// `id` empty: a new one; else kConflict when there is such a blob. `uploaded` the epoch: now.
Result<std::unique_ptr<BlobWriter>> begin_blob(std::shared_ptr<Server> server, std::string_view filename,
                                               const Document& metadata, std::string_view id,
                                               Instant uploaded);

Status visit_blob(Connection& connection, std::string_view id,
                  const std::function<Status(std::string_view)>& sink);
Result<BlobInfo> find_blob(Connection& connection, std::string_view id);
// those whose _id is an ObjectId, in order of writing
Result<std::vector<BlobInfo>> all_blobs(Connection& connection, bool ours_only);
Status drop_blob(Connection& connection, std::string_view id);

// Removes what uploads that were last written to before `before` and never finished have left. Returns how
// many.
Result<int64_t> drop_unfinished_blobs(Connection& connection, Instant before);

}  // namespace maeil::store::mongo
