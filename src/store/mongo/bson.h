// Documents as BSON and back. The field `maeil_batch` is the store's own (change.h) and no part of a
// document. Dates are BSON dates, ids ObjectIds; whole numbers are int32 where they fit and int64 else (as
// the Python project's driver writes them), the rest doubles.
//
// NaN and infinities become null and are counted: some servers refuse them. What BSON has and documents have
// not (decimals, binary, regular expressions ...) is read as MongoDB's Extended JSON ({"$numberDecimal":
// "1.5"}), which nobody can put again. A server that refuses a dot or loses a control character inside a
// field's name, or refuses an array inside an array (FerretDB), gets "a％2Eb" for "a.b", "a％09b" for a tab
// (and "％25" for "％"), and {"％[]": [..]} for the inner array; readers of other programs see that, ours see
// what was written.
#pragma once

#include <bson/bson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "store/document.h"

namespace maeil::store::mongo {

inline constexpr const char* kBatchField = "maeil_batch";  // the batch that wrote a document

constexpr size_t kMaxBsonBytes = 16 << 20;  // of one document, as every server has it

// Owns a bson_t. Not thread safe.
class Bson {
 public:
  Bson() { bson_init(&value_); }
  Bson(Bson&& other) noexcept { bson_steal(&value_, &other.value_), bson_init(&other.value_); }
  Bson& operator=(Bson&& other) noexcept {
    if (this != &other) {
      bson_destroy(&value_);
      bson_steal(&value_, &other.value_);
      bson_init(&other.value_);
    }
    return *this;
  }
  Bson(const Bson&) = delete;
  Bson& operator=(const Bson&) = delete;
  ~Bson() { bson_destroy(&value_); }
  void clear() { bson_reinit(&value_); }
  bson_t* get() { return &value_; }
  const bson_t* get() const { return &value_; }
  std::string_view bytes() const {
    return {reinterpret_cast<const char*>(bson_get_data(&value_)), value_.len};
  }

 private:
  bson_t value_;
};

Bson copy_of(const bson_t& bson);

// Somebody else's bytes, for arrays: as a member bson_t keeps its alignment of 128. It points into itself, so
// it stays where it is.
struct BsonView {
  BsonView() = default;
  BsonView(const BsonView&) = delete;
  BsonView& operator=(const BsonView&) = delete;
  bson_t value;
};

struct Codec {
  bool restricted = false;  // escape what the server refuses; only for what is stored, never for filters
};

std::string escape_name(std::string_view name);  // "a.b" -> "a％2Eb"
std::string unescape_name(std::string_view name);

// Appends the members of an object. kBadInput: text that is not UTF-8, a whole number beyond int64, more than
// 2 GiB. `nulled`, when given, is raised by the numbers that became null. REQUIRES: nested at most kMaxDepth
// + a few.
Status append_members(bson_t* to, const Document& object, const Codec& codec, uint64_t* nulled);

Result<Bson> to_bson(const Document& object, const Codec& codec = {}, uint64_t* nulled = nullptr);

// Without the field `maeil_batch`. kBadInput when the bytes are no BSON or nested beyond any sense.
Result<Document> from_bson(const bson_t& bson, const Codec& codec = {});

// Looks into a document that came from a server: people can write anything there, so nothing about its shape
// is certain. A member that is missing, of another type or of something that is no object is null, or nothing
// (text_field of field_rules.h: "").
const Document& member(const Document& object, std::string_view name);
std::optional<Instant> instant_member(const Document& object, std::string_view name);

bson_oid_t oid_of(std::string_view hex);  // REQUIRES: is_id(hex)
std::string hex_of(const bson_oid_t& oid);

}  // namespace maeil::store::mongo
