#include "alerting/channels.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "base/split.h"

namespace maeil::alerting {
Result<std::vector<std::string>> names_of(const Channels& channels) {
  std::vector<std::string> out;
  if (!channels.smtp_url.empty()) {
    for (const auto& [setting, value] :
         {std::pair("ALERT_EMAIL_FROM", &channels.email_from), {"ALERT_EMAIL_TO", &channels.email_to}}) {
      if (value->empty()) return usage_error(fmt::format("SMTP_URL is set, and {} is not", setting));
      if (value->find_first_of("\r\n<>") != std::string::npos || value->find('@') == std::string::npos)
        return usage_error(fmt::format("{} must be an address such as risk@example.org", setting));
    }
    if (!channels.smtp_url.starts_with("smtp://") && !channels.smtp_url.starts_with("smtps://"))
      return usage_error("SMTP_URL must begin with smtp:// or smtps://");
    out.emplace_back("email");
  }
  for (const auto& [name, setting, url] :
       {std::tuple("slack", "SLACK_WEBHOOK_URL", &channels.slack_webhook_url),
        {"webhook", "ALERT_WEBHOOK_URL", &channels.webhook_url}}) {
    if (url->empty()) continue;
    if (!url->starts_with("https://") && !url->starts_with("http://"))
      return usage_error(fmt::format("{} must begin with https:// or http://", setting));
    out.emplace_back(name);
  }
  if (!channels.pagerduty_routing_key.empty()) out.emplace_back("pagerduty");
  if (!channels.command.empty()) out.emplace_back("command");
  return out;
}

namespace {

// The channels that ALERT_ROUTES names for a severity; nullopt: it does not name the severity.
Result<std::optional<std::vector<std::string>>> route_of(const Channels& channels, std::string_view severity,
                                                         const std::vector<std::string>& all) {
  std::optional<std::vector<std::string>> out;
  for (const auto rule : split(channels.routes, ';')) {
    if (rule.empty()) continue;
    const size_t colon = rule.find(':');
    if (colon == std::string_view::npos)
      return usage_error(fmt::format("ALERT_ROUTES: '{}' is no 'SEVERITY: channel, channel'", rule));
    const std::string_view of = trim(rule.substr(0, colon));
    if (of != "CRITICAL" && of != "ERROR" && of != "WARNING" && of != "INFO")
      return usage_error(
          fmt::format("ALERT_ROUTES: '{}' is no severity: CRITICAL, ERROR, WARNING and INFO are", of));
    auto named = split(rule.substr(colon + 1), ',');
    std::erase(named, "");
    for (const auto name : named) {
      if (std::ranges::find(all, name) == all.end())
        return usage_error(
            fmt::format("ALERT_ROUTES names the channel '{}', which is not set: {}", name,
                        all.empty() ? "none is" : fmt::format("{} are", fmt::join(all, ", "))));
    }
    if (of == severity) out.emplace(named.begin(), named.end());
  }
  return out;
}

}  // namespace

Result<std::vector<std::string>> routed(const Channels& channels, std::string_view severity) {
  MAEIL_ASSIGN(auto all, names_of(channels));
  MAEIL_ASSIGN(auto named, route_of(channels, severity, all));
  return named ? std::move(*named) : std::move(all);
}

Result<std::vector<std::string>> noticed(const Channels& channels) {
  MAEIL_ASSIGN(const auto all, names_of(channels));
  MAEIL_ASSIGN(auto named, route_of(channels, "INFO", all));
  if (!named) return std::vector<std::string>();
  std::erase(*named, "pagerduty");
  return std::move(*named);
}

Answer answer_of_http(const std::string& channel, int64_t status, const std::string& retry_after) {
  Answer out{.text = fmt::format("{} answers HTTP {}", channel, status)};
  int64_t seconds = 0;  // a date, which it may be, is not read: the back-off serves
  for (const char c : retry_after) {
    if (c < '0' || c > '9' || seconds > 86400) {
      seconds = 0;
      break;
    }
    seconds = seconds * 10 + (c - '0');
  }
  out.retry_after = std::chrono::seconds(std::min<int64_t>(seconds, 86400));
  if (status >= 200 && status < 300)
    out.kind = Answer::Kind::kDelivered;
  else if (status != 408 && status != 425 && status != 429 && status < 500)
    out.kind = Answer::Kind::kRefused;
  return out;
}

}  // namespace maeil::alerting
