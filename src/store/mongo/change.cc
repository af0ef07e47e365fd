#include "store/mongo/change.h"

#include <cstring>

namespace maeil::store::mongo {
namespace {

// {"_id": id, "maeil_batch": one of these}; "" stands for a document that names none.
Bson guarded(const std::string& id, const std::vector<std::string>& batches) {
  Document named = Document::array();
  for (const auto& batch : batches) named.push_back(batch.empty() ? Document() : id_value(batch));
  Document selector = {{"_id", id_value(id)}};
  selector[kBatchField] = named.size() == 1 ? named[0] : Document{{"$in", named}};
  return std::move(*to_bson(selector));  // ids and null: it cannot fail
}

void put_text(std::string& out, std::string_view text) { out.append(text), out += '\0'; }

bool take_text(std::string_view& from, std::string& text) {
  const size_t end = from.find('\0');
  if (end == from.npos) return false;
  text = from.substr(0, end);
  from.remove_prefix(end + 1);
  return true;
}

bool take_bson(std::string_view& from, Bson& to) {
  uint32_t length = 0;
  if (from.size() < sizeof length) return false;
  std::memcpy(&length, from.data(), sizeof length);
  bson_t view;
  if (length < 5 || length > from.size()) return false;
  if (!bson_init_static(&view, reinterpret_cast<const uint8_t*>(from.data()), length)) return false;
  to = copy_of(view);
  from.remove_prefix(length);
  return true;
}

}  // namespace

std::string batch_of(const bson_t& document) {
  bson_iter_t at;
  const bool named = bson_iter_init_find(&at, &document, kBatchField) && BSON_ITER_HOLDS_OID(&at);
  return named ? hex_of(*bson_iter_oid(&at)) : "";
}

Write forward(const Change& change) {
  if (!change.exists_before()) {
    if (change.refused.empty())
      return {Write::Kind::kInsert, change.collection, change.id, &change.after, {}};
    return {Write::Kind::kUpsert, change.collection, change.id, &change.after,
            guarded(change.id, change.refused)};
  }
  Bson selector = guarded(change.id, {change.seen});
  if (!change.exists_after())
    return {Write::Kind::kRemove, change.collection, change.id, nullptr, std::move(selector)};
  return {Write::Kind::kReplace, change.collection, change.id, &change.after, std::move(selector)};
}

std::vector<Write> backward(const Change& change, const std::string& batch) {
  std::vector<Write> out;
  const auto add = [&](Write::Kind kind, const Bson* document, Bson selector) {
    out.push_back({kind, change.collection, change.id, document, std::move(selector)});
  };
  if (!change.exists_before()) {
    add(Write::Kind::kRemove, nullptr, guarded(change.id, {batch}));
    return out;
  }
  // Also where the change did not happen yet: it must miss when it comes late.
  add(Write::Kind::kReplace, &change.before, guarded(change.id, {batch, change.seen}));
  if (!change.exists_after()) add(Write::Kind::kInsert, &change.before, {});
  return out;
}

std::string encode_changes(std::span<const Change> changes) {
  std::string out;
  for (const Change& change : changes) {
    for (const auto* text : {&change.collection, &change.id, &change.seen}) put_text(out, *text);
    for (const auto& batch : change.refused) put_text(out, batch);
    put_text(out, "");
    out += change.before.bytes();
    out += change.after.bytes();
  }
  return out;
}

Result<std::vector<Change>> decode_changes(std::string_view bytes) {
  std::vector<Change> out;
  while (!bytes.empty()) {
    Change& change = out.emplace_back();
    bool whole =
        take_text(bytes, change.collection) && take_text(bytes, change.id) && take_text(bytes, change.seen);
    for (std::string batch; (whole = whole && take_text(bytes, batch)) && !batch.empty();) {
      whole = is_id(batch);
      change.refused.push_back(batch);
    }
    whole = whole && take_bson(bytes, change.before) && take_bson(bytes, change.after);
    if (!whole || !is_id(change.id) || (!change.seen.empty() && !is_id(change.seen)) ||
        (!change.exists_before() && !change.exists_after())) {
      return bad_input("a journal's bytes are damaged");
    }
  }
  return out;
}

}  // namespace maeil::store::mongo
