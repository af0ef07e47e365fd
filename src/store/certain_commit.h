// A commit whose lost answer is not taken for a failure: a connection may break after the server has written.
//
// Does not try again; that is the caller's to decide, and safe only for a batch that expects what it
// replaces.
#pragma once

#include <functional>
#include <string_view>

#include "store/store.h"

namespace maeil::store {

// Commits `batch`; when the answer is an error, asks `is_there` whether the store holds the batch all the
// same. Inside: done, or the store's error for a batch that is not there. Outside, an error: nobody knows,
// since the store could not be read either; its sentence says so and ends with `where`, how to find out
// ("look with `maeil logs ...`").
Result<Status> commit_for_certain(Store& store, const Batch& batch,
                                  const std::function<Result<bool>()>& is_there, std::string_view where);

// Whether `collection` has a document with this id: proof enough of a batch that put it under an id of its
// own.
Result<bool> has_document(Store& store, std::string_view collection, std::string_view id);

}  // namespace maeil::store
