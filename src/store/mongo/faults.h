// What went wrong, in two ways: an Error for people, and what the code around it may do about it.
#pragma once

#include <string>

#include "base/error.h"
#include "store/mongo/driver.h"

namespace maeil::store::mongo {

struct Fault {
  Error error;
  int code = 0;                   // the server's, 0 when there is none
  bool may_retry = false;         // network, failover, write conflict: the same call may succeed later
  bool transaction_over = false;  // TransientTransactionError: the whole transaction may be tried again
  bool refused = false;           // the server answered, and the same call will not succeed later by itself
  bool duplicate = false;         // E11000
  bool no_transactions = false;   // this server knows none
};

// `label` names the server and database, `what` the attempted thing ("write to alerts"); `secret` is cut out
// of the text.
Fault fault_of(const bson_error_t& error, const bson_t* reply, const std::string& label,
               const std::string& what, const std::string& secret);

constexpr int kDuplicateKey = 11000;
constexpr int kWriteConflict = 112;
constexpr int kNamespaceExists = 48;
constexpr int kNotImplemented = 238;

}  // namespace maeil::store::mongo
