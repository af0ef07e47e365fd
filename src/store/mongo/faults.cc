// The table from the driver's and the server's codes to sentences. Codes are those of MongoDB's
// error_codes.yml, by number since the driver does not name them.
#include "store/mongo/faults.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

namespace maeil::store::mongo {
namespace {

bool one_of(int code, std::initializer_list<int> codes) {
  return std::ranges::find(codes, code) != codes.end();
}

bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

bool contains_any(const std::string& text, std::initializer_list<const char*> parts) {
  return std::ranges::any_of(parts, [&](const char* part) { return contains(text, part); });
}

// Host unreachable, network time-out, not primary, shutting down, interrupted by a failover, primary stepped
// down, write conflict.
bool is_passing(int code) {
  return one_of(
      code, {6, 7, 89, 91, 112, 134, 189, 262, 9001, 10107, 11600, 11602, 13388, 13435, 13436, 50, 64, 24});
}

std::string without(std::string text, const std::string& secret) {
  for (size_t at = 0; secret.size() >= 3 && (at = text.find(secret, at)) != std::string::npos; at += 3)
    text.replace(at, secret.size(), "***");
  return text;
}

struct Verdict {
  ErrorCode code;
  std::string advice;
};

Verdict judge(const bson_error_t& error, const std::string& text) {
  const int code = static_cast<int>(error.code);
  const bool from_server = error.domain == MONGOC_ERROR_SERVER ||
                           error.domain == MONGOC_ERROR_WRITE_CONCERN ||
                           error.domain == MONGOC_ERROR_COMMAND || error.domain == MONGOC_ERROR_COLLECTION;
  if (contains_any(text, {"No space left", "disk is full", "disk full"}) || (from_server && code == 14031)) {
    return {ErrorCode::kIo, "the server has no room left on its disk: make room there"};
  }
  if (contains_any(text, {"certificate", "TLS", "SSL"}) && !from_server) {
    return {ErrorCode::kUsage,
            "no TLS connection: check tlsCAFile, the server's certificate (is it for this host's name?) and "
            "tlsCertificateKeyFile"};
  }
  const bool refused_login =
      (error.domain == MONGOC_ERROR_CLIENT && code == MONGOC_ERROR_CLIENT_AUTHENTICATE) ||
      error.domain == MONGOC_ERROR_SASL || error.domain == MONGOC_ERROR_SCRAM ||
      (from_server && (code == 18 || code == 8000));
  if (refused_login) {
    return {ErrorCode::kUsage,
            "the server refuses the user name or password: check MONGODB_USERNAME and MONGODB_PASSWORD, or "
            "the user, password and "
            "authSource in MONGODB_URI"};
  }
  if (from_server && code == 13) {
    return {ErrorCode::kUsage,
            "the server does not allow this: name a user (MONGODB_USERNAME, MONGODB_PASSWORD) with the role "
            "readWrite on the database"};
  }
  if (error.domain == MONGOC_ERROR_SERVER_SELECTION) {
    return {ErrorCode::kUnavailable,
            "the server cannot be reached: is it running, and is MONGODB_URI (or MONGODB_HOST and "
            "MONGODB_PORT) right?"};
  }
  if (error.domain == MONGOC_ERROR_STREAM) {
    return {ErrorCode::kUnavailable, contains_any(text, {"timeout", "timed out"})
                                         ? "the server did not answer in time: try again when it is less busy"
                                         : "the connection broke: try again when the server is back"};
  }
  if (error.domain == MONGOC_ERROR_CLIENT || error.domain == MONGOC_ERROR_POOL) {
    return {ErrorCode::kUnavailable, "no connection to the server: try again when it is back"};
  }
  if (from_server && is_passing(code))
    return {ErrorCode::kUnavailable,
            "the server is between two states (failover, shutdown, overload): try again"};
  if (from_server && one_of(code, {10334, 17280, 2, 52, 56, 57, 15}))
    return {ErrorCode::kBadInput, "the server refuses the document"};
  if (error.domain == MONGOC_ERROR_BSON) return {ErrorCode::kBadInput, "the document is no valid BSON"};
  if (from_server && one_of(code, {73, 72}))
    return {ErrorCode::kUsage, "the server refuses the name: check MONGODB_DATABASE"};
  return {ErrorCode::kIo, "the server reports an error"};
}

}  // namespace

Fault fault_of(const bson_error_t& error, const bson_t* reply, const std::string& label,
               const std::string& what, const std::string& secret) {
  Fault fault;
  const std::string text = without(error.message, secret);
  const Verdict verdict = judge(error, text);
  fault.error = {verdict.code, fmt::format("{}: cannot {}: {} ({})", label, what, verdict.advice, text)};
  const bool from_server = error.domain == MONGOC_ERROR_SERVER || error.domain == MONGOC_ERROR_WRITE_CONCERN;
  if (from_server) fault.code = static_cast<int>(error.code);
  const auto labelled = [&](const char* name) { return reply && mongoc_error_has_label(reply, name); };
  fault.transaction_over = labelled("TransientTransactionError");
  // What a setting causes (password, certificate) is not mended by asking again, nor is a full disk.
  fault.may_retry = verdict.code == ErrorCode::kUnavailable ||
                    (verdict.code != ErrorCode::kIo && labelled("RetryableWriteError"));
  // the latter: too large, by the driver
  fault.refused = (fault.code != 0 && !fault.may_retry) || error.domain == MONGOC_ERROR_BSON;
  fault.duplicate = fault.code == kDuplicateKey || fault.code == 11001 || fault.code == 12582;
  fault.no_transactions = contains_any(
      text, {"startTransaction", "Transaction numbers are only allowed", "does not support transactions",
             "not support sessions", "Multi-document transactions"});
  return fault;
}

}  // namespace maeil::store::mongo
