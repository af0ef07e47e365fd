// A server as all parts of the store share it: the pool of connections, what this server can do, and the
// leases that this Store holds. Thread safe.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "store/mongo/bson.h"
#include "store/mongo/driver.h"
#include "store/mongo/mongo_store.h"

namespace maeil::store::mongo {

// Collections of maeil's own; people's and tasks' may not have such names.
inline constexpr const char* kControl = "maeil_control";        // one document: locks
inline constexpr const char* kLeases = "maeil_leases";          // until when each lock is held
inline constexpr const char* kHeads = "maeil_heads";            // which batch was the last to count
inline constexpr const char* kJournal = "maeil_journal";        // batches on their way, in pieces
inline constexpr const char* kPartitions = "maeil_partitions";  // which generation of rows is published
// every generation that has or may have rows
inline constexpr const char* kGenerations = "maeil_generations";
inline constexpr const char* kUploads = "maeil_uploads";  // blobs that were begun
inline constexpr std::array kOwnCollections = {kControl,    kLeases,      kHeads,  kJournal,
                                               kPartitions, kGenerations, kUploads};
inline constexpr const char* kFiles = "fs.files";
inline constexpr const char* kChunks = "fs.chunks";

// A process, so that another one on the same machine can tell whether it still lives.
struct Identity {
  std::string host, machine;  // machine: this boot of this kernel and process number space
  int64_t pid = 0, started = 0;
  static const Identity& own();
  Document document() const;
  // True when the process surely has ended: it was on this machine, and is gone or another has its number.
  static bool is_dead(const Document& identity);
};

struct HeldLease {
  std::string name;
  int64_t token = 0;
};

class Server {
 public:
  static Result<std::shared_ptr<Server>> open(const std::string& uri, const std::string& database,
                                              const MongoOptions& options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  mongoc_client_pool_t* pool() const { return pool_; }
  const std::string& database() const { return database_; }
  const std::string& label() const { return label_; }  // "MongoDB db1:27017/mlops_default_prediction"
  const std::string& secret() const { return secret_; }
  const MongoOptions& options() const { return options_; }
  const Codec& codec() const { return codec_; }
  bool replicated() const { return replicated_; }  // reads may ask for what a majority has
  bool transactions() const { return transactions_; }
  void forget_transactions() { transactions_ = false; }  // the server turned out to have none

  std::atomic<uint64_t> nulled{0};  // NaN and infinities that were written as null
  // this process's writers queue here and not at the server, where there are no transactions
  std::mutex commits;

  void add_lease(const HeldLease& lease);
  void remove_lease(const HeldLease& lease);
  std::vector<HeldLease> leases() const;

  // To MongoOptions::warn, the first time.
  void warn(const std::string& sentence);

  // Collections that this process has made or found, so that it asks once.
  bool knows(const std::string& collection) const;
  void learn(const std::string& collection);

  // Batches whose documents are none (batch_protocol.h), as this process saw them last.
  std::vector<std::string> refused() const;
  void set_refused(std::vector<std::string> batches);

 private:
  Server() = default;
  mongoc_client_pool_t* pool_ = nullptr;
  std::string database_, label_, secret_;
  MongoOptions options_;
  Codec codec_;
  bool replicated_ = false;
  std::atomic<bool> transactions_{false};
  std::once_flag warned_;
  mutable std::mutex mutex_;
  std::vector<HeldLease> leases_;
  std::set<std::string> known_;
  std::vector<std::string> refused_;
};

}  // namespace maeil::store::mongo
