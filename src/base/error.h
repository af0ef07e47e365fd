// Errors as values: what every module boundary of maeil returns, and the one map from an error to an exit
// code.
//
// No exception crosses a module boundary. A message is one sentence that names the object (file, line, key)
// and, where something can be done about it, says what to do. A caller that passes an error on adds its own
// place in front with `with_context`.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace maeil {

enum class ErrorCode {
  // the command line or a setting is wrong; nothing was tried. Not for a file's content: kBadInput.
  kUsage,
  kBadInput,     // a file, document or database holds what cannot be read; retrying is useless.
  kNotFound,     // a named file, version, run or collection does not exist. Not for an empty result.
  kConflict,     // somebody else holds the lock, or the thing exists already; retrying later may help.
  kIo,           // the system refused to read or write: disk full, read-only, permission, short write.
  kUnavailable,  // a server cannot be reached or timed out; retrying may help.
  kCancelled,    // a signal asked us to stop.
  kInternal,     // a broken invariant of ours: a bug.
  // the work was done and came to nothing, as it would again (a training that diverged). Not for bad input:
  // kBadInput.
  kFailed,
};

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}
inline tl::unexpected<Error> usage_error(std::string m) { return fail(ErrorCode::kUsage, std::move(m)); }
inline tl::unexpected<Error> bad_input(std::string m) { return fail(ErrorCode::kBadInput, std::move(m)); }
inline tl::unexpected<Error> not_found(std::string m) { return fail(ErrorCode::kNotFound, std::move(m)); }
inline tl::unexpected<Error> io_error(std::string m) { return fail(ErrorCode::kIo, std::move(m)); }
inline tl::unexpected<Error> internal_error(std::string m) {
  return fail(ErrorCode::kInternal, std::move(m));
}

// "context: message", same code.
inline tl::unexpected<Error> with_context(std::string context, Error error) {
  error.message = std::move(context) + ": " + error.message;
  return tl::unexpected<Error>(std::move(error));
}

// The documented exit codes (docs/operations.md): 1 failed and (but kFailed) may be retried, 2 usage, 3 bad
// input.
inline int exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kUsage:
      return 2;
    case ErrorCode::kBadInput:
    case ErrorCode::kNotFound:
      return 3;
    default:
      return 1;
  }
}

// MAEIL_TRY(expression of Result<T> or Status): returns its error, or goes on.
// Its argument may hold a lambda with a MAEIL_TRY of its own: hence the counter.
#define MAEIL_CONCAT_(a, b) a##b
#define MAEIL_CONCAT(a, b) MAEIL_CONCAT_(a, b)
#define MAEIL_TRY(...) MAEIL_TRY_(MAEIL_CONCAT(maeil_try_, __COUNTER__), __VA_ARGS__)
#define MAEIL_TRY_(status, ...)                                         \
  do {                                                                  \
    auto status = (__VA_ARGS__);                                        \
    if (!status) return tl::make_unexpected(std::move(status.error())); \
  } while (false)

// MAEIL_ASSIGN(auto value, expression of Result<T>): returns its error, or moves its value out.
#define MAEIL_ASSIGN(target, ...) MAEIL_ASSIGN_(MAEIL_CONCAT(maeil_result_, __COUNTER__), target, __VA_ARGS__)
#define MAEIL_ASSIGN_(result, target, ...)                            \
  auto result = (__VA_ARGS__);                                        \
  if (!result) return tl::make_unexpected(std::move(result.error())); \
  target = std::move(*result)

}  // namespace maeil
