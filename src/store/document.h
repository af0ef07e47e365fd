// Documents as maeil holds them: ordered JSON with MongoDB's two extended types, dates and ids.
//
// A date is {"$date": "2026-11-23T00:15:00.000Z"}, an id {"$oid": "24 hex digits"} (MongoDB Extended JSON v2,
// relaxed form). Numbers keep their kind: integers are 64 bit, the rest doubles; NaN and infinities do not
// exist in documents, whoever writes one puts null (a NaN that gets here all the same is stored as null). A
// field's name may be anything but: it may not begin with `$` nor hold a zero byte. A name with a dot in it
// is kept as it is, but filters, sorts and sets read a dot as a path, so such a field is shown and never
// asked for (as in MongoDB).
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"

namespace maeil::store {

using Document = nlohmann::ordered_json;

constexpr int kMaxDepth = 100;                  // of nesting, as in MongoDB
constexpr size_t kMaxDocumentBytes = 16 << 20;  // as JSON; MongoDB's limit is the same on BSON

Document date_value(Instant instant);
// also {"$date": milliseconds or {"$numberLong": "..."}}
Result<Instant> instant_of(const Document& value);

Document id_value(std::string_view hex);     // {"$oid": hex}
std::string id_text(const Document& value);  // the hex digits, lower case, or "" when it is none

bool is_id(std::string_view hex);         // 24 lower-case hex digits
bool is_extended(const Document& value);  // a well-formed {"$date": ...} or {"$oid": ...}

// The JSON of a document or a part of one, however damaged: is_discarded() when it is no JSON or nested
// deeper than kMaxDepth.
Document parse_document(std::string_view json);

// A value as a message shows it: what people wrote, cut after 60 bytes, control characters and what is not
// ASCII escaped.
std::string shown(const Document& value);

bool nested_at_most(const Document& value, int depth);  // a scalar has depth 0, {} has 1

// kBadInput for what a store refuses: no object, a wrong field name, too deep.
Status check_document(const Document& document);

// How many numbers in it are NaN or infinite: a store writes them as null.
uint64_t count_not_finite(const Document& value);

// A new id: the instant's seconds, then 8 random bytes. Unique in practice; thread safe.
std::string new_object_id(Instant instant);

// The id of the n-th document that a task writes into a collection: the same on every rerun, so that a rerun
// overwrites. First 4 bytes: the logical date's seconds, then 8 bytes of SHA-256 over the rest.
std::string task_object_id(std::string_view task_key, std::string_view collection, int n);

// "2026-11-23/model_evaluation_pipeline/retrain_1.finetune_model": field `task_key` of every document that a
// task wrote. A task that is done again after it was finished `completions` times has a key of its own for
// that, which ends in "#2",
// "#3" ..., so that what it writes replaces nothing of before.
std::string make_task_key(Days logical_date, std::string_view dag, std::string_view task,
                          int completions = 0);

}  // namespace maeil::store
