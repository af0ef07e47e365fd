// Documents as rows of the table `documents`: writing one, changing one, reading them in order of insertion.
#pragma once

#include <functional>
#include <string_view>

#include "store/filter.h"
#include "store/sqlite/connection.h"

namespace maeil::store::sqlite {

// A document as stored text. kBadInput: not UTF-8, too large, no `_id`, a name that is not allowed.
Result<std::string> encode_document(std::string_view collection, const Document& document);

Status put_document(Connection& connection, std::string_view collection, const Document& document);
// Null when there is none.
Result<Document> get_document(Connection& connection, std::string_view collection, std::string_view id);
Status set_fields(Connection& connection, std::string_view collection, std::string_view id,
                  const Document& fields);
Status erase_document(Connection& connection, std::string_view collection, std::string_view id);

// Calls visit for each document that matches; `stopped` is set when visit said so. `in_order` is set
// beforehand when they come in the order of options.sort, by an index, instead of that of insertion.
Status visit_documents(Connection& connection, std::string_view collection, const FindOptions& options,
                       const Filter& filter, const std::function<bool(Document&&)>& visit, bool& in_order,
                       bool& stopped);

// Compares each document with its hash, its columns and its keys.
Status check_documents(Connection& connection);

}  // namespace maeil::store::sqlite
