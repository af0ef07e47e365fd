// $set as every store does it: dotted paths into a document, objects made where there was nothing. And what a
// batch expects.
#pragma once

#include "base/error.h"
#include "store/store.h"

namespace maeil::store {

// kBadInput: a path leads through a scalar or beyond an array's end, or to _id. `document` is then half
// changed.
Status set_paths(Document& document, const Document& fields);

// kConflict, naming the document, unless `found` (null: there is none) is as the batch expects it.
Status check_expected(const Document& found, const Batch::Expect& expected);

}  // namespace maeil::store
