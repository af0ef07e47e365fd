// For tests: a value, or the test has failed with the error's words and the program ends. Only for tests.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <utility>

#include "base/error.h"

namespace maeil {

template <class T>
T must(Result<T> result) {
  if (!result) {
    ADD_FAILURE() << result.error().message;
    std::abort();
  }
  return std::move(*result);
}

inline void must(const Status& status) { ASSERT_TRUE(status) << status.error().message; }

}  // namespace maeil
