// What the pickle reader does with each class or function that it knows. A table, so that adding one is
// adding a line.
#pragma once

#include <cstdint>
#include <string_view>

namespace maeil::format {

enum class PickleRule : uint8_t {
  kObject,       // keep class, arguments and state as a kObject
  kOpaque,       // keep the name only: everything that is not in the table
  kDict,         // arguments: nothing, or (pairs) - becomes a kDict
  kDefaultDict,  // arguments: (factory), (factory, pairs)
  kList,         // arguments: nothing, or (items[, maxlen])
  kSet,          // arguments: (items)
  kBytes,        // bytes(...), bytearray(...)
  kEncode,       // _codecs.encode(text, "latin1"): how protocols 0-2 write bytes
  kReconstruct,  // copyreg._reconstructor(class, base, value): how protocols 0-1 write objects
  kNewObject,    // copyreg.__newobj__(class, *arguments)
};

PickleRule find_pickle_rule(std::string_view module, std::string_view name);

}  // namespace maeil::format
