// $set as every store does it: dotted paths into a document, objects made where there was nothing.
#pragma once

#include "base/error.h"
#include "store/document.h"

namespace maeil::store {

// kBadInput: a path leads through a scalar or beyond an array's end, or to _id. `document` is then half changed.
Status set_paths(Document& document, const Document& fields);

}  // namespace maeil::store
