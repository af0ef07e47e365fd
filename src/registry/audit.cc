#include "registry/audit.h"

#include <pwd.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/version.h"

namespace maeil::registry {
namespace {

std::string host() {
  char name[256] = "";
  return ::gethostname(name, sizeof name - 1) == 0 && *name ? name : "unknown";
}

}  // namespace

std::string acting_user() {
  const uid_t user = ::geteuid();
  std::vector<char> buffer(16384);
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found) == 0 && found && found->pw_name &&
      *found->pw_name)
    return found->pw_name;
  return std::to_string(user);
}

store::Batch::Put audit_entry(const Act& act, Instant when) {
  store::Batch::Put out = {kAuditLog,
                           {{"_id", store::id_value(act.id.empty() ? store::new_object_id(when) : act.id)},
                            {"timestamp", store::date_value(when)},
                            {"logical_date", format_date(std::chrono::floor<std::chrono::days>(when))},
                            {"run_id", act.run_id},
                            {"actor", {{"os_user", acting_user()}, {"host", host()}}},
                            {"act", act.act},
                            {"what", act.what},
                            {"from", act.from},
                            {"to", act.to},
                            {"version", kVersion}}};
  if (!act.comment.empty()) out.document["comment"] = act.comment;
  return out;
}

}  // namespace maeil::registry
