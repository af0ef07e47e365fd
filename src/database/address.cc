#include "database/address.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/secrets.h"
#include "format/csv.h"

namespace maeil::database {
namespace {

constexpr const char* kForms =
    "postgresql://user:password@host:port/name, sqlite:path or odbc:connection string";

tl::unexpected<Error> wrong(const std::string& why) { return usage_error("DATABASE_URL: " + why); }

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// %41 is A; nullopt: a % that stands for nothing, or for a NUL.
std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 1 < text.size() ? hex_digit(text[i + 1]) : -1,
              low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0 || high + low == 0) return std::nullopt;
    out += static_cast<char>(16 * high + low);
    i += 2;
  }
  return out;
}

void add_secret(Address& address, std::string_view raw, std::string_view plain) {
  for (const auto text : {raw, plain}) {
    if (!text.empty()) address.secrets.emplace_back(text);
  }
}

bool is_secret(std::string_view keyword) {
  return keyword == "password" || keyword == "sslpassword" || keyword == "passfile";
}

// host, host:port, [address]:port; several with commas between, as libpq wants them.
Status add_hosts(Address& address, std::string_view text) {
  std::string hosts, ports;
  bool any_port = false;
  for (;;) {
    const size_t end = std::min(text.find(','), text.size());
    const std::string_view one = text.substr(0, end);
    const size_t close = one.starts_with('[') ? one.find(']') : std::string_view::npos;
    if (one.starts_with('[') && close == std::string_view::npos)
      return wrong("a [ of its host is not closed");
    const size_t colon = one.find(':', close == std::string_view::npos ? 0 : close);
    const auto raw = close == std::string_view::npos ? one.substr(0, colon) : one.substr(1, close - 1);
    const auto port = colon == std::string_view::npos ? std::string_view() : one.substr(colon + 1);
    if (!std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; }))
      return wrong(
          "its port is no number (a : @ or / of a user's name or password is written as %3A %40 %2F)");
    const auto host = decoded(raw);
    if (!host) return wrong("a % of its host is followed by no two hexadecimal digits");
    hosts += *host;
    ports += port;
    any_port |= !port.empty();
    if (end == text.size()) break;
    hosts += ',', ports += ',';
    text.remove_prefix(end + 1);
  }
  if (!hosts.empty()) address.options.emplace_back("host", hosts);
  if (any_port) address.options.emplace_back("port", ports);
  return {};
}

Status add_options(Address& address, std::string_view text) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('&'), text.size());
    const std::string_view one = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (one.empty()) continue;
    const size_t equals = one.find('=');
    const std::string keyword(one.substr(0, equals));
    const bool named = !keyword.empty() && std::ranges::all_of(keyword, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    });
    if (equals == std::string_view::npos || !named) return wrong("behind its ? stands no option=value");
    const auto value = decoded(one.substr(equals + 1));
    if (!value) return wrong(fmt::format("a % of {} is followed by no two hexadecimal digits", keyword));
    if (is_secret(keyword)) add_secret(address, one.substr(equals + 1), *value);
    address.options.emplace_back(keyword, *value);
  }
  return {};
}

Result<Address> parse_postgresql(std::string_view rest) {
  Address out{.kind = Kind::kPostgresql};
  const size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  // A password with one of these in it would be cut there, and its end be taken for a host or an option.
  if (rest.find('@', end) != std::string_view::npos || rest.find('#') != std::string_view::npos ||
      std::ranges::count(rest.substr(0, end), '@') > 1) {
    return wrong("@ / ? # of a user's name, a password or an option are written as %40 %2F %3F %23");
  }
  std::string_view authority = rest.substr(0, end), path = rest.substr(end), options;
  if (const size_t mark = path.find('?'); mark != std::string_view::npos)
    options = path.substr(mark + 1), path = path.substr(0, mark);
  if (const size_t at = authority.find('@'); at != std::string_view::npos) {
    const std::string_view login = authority.substr(0, at);
    authority.remove_prefix(at + 1);
    const size_t colon = login.find(':');
    const auto user = decoded(login.substr(0, colon));
    const std::string_view raw =
        colon == std::string_view::npos ? std::string_view() : login.substr(colon + 1);
    const auto password = decoded(raw);
    if (!user || !password)
      return wrong(
          "a % of its user or password is followed by no two hexadecimal digits: a % is written %25");
    if (!user->empty()) out.options.emplace_back("user", *user);
    if (!password->empty()) out.options.emplace_back("password", *password);
    add_secret(out, raw, *password);
  }
  MAEIL_TRY(add_hosts(out, authority));
  const auto name = decoded(path.substr(path.empty() ? 0 : 1));
  if (!name) return wrong("a % of its name is followed by no two hexadecimal digits");
  if (!name->empty()) out.options.emplace_back("dbname", *name);
  MAEIL_TRY(add_options(out, options));
  out.shown = redact_address(fmt::format("postgresql://{}", rest));
  return out;
}

Result<Address> parse_sqlite(std::string_view rest) {
  Address out{.kind = Kind::kSqlite};
  if (rest.starts_with("//")) rest.remove_prefix(2);
  out.path = rest;
  if (out.path.empty()) return wrong("sqlite: names no file: sqlite:path/to/file.db");
  if (out.path == ":memory:") return wrong("sqlite::memory: is a database that nobody else has written to");
  out.shown = "sqlite:" + out.path;
  return out;
}

// KEY=value;KEY={value; with braces}. Values are kept as they are; those of passwords are secrets.
Result<Address> parse_odbc(std::string_view rest) {
  Address out{.kind = Kind::kOdbc};
  out.connection = rest;
  out.shown = "odbc:";
  bool any = false;
  for (size_t at = 0; at < rest.size();) {
    const size_t equals = rest.find('=', at);
    if (equals == std::string_view::npos) {
      if (rest.substr(at).find_first_not_of(" ;") != std::string_view::npos)
        return wrong("odbc: is followed by KEY=value;KEY=value, such as DSN=name");
      break;
    }
    std::string keyword(rest.substr(at, equals - at));
    std::erase_if(keyword, [](char c) { return c == ' ' || c == ';'; });
    size_t end = rest.find(';', equals);
    if (equals + 1 < rest.size() && rest[equals + 1] == '{') {
      size_t close = rest.find('}', equals + 2);
      while (close != std::string_view::npos && close + 1 < rest.size() && rest[close + 1] == '}')
        close = rest.find('}', close + 2);  // doubled: a brace of the value
      if (close == std::string_view::npos) return wrong("a { of its connection string is not closed");
      end = rest.find(';', close);
    }
    end = std::min(end, rest.size());
    const std::string_view value = rest.substr(equals + 1, end - equals - 1);
    std::string lower = keyword;
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const bool secret = lower == "pwd" || lower.find("pass") != std::string::npos ||
                        lower.find("secret") != std::string::npos || lower.find("token") != std::string::npos;
    if (secret) {
      add_secret(out, value, value);
      if (value.size() > 2 && value.front() == '{') add_secret(out, value, value.substr(1, value.size() - 2));
    }
    out.shown += fmt::format("{}{}={}", any ? ";" : "", keyword, secret ? std::string_view("***") : value);
    any = true;
    at = end + 1;
  }
  if (!any) return wrong("odbc: is followed by KEY=value;KEY=value, such as DSN=name");
  return out;
}

}  // namespace

Result<Address> parse_address(std::string_view url) {
  const auto after = [&](std::string_view scheme) -> std::optional<std::string_view> {
    if (!url.starts_with(scheme)) return std::nullopt;
    return url.substr(scheme.size());
  };
  Result<Address> out = wrong(fmt::format("it begins with none of these: {}", kForms));
  if (url.empty()) {
    out = wrong(fmt::format("it is not set: {}", kForms));
  } else if (url.find('\0') != std::string_view::npos) {
    out = wrong("it has a NUL byte");
  } else if (const auto postgresql = after("postgresql://")) {
    out = parse_postgresql(*postgresql);
  } else if (const auto postgres = after("postgres://")) {
    out = parse_postgresql(*postgres);
  } else if (const auto sqlite = after("sqlite:")) {
    out = parse_sqlite(*sqlite);
  } else if (const auto odbc = after("odbc:")) {
    out = parse_odbc(*odbc);
  } else if (url.starts_with("mysql:") || url.starts_with("mariadb:")) {
    out = wrong(
        "MySQL and MariaDB are reached through ODBC: install odbc-mariadb (Debian) and say "
        "odbc:DRIVER=MariaDB Unicode;SERVER=host;DATABASE=name;UID=user;PWD=password");
  }
  if (out) {
    std::ranges::sort(out->secrets, [](const auto& a, const auto& b) { return a.size() > b.size(); });
  }
  return out;
}

std::string scrub(const Address& address, std::string_view words) {
  std::string out(words);
  for (const auto& secret : address.secrets) {
    for (size_t at = 0; (at = out.find(secret, at)) != std::string::npos; at += 3)
      out.replace(at, secret.size(), "***");
  }
  std::string line;
  for (const char c : out) {
    const bool blank = static_cast<unsigned char>(c) <= ' ' || c == '\x7f';
    if (!blank)
      line += c;
    else if (!line.empty() && line.back() != ' ')
      line += ' ';
  }
  while (line.ends_with(' ')) line.pop_back();
  if (format::is_utf8(line)) return line;
  for (char& c : line) c = static_cast<unsigned char>(c) < 0x80 ? c : '?';
  return line;
}

}  // namespace maeil::database
