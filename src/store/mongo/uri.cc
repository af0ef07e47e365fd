#include "store/mongo/uri.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/secrets.h"
#include "store/mongo/mongo_store.h"

namespace maeil::store {
namespace mongo {
namespace {

constexpr const char* kDefaultDatabase = "mlops_default_prediction";

// What a call may take before it counts as lost, where the URI does not say otherwise. A server that is not
// there is told after 5 s; one that accepts and stays silent after the same (a pool waits for
// connectTimeoutMS when it is closed); a bulk of 8 MB on a slow disk gets a minute. After "not primary" the
// driver waits for its next look at the server: once a second.
constexpr std::pair<const char*, int32_t> kTimeouts[] = {{MONGOC_URI_SERVERSELECTIONTIMEOUTMS, 5'000},
                                                         {MONGOC_URI_CONNECTTIMEOUTMS, 3'000},
                                                         {MONGOC_URI_SOCKETTIMEOUTMS, 60'000},
                                                         {MONGOC_URI_HEARTBEATFREQUENCYMS, 1'000},
                                                         {MONGOC_URI_WAITQUEUETIMEOUTMS, 30'000}};

// libmongoc reads schemes in small letters only; RFC 3986 has them in any.
std::string with_lower_scheme(std::string text) {
  const size_t end = text.find("://");
  for (size_t i = 0; end != std::string::npos && i < end; ++i)
    text[i] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[i])));
  return text;
}

// Users are looked for in `admin` unless the URI says otherwise, as with MONGODB_USERNAME; not in the
// database that the URI names, which is MongoDB's own rule. Only for passwords: certificates and the like
// have sources of their own.
Status complete_login(mongoc_uri_t* uri) {
  const char* user = mongoc_uri_get_username(uri);
  const char* password = mongoc_uri_get_password(uri);
  const std::string_view mechanism =
      mongoc_uri_get_auth_mechanism(uri) ? mongoc_uri_get_auth_mechanism(uri) : "SCRAM";
  if (!user || !mechanism.starts_with("SCRAM")) return {};
  if (!password || !*password)
    return usage_error(
        "MONGODB_URI names a user and no password: mongodb://user:password@host:27017/database, or set "
        "MONGODB_USERNAME and MONGODB_PASSWORD instead");
  bson_iter_t at;
  if (!bson_iter_init_find_case(&at, mongoc_uri_get_credentials(uri), MONGOC_URI_AUTHSOURCE))
    mongoc_uri_set_auth_source(uri, "admin");
  return {};
}

bool is_database_name(const std::string& name) {
  return !name.empty() && name.size() <= 63 && name.find_first_of("/\\. \"$*<>:|?") == std::string::npos &&
         name.find('\0') == std::string::npos;
}

}  // namespace

Result<Uri> Uri::parse(const std::string& text, const std::string& database) {
  MAEIL_TRY(load_driver());
  bson_error_t error;
  Uri uri;
  uri.uri_.reset(mongoc_uri_new_with_error(with_lower_scheme(text).c_str(), &error));
  if (!uri.uri_) {
    return usage_error(
        fmt::format("MONGODB_URI '{}' is no address of a MongoDB server such as "
                    "mongodb://user:password@host:27017/database "
                    "(a password's @ : / % are written %40 %3A %2F %25)",
                    redact_address(text)));
  }
  const char* named = mongoc_uri_get_database(uri.get());
  uri.database_ = !database.empty() ? database : named && *named ? named : kDefaultDatabase;
  if (!is_database_name(uri.database_))
    return usage_error(fmt::format("MONGODB_DATABASE: '{}' is no name for a database", uri.database_));
  MAEIL_TRY(complete_login(uri.uri_.get()));
  for (const auto& [option, milliseconds] : kTimeouts) {
    if (!mongoc_uri_has_option(uri.get(), option))
      mongoc_uri_set_option_as_int32(uri.uri_.get(), option, milliseconds);
  }
  mongoc_uri_set_option_as_bool(uri.uri_.get(), MONGOC_URI_RETRYWRITES, true);
  mongoc_uri_set_option_as_bool(uri.uri_.get(), MONGOC_URI_RETRYREADS, true);
  // Some servers do not take "majority" to mean "journaled", so both are said.
  mongoc_write_concern_t* concern = mongoc_write_concern_new();
  mongoc_write_concern_set_wmajority(concern, 30'000);
  mongoc_write_concern_set_journal(concern, true);
  mongoc_uri_set_write_concern(uri.uri_.get(), concern);
  mongoc_write_concern_destroy(concern);
  // Locks and batches are decided by what the primary says now; where a majority's view is needed the code
  // asks for it.
  mongoc_read_prefs_t* primary = mongoc_read_prefs_new(MONGOC_READ_PRIMARY);
  mongoc_uri_set_read_prefs_t(uri.uri_.get(), primary);
  mongoc_read_prefs_destroy(primary);
  mongoc_read_concern_t* plain = mongoc_read_concern_new();
  mongoc_uri_set_read_concern(uri.uri_.get(), plain);
  mongoc_read_concern_destroy(plain);
  return uri;
}

std::string Uri::hosts() const {
  std::string out;
  for (const mongoc_host_list_t* host = mongoc_uri_get_hosts(get()); host; host = host->next) {
    out += fmt::format("{}{}", out.empty() ? "" : ",", host->host_and_port);
  }
  if (const char* service = mongoc_uri_get_srv_hostname(get())) out = service;
  return out;
}

std::string Uri::password() const {
  const char* password = mongoc_uri_get_password(get());
  return password ? password : "";
}

}  // namespace mongo

std::string make_mongo_uri(std::string_view host, int64_t port, std::string_view username,
                           std::string_view password) {
  const auto encode = [](std::string_view text) {
    std::string out;
    for (const char c : text) {
      if (std::isalnum(static_cast<unsigned char>(c)) ||
          std::string_view("-_.~").find(c) != std::string_view::npos)
        out += c;
      else
        out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
  };
  // A bare IPv6 address needs its brackets.
  const bool bare_v6 = std::ranges::count(host, ':') > 1 && !host.starts_with('[');
  const std::string place = bare_v6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
  if (username.empty()) return fmt::format("mongodb://{}/", place);
  return fmt::format("mongodb://{}:{}@{}/?authSource=admin", encode(username), encode(password), place);
}

}  // namespace maeil::store
