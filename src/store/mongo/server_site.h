// The protocol's calls (batch_protocol.h) as commands to a server. Not thread safe.
//
// maeil_heads    {_id: number, batch, state: "done" | "counts" | "refused", words, past: [{batch, words}],
//                refused: [batch], nonce}: the one with the highest number is the head; a few before it are
//                kept
// maeil_journal  {batch, n, bytes}: a plan, in pieces
#pragma once

#include "store/mongo/batch_protocol.h"
#include "store/mongo/control.h"

namespace maeil::store::mongo {

class ServerSite : public Site {
 public:
  explicit ServerSite(Connection& connection) : connection_(connection) {}

  Result<Head> head() override;
  Result<bool> move_head(const Head& to) override;
  Status write_journal(const std::string& batch, std::span<const Change> changes) override;
  Result<std::vector<Change>> read_journal(const std::string& batch) override;
  Status remove_journal(const std::string& batch) override;
  Result<std::string> carry_out(std::span<const Change> changes) override;
  Result<std::string> take_back(std::span<const Change> changes, const std::string& batch) override;
  Status check_locks() override;
  std::string new_batch() override { return new_object_id(now()); }
  bool wait(int times) override;

 private:
  Result<std::string> write_each(std::span<const Write> writes);

  Connection& connection_;
};

// Before anything of maeil's is read or written on a server without transactions: settle (batch_protocol.h).
// For reading its kConflict is only a warning: a batch that can neither be finished nor taken back must not
// keep people from looking.
Status settle_to_read(Connection& connection);
Status settle_to_write(Connection& connection);

// After a lock changed hands: what its former holder began to write and does not count yet never will.
Status close_the_past_of_others(Connection& connection);

}  // namespace maeil::store::mongo
