#include "store/mongo/journal.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace maeil::store::mongo {
namespace {

constexpr size_t kPieceBytes = 8 << 20;  // well under a document's 16 MB
constexpr size_t kStep = 200;            // writes between two looks at the slot: some milliseconds of work

void put_bson(std::string& to, const Bson& bson) { to += bson.bytes(); }

constexpr char kUndoFollows = '|';

// Kind, the collection's name with a zero byte, the two documents (which begin with their own length).
void encode(const std::vector<Write>& writes, std::string& out) {
  for (const Write& one : writes) {
    out += static_cast<char>(one.kind);
    out += one.collection;
    out += '\0';
    put_bson(out, one.selector);
    put_bson(out, one.document);
  }
}

bool take_bson(std::string_view& from, Bson& to) {
  uint32_t length = 0;
  if (from.size() < sizeof length) return false;
  std::memcpy(&length, from.data(), sizeof length);
  bson_t view;
  if (length < 5 || length > from.size() || !bson_init_static(&view, reinterpret_cast<const uint8_t*>(from.data()), length)) return false;
  bson_destroy(to.get());
  bson_copy_to(&view, to.get());
  from.remove_prefix(length);
  return true;
}

bool take_write(std::string_view& from, Write& to) {
  if (std::string_view("rsdxu").find(from[0]) == std::string_view::npos) return false;
  to.kind = static_cast<Write::Kind>(from[0]);
  const size_t end = from.find('\0', 1);
  if (end == std::string_view::npos) return false;
  to.collection = from.substr(1, end - 1);
  from.remove_prefix(end + 1);
  return take_bson(from, to.selector) && take_bson(from, to.document);
}

}  // namespace

Status write_journal(Connection& connection, const std::string& intent, const Journal& journal) {
  std::string bytes;
  encode(journal.writes, bytes);
  if (journal.has_undo) bytes += kUndoFollows;
  encode(journal.undo, bytes);
  const bson_oid_t id = oid_of(intent);
  int32_t n = 0;
  for (size_t at = 0; at < bytes.size(); at += kPieceBytes, ++n) {
    Bson piece;
    bson_oid_t own;
    bson_oid_init(&own, nullptr);
    BSON_APPEND_OID(piece.get(), "_id", &own);
    BSON_APPEND_OID(piece.get(), "intent", &id);
    BSON_APPEND_INT32(piece.get(), "n", n);
    const std::string_view part = std::string_view(bytes).substr(at, kPieceBytes);
    BSON_APPEND_BINARY(piece.get(), "bytes", BSON_SUBTYPE_BINARY, reinterpret_cast<const uint8_t*>(part.data()), static_cast<uint32_t>(part.size()));
    MAEIL_TRY(connection.insert_one(kJournal, piece));
  }
  return {};
}

Result<Journal> read_journal(Connection& connection, const std::string& intent) {
  const auto damaged = [&] { return bad_input(fmt::format("{}: the journal of batch {} is damaged: restore a backup", connection.server().label(), intent)); };
  MAEIL_ASSIGN(const Bson filter, to_bson({{"intent", id_value(intent)}}));
  std::string bytes;
  int64_t pieces = 0;
  MAEIL_TRY(connection.find(kJournal, *filter.get(), {{"sort", {{"n", 1}}}}, [&](const bson_t& piece) -> Result<bool> {
    bson_iter_t at;
    uint32_t length = 0;
    const uint8_t* data = nullptr;
    if (!bson_iter_init_find(&at, &piece, "n") || bson_iter_as_int64(&at) != pieces++) return damaged();
    if (!bson_iter_init_find(&at, &piece, "bytes") || !BSON_ITER_HOLDS_BINARY(&at)) return damaged();
    bson_iter_binary(&at, nullptr, &length, &data);
    bytes.append(reinterpret_cast<const char*>(data), length);
    return true;
  }));
  Journal journal;
  for (std::string_view rest = bytes; !rest.empty();) {
    if (rest[0] == kUndoFollows && !journal.has_undo) {
      journal.has_undo = true;
      rest.remove_prefix(1);
      continue;
    }
    Write one;
    if (!take_write(rest, one)) return damaged();
    (journal.has_undo ? journal.undo : journal.writes).push_back(std::move(one));
  }
  return journal;
}

Status remove_journal(Connection& connection, const std::string& intent) {
  MAEIL_TRY(connection.remove(kJournal, {{"intent", id_value(intent)}}));
  return {};
}

namespace {

// In steps while the slot is ours; false when another process took over.
Result<bool> apply_writes(Connection& connection, Slot& slot, std::span<const Write> writes) {
  for (size_t at = 0; at < writes.size(); at += kStep) {
    MAEIL_ASSIGN(const bool ours, slot.still_ours(connection));
    if (!ours) return false;
    MAEIL_TRY(connection.write(writes.subspan(at, std::min(kStep, writes.size() - at))));
  }
  return true;
}

// As apply_writes. The removal of replaced rows comes last; where the server refuses it they are garbage, which is collected later.
Result<bool> apply_batch(Connection& connection, Slot& slot, std::span<const Write> writes) {
  const auto first_rows = std::ranges::find(writes, Write::Kind::kRemoveMany, &Write::kind);
  const auto documents = static_cast<size_t>(first_rows - writes.begin());
  MAEIL_ASSIGN(const bool applied, apply_writes(connection, slot, writes.first(documents)));
  if (!applied) return false;
  const auto removed = apply_writes(connection, slot, writes.subspan(documents));
  if (!removed && connection.fault().refused) return true;
  return removed;
}

}  // namespace

Result<Outcome> finish_batch(Connection& connection, Slot& slot, const Journal& journal) {
  const Outcome lost{Fate::kLost};
  Error refused{ErrorCode::kConflict, slot.refused()};
  if (refused.message.empty()) {
    const auto applied = apply_batch(connection, slot, journal.writes);
    if (applied) {
      MAEIL_ASSIGN(const bool released, *applied ? slot.release(connection) : Result<bool>(false));
      return released ? Outcome{Fate::kApplied} : lost;
    }
    if (!connection.fault().refused) return tl::make_unexpected(applied.error());
    refused = applied.error();
    if (!journal.has_undo) {
      slot.let_go(connection);
      return Outcome{Fate::kStuck, refused};
    }
    MAEIL_ASSIGN(const bool noted, slot.refuse(connection, refused.message));
    if (!noted) return lost;
  }
  const auto undone = apply_writes(connection, slot, journal.undo);
  if (!undone && !connection.fault().refused) return tl::make_unexpected(undone.error());
  if (!undone) {
    slot.let_go(connection);
    return Outcome{Fate::kStuck, undone.error()};
  }
  MAEIL_ASSIGN(const bool released, *undone ? slot.release(connection) : Result<bool>(false));
  return released ? Outcome{Fate::kUndone, refused} : lost;
}

}  // namespace maeil::store::mongo
