#include "store/mongo/server.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "store/field_rules.h"
#include "store/mongo/connection.h"
#include "store/mongo/uri.h"

namespace maeil::store::mongo {
namespace {

// What one command may hold at a time: a read whose visitor writes, that write, the renewals of its slot and
// of two locks; and some to spare for a second thread. Fewer would wait for each other, so a smaller
// maxPoolSize counts as this.
constexpr int32_t kConnections = 10;

std::string first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// Field 22 of /proc/<pid>/stat: when it started, in ticks since boot; 0 when there is no such process, or it
// is only a zombie.
int64_t start_of(int64_t pid) {
  const std::string stat = first_line(fmt::format("/proc/{}/stat", pid).c_str());
  const size_t close = stat.rfind(')');  // the name before it may hold anything
  if (close == std::string::npos || stat.size() < close + 3 || stat[close + 2] == 'Z' ||
      stat[close + 2] == 'X')
    return 0;
  size_t at = close + 2;
  for (int field = 3; field < 22; ++field) {
    at = stat.find(' ', at);
    if (at == std::string::npos) return 0;
    ++at;
  }
  return std::strtoll(stat.c_str() + at, nullptr, 10);
}

}  // namespace

const Identity& Identity::own() {
  static const auto make = [] {
    Identity identity;
    char host[256] = "?";
    ::gethostname(host, sizeof host - 1);
    identity.host = host;
    struct stat space{};
    ::stat("/proc/self/ns/pid", &space);
    identity.machine = fmt::format("{}/{}", first_line("/proc/sys/kernel/random/boot_id"), space.st_ino);
    identity.pid = ::getpid();
    identity.started = start_of(identity.pid);
    return identity;
  };
  static std::mutex mutex;
  static std::map<pid_t, Identity> known;  // a child after fork() is somebody else
  std::lock_guard lock(mutex);
  auto found = known.find(::getpid());
  if (found == known.end()) found = known.emplace(::getpid(), make()).first;
  return found->second;
}

Document Identity::document() const {
  return {{"host", host}, {"machine", machine}, {"pid", pid}, {"started", started}};
}

bool Identity::is_dead(const Document& identity) {
  if (text_field(identity, "machine") != own().machine || own().machine.size() < 30) return false;
  const Document &pid = member(identity, "pid"), &started = member(identity, "started");
  if (!pid.is_number_integer() || !started.is_number_integer()) return false;
  return start_of(pid.get<int64_t>()) != started.get<int64_t>();
}

Result<std::shared_ptr<Server>> Server::open(const std::string& uri, const std::string& database,
                                             const MongoOptions& options) {
  MAEIL_ASSIGN(const Uri parsed, Uri::parse(uri, database));
  std::shared_ptr<Server> server(new Server());
  server->options_ = options;
  server->database_ = parsed.database();
  server->label_ = fmt::format("MongoDB {}/{}", parsed.hosts(), server->database_);
  server->secret_ = parsed.password();
  bson_error_t error;
  server->pool_ = mongoc_client_pool_new_with_error(parsed.get(), &error);
  if (!server->pool_)
    return tl::unexpected<Error>(fault_of(error, nullptr, server->label_, "connect", server->secret_).error);
  mongoc_client_pool_set_error_api(server->pool_, MONGOC_ERROR_API_VERSION_2);
  mongoc_client_pool_set_appname(server->pool_, "maeil");
  const int32_t named = mongoc_uri_get_option_as_int32(parsed.get(), MONGOC_URI_MAXPOOLSIZE, kConnections);
  mongoc_client_pool_max_size(server->pool_, static_cast<uint32_t>(std::max(named, kConnections)));

  Connection connection(*server, /*retry=*/false);
  MAEIL_ASSIGN(const Document hello, connection.command("connect", {{"hello", 1}}));
  MAEIL_ASSIGN(const Document build, connection.command("connect", {{"buildInfo", 1}}));
  server->replicated_ = hello.contains("setName") || text_field(hello, "msg") == "isdbgrid";
  server->transactions_ =
      options.transactions && server->replicated_ && hello.contains("logicalSessionTimeoutMinutes");
  server->codec_.restricted = build.contains("ferretdbVersion");
  return server;
}

Server::~Server() {
  if (pool_) mongoc_client_pool_destroy(pool_);
}

void Server::add_lease(const HeldLease& lease) {
  std::lock_guard lock(mutex_);
  leases_.push_back(lease);
}

void Server::remove_lease(const HeldLease& lease) {
  std::lock_guard lock(mutex_);
  std::erase_if(leases_,
                [&](const HeldLease& held) { return held.name == lease.name && held.token == lease.token; });
}

std::vector<HeldLease> Server::leases() const {
  std::lock_guard lock(mutex_);
  return leases_;
}

void Server::warn(const std::string& sentence) {
  std::call_once(warned_, [&] { options_.warn(sentence); });
}

bool Server::knows(const std::string& collection) const {
  std::lock_guard lock(mutex_);
  return known_.contains(collection);
}

void Server::learn(const std::string& collection) {
  std::lock_guard lock(mutex_);
  known_.insert(collection);
}

std::vector<std::string> Server::refused() const {
  std::lock_guard lock(mutex_);
  return refused_;
}

void Server::set_refused(std::vector<std::string> batches) {
  std::lock_guard lock(mutex_);
  refused_ = std::move(batches);
}

}  // namespace maeil::store::mongo
