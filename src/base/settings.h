// The settings of a workspace, under the names that the Python project's users already have
// (docs/operations.md).
//
// Folders and DATA_PATH are those of the dataset: below `<folder>/<dataset>/` for every one but the built-in.
//
// They come, last wins, from built-in defaults, `maeil.toml`, [settings] of the dataset spec, `.env` and the
// environment. One table in settings.cc lists them all: name, kind, bounds; the defaults stand here. An
// unknown name in a .toml is an error (a typing mistake), in .env and the environment it is somebody else's.
// An empty value counts as not set, wherever it stands.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace maeil {

struct Settings {
  std::string model_save_path = "./models";
  std::string data_path = "./data/raw/synthetic_data.csv";
  std::string data_dir = "./data";
  int64_t d_model = 32, nhead = 4, num_layers = 6, dim_feedforward = 64;
  double dropout_rate = 0.3;
  int64_t batch_size = 32;
  double learning_rate = 3e-4;
  int64_t epochs = 10, pretrain_epochs = 10;
  double temperature = 0.5;
  int64_t finetune_batch_size = 16, finetune_epochs = 3;
  double finetune_learning_rate = 1e-4;
  double f1_threshold = 0.75;
  std::string gate_rule = "point";  // or "lower_bound": what of F1 is held against F1_THRESHOLD
  // how much F1 may fall in a segment (table/dataset_spec.h) where a version takes another's place
  double max_segment_loss = 0.05;
  std::string challengers;  // families that a challenger is trained of, "boosted_trees" say; empty: none is
  int64_t retrain_every = 30;     // days after which a challenger is trained though the gate passed
  std::string approval = "auto";  // or "manual": a person approves what would be deployed
  // days after which the same trouble rings once more, and days without it after which it counts as over
  int64_t alert_repeat_days = 7, alert_clear_days = 2;
  // channels (alerting/channels.h): one that is set is one; secrets may stand in a file, NAME_FILE
  std::string smtp_url, alert_email_from, alert_email_to, slack_webhook_url, pagerduty_routing_key;
  std::string pagerduty_url = "https://events.pagerduty.com/v2/enqueue";
  std::string alert_webhook_url, alert_webhook_secret, alert_command;
  std::string alert_routes;   // "CRITICAL: pagerduty, email; WARNING: slack"; empty: all to all
  std::string alert_ca_file;  // certificates by which a channel's server is known; empty: the system's
  int64_t alert_give_up_hours = 48;
  int64_t score_reasons = 0;           // so many reasons for each score of a day
  std::string reason_language = "en";  // or "ko"
  std::string heartbeat_url;  // is called after each date that was done, for a dead man's switch elsewhere
  // where a model decides: "f1", "cost", "argmax" or a number; empty: argmax for the built-in dataset, f1 for
  // others (loop/decide.h)
  std::string decision_threshold;
  double cost_false_negative = 1, cost_false_positive = 1;
  int64_t min_positives = 10, min_negatives = 10;  // rows of the test split below which nothing is judged
  int64_t max_retrain_attempts = 3;
  int64_t data_quantity = 10000;
  // the file of a day's rows, {date} in it, or `sql:` and a file with a query; empty: they are drawn
  std::string day_data;
  // as DAY_DATA, of labels that a day takes in when they are there; empty: none
  std::string labels;
  std::string database_url;        // of all queries (database/address.h); holds a password
  int64_t database_timeout = 300;  // seconds: to connect to it, and of each statement
  std::string scores_table;        // of that database, which each day's scores are written to; empty: none
  int64_t judge_days = 1, retrain_days = 1;  // so many of the newest labelled days
  std::string distribution_model;            // empty: the built-in portfolio
  std::string source_fallback;  // "portfolio": what takes the place of an absent distribution model; empty:
                                // nothing does
  std::string book = "separable";  // which of the built-in portfolio's books (portfolio/simulate.h)
  int64_t seed = 42;
  int64_t shards = 1;
  int64_t sensor_timeout = 3600, sensor_poke_interval = 300;  // seconds
  std::string schedule_time = "00:00";
  std::string time_zone = "UTC";
  int64_t catchup = 1;       // days back that `maeil schedule` makes up for; 0: none
  int64_t row_cap = 200000;  // rows of a history that a training learns from, at most
  int64_t test_days = 30;    // the newest days of a history are its out-of-time test
  int64_t retention_days_processed = 7, retention_days_raw = 90;
  int64_t retention_days_history = 400;  // of runs, task records and logs; 0: kept for ever
  std::string log_level = "info";
  // that node_exporter's textfile collector reads, written after each task (telemetry/); empty: none is
  std::string metrics_file;
  std::string dataset;        // its name, whoever says it; empty: where several are there and none is named
  int64_t synthetic_day = 0;  // 1: rehearse on drawn rows (loop/rehearsal.h)
  std::string rehearsal_of;   // of a rehearsal: the real dataset; empty: this is the real one
  std::string dataset_spec;   // path of the TOML that describes it; empty: the built-in corporate loans
  std::string store_path = "./maeil.db";
  int64_t threads = 0;  // 0: all processors that this process may use
  // the instruction set of the kernels; empty: the best (kernels/instruction_set.h)
  std::string isa;
  // Any of these set: the store is on a MongoDB server. The URI, when there is one, wins over host, port,
  // user and password.
  std::string mongodb_uri, mongodb_host = "localhost", mongodb_database = "mlops_default_prediction",
                           mongodb_username, mongodb_password;
  int64_t mongodb_port = 27017;
  // how long a lock on a server outlives a holder that died on another machine
  int64_t lease_seconds = 30;

  // Where each value that is not a default came from: ("F1_THRESHOLD", "maeil.toml:3").
  std::vector<std::pair<std::string, std::string>> origins;
  // Why there is no dataset, or its settings could not be read: it is no TOML (kBadInput), one of them is
  // wrong, or nothing says which of several datasets is meant (kUsage). Then none of its settings is here,
  // and only what mends the spec or needs no dataset may go on.
  std::optional<Error> dataset_error;
};

// Reads `folder`/maeil.toml, the dataset spec's settings and `folder`/.env where they exist, then
// `environment` (a lookup that returns nullptr when a name is not set; pass std::getenv). kUsage, naming
// place, setting, value and what is allowed. What is wrong with the dataset is in `dataset_error`.
//
// The dataset is the one of DATASET_SPEC; else the one that `dataset`, or else DATASET, names: dataset.toml
// of `folder` if it has that name, datasets/NAME.toml, or the built-in one; else dataset.toml; else, where
// nothing is in a folder datasets, the built-in one.
Result<Settings> load_settings(const std::filesystem::path& folder,
                               const std::function<const char*(const char*)>& environment,
                               std::string_view dataset = {});

// Whether `name` was set anywhere.
bool is_set(const Settings& settings, std::string_view name);

// Every setting as (name, value as text), in the order of the documentation. Passwords, also those in a URI,
// are shown as "***".
std::vector<std::pair<std::string, std::string>> describe_settings(const Settings& settings);

}  // namespace maeil
