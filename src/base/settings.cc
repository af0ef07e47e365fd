// All three sources go through one function, set_value, which knows the bounds; so no source can smuggle in a
// value that another would refuse.
#include "base/settings.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <variant>

#include "base/dataset_choice.h"
#include "base/file.h"
#include "base/secrets.h"
#include "base/split.h"

namespace maeil {
namespace {

using Field = std::variant<std::string Settings::*, int64_t Settings::*, double Settings::*>;

struct Setting {
  const char* name;
  Field field;
  double low = 0, high = 0;  // numbers: both inclusive
};

const std::vector<Setting>& table() {
  static const std::vector<Setting> settings = {
      {"MODEL_SAVE_PATH", &Settings::model_save_path},
      {"DATA_PATH", &Settings::data_path},
      {"DATA_DIR", &Settings::data_dir},
      {"D_MODEL", &Settings::d_model, 1, 1024},
      {"NHEAD", &Settings::nhead, 1, 64},
      {"NUM_LAYERS", &Settings::num_layers, 1, 64},
      {"DIM_FEEDFORWARD", &Settings::dim_feedforward, 1, 8192},
      {"DROPOUT_RATE", &Settings::dropout_rate, 0, 0.95},
      {"BATCH_SIZE", &Settings::batch_size, 1, 65536},
      {"LEARNING_RATE", &Settings::learning_rate, 1e-9, 1},
      {"EPOCHS", &Settings::epochs, 1, 10000},
      {"PRETRAIN_EPOCHS", &Settings::pretrain_epochs, 1, 10000},
      {"TEMPERATURE", &Settings::temperature, 1e-3, 100},
      {"FINETUNE_BATCH_SIZE", &Settings::finetune_batch_size, 1, 65536},
      {"FINETUNE_EPOCHS", &Settings::finetune_epochs, 1, 10000},
      {"FINETUNE_LEARNING_RATE", &Settings::finetune_learning_rate, 1e-9, 1},
      {"F1_THRESHOLD", &Settings::f1_threshold, 0, 1},
      {"GATE_RULE", &Settings::gate_rule},
      {"MAX_SEGMENT_LOSS", &Settings::max_segment_loss, 0, 1},
      {"CHALLENGERS", &Settings::challengers},
      {"RETRAIN_EVERY", &Settings::retrain_every, 1, 36500},
      {"APPROVAL", &Settings::approval},
      {"ALERT_REPEAT_DAYS", &Settings::alert_repeat_days, 1, 3650},
      {"ALERT_CLEAR_DAYS", &Settings::alert_clear_days, 1, 3650},
      {"SMTP_URL", &Settings::smtp_url},
      {"ALERT_EMAIL_FROM", &Settings::alert_email_from},
      {"ALERT_EMAIL_TO", &Settings::alert_email_to},
      {"SLACK_WEBHOOK_URL", &Settings::slack_webhook_url},
      {"PAGERDUTY_ROUTING_KEY", &Settings::pagerduty_routing_key},
      {"PAGERDUTY_URL", &Settings::pagerduty_url},
      {"ALERT_WEBHOOK_URL", &Settings::alert_webhook_url},
      {"ALERT_WEBHOOK_SECRET", &Settings::alert_webhook_secret},
      {"ALERT_COMMAND", &Settings::alert_command},
      {"ALERT_ROUTES", &Settings::alert_routes},
      {"ALERT_CA_FILE", &Settings::alert_ca_file},
      {"ALERT_GIVE_UP_HOURS", &Settings::alert_give_up_hours, 1, 8760},
      {"HEARTBEAT_URL", &Settings::heartbeat_url},
      {"SCORE_REASONS", &Settings::score_reasons, 0, 20},
      {"REASON_LANGUAGE", &Settings::reason_language},
      {"DECISION_THRESHOLD", &Settings::decision_threshold},
      {"COST_FALSE_NEGATIVE", &Settings::cost_false_negative, 1e-9, 1e9},
      {"COST_FALSE_POSITIVE", &Settings::cost_false_positive, 1e-9, 1e9},
      {"MIN_POSITIVES", &Settings::min_positives, 1, 1e9},
      {"MIN_NEGATIVES", &Settings::min_negatives, 1, 1e9},
      {"MAX_RETRAIN_ATTEMPTS", &Settings::max_retrain_attempts, 1, 20},
      {"DATA_QUANTITY", &Settings::data_quantity, 1, 1e9},
      {"ROW_CAP", &Settings::row_cap, 100, 1e9},
      {"TEST_DAYS", &Settings::test_days, 1, 36500},
      {"DAY_DATA", &Settings::day_data},
      {"LABELS", &Settings::labels},
      {"DATABASE_URL", &Settings::database_url},
      {"DATABASE_TIMEOUT", &Settings::database_timeout, 1, 86400},
      {"SCORES_TABLE", &Settings::scores_table},
      {"JUDGE_DAYS", &Settings::judge_days, 1, 36500},
      {"RETRAIN_DAYS", &Settings::retrain_days, 1, 36500},
      {"DISTRIBUTION_MODEL", &Settings::distribution_model},
      {"SOURCE_FALLBACK", &Settings::source_fallback},
      {"BOOK", &Settings::book},
      {"SEED", &Settings::seed, 0, 9007199254740992.0},
      {"SHARDS", &Settings::shards, 1, 65536},
      {"SENSOR_TIMEOUT", &Settings::sensor_timeout, 0, 604800},
      {"SENSOR_POKE_INTERVAL", &Settings::sensor_poke_interval, 1, 86400},
      {"SCHEDULE_TIME", &Settings::schedule_time},
      {"TIMEZONE", &Settings::time_zone},
      {"CATCHUP", &Settings::catchup, 0, 3653},
      {"RETENTION_DAYS_PROCESSED", &Settings::retention_days_processed, 1, 36500},
      {"RETENTION_DAYS_RAW", &Settings::retention_days_raw, 1, 36500},
      {"RETENTION_DAYS_HISTORY", &Settings::retention_days_history, 0, 36500},
      {"LOG_LEVEL", &Settings::log_level},
      {"METRICS_FILE", &Settings::metrics_file},
      {"DATASET", &Settings::dataset},
      {"DATASET_SPEC", &Settings::dataset_spec},
      {"SYNTHETIC_DAY", &Settings::synthetic_day, 0, 1},
      {"STORE_PATH", &Settings::store_path},
      {"THREADS", &Settings::threads, 0, 1024},
      {"MAEIL_ISA", &Settings::isa},
      {"MONGODB_URI", &Settings::mongodb_uri},
      {"MONGODB_HOST", &Settings::mongodb_host},
      {"MONGODB_PORT", &Settings::mongodb_port, 1, 65535},
      {"MONGODB_DATABASE", &Settings::mongodb_database},
      {"MONGODB_USERNAME", &Settings::mongodb_username},
      {"MONGODB_PASSWORD", &Settings::mongodb_password},
      {"LEASE_SECONDS", &Settings::lease_seconds, 2, 3600},
  };
  return settings;
}

// Whole values that are secrets. These, and SMTP_URL with its password, may stand in a file, which NAME_FILE
// names.
constexpr std::string_view kSecrets[] = {"MONGODB_PASSWORD",  "SLACK_WEBHOOK_URL",    "PAGERDUTY_ROUTING_KEY",
                                         "ALERT_WEBHOOK_URL", "ALERT_WEBHOOK_SECRET", "ALERT_COMMAND",
                                         "HEARTBEAT_URL"};
constexpr std::string_view kFromFiles[] = {
    "SMTP_URL",          "SLACK_WEBHOOK_URL",    "PAGERDUTY_ROUTING_KEY",
    "ALERT_WEBHOOK_URL", "ALERT_WEBHOOK_SECRET", "HEARTBEAT_URL"};

template <class Number>
bool parse_number(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

Status set_value(Settings& settings, const Setting& setting, std::string_view text,
                 const std::string& origin) {
  // `MONGODB_URI=` is how a line is switched off, and what docker-compose makes of a variable that is not
  // there.
  if (text.empty()) return {};
  if (const auto* member = std::get_if<std::string Settings::*>(&setting.field)) {
    settings.*(*member) = text;
  } else {
    const auto wrong = [&](const char* kind) {
      return usage_error(fmt::format("{}: {} must be {} from {} to {}, not '{}'", origin, setting.name, kind,
                                     setting.low, setting.high, text));
    };
    if (const auto* whole = std::get_if<int64_t Settings::*>(&setting.field)) {
      int64_t value = 0;
      if (!parse_number(text, value) || value < setting.low || value > setting.high)
        return wrong("a whole number");
      settings.*(*whole) = value;
    } else {
      double value = 0;
      if (!parse_number(text, value) || !(value >= setting.low && value <= setting.high))
        return wrong("a number");
      settings.*std::get<double Settings::*>(setting.field) = value;
    }
  }
  settings.origins.emplace_back(setting.name, origin);
  return {};
}

const Setting* find_setting(std::string_view name) {
  for (const auto& setting : table()) {
    if (name == setting.name) return &setting;
  }
  return nullptr;
}

Status read_table(Settings& settings, const toml::table& table, const std::filesystem::path& path) {
  for (const auto& [key, node] : table) {
    const auto origin = fmt::format("{}:{}", path.string(), node.source().begin.line);
    const Setting* setting = find_setting(key.str());
    if (!setting)
      return usage_error(
          fmt::format("{}: there is no setting '{}'; `maeil doctor` lists them", origin, key.str()));
    std::string value;
    if (const auto s = node.value_exact<std::string>())
      value = *s;
    else if (const auto i = node.value_exact<int64_t>())
      value = fmt::format("{}", *i);
    else if (const auto d = node.value_exact<double>())
      value = fmt::format("{}", *d);
    else
      return usage_error(fmt::format("{}: {} must be a text or a number", origin, setting->name));
    MAEIL_TRY(set_value(settings, *setting, value, origin));
  }
  return {};
}

Status read_toml(Settings& settings, const std::filesystem::path& path) {
  MAEIL_ASSIGN(const std::string text, read_file(path, 1 << 20));
  try {
    return read_table(settings, toml::parse(text, path.string()), path);
  } catch (const toml::parse_error& error) {
    return usage_error(
        fmt::format("{}:{}: {}", path.string(), error.source().begin.line, error.description()));
  }
}

// [settings] of a dataset spec (docs/formats/dataset_spec.md); what else it holds is table/dataset_spec.h's
// to check. A spec that cannot be read is the error of whoever needs the dataset.
Status read_dataset_settings(Settings& settings, const std::filesystem::path& path) {
  const auto text = read_file(path, 1 << 26);
  if (!text) return {};
  try {
    const toml::table document = toml::parse(*text, path.string());
    const toml::table* own = document["settings"].as_table();
    if (!own) return {};
    for (const char* name : {"DATASET", "DATASET_SPEC"}) {
      const auto* dataset = own->get(name);
      if (!dataset) continue;
      return usage_error(fmt::format("{}:{}: {} has no place among a dataset's own settings", path.string(),
                                     dataset->source().begin.line, name));
    }
    return read_table(settings, *own, path);
  } catch (const toml::parse_error& error) {
    return bad_input(fmt::format("{}:{}: {}", path.string(), error.source().begin.line, error.description()));
  }
}

// NAME=value lines as docker-compose and python-dotenv read them: `export `, comments, quotes around a value.
Status read_dotenv(Settings& settings, const std::filesystem::path& path) {
  MAEIL_ASSIGN(const std::string text, read_file(path, 1 << 20));
  int number = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = trim(std::string_view(text).substr(at, end - at));
    at = end + 1;
    ++number;
    if (line.empty() || line.front() == '#') continue;
    if (line.starts_with("export ")) line = trim(line.substr(7));
    const auto origin = fmt::format("{}:{}", path.string(), number);
    const size_t equals = line.find('=');
    if (equals == std::string_view::npos) return usage_error(fmt::format("{}: expected NAME=value", origin));
    std::string_view value = trim(line.substr(equals + 1));
    if (!value.empty() && (value.front() == '"' || value.front() == '\'')) {
      const size_t close = value.find(value.front(), 1);
      if (close == std::string_view::npos)
        return usage_error(fmt::format("{}: the quote is not closed", origin));
      value = value.substr(1, close - 1);
    } else {  // a comment may stand where the value would
      const std::string_view rest = line.substr(equals + 1);
      value = trim(rest.substr(0, rest.find(" #")));
    }
    if (const Setting* setting = find_setting(trim(line.substr(0, equals)))) {
      MAEIL_TRY(set_value(settings, *setting, value, origin));
    }
  }
  return {};
}

// SLACK_WEBHOOK_URL_FILE=/run/secrets/slack, as Docker and Kubernetes hand secrets over.
Status read_secret_files(Settings& settings, const std::function<const char*(const char*)>& environment) {
  for (const std::string_view secret : kFromFiles) {
    const std::string name = fmt::format("{}_FILE", secret);
    const char* path = environment(name.c_str());
    if (!path || !*path) continue;
    const auto text = read_file(path, 1 << 16);
    if (!text) return usage_error(fmt::format("environment: {}: {}", name, text.error().message));
    const std::string line = text->substr(0, text->find('\n'));
    if (trim(line).empty())
      return usage_error(fmt::format("environment: {}: {} has no first line", name, path));
    MAEIL_TRY(set_value(settings, *find_setting(secret), trim(line), name));
  }
  return {};
}

}  // namespace

Result<Settings> load_settings(const std::filesystem::path& folder,
                               const std::function<const char*(const char*)>& environment,
                               std::string_view dataset) {
  Settings settings;
  std::error_code ignored;
  if (std::filesystem::exists(folder / "maeil.toml", ignored))
    MAEIL_TRY(read_toml(settings, folder / "maeil.toml"));
  const auto read_last = [&](Settings& to) -> Status {
    if (std::filesystem::exists(folder / ".env", ignored)) MAEIL_TRY(read_dotenv(to, folder / ".env"));
    for (const auto& setting : table()) {
      if (const char* value = environment(setting.name)) {
        MAEIL_TRY(set_value(to, setting, value, "environment"));
      }
    }
    return read_secret_files(to, environment);
  };
  // The dataset's own settings count less than these, which may name the dataset.
  Settings named = settings;
  MAEIL_TRY(read_last(named));
  const Status chosen = choose_dataset(folder, dataset, named);
  const std::string name = chosen ? named.dataset : "", spec = named.dataset_spec;
  if (chosen && !spec.empty()) {
    Settings with = settings;
    if (const Status read = read_dataset_settings(with, spec); read)
      settings = std::move(with);
    else
      settings.dataset_error = read.error();
  }
  if (!chosen) settings.dataset_error = chosen.error();
  MAEIL_TRY(read_last(settings));
  if (settings.dataset_spec.empty() && !spec.empty())
    settings.origins.push_back(named.origins.back());  // of choose_dataset
  settings.dataset = name;
  settings.dataset_spec = spec;
  settings.synthetic_day = named.synthetic_day;  // the dataset's or the DAG's name may say so
  if (settings.synthetic_day == 1) become_rehearsal(settings);
  go_below_dataset(settings);
  if (settings.d_model % settings.nhead != 0) {
    return usage_error(
        fmt::format("D_MODEL ({}) must be a multiple of NHEAD ({})", settings.d_model, settings.nhead));
  }
  if (!settings.source_fallback.empty() && settings.source_fallback != "portfolio") {
    return usage_error(
        fmt::format("SOURCE_FALLBACK must be 'portfolio' or not set, not '{}'", settings.source_fallback));
  }
  if (settings.gate_rule != "point" && settings.gate_rule != "lower_bound") {
    return usage_error(
        fmt::format("GATE_RULE must be 'point' or 'lower_bound', not '{}'", settings.gate_rule));
  }
  std::set<std::string_view> families;
  for (const std::string_view family : split(settings.challengers, ',')) {
    if (settings.challengers.empty()) break;
    if (!families.insert(family).second)
      return usage_error(fmt::format("CHALLENGERS names '{}' twice", family));
    if (family != "boosted_trees" && family != "scorecard" && family != "tab_transformer")
      return usage_error(
          fmt::format("CHALLENGERS names model families, 'boosted_trees', 'scorecard', 'tab_transformer' or "
                      "several as 'boosted_trees, scorecard', not '{}'",
                      family));
  }
  if (settings.reason_language != "en" && settings.reason_language != "ko")
    return usage_error(
        fmt::format("REASON_LANGUAGE must be 'en' or 'ko', not '{}'", settings.reason_language));
  if (settings.approval != "auto" && settings.approval != "manual")
    return usage_error(fmt::format("APPROVAL must be 'auto' or 'manual', not '{}'", settings.approval));
  if (const auto& rule = settings.decision_threshold;
      !rule.empty() && rule != "argmax" && rule != "f1" && rule != "cost") {
    double value = 0;
    if (!parse_number(rule, value) || !(value >= 0 && value <= 1))
      return usage_error(fmt::format(
          "DECISION_THRESHOLD must be 'f1', 'cost', 'argmax' or a number from 0 to 1, not '{}'", rule));
  }
  if (settings.book != "separable" && settings.book != "realistic") {
    return usage_error(fmt::format("BOOK must be 'separable' or 'realistic', not '{}'", settings.book));
  }
  return settings;
}

namespace {

// What is shown as "***": a password, a key, an address that is one.
bool is_secret(std::string_view name) { return std::ranges::find(kSecrets, name) != std::end(kSecrets); }

// Of a connection string of ODBC, and of what is no address, any part may be a secret; so may what stands
// where a port would, if the login's @ was forgotten.
std::string redact_database(const std::string& value) {
  if (value.empty() || value.starts_with("sqlite:")) return value;
  const size_t scheme = value.starts_with("postgres") ? value.find("://") : std::string::npos;
  if (scheme == std::string::npos) return value.starts_with("odbc:") ? "odbc:***" : "***";
  const std::string_view host =
      std::string_view(value).substr(scheme + 3, value.find_first_of("/?#", scheme + 3) - scheme - 3);
  const bool has_port = host.find(':') != std::string_view::npos &&
                        host.find_first_not_of("0123456789", host.rfind(':') + 1) == std::string_view::npos;
  if (value.find('@') == std::string::npos && host.find(':') != std::string_view::npos && !has_port)
    return value.substr(0, scheme + 3) + "***";
  return redact_address(value);
}

}  // namespace

bool is_set(const Settings& settings, std::string_view name) {
  return std::ranges::any_of(settings.origins, [&](const auto& origin) { return origin.first == name; });
}

std::vector<std::pair<std::string, std::string>> describe_settings(const Settings& settings) {
  std::vector<std::pair<std::string, std::string>> lines;
  for (const auto& setting : table()) {
    std::string value =
        std::visit([&](auto member) { return fmt::format("{}", settings.*member); }, setting.field);
    const std::string_view name = setting.name;
    if (is_secret(name) && !value.empty()) value = "***";
    if (name == "MONGODB_URI" || name == "MONGODB_HOST" || name == "SMTP_URL") value = redact_address(value);
    if (name == "DATABASE_URL") value = redact_database(value);
    lines.emplace_back(setting.name, std::move(value));
  }
  return lines;
}

}  // namespace maeil
