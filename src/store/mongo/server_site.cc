#include "store/mongo/server_site.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "store/field_rules.h"

namespace maeil::store::mongo {
namespace {

constexpr size_t kPieceBytes = 8 << 20;  // well under a document's 16 MB
constexpr size_t kAtOnce = 200;          // writes in one command

Bson piece_of(const bson_oid_t& batch, int32_t n, std::string_view bytes) {
  Bson piece;
  bson_oid_t own;
  bson_oid_init(&own, nullptr);
  BSON_APPEND_OID(piece.get(), "_id", &own);
  BSON_APPEND_OID(piece.get(), "batch", &batch);
  BSON_APPEND_INT32(piece.get(), "n", n);
  BSON_APPEND_BINARY(piece.get(), "bytes", BSON_SUBTYPE_BINARY,
                     reinterpret_cast<const uint8_t*>(bytes.data()), static_cast<uint32_t>(bytes.size()));
  return piece;
}

constexpr int64_t kKept = 32;  // heads
const Head kFirst{"000000000000000000000000"};

constexpr std::pair<Head::State, const char*> kStates[] = {
    {Head::State::kDone, "done"}, {Head::State::kCounts, "counts"}, {Head::State::kRefused, "refused"}};

// The driver cuts a long message wherever it is, perhaps inside a character.
std::string readable(std::string_view words) {
  const Document text = std::string(words.substr(0, 400));
  return Document::parse(text.dump(-1, ' ', false, Document::error_handler_t::replace)).get<std::string>();
}

Result<Head> head_from(const Server& server, const Document& stored) {
  Head head;
  const Document &number = member(stored, "_id"), &past = member(stored, "past"),
                 &refused = member(stored, "refused");
  head.batch = id_text(member(stored, "batch"));
  head.words = text_field(stored, "words");
  const std::string state = text_field(stored, "state");
  const auto known =
      std::ranges::find(kStates, state, [](const auto& one) { return std::string(one.second); });
  bool whole = number.is_number_integer() && !head.batch.empty() && known != std::end(kStates) &&
               past.is_array() && refused.is_array();
  if (whole) head.number = number.get<int64_t>(), head.state = known->first;
  for (const auto& one : past) head.past.push_back({id_text(member(one, "batch")), text_field(one, "words")});
  for (const auto& one : refused) head.refused.push_back(id_text(one));
  whole &= std::ranges::none_of(head.past, [](const auto& one) { return one.batch.empty(); });
  whole &= std::ranges::none_of(head.refused, [](const auto& one) { return one.empty(); });
  if (whole) return head;
  return bad_input(
      fmt::format("{}: the newest document of {} is damaged ({}): restore a backup", server.label(), kHeads,
                  stored.dump(-1, ' ', false, Document::error_handler_t::replace).substr(0, 300)));
}

Document head_document(const Head& head, const std::string& nonce) {
  Document past = Document::array(), refused = Document::array();
  for (const auto& batch : head.refused) refused.push_back(id_value(batch));
  for (const auto& one : head.past) {
    Document entry = {{"batch", id_value(one.batch)}};
    if (!one.words.empty()) entry["words"] = one.words;
    past.push_back(std::move(entry));
  }
  const auto state = std::ranges::find(kStates, head.state, [](const auto& one) { return one.first; });
  return {{"_id", head.number},     {"batch", id_value(head.batch)},
          {"state", state->second}, {"words", head.words},
          {"past", past},           {"refused", refused},
          {"nonce", nonce}};
}

}  // namespace

Result<Head> ServerSite::head() {
  MAEIL_ASSIGN(const auto found,
               connection_.find(kHeads, Document::object(), {{"sort", {{"_id", -1}}}, {"limit", 1}}));
  return found.empty() ? Result<Head>(kFirst) : head_from(connection_.server(), found[0]);
}

Result<bool> ServerSite::move_head(const Head& to) {
  const std::string nonce = new_object_id(now());
  MAEIL_ASSIGN(const Bson document, to_bson(head_document(to, nonce)));
  const Write write{Write::Kind::kInsert, kHeads, "", &document, {}};
  if (const Status written = connection_.write({&write, 1}); !written) {
    if (!connection_.fault().duplicate) return tl::make_unexpected(written.error());
    MAEIL_ASSIGN(const auto there, connection_.find(kHeads, {{"_id", to.number}}, {{"limit", 1}}));
    if (there.empty() || text_field(there[0], "nonce") != nonce) return false;
  }
  // Numbers that far back are free again: one that was let through there is no move of the head.
  MAEIL_ASSIGN(const Head now, head());
  if (now.number - to.number >= kKept) return false;
  if (to.number % kKept == 0) MAEIL_TRY(connection_.remove(kHeads, {{"_id", {{"$lt", to.number - kKept}}}}));
  return true;
}

Status ServerSite::check_locks() {
  if (connection_.server().leases().empty()) return {};
  MAEIL_ASSIGN(const Document control, read_control(connection_));
  return check_leases(connection_.server(), control);
}

Status ServerSite::write_journal(const std::string& batch, std::span<const Change> changes) {
  const std::string bytes = encode_changes(changes);
  const bson_oid_t id = oid_of(batch);
  for (size_t at = 0, n = 0; at < bytes.size(); at += kPieceBytes, ++n) {
    const Bson piece = piece_of(id, static_cast<int32_t>(n), std::string_view(bytes).substr(at, kPieceBytes));
    MAEIL_TRY(connection_.insert_one(kJournal, piece));
  }
  return {};
}

Result<std::vector<Change>> ServerSite::read_journal(const std::string& batch) {
  const auto damaged = [&] {
    return bad_input(fmt::format("{}: the journal of batch {} is damaged: restore a backup",
                                 connection_.server().label(), batch));
  };
  MAEIL_ASSIGN(const Bson filter, to_bson({{"batch", id_value(batch)}}));
  std::string bytes;
  int64_t pieces = 0;
  const auto add = [&](const bson_t& piece) -> Result<bool> {
    bson_iter_t at;
    uint32_t length = 0;
    const uint8_t* data = nullptr;
    if (!bson_iter_init_find(&at, &piece, "n") || bson_iter_as_int64(&at) != pieces++) return damaged();
    if (!bson_iter_init_find(&at, &piece, "bytes") || !BSON_ITER_HOLDS_BINARY(&at)) return damaged();
    bson_iter_binary(&at, nullptr, &length, &data);
    bytes.append(reinterpret_cast<const char*>(data), length);
    return true;
  };
  MAEIL_TRY(connection_.find(kJournal, *filter.get(), {{"sort", {{"n", 1}}}}, add));
  auto changes = decode_changes(bytes);
  if (!changes || changes->empty()) return damaged();
  return changes;
}

Status ServerSite::remove_journal(const std::string& batch) {
  MAEIL_TRY(connection_.remove(kJournal, {{"batch", id_value(batch)}}));
  return {};
}

// At once; where that fails, one by one, to see which is refused and which is only there already.
Result<std::string> ServerSite::write_each(std::span<const Write> writes) {
  if (connection_.write(writes)) return "";
  for (const Write& one : writes) {
    const Status written = connection_.write({&one, 1});
    if (written) continue;
    const Fault fault = connection_.fault();
    if (!fault.refused) return tl::make_unexpected(written.error());
    if ((one.kind == Write::Kind::kInsert || one.kind == Write::Kind::kUpsert) && fault.duplicate) {
      MAEIL_ASSIGN(const auto there, connection_.find(std::string(one.collection),
                                                      {{"_id", id_value(one.id)}}, {{"limit", 1}}));
      if (!there.empty()) continue;  // else a unique index of somebody's own refuses it
    }
    return readable(written.error().message);
  }
  return "";
}

Result<std::string> ServerSite::carry_out(std::span<const Change> changes) {
  for (size_t at = 0; at < changes.size(); at += kAtOnce) {
    std::vector<Write> writes;
    for (const Change& change : changes.subspan(at, std::min(kAtOnce, changes.size() - at)))
      writes.push_back(forward(change));
    MAEIL_ASSIGN(std::string words, write_each(writes));
    if (!words.empty()) return words;
  }
  return "";
}

Result<std::string> ServerSite::take_back(std::span<const Change> changes, const std::string& batch) {
  for (const Change& change : changes) {
    const auto writes = backward(change, batch);
    MAEIL_ASSIGN(std::string words, write_each(writes));
    if (!words.empty()) return words;
  }
  return "";
}

bool ServerSite::wait(int times) {
  constexpr int kTimes = 8;  // 0.2 s together
  std::this_thread::sleep_for(std::chrono::milliseconds(std::min(2 << std::min(times, 10), 50)));
  return times < kTimes;
}

Status settle_to_write(Connection& connection) {
  ServerSite site(connection);
  auto head = settle(site);
  if (head) {
    connection.server().set_refused(std::move(head->refused));
    return {};
  }
  return head.error().code == ErrorCode::kConflict ? with_context(connection.server().label(), head.error())
                                                   : tl::make_unexpected(head.error());
}

Status settle_to_read(Connection& connection) {
  const Status settled = settle_to_write(connection);
  const bool may_look =
      !settled && (settled.error().code == ErrorCode::kConflict || settled.error().code == ErrorCode::kUsage);
  if (!may_look) return settled;
  connection.server().warn(settled.error().message);
  return {};
}

Status close_the_past_of_others(Connection& connection) {
  if (connection.server().transactions()) return {};  // there every commit looks at the lock itself
  ServerSite site(connection);
  return close_the_past(site);
}

}  // namespace maeil::store::mongo
