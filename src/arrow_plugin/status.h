// Arrow's errors, and what it throws, as the plug-in's interface has them.
#pragma once

#include <arrow/status.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>
#include <string>

#include "columnar/plugin_interface.h"

namespace maeil::arrow_plugin {

// One line, as much of it as there is room for.
inline void say(const std::string& text, columnar::ArrowPluginError* error) {
  const size_t line = std::min(text.find('\n'), text.size());
  const size_t size = std::min(line, sizeof(error->text) - 1);
  std::memcpy(error->text, text.data(), size);
  error->text[size] = '\0';
}

inline int status_of(const arrow::Status& status, columnar::ArrowPluginError* error) {
  if (status.ok()) return columnar::kPluginDone;
  say(status.message(), error);
  return status.IsOutOfMemory() ? columnar::kPluginMemory : columnar::kPluginBadData;
}

// Runs `body`, which gives an arrow::Status, and lets nothing out.
template <class Body>
arrow::Status guarded(const Body& body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return arrow::Status::OutOfMemory("there is not so much memory");
  } catch (const std::exception& thrown) {
    return arrow::Status::Invalid(thrown.what());
  } catch (...) {
    return arrow::Status::Invalid("something was thrown that is no exception");
  }
}

}  // namespace maeil::arrow_plugin
