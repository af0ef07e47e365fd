#include "store/mongo/control.h"

#include <fmt/format.h>

#include "store/field_rules.h"

namespace maeil::store::mongo {
namespace {

Document control_filter() { return {{"_id", "control"}}; }

std::string shown(const Document& value) {
  return value.dump(-1, ' ', false, Document::error_handler_t::replace);
}

}  // namespace

Result<Instant> server_now(Connection& connection) {
  MAEIL_ASSIGN(const Document hello, connection.command("ask for the time", {{"hello", 1}}));
  return instant_of(member(hello, "localTime"));
}

Status prepare_control(Connection& connection) {
  // Two at once: the loser's E11000 says that the document is there.
  const Document first = {{"schema", kSchema}, {"locks", Document::object()}, {"intent", kOlderStay}};
  const auto made = connection.find_and_modify(kControl, control_filter(), {{"$setOnInsert", first}}, true);
  if (!made && !connection.fault().duplicate) return tl::unexpected<Error>(made.error());
  return {};
}

Result<Document> read_control(Connection& connection) {
  MAEIL_ASSIGN(const auto found, connection.find(kControl, control_filter(), {{"limit", 1}}));
  if (found.empty())
    return bad_input(fmt::format("{}: the document of {} is gone: restore a backup",
                                 connection.server().label(), kControl));
  return found[0];
}

void add_fence(Document& filter, const std::vector<HeldLease>& leases) {
  for (const auto& lease : leases) filter[fmt::format("locks.{}.token", lease.name)] = lease.token;
}

std::string describe_holder(const Document& lock) {
  const Document& owner = member(lock, "owner");
  const auto since = instant_member(lock, "since");
  return fmt::format("{} (process {} on {}, since {})", text_field(lock, "holder"),
                     shown(member(owner, "pid")), text_field(owner, "host"),
                     since ? format_instant(*since) : "?");
}

Status check_leases(const Server& server, const Document& control) {
  for (const auto& lease : server.leases()) {
    const Document& lock = member(member(control, "locks"), lease.name);
    if (member(lock, "token") == lease.token) continue;
    return fail(ErrorCode::kConflict, fmt::format("{}: this process lost the {} lock to {}, since it was not "
                                                  "heard of for {} s: nothing was written, run it again",
                                                  server.label(), lease.name, describe_holder(lock),
                                                  server.options().lease.count() / 1000.0));
  }
  return {};
}

}  // namespace maeil::store::mongo
