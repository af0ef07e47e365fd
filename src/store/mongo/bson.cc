#include "store/mongo/bson.h"

#include <fmt/format.h>

#include <cmath>

namespace maeil::store::mongo {
namespace {

// U+FF05, a wide percent sign: rare in names, and looks like what it does
constexpr std::string_view kEscape = "\xEF\xBC\x85";
const std::string kInnerArray = std::string(kEscape) + "[]";
constexpr int kMaxReadDepth = 250;  // servers stop at 200

Status append_value(bson_t* to, const std::string& name, const Document& value, const Codec& codec,
                    uint64_t* nulled);

bool is_utf8(std::string_view text) { return bson_utf8_validate(text.data(), text.size(), true); }

tl::unexpected<Error> too_large() { return bad_input("a document is larger than a server takes"); }

Status append_array(bson_t* to, const Document& array, const Codec& codec, uint64_t* nulled) {
  size_t index = 0;
  for (const auto& element : array) {
    const std::string name = std::to_string(index++);
    if (!codec.restricted || !element.is_array()) {
      MAEIL_TRY(append_value(to, name, element, codec, nulled));
      continue;
    }
    bson_t wrapper;
    if (!bson_append_document_begin(to, name.data(), static_cast<int>(name.size()), &wrapper))
      return too_large();
    const Status done = append_value(&wrapper, kInnerArray, element, codec, nulled);
    if (!bson_append_document_end(to, &wrapper)) return too_large();
    MAEIL_TRY(done);
  }
  return {};
}

Status append_nested(bson_t* to, const std::string& name, const Document& value, const Codec& codec,
                     uint64_t* nulled) {
  bson_t child;
  const int length = static_cast<int>(name.size());
  if (value.is_array()) {
    if (!bson_append_array_begin(to, name.data(), length, &child)) return too_large();
    const Status done = append_array(&child, value, codec, nulled);
    return bson_append_array_end(to, &child) ? done : Status(too_large());
  }
  if (!bson_append_document_begin(to, name.data(), length, &child)) return too_large();
  const Status done = append_members(&child, value, codec, nulled);
  return bson_append_document_end(to, &child) ? done : Status(too_large());
}

Status append_value(bson_t* to, const std::string& name, const Document& value, const Codec& codec,
                    uint64_t* nulled) {
  const char* key = name.data();
  const int length = static_cast<int>(name.size());
  bool done = true;
  switch (value.type()) {
    case Document::value_t::boolean:
      done = bson_append_bool(to, key, length, value.get<bool>());
      break;
    case Document::value_t::number_unsigned:
      if (value.get<uint64_t>() > static_cast<uint64_t>(INT64_MAX)) {
        return bad_input(fmt::format("field \"{}\": {} is more than a whole number may be here (2^63 - 1)",
                                     name, value.get<uint64_t>()));
      }
      [[fallthrough]];
    case Document::value_t::number_integer: {
      const auto number = value.get<int64_t>();
      done = number >= INT32_MIN && number <= INT32_MAX
                 ? bson_append_int32(to, key, length, static_cast<int32_t>(number))
                 : bson_append_int64(to, key, length, number);
      break;
    }
    case Document::value_t::number_float:
      if (std::isfinite(value.get<double>())) {
        done = bson_append_double(to, key, length, value.get<double>());
      } else {
        if (nulled) ++*nulled;
        done = bson_append_null(to, key, length);
      }
      break;
    case Document::value_t::string: {
      const auto& text = value.get_ref<const std::string&>();
      if (!is_utf8(text)) return bad_input(fmt::format("field \"{}\" holds text that is not UTF-8", name));
      if (text.size() > INT32_MAX / 2) return too_large();
      done = bson_append_utf8(to, key, length, text.data(), static_cast<int>(text.size()));
      break;
    }
    case Document::value_t::array:
      return append_nested(to, name, value, codec, nulled);
    case Document::value_t::object: {
      if (const std::string id = id_text(value); !id.empty()) {
        const bson_oid_t oid = oid_of(id);
        done = bson_append_oid(to, key, length, &oid);
      } else if (is_extended(value)) {
        MAEIL_ASSIGN(const Instant instant, instant_of(value));
        done = bson_append_date_time(to, key, length, instant.time_since_epoch().count());
      } else {
        return append_nested(to, name, value, codec, nulled);
      }
      break;
    }
    default:
      done = bson_append_null(to, key, length);
      break;
  }
  return done ? Status{} : Status(too_large());
}

// Any single value as the library writes it in Extended JSON.
Document extended(const bson_iter_t& at) {
  Bson one;
  bson_append_iter(one.get(), "v", 1, &at);
  char* json = bson_as_relaxed_extended_json(one.get(), nullptr);
  Document value = json ? parse_document(json) : Document();
  bson_free(json);
  return member(value, "v");
}

Document date_from(int64_t milliseconds) {
  // Beyond the years 1 to 9999 there is no text form that everybody reads.
  if (milliseconds < -62135596800000 || milliseconds > 253402300799999) {
    return Document::object({{"$date", Document::object({{"$numberLong", std::to_string(milliseconds)}})}});
  }
  return date_value(Instant{std::chrono::milliseconds{milliseconds}});
}

Result<Document> read_members(bson_iter_t* at, bool array, const Codec& codec, int depth);

Result<Document> read_value(const bson_iter_t& at, const Codec& codec, int depth) {
  switch (bson_iter_type(&at)) {
    case BSON_TYPE_DOUBLE:
      return std::isfinite(bson_iter_double(&at)) ? Document(bson_iter_double(&at)) : Document();
    case BSON_TYPE_UTF8: {
      uint32_t length = 0;
      const char* text = bson_iter_utf8(&at, &length);
      return Document(std::string(text, length));
    }
    case BSON_TYPE_DOCUMENT:
    case BSON_TYPE_ARRAY: {
      bson_iter_t child;
      if (!bson_iter_recurse(&at, &child)) return bad_input("a document is not readable: it is damaged");
      return read_members(&child, bson_iter_type(&at) == BSON_TYPE_ARRAY, codec, depth + 1);
    }
    case BSON_TYPE_OID:
      return id_value(hex_of(*bson_iter_oid(&at)));
    case BSON_TYPE_BOOL:
      return Document(bson_iter_bool(&at));
    case BSON_TYPE_DATE_TIME:
      return date_from(bson_iter_date_time(&at));
    case BSON_TYPE_NULL:
      return Document();
    case BSON_TYPE_INT32:
      return Document(static_cast<int64_t>(bson_iter_int32(&at)));
    case BSON_TYPE_INT64:
      return Document(bson_iter_int64(&at));
    default:
      return extended(at);
  }
}

Result<Document> read_members(bson_iter_t* at, bool array, const Codec& codec, int depth) {
  if (depth > kMaxReadDepth)
    return bad_input(fmt::format("a document is nested more than {} deep", kMaxReadDepth));
  Document out = array ? Document::array() : Document::object();
  while (bson_iter_next(at)) {
    MAEIL_ASSIGN(Document value, read_value(*at, codec, depth));
    if (array) {
      const bool wrapped =
          codec.restricted && value.is_object() && value.size() == 1 && value.begin().key() == kInnerArray;
      out.push_back(wrapped ? Document(std::move(*value.begin())) : std::move(value));
    } else {
      const std::string_view key(bson_iter_key(at), bson_iter_key_len(at));
      if (depth == 0 && key == kBatchField) continue;
      // Appended without looking for the name: a linear search for each of 142 names costs more than all the
      // rest.
      auto& members = out.get_ref<Document::object_t&>();
      static_cast<std::vector<std::pair<const std::string, Document>>&>(members).emplace_back(
          codec.restricted && key != kInnerArray ? unescape_name(key) : std::string(key), std::move(value));
    }
  }
  return out;
}

}  // namespace

std::string escape_name(std::string_view name) {
  std::string out;
  for (size_t i = 0; i < name.size();) {
    const auto byte = static_cast<unsigned char>(name[i]);
    if (byte == '.' || byte < 0x20) {
      out += fmt::format("{}{:02X}", kEscape, byte);
      ++i;
    } else if (name.substr(i).starts_with(kEscape)) {
      out += fmt::format("{}25", kEscape);
      i += kEscape.size();
    } else {
      out += name[i++];
    }
  }
  return out;
}

std::string unescape_name(std::string_view name) {
  std::string out;
  for (size_t i = 0; i < name.size();) {
    const std::string_view rest = name.substr(i);
    const bool escaped = rest.starts_with(kEscape) && rest.size() >= kEscape.size() + 2;
    const auto value = [](char digit) {
      return digit >= '0' && digit <= '9'   ? digit - '0'
             : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                            : 256;
    };
    const int code = escaped ? value(rest[kEscape.size()]) * 16 + value(rest[kEscape.size() + 1]) : 256;
    if (code == '.' || code == '%' || code < 0x20) {
      code == '%' ? out += kEscape : out += static_cast<char>(code);
      i += kEscape.size() + 2;
    } else {
      out += name[i++];
    }
  }
  return out;
}

Status append_members(bson_t* to, const Document& object, const Codec& codec, uint64_t* nulled) {
  for (const auto& [name, value] : object.items()) {
    if (!is_utf8(name) || name.find('\0') != std::string::npos)
      return bad_input("a field's name is not UTF-8 or holds a zero byte");
    MAEIL_TRY(append_value(to, codec.restricted ? escape_name(name) : name, value, codec, nulled));
  }
  return {};
}

Result<Bson> to_bson(const Document& object, const Codec& codec, uint64_t* nulled) {
  Bson out;
  MAEIL_TRY(append_members(out.get(), object, codec, nulled));
  return out;
}

Result<Document> from_bson(const bson_t& bson, const Codec& codec) {
  bson_iter_t at;
  if (!bson_validate(&bson, BSON_VALIDATE_UTF8_ALLOW_NULL, nullptr) &&
      !bson_validate(&bson, BSON_VALIDATE_NONE, nullptr)) {
    return bad_input("a document is not readable: it is damaged");
  }
  if (!bson_iter_init(&at, &bson)) return bad_input("a document is not readable: it is damaged");
  return read_members(&at, false, codec, 0);
}

Bson copy_of(const bson_t& bson) {
  Bson out;
  bson_destroy(out.get());
  bson_copy_to(&bson, out.get());
  return out;
}

const Document& member(const Document& object, std::string_view name) {
  static const Document nothing;
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found != object.end() ? *found : nothing;
}

std::optional<Instant> instant_member(const Document& object, std::string_view name) {
  const auto instant = instant_of(member(object, name));
  return instant ? std::optional(*instant) : std::nullopt;
}

bson_oid_t oid_of(std::string_view hex) {
  bson_oid_t oid;
  bson_oid_init_from_string(&oid, std::string(hex).c_str());
  return oid;
}

std::string hex_of(const bson_oid_t& oid) {
  char text[25];
  bson_oid_to_string(&oid, text);
  return text;
}

}  // namespace maeil::store::mongo
