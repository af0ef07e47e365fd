// What a document must look like before anybody relies on it: the kind of each field that is used, as a
// table.
//
// The store is shared: with the Python project, with other programs, with people's hands. So a document is
// checked where it is read, as a file's content is, and a wrong one is an error that names it; what is not in
// the table may be anything. Nothing here knows what fields mean.
#pragma once

#include <initializer_list>
#include <string_view>

#include "base/error.h"
#include "store/document.h"

namespace maeil::store {

enum class FieldKind {
  kText,
  kId,     // {"$oid": ...}, or its 24 hex digits as text
  kCount,  // an integer from 0 on
  kNumber,
  kFlag,
  kObject,
  kList,
  kSha256,    // 64 small hex digits, or ""
  kFileName,  // text that names a file in a folder: no '/', no zero byte, not "", "." or ".."
};

struct FieldRule {
  // Dotted. A step that ends in "[]" is a list each of whose members goes on: "examples[].line", "offsets[]".
  std::string_view path;
  FieldKind kind;
  enum class Missing { kAllowed, kNullToo, kRefused } missing = Missing::kAllowed;
};

// kBadInput, naming collection, _id and field: "model_metadata, document 65f1...: sha256 is a number, not
// text". A field that is not there is only wrong where the rule says so; the same holds for null.
Status check_fields(std::string_view collection, const Document& document,
                    std::initializer_list<FieldRule> rules);

// The error of a rule that a table cannot say.
tl::unexpected<Error> wrong_field(std::string_view collection, const Document& document,
                                  std::string_view field, std::string_view what);

// The field as text, "" when it is not there or no text. For showing, and after check_fields.
std::string text_field(const Document& document, const char* field);

// The field at a dotted path, null where it is not there.
const Document& field_at(const Document& document, std::string_view path);

bool is_file_name(std::string_view name);

}  // namespace maeil::store
