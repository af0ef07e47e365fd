// The command line, and nothing but it: names, help texts with an example each, and which function runs.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>

#include "base/dataset_name.h"
#include "base/threads.h"
#include "base/version.h"
#include "cli/commands.h"
#include "cli/datasets.h"
#include "cli/output.h"
#include "kernels/instruction_set.h"
#include "nn/slow_shape.h"
#include "portfolio/simulate.h"

namespace maeil::cli {
namespace {

using Action = std::function<Result<int>(Context&)>;

struct Parser {
  CLI::App app{"maeil (every day) runs a credit-risk model's day: data, evaluation, retraining, deployment.",
               "maeil"};
  Action action;
  bool json = false;
  int64_t threads = -1;
  RunOptions run;
  RedoOptions redo;
  BackfillOptions backfill;
  GenerateOptions generate;
  FitOptions fit;
  InitOptions init;
  ValidateOptions validate;
  QualityOptions quality;
  DayReportOptions day_report;
  DataFileOptions data_file;
  DataExportOptions data_export;
  PreprocessOptions preprocess;
  TrainOptions train;
  PredictOptions predict;
  ModelOptions model;
  AlertOptions alert;
  DbOptions db;
  StoreCopyOptions store_copy;
  DagOptions dag;
  DatasetOptions dataset;
  TaskOptions task;
  RunsOptions runs;
  LogsOptions logs;
  LabelsOptions labels;
  PruneOptions prune;

  // A command, its options added by `options`, run by `act`.
  CLI::App* command(CLI::App& parent, const char* name, const char* help, const char* example, Action act) {
    CLI::App* sub = parent.add_subcommand(name, help);
    sub->add_flag("--json", json, "print one JSON value instead of text");
    sub->footer(fmt::format("Example: {}", example));
    sub->callback([this, act = std::move(act)] { action = act; });
    return sub;
  }
};

void add_day_commands(Parser& p) {
  const auto scenarios = CLI::Validator(
      [names = CLI::IsMember({"calm", "recession", "sector_shock", "broken_feed"})](std::string& text) {
        return text.ends_with(".toml") ? CLI::ExistingFile(text) : names(text);
      },
      "{calm,recession,sector_shock,broken_feed} or F.toml");
  const auto rows = CLI::Range(int64_t{1}, int64_t{1000000000});
  auto* c = p.command(p.app, "run", "run the whole day; resumes a killed one",
                      "maeil run --date 2026-11-23 --scenario recession",
                      [&p](Context& x) { return run(x, p.run); });
  c->add_option("--date", p.run.date, "logical date YYYY-MM-DD (default: today in TIMEZONE)");
  c->add_option("--in", p.run.in,
                "a file with the day's rows, labelled or not, or sql:FILE, a query of DATABASE_URL (default: "
                "DAY_DATA, else "
                "rows are drawn)");
  c->add_option("--rows", p.run.rows, "rows to generate (default: as the date was begun, else DATA_QUANTITY)")
      ->check(rows);
  c->add_option("--scenario", p.run.scenario,
                "of the built-in portfolio, or a scenario file for any source (default: as the date was "
                "begun, else calm)")
      ->check(scenarios);

  c = p.command(p.app, "redo", "do a finished date again; what it recorded stays",
                "maeil redo 2026-11-23 --from evaluate_model --dry-run",
                [&p](Context& x) { return redo(x, p.redo); });
  c->add_option("DATE", p.redo.date, "logical date YYYY-MM-DD")->required();
  c->add_option("--from", p.redo.from, "the task or retraining group to begin with (default: the first)");
  c->add_option("--in", p.redo.in, "take the rows from this file this time (default: as before)");
  c->add_option("--rows", p.redo.rows, "draw so many rows this time (default: as before)")->check(rows);
  c->add_option("--scenario", p.redo.scenario, "draw them from this scenario (default: as before)")
      ->check(scenarios);
  c->add_flag("--deploy", p.redo.deploy, "deploy what is approved even though a newer date has its verdict");
  c->add_flag("--dry-run", p.redo.dry_run, "only say what would be done again");
  c->add_flag("--yes", p.redo.yes, "do not ask");

  p.command(p.app, "schedule", "run every day at SCHEDULE_TIME until stopped; makes up for CATCHUP days",
            "SCHEDULE_TIME=02:30 maeil schedule", [](Context& x) { return schedule(x); });

  c = p.command(p.app, "backfill", "run past days that are missing, oldest first",
                "maeil backfill --from 2026-11-01 --to 2026-11-07 --dry-run",
                [&p](Context& x) { return backfill(x, p.backfill); });
  c->add_option("--from", p.backfill.from, "first logical date")->required();
  c->add_option("--to", p.backfill.to, "last logical date, included")->required();
  c->add_flag("--dry-run", p.backfill.dry_run, "only say what would run");

  c = p.command(p.app, "generate", "sample rows into a CSV file",
                "maeil generate --num-rows 100000 --out rows.csv --seed 7",
                [&p](Context& x) { return generate(x, p.generate); });
  c->add_option("--num-rows", p.generate.rows, "how many")
      ->required()
      ->check(CLI::Range(int64_t{1}, int64_t{1000000000}));
  c->add_option("--out", p.generate.out,
                "the CSV file (default: DATA_PATH, unless a file of your own is there)");
  c->add_option("--model", p.generate.model,
                "SDV's .pkl or maeil's .json (default: DISTRIBUTION_MODEL, else the portfolio)");
  c->add_option("--scenario", p.generate.scenario,
                "of the built-in portfolio, or a scenario file for any source")
      ->check(scenarios)
      ->capture_default_str();
  c->add_option("--book", p.generate.book,
                "of the built-in portfolio: separable, which any model learns, or realistic, whose best "
                "reachable ROC AUC is 0.80 (default: BOOK, else separable)")
      ->check(CLI::IsMember(portfolio::book_names()));
  c->add_flag("--with-truth", p.generate.with_truth,
              "of --book realistic: also the column true_pd, the probability of default that each flag was "
              "drawn with");
  c->add_option("--date", p.generate.date,
                "the portfolio's reporting date (default: today); not with a distribution model");
  c->add_option("--class", p.generate.class_share, "the share of a class of the model's target, as Y=0.2");
  c->add_option("--where", p.generate.where,
                "only rows with COLUMN=VALUE (or !=, <, <=, >, >=); may be given again for more conditions");
  c->add_option("--seed", p.generate.seed, "same seed, same bytes (default: SEED)")
      ->check(CLI::NonNegativeNumber);
  c->add_option("--threads", p.threads, "worker threads (default: all processors)")
      ->check(CLI::Range(1, 1024));
}

void add_data_commands(Parser& p) {
  auto* c = p.command(p.app, "fit", "fit a Gaussian copula to a CSV file",
                      "maeil fit --in rows.csv --out model.json", [&p](Context& x) { return fit(x, p.fit); });
  c->add_option("--in", p.fit.in, "the CSV file")->required();
  c->add_option("--out", p.fit.out, "the JSON file")->required();
  c->add_option("--target", p.fit.target,
                "a copula for each value of this column (default: the dataset spec's target)");
  c->add_option("--spec", p.fit.spec,
                "a dataset spec, or SDV's metadata .json, that says the columns' types (default: "
                "DATASET_SPEC if the file has its columns, else inferred)");
  c->add_option("--metadata", p.fit.metadata, "also write the columns as SDV's metadata JSON here");
  c->add_option("--marginals", p.fit.marginals,
                "of numbers: empirical, auto, beta, gamma, gaussian, kde, student_t, truncated_gaussian or "
                "uniform (default: empirical); the dataset spec may say otherwise for a column");
  c->add_option("--seed", p.fit.seed, "chooses the rows that correlations are computed from (default: SEED)")
      ->check(CLI::NonNegativeNumber);
  c->add_flag("--no-report", p.fit.no_report, "write no quality report beside the model");

  c = p.command(p.app, "init", "draft a dataset spec from a file of rows, and say what was seen",
                "maeil init --in history.csv --target default --id loan_id --group borrower_id --time as_of",
                [&p](Context& x) { return init(x, p.init); });
  c->add_option("--in", p.init.in, "the CSV file")->required();
  c->add_option("--target", p.init.target,
                "the column to predict (default: those that could be are proposed, and nothing is written)");
  c->add_option("--positive", p.init.positive, "its value to predict (default: the rarer one)");
  c->add_option("--id", p.init.id, "the column that names a row; may be given again for more columns");
  c->add_option("--group", p.init.group, "the column of whom the rows are about, a borrower, say");
  c->add_option("--time", p.init.time, "the date column that says when a row was as it is");
  c->add_option("--delay-days", p.init.delay_days, "labels are due so many days after their rows")
      ->check(CLI::Range(0, 36500));
  c->add_option("--out", p.init.out, "the file to write")->capture_default_str();
  c->add_option("--html", p.init.html, "write a page with each column's distribution to this file");
  c->add_flag("--force", p.init.force, "write over a file that is there");

  c = p.command(p.app, "validate", "hold a file against the dataset's contract; exit 3 where it is broken",
                "maeil validate --in loans_2026-11-28.csv",
                [&p](Context& x) { return validate(x, p.validate); });
  c->add_option("--in", p.validate.in, "the CSV file, or sql:FILE, a query of DATABASE_URL")->required();
  c->add_option("--date", p.validate.date, "what :date of a query stands for, YYYY-MM-DD");

  auto* report =
      p.command(p.app, "report", "what a date left behind, for whoever was not there; reports on data",
                "maeil report 2026-11-23 --html day.html", {});
  report->require_subcommand(0, 1);
  auto* date = report->add_option("DATE", p.day_report.date, "logical date YYYY-MM-DD");
  report->add_option("--html", p.day_report.html, "write it as one page instead")->needs(date);
  report->callback([&p, report] {
    if (!report->get_subcommands().empty()) return;
    p.action = [&p](Context& x) { return report_day(x, p.day_report); };
  });
  c = p.command(
      *report, "quality", "judge synthetic rows: SDMetrics' scores, what a model learns from them, copies",
      "maeil report quality --real real.csv --synthetic rows.csv --target default --html report.html",
      [&p](Context& x) { return report_quality(x, p.quality); });
  c->add_option("--real", p.quality.real, "the real rows, CSV")->required();
  c->add_option("--synthetic", p.quality.synthetic, "the synthetic rows, CSV")->required();
  c->add_option("--holdout", p.quality.holdout, "real rows that the synthesizer never saw, CSV");
  c->add_option("--target", p.quality.target, "train on synthetic, test on real: the class to predict");
  c->add_option("--html", p.quality.html, "write the report as one page");
  c->add_option("--max-rows", p.quality.max_rows, "look at so many rows of each file, evenly spread; 0: all")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  c->add_option("--metadata", p.quality.metadata,
                "SDV's metadata JSON (default: types inferred from the values)");
  c->add_option("--threads", p.threads, "worker threads (default: all processors)")
      ->check(CLI::Range(1, 1024));

  c = p.command(p.app, "preprocess", "prepare a CSV file with a model's fitted values",
                "maeil preprocess --in rows.csv --out prepared.csv",
                [&p](Context& x) { return preprocess(x, p.preprocess); });
  c->add_option("--in", p.preprocess.in, "raw rows")->required();
  c->add_option("--out", p.preprocess.out, "prepared rows")->required();
  c->add_option("--model", p.preprocess.model, "version or file (default: the model in force)");

  c = p.command(p.app, "train", "train from scratch: an encoder, a classifier, or both",
                "maeil train --in history.csv", [&p](Context& x) { return train(x, p.train); });
  c->add_option("--in", p.train.in,
                "your own labelled rows: both are trained, and judged on rows they never saw (default: drawn "
                "rows)");
  c->add_flag("--pretrain", p.train.pretrain, "contrastive pretraining of the encoder (PRETRAIN_EPOCHS)");
  c->add_flag("--train", p.train.train, "the classifier (EPOCHS), from the encoder when there is one");
  c->add_option(
      "--family", p.train.families,
      "tab_transformer, boosted_trees or scorecard, once for each (default: of your own rows the first two; "
      "of several the one with the least log loss on held-out rows is in force; of drawn ones "
      "tab_transformer)");
  c->add_option("--epochs", p.train.epochs, "of a tab_transformer, instead of EPOCHS and PRETRAIN_EPOCHS")
      ->check(CLI::Range(1, 10000));
  c->add_option("--rows", p.train.rows,
                "about so many rows to learn from (default: twice DATA_QUANTITY; with --in, ROW_CAP)")
      ->check(CLI::Range(100, 100000000));

  for (const bool scoring : {true, false}) {
    c = p.command(
        p.app, scoring ? "predict" : "evaluate",
        scoring ? "score a CSV file: one probability a row"
                : "metrics of a model on a CSV file; exit 4 under the gate",
        scoring ? "maeil predict --model models/deployed/current_model.pth --in rows.csv --out scores.csv"
                : "maeil evaluate --model 20261123_000000 --in rows.csv",
        [&p, scoring](Context& x) { return scoring ? predict(x, p.predict) : evaluate(x, p.predict); });
    c->add_option("--model", p.predict.model,
                  "a model file (.pth, .pt, .ckpt, .safetensors, .maeil) or a version")
        ->required();
    c->add_option("--in", p.predict.in, "raw rows")->required();
    if (!scoring) continue;
    c->add_option("--out", p.predict.out, "the CSV file")->required();
    c->add_option("--reasons", p.predict.reasons, "so many columns that moved each row's score most")
        ->check(CLI::Range(0, 20));
  }
}

void add_label_commands(Parser& p) {
  auto* labels = p.app.add_subcommand("labels", "labels that came late");
  labels->require_subcommand(1);
  auto* c = p.command(*labels, "import", "take labels in, join them with the stored rows, judge their scores",
                      "maeil labels import --in labels.csv",
                      [&p](Context& x) { return labels_import(x, p.labels); });
  c->add_option("--in", p.labels.in,
                "a file, or sql:FILE, a query of DATABASE_URL, with the id columns and the target")
      ->required();
  c->add_option("--date", p.labels.date,
                "the logical date of its rows (default: its column logical_date, else its time column, else "
                "the only day that has the id)");
  c->add_option("--observed-at", p.labels.observed,
                "the day on which the labels became known (default: its column observed_at, else today)");
  c->add_flag("--dry-run", p.labels.dry_run, "only count and judge; write nothing");
  c = p.command(*labels, "show", "what is known of a day's labels, and how its scores did",
                "maeil labels show 2026-11-23", [&p](Context& x) { return labels_show(x, p.labels); });
  c->add_option("DATE", p.labels.date, "logical date YYYY-MM-DD")->required();
}

void add_data_file_commands(Parser& p) {
  auto* data = p.app.add_subcommand("data", "files of rows: how they are written, and as plain CSV");
  data->require_subcommand(1);
  auto& o = p.data_file;
  auto* inspect =
      p.command(*data, "inspect", "say how a file is written and what its records are",
                "maeil data inspect loans.csv.gz", [&p](Context& x) { return data_inspect(x, p.data_file); });
  inspect->add_option("file", o.in, "delimited text, gzip and zstd too; Parquet, Arrow")->required();
  auto* convert =
      p.command(*data, "convert", "write a file's rows as plain CSV: UTF-8, commas, one line of names",
                "maeil data convert --in loans.txt --out loans.csv --encoding CP949",
                [&p](Context& x) { return data_convert(x, p.data_file); });
  convert->add_option("--in", o.in, "delimited text, gzip and zstd too; Parquet, Arrow")->required();
  convert->add_option("--out", o.out, "the CSV file; a Parquet or Arrow one by its ending")->required();
  convert->add_flag(
      "--best-guess", o.best_guess,
      "where the file can be read in two ways take the likelier; keep records of another width");
  auto* c = p.command(*data, "export", "write the file that a day was taken in from, as it came",
                      "maeil data export 2026-11-28 --out loans.csv.gz",
                      [&p](Context& x) { return data_export(x, p.data_export); });
  c->add_option("date", p.data_export.date, "the day, YYYY-MM-DD")->required();
  c->add_option("--out", p.data_export.out, "the file to write")->required();
  for (auto* guided : {inspect, convert}) {
    guided->add_option("--encoding", o.encoding,
                       "as iconv has it: UTF-8, CP949, UTF-16LE ... (default: guessed)");
    guided->add_option("--delimiter", o.delimiter,
                       "between fields: a character, or tab, blank ... (default: guessed)");
    guided->add_option("--quote", o.quote, "around fields: a character, or none (default: guessed)");
    guided->add_option("--escape", o.escape, "before a quote inside of a field (default: guessed)");
    guided->add_option("--header", o.header, "records of names; 0: none (default: guessed)")
        ->check(CLI::Range(0, 20));
    guided->add_option("--preamble", o.preamble, "lines before them (default: guessed)")
        ->check(CLI::Range(0, 1000000));
    guided->add_option("--footnote", o.footnote, "records behind the rows (default: guessed)")
        ->check(CLI::Range(0, 10000));
  }
}

void add_alert_commands(Parser& p) {
  auto* alert = p.app.add_subcommand("alert", "what is wrong, since when, and who knows");
  alert->require_subcommand(1);
  auto& o = p.alert;
  auto* c = p.command(*alert, "list", "what is open", "maeil alert list",
                      [&p](Context& x) { return alert_list(x, p.alert); });
  c->add_flag("--all", o.all, "what was resolved, too");
  const auto named = [&](const char* name, const char* about, const char* example, auto run) {
    auto* made = p.command(*alert, name, about, example, [&p, run](Context& x) { return run(x, p.alert); });
    made->add_option("alert", o.alert, "its name, or the id that `maeil alert list` shows")->required();
    return made;
  };
  named("show", "one alert with all that it was raised for", "maeil alert show MODEL_PERFORMANCE_FAILURE",
        alert_show);
  for (auto* act :
       {named("ack", "somebody is at it: it rings no more until it is resolved",
              "maeil alert ack MODEL_PERFORMANCE_FAILURE --comment \"the feed is asked\"", alert_acknowledge),
        named("silence", "it rings no more up to a day, that day included",
              "maeil alert silence MODEL_PERFORMANCE_FAILURE --until 2026-12-24", alert_silence),
        named("resolve", "it is over; it opens again when it happens again",
              "maeil alert resolve MODEL_PERFORMANCE_FAILURE", alert_resolve)})
    act->add_option("--comment", o.comment, "why, for the alert and for audit_log");
  p.command(*alert, "test", "send a message by one channel now", "maeil alert test slack",
            [&p](Context& x) { return alert_test(x, p.alert); })
      ->add_option("channel", o.alert, "email, slack, pagerduty, webhook or command")
      ->required();
  p.command(p.app, "notify", "send what alerts have yet to reach their channels, and go on",
            "maeil notify --once", [&p](Context& x) { return notify(x, p.alert); })
      ->add_flag("--once", o.once, "once, and end: from cron; exit 1 where something failed");
  alert->get_subcommand("silence")->add_option("--until", o.until, "the last day: YYYY-MM-DD")->required();
}

void add_model_commands(Parser& p) {
  auto* model = p.app.add_subcommand("model", "model versions: look, import, approve, deploy");
  model->require_subcommand(1);
  p.command(*model, "list", "all versions, newest first", "maeil model list",
            [](Context& x) { return model_list(x); });
  auto* c =
      p.command(*model, "show", "one version: metrics, lineage, preparation",
                "maeil model show 20261123_000000", [&p](Context& x) { return model_show(x, p.model); });
  c->add_option("version", p.model.version, "version or id")->required();
  c = p.command(*model, "document", "what is recorded of one, for whoever has to judge it",
                "maeil model document 20261123_000000 --html model.html",
                [&p](Context& x) { return model_document(x, p.model); });
  c->add_option("version", p.model.version, "version or id")->required();
  c->add_option("--html", p.model.html, "write it as one page instead");
  c = p.command(*model, "import", "register a checkpoint of the Python project",
                "maeil model import finetuned_model_f.pth --reference distribution_model.pkl",
                [&p](Context& x) { return model_import(x, p.model); });
  c->add_option("file", p.model.file, "the model file (.pth, .pt, .ckpt, .safetensors, .maeil)")->required();
  c->add_option("--features", p.model.features,
                "which feature each embedding belongs to (default: the corporate-loan map)");
  c->add_option("--reference", p.model.reference,
                "rows for imputer and scaler: a .pkl, .json or .csv (default: DISTRIBUTION_MODEL)");
  c = p.command(*model, "calibrate",
                "a version like another, its calibration and threshold chosen anew on labelled rows",
                "maeil model calibrate 20261123_000000 --in validation.csv",
                [&p](Context& x) { return model_calibrate(x, p.model); });
  c->add_option("version", p.model.version, "version or id")->required();
  c->add_option("--in", p.model.file, "labelled rows that the model did not learn from")->required();
  c = p.command(*model, "export", "write a version's file",
                "maeil model export 20261123_000000 --out model.pth",
                [&p](Context& x) { return model_export(x, p.model); });
  c->add_option("version", p.model.version, "version or id")->required();
  c->add_option("--out", p.model.out, "the file (default: the version's own name)");
  c = p.command(*model, "approve", "approve a version by hand; one that a day proposed is deployed",
                "maeil model approve 20261123_000000 --comment \"checked with the credit committee\"",
                [&p](Context& x) { return model_approve(x, p.model); });
  c->add_option("version", p.model.version, "version or id")->required();
  c->add_option("--comment", p.model.comment, "why, for the version's history and audit_log");
  c = p.command(*model, "deploy", "deploy an approved version now", "maeil model deploy 20261123_000000",
                [&p](Context& x) { return model_deploy(x, p.model); });
  c->add_option("version", p.model.version, "version or id")->required();
  p.command(*model, "rollback", "deploy the version that was deployed before", "maeil model rollback",
            [](Context& x) { return model_rollback(x); });
  p.command(*model, "history",
            "every version with its statuses, every deployment, who did what; newest first",
            "maeil model history", [](Context& x) { return model_history(x); });
  c = p.command(*model, "scorecard", "a scorecard's bins, points and coefficients",
                "maeil model scorecard 20261123_000000 --html scorecard.html",
                [&p](Context& x) { return model_scorecard(x, p.model); });
  c->add_option("version", p.model.version, "a version or a model file (.maeil) of the family scorecard")
      ->required();
  c->add_option("--html", p.model.html, "write it as a page, too");
  c = p.command(*model, "logits", "logits of coded rows (CSV without header), one line a row",
                "maeil model logits model.pth --cat codes.csv --num numbers.csv",
                [&p](Context& x) { return model_logits(x, p.model); });
  c->add_option("file", p.model.file, "a model file (.pth, .pt, .ckpt, .safetensors) or a version")
      ->required();
  c->add_option("--cat", p.model.categories, "category codes")->required();
  c->add_option("--num", p.model.numbers, "scaled numbers")->required();
}

void add_store_commands(Parser& p) {
  auto* c =
      p.command(p.app, "db", "find documents, as in mongosh", "maeil db alerts --sort timestamp:-1 --limit 5",
                [&p](Context& x) { return db(x, p.db); });
  c->add_option("collection", p.db.collection, "e.g. evaluation_events")->required();
  c->add_option("--filter", p.db.filter, "a filter in JSON")->capture_default_str();
  c->add_option("--sort", p.db.sort, "FIELD:1 or FIELD:-1, comma separated");
  c->add_option("--projection", p.db.projection, "only these top-level fields (and _id), comma separated");
  c->add_option("--skip", p.db.skip, "leave out so many first")->check(CLI::NonNegativeNumber);
  auto* limit = c->add_option("--limit", p.db.limit,
                              fmt::format("at most so many; 0: all (default: {})", kShownDocuments))
                    ->check(CLI::NonNegativeNumber);
  c->add_flag("--count", p.db.count, "print only how many match")->excludes(limit);

  auto* store = p.app.add_subcommand("store", "the store itself");
  store->require_subcommand(1);
  c = p.command(*store, "copy", "copy everything from one store into another and compare",
                "MONGODB_HOST=localhost maeil store copy --from ./maeil.db --to mongodb --dry-run",
                [&p](Context& x) { return store_copy(x, p.store_copy); });
  c->add_option("--from", p.store_copy.from,
                "the path of a maeil.db, mongodb://host:27017/database, or just mongodb: the server of the "
                "MONGODB_ settings")
      ->required();
  c->add_option("--to", p.store_copy.to,
                "the same; must be empty, or hold what an interrupted copy of the same left")
      ->required();
  c->add_flag("--dry-run", p.store_copy.dry_run, "only count and check; write nothing");

  auto* dataset = p.app.add_subcommand("dataset", "the datasets of this folder and of the store");
  dataset->require_subcommand(1);
  p.command(*dataset, "list", "which there are, and which one is meant here", "maeil dataset list",
            [](Context& x) { return dataset_list(x); });
  c = p.command(*dataset, "show", "what the store and the folders have of one", "maeil dataset show book",
                [&p](Context& x) { return dataset_show(x, p.dataset); });
  c->add_option("name", p.dataset.name)->required();
  c = p.command(*dataset, "rename", "give one another name; what is recorded keeps the old one",
                "maeil dataset rename book mortgages",
                [&p](Context& x) { return dataset_rename(x, p.dataset); });
  c->add_option("name", p.dataset.name)->required();
  c->add_option("new_name", p.dataset.new_name)->required();
  c = p.command(
      *dataset, "remove", "remove all that the store and the folders have of one; says first what goes",
      "maeil dataset remove book --dry-run", [&p](Context& x) { return dataset_remove(x, p.dataset); });
  c->add_option("name", p.dataset.name)->required();
  c->add_flag("--dry-run", p.dataset.dry_run, "only say what would go");
  c->add_flag("--yes", p.dataset.yes, "do not ask");

  auto* dag = p.app.add_subcommand("dag", "the DAGs of a day");
  dag->require_subcommand(1);
  p.command(*dag, "list", "names and tasks", "maeil dag list", [](Context& x) { return dag_list(x); });
  c = p.command(*dag, "show", "one DAG with its states today", "maeil dag show model_evaluation_pipeline",
                [&p](Context& x) { return dag_show(x, p.dag); });
  c->add_option("dag", p.dag.dag, "its name")->required();
  p.command(*dag, "export", "the DAGs as JSON, for Airflow", "maeil dag export > pipelines.json",
            [](Context& x) { return dag_export(x); });

  c = p.command(p.app, "task", "run one task, as Airflow does",
                "maeil task data_pipeline_dag generate_data --logical-date 2026-11-23 --run-id manual",
                [&p](Context& x) { return task(x, p.task); });
  c->add_option("dag", p.task.dag)->required();
  c->add_option("task", p.task.task)->required();
  c->add_option("--logical-date", p.task.logical_date, "YYYY-MM-DD, or an ISO 8601 time whose date counts")
      ->required();
  c->add_option("--run-id", p.task.run_id, "kept as information")->required();
  c->add_option("--attempt", p.task.attempt, "retraining attempt 1..N of a task named without its group")
      ->check(CLI::Range(1, 20));
  c->add_option("--shard", p.task.shard,
                "I/N: only shard I of N; merge/N: put the parts of N shards together and finish the task");
  c->add_option("--parent", p.task.parent, "the process that started this one: end with it, however it ends");
  c->add_option("--retries-left", p.task.retries_left,
                "how often the caller will try again if this fails: until then it is up_for_retry")
      ->check(CLI::Range(0, 1000));
  c->add_option("--result", p.task.result, "write {state, next, message} to this JSON file");

  c = p.command(p.app, "runs", "runs, newest first", "maeil runs --state failed --from 2026-11-01",
                [&p](Context& x) { return runs(x, p.runs); });
  c->add_option("--limit", p.runs.limit, "at most so many; 0: all")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  c->add_option("--state", p.runs.state, "only those in this state now")
      ->check(CLI::IsMember({"running", "success", "failed", "cancelled"}));
  c->add_option("--from", p.runs.from, "only logical dates from this one on, YYYY-MM-DD; newest date first");
  c->add_option("--to", p.runs.to, "only logical dates up to this one");
  c = p.command(p.app, "logs", "what a run's tasks said", "maeil logs 2026-11-23 evaluate_model",
                [&p](Context& x) { return logs(x, p.logs); });
  c->add_option("run", p.logs.run, "logical date or run id")->required();
  c->add_option("task", p.logs.task, "only this task");
  c->add_flag("-f,--follow", p.logs.follow, "print lines as they come, until the run has ended");
  c = p.command(p.app, "prune", "remove data past its retention", "maeil prune --dry-run",
                [&p](Context& x) { return prune(x, p.prune); });
  c->add_flag("--dry-run", p.prune.dry_run, "only say what would go");
  p.command(p.app, "doctor", "check settings, permissions, disk, lock, store and model files", "maeil doctor",
            [](Context& x) { return doctor(x); });
  p.command(p.app, "metrics", "how everything stands, for Prometheus (METRICS_FILE keeps it in a file)",
            "maeil metrics > maeil.prom", [](Context& x) { return metrics(x); });
}

// A DAG that is named names its dataset; one of the built-in dataset's names does where nothing else does.
Result<Settings> settings_for(const std::string& dag) {
  auto settings = settings_here(dataset_of_dag(dag));
  const bool unclear = settings && settings->dataset.empty() && settings->dataset_spec.empty();
  if (!unclear || dag.empty() || !dataset_of_dag(dag).empty()) return settings;
  return settings_here(kBuiltinDataset);
}

int report(const Error& error) {
  std::fputs(fmt::format("maeil: {}\n", error.message).c_str(), stderr);
  return exit_code(error.code);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file too large is an error to report, not a death
  std::signal(SIGPIPE, SIG_IGN);
  Parser parser;
  parser.app.set_version_flag("--version", std::string("maeil ") + kVersion);
  parser.app.require_subcommand(1);
  parser.app.footer(
      "`maeil COMMAND --help` shows a command's options and an example.\n"
      "Exit codes: 0 ok, 1 failed (may be retried), 2 usage, 3 bad input, 4 gate failed (run, backfill, "
      "evaluate);\n"
      "of `maeil task` also 75 not yet, 99 skipped.");
  add_day_commands(parser);
  add_data_commands(parser);
  add_data_file_commands(parser);
  add_label_commands(parser);
  add_model_commands(parser);
  add_alert_commands(parser);
  add_store_commands(parser);
  try {
    parser.app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return parser.app.exit(error) == 0 ? 0 : 2;
  }
  auto settings = settings_for(parser.task.dag.empty() ? parser.dag.dag : parser.task.dag);
  if (!settings) return report(settings.error());
  // Where the dataset is not clear, or its settings are missing: these mend that, or need none.
  constexpr std::array kNeedNone = {"init", "doctor", "db", "store", "dag", "data", "dataset", "metrics"};
  const bool needs_none =
      std::ranges::any_of(kNeedNone, [&](const char* name) { return parser.app.got_subcommand(name); });
  if (settings->dataset_error && !needs_none) return report(*settings->dataset_error);
  Context context;
  context.settings = std::move(*settings);
  context.json = parser.json;
  const auto log_level = parse_log_level(context.settings.log_level);
  if (!log_level)
    return report({ErrorCode::kUsage, fmt::format("LOG_LEVEL must be debug, info, warning or error, not '{}'",
                                                  context.settings.log_level)});
  set_log_level(*log_level);
  set_thread_count(static_cast<int>(parser.threads > 0 ? parser.threads : context.settings.threads));
  if (const Status pinned = kernels::pin_instruction_set(context.settings.isa); !pinned)
    return report(pinned.error());
  nn::on_slow_shape([](const std::string& sentence) { note_task_line("warning: " + sentence); });
  const auto code = parser.action(context);
  if (!code) return report(code.error());
  if (std::fflush(stdout) != 0) return report({ErrorCode::kIo, "cannot write to standard output"});
  return *code;
}

}  // namespace maeil::cli
