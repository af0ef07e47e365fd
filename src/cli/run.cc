// `maeil run | schedule | backfill`: days, told on the terminal while they happen.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>

#include "base/progress.h"
#include "cli/commands.h"
#include "cli/metrics.h"
#include "cli/output.h"
#include "cli/stop.h"
#include "dag/dag_run.h"
#include "dag/old_task_runs.h"
#include "dag/schedule.h"
#include "loop/alerts/heartbeat.h"
#include "loop/alerts/ring_alerts.h"
#include "loop/day_file.h"
#include "loop/pipelines.h"
#include "loop/redo.h"
#include "loop/run_day.h"
#include "loop/training.h"
#include "loop/wait_for_source.h"

namespace maeil::cli {
namespace {

const std::atomic<bool>& cancelled = stop_asked();

// Events to lines: one a task's start, one its end, indented log lines between them; progress as a bar.
class Reporter {
 public:
  void operator()(const dag::Event& event) {
    using Kind = dag::Event::Kind;
    if (event.kind == Kind::kProgress) {
      progress_.update(event.text, event.done, event.total);
      return;
    }
    progress_.finish();
    const std::string task = fmt::format("{}.{}", event.dag_id, event.task_id);
    switch (event.kind) {
      case Kind::kTaskStarted:
        line(fmt::format("{}  started", task));
        break;
      case Kind::kTaskFinished:
        line(
            fmt::format("{}  {}  {:.1f} s  {}", task, dag::to_string(event.state), event.seconds, event.text),
            event.state == dag::TaskState::kFailed ? LogLevel::kWarning : LogLevel::kInfo);
        break;
      case Kind::kTaskRetried:
        line(fmt::format("{}  tries again: {}", task, event.text), LogLevel::kWarning);
        break;
      case Kind::kSensorWaiting:
        line(fmt::format("{}  waits: {}", task, event.text));
        break;
      case Kind::kLog:
        note_task_line(fmt::format("          {}", event.text));
        break;
      case Kind::kDagStarted:
        line(fmt::format("{}  started", event.dag_id), LogLevel::kDebug);
        break;
      case Kind::kDagFinished:
        line(fmt::format("{}  {}  {}", event.dag_id, dag::to_string(event.state), event.text),
             LogLevel::kDebug);
        break;
      case Kind::kTaskKept:
        line(fmt::format("{}  {}, from an earlier run", task, dag::to_string(event.state)), LogLevel::kDebug);
        break;
      case Kind::kProgress:
        break;
    }
  }

 private:
  static void line(const std::string& text, LogLevel level = LogLevel::kInfo) {
    const auto clock = std::chrono::floor<std::chrono::seconds>(now());
    note(fmt::format("{:%H:%M:%S}  {}", fmt::gmtime(std::chrono::system_clock::to_time_t(clock)), text),
         level);
  }
  Progress progress_;
};

dag::RunOptions run_options(Context& context, std::string run_type, Reporter& reporter) {
  const Settings& settings = context.settings;
  dag::RunOptions options;
  options.run_id = dag::make_run_id(run_type, now());
  options.run_type = std::move(run_type);
  options.poke_interval = std::chrono::seconds(settings.sensor_poke_interval);
  options.sensor_timeout = std::chrono::seconds(settings.sensor_timeout);
  options.cancelled = &cancelled;
  options.on_event = [&context, &reporter](const dag::Event& event) {
    reporter(event);
    if (event.kind == dag::Event::Kind::kTaskFinished) keep_metrics_file(context);
  };
  return options;
}

void print_summary(const Settings& settings, const store::Store& store, const store::Document& summary) {
  const std::string verdict = summary.value("verdict", "");
  print_line(fmt::format("{} {}", summary.value("logical_date", ""),
                         verdict == "failed"      ? "failed"
                         : verdict == "cancelled" ? "was stopped"
                         : summary.value("already_finished", false)
                             ? "had been run before; nothing was done again"
                             : "is done"));
  for (const auto& [key, value] : summary.items()) {
    if (value.is_object() && key != "not judged" && key != "other_file")  // said already
      print_line(fmt::format("  {:<12} {}", key, value.value("message", "")));
  }
  print_line(fmt::format("  {:<12} {}", "verdict", loop::verdict_text(summary)));
  print_line("where to look");
  const auto print_files = [](const char* what, std::vector<std::string> paths) {
    std::erase_if(paths, [](const std::string& path) {
      std::error_code hidden;
      return !std::filesystem::exists(path, hidden);
    });
    if (!paths.empty()) print_line(fmt::format("  {:<12} {}", what, fmt::join(paths, ", ")));
  };
  print_files("data", {settings.data_path, settings.data_dir + "/processed/processed_data.csv"});
  print_files("model", {settings.model_save_path + "/deployed/current_model.pth",
                        settings.model_save_path + "/deployed/current_model.maeil"});
  if (const auto scored = summary.find("scored"); scored != summary.end() && scored->contains("result")) {
    if (const auto path = (*scored)["result"].value("path", ""); !path.empty())
      print_line(fmt::format("  scores       {}", path));
  }
  print_line(
      fmt::format("  documents    {}: `maeil db evaluation_events --sort timestamp:-1`, `maeil model list`, "
                  "`maeil logs {}`",
                  store.description(), summary.value("logical_date", "")));
}

// Runs one date and says how it went. The error of a failed task is the error.
Result<int> one_day(Context& context, Days date, const std::string& run_type, const loop::AskedDay& asked,
                    bool summary) {
  MAEIL_ASSIGN(store::Store & store, context.store());
  MAEIL_ASSIGN(const table::DatasetSpec& spec, context.spec());
  MAEIL_TRY(context.ready_rehearsal());
  const loop::Day day{context.settings, spec};
  Reporter reporter;
  MAEIL_TRY(dag::list_old_task_runs(store, loop::pipelines(context.settings)));
  MAEIL_ASSIGN(const auto report,
               loop::run_day(store, day, date, asked, run_options(context, run_type, reporter)));
  if (!report.reconciled.empty()) note_task_line(report.reconciled);
  for (const auto& line : loop::ring_alerts(store, day.settings, day.spec)) note_task_line(line);
  if (!report.already_finished) {
    if (const std::string missed = loop::beat_after(store, day.settings, date); !missed.empty())
      note_task_line(missed);
  }
  if (!report.other_file.empty()) note(report.other_file, LogLevel::kWarning);
  keep_metrics_file(context);  // the runs have ended, too
  MAEIL_ASSIGN(const auto document, loop::summarize(store, day, date, report));
  if (context.json)
    print_json(document);
  else if (summary)
    print_summary(context.settings, store, document);
  else
    print_line(fmt::format("{}  {}", format_date(date), loop::verdict_text(document)));
  if (report.verdict == loop::Verdict::kCancelled)
    return fail(ErrorCode::kCancelled, "stopped by a signal; `maeil run` for the date goes on from here");
  if (report.verdict == loop::Verdict::kFailed) {
    return tl::make_unexpected(report.result.error.value_or(
        Error{ErrorCode::kIo, fmt::format("the day {} failed", format_date(date))}));
  }
  const auto skipped = document.value("not judged", store::Document::object());
  const auto why = skipped.value("result", store::Document::object());
  if (report.verdict == loop::Verdict::kNotJudged && why.value("overdue", false)) return kGateFailed;
  return report.verdict == loop::Verdict::kAlert ? kGateFailed : 0;
}

Result<Days> date_argument(const char* option, const std::string& text) {
  auto date = parse_date(text);
  if (!date) return usage_error(fmt::format("{}: {}", option, date.error().message));
  return *date;
}

loop::AskedDay asked_day(int64_t rows, const std::string& scenario, const std::string& in) {
  loop::AskedDay asked;
  if (!in.empty()) asked.file = in;
  if (rows > 0) asked.rows = rows;
  if (!scenario.empty()) asked.scenario = scenario;
  return asked;
}

// `does`: it follows at once, and nobody is asked.
void print_plan(const Context& context, Days date, const loop::RedoPlan& plan, bool does) {
  const bool deploys = !plan.newer || plan.request.deploy_older;
  if (context.json) {
    auto tasks = store::Document::array();
    for (const auto& [dag, ids] : plan.tasks) tasks.push_back({{"dag_id", dag}, {"tasks", ids}});
    print_json({{"logical_date", format_date(date)},
                {"from", plan.from},
                {"again", tasks},
                {"rows", plan.request.rows},
                {"scenario", plan.request.scenario},
                {"may_deploy", deploys},
                {"notes", plan.notes}});
    return;
  }
  print_line(
      fmt::format("{} {} done again from {}:", format_date(date), does ? "is" : "would be", plan.from));
  for (const auto& [dag, ids] : plan.tasks) print_line(fmt::format("  {:<26} {}", dag, fmt::join(ids, ", ")));
  print_line(
      "what was recorded stays: new events, metrics, alerts, scores and versions are added and name the old "
      "ones "
      "(supersedes);");
  print_line("processed_data and this machine's files are replaced");
  for (const auto& line : plan.notes) print_line(line);
  if (!deploys)
    print_line(fmt::format("nothing is deployed, since {} is newer and has its verdict (--deploy deploys)",
                           format_date(*plan.newer)));
}

Status check_drawn_in_rehearsal(const Settings& settings, const std::string& in) {
  if (in.empty() || settings.synthetic_day == 0) return {};
  return usage_error("--in: a rehearsal's rows are drawn (SYNTHETIC_DAY=1): leave one of them out");
}

// `said`: what was said last; a channel that waits for somebody is no news every minute.
void send_what_is_due(Context& context, std::vector<std::string>& said) {
  const auto store = context.store();
  auto sent = store ? loop::send_alerts(*store, context.settings, std::chrono::seconds(10))
                    : Result<std::vector<std::string>>(tl::make_unexpected(store.error()));
  if (!sent) sent = {"warning: alerts could not be sent: " + sent.error().message};
  if (!sent->empty()) keep_metrics_file(context);
  for (const auto& line : *sent) {
    if (!line.starts_with("warning: ") || std::ranges::find(said, line) == said.end()) note_task_line(line);
  }
  said = std::move(*sent);
}

// Of a date on which nothing is due, where it is the newest that there is and the last one that was due is
// done: what is caught up with says nothing about last night.
Status beat_of_no_day(Context& context, Days date) {
  const Settings& settings = context.settings;
  if (settings.heartbeat_url.empty()) return {};
  MAEIL_ASSIGN(const auto next, dag::next_run(now(), settings.schedule_time, settings.time_zone));
  if (date != next.logical_date - std::chrono::days(1)) return {};
  MAEIL_ASSIGN(const table::DatasetSpec& spec, context.spec());
  MAEIL_ASSIGN(store::Store & store, context.store());
  Days last = date;
  for (int days = 0; days < 31 && !loop::is_due(settings, spec, last); ++days) last -= std::chrono::days(1);
  MAEIL_ASSIGN(const bool done, dag::is_finished(store, loop::pipelines(settings), last));
  if (!done) return {};
  if (const std::string missed = loop::beat(settings); !missed.empty()) note_task_line(missed);
  return {};
}

}  // namespace

Result<int> run(Context& context, const RunOptions& options) {
  stop_on_signals();
  std::optional<Days> asked;
  if (!options.date.empty()) {
    MAEIL_ASSIGN(asked, date_argument("--date", options.date));
  }
  if (!options.in.empty() && options.rows > 0)
    return usage_error("--rows is for rows that are drawn: leave it out");
  MAEIL_TRY(check_drawn_in_rehearsal(context.settings, options.in));
  MAEIL_ASSIGN(Days date, date_in_zone(now(), context.settings.time_zone));
  if (!options.in.empty()) {
    MAEIL_ASSIGN(const table::DatasetSpec& spec, context.spec());
    MAEIL_ASSIGN(date, loop::choose_date(context.settings, options.in, spec, asked));
  } else if (asked) {
    date = *asked;
  }
  return one_day(context, date, "manual", asked_day(options.rows, options.scenario, options.in), true);
}

Result<int> redo(Context& context, const RedoOptions& options) {
  stop_on_signals();
  MAEIL_ASSIGN(const Days date, date_argument("DATE", options.date));
  MAEIL_TRY(check_drawn_in_rehearsal(context.settings, options.in));
  MAEIL_ASSIGN(store::Store & store, options.dry_run ? context.store_to_read() : context.existing_store());
  MAEIL_ASSIGN(const table::DatasetSpec& spec, context.spec());
  const loop::RedoOptions asked{options.from, asked_day(options.rows, options.scenario, options.in),
                                options.deploy};
  MAEIL_ASSIGN(const auto plan, loop::plan_redo(store, context.settings, spec, date, asked));
  if (!context.json || options.dry_run) print_plan(context, date, plan, options.yes && !options.dry_run);
  if (options.dry_run) return 0;
  if (!options.yes) {
    if (context.json || !confirmed("Do it? [y/N] ")) {
      return usage_error(
          fmt::format("nothing was done: --yes does {} again, --dry-run only says what would be done",
                      format_date(date)));
    }
  }
  Reporter reporter;
  MAEIL_TRY(
      loop::begin_redo(store, context.settings, spec, date, asked, run_options(context, "redo", reporter)));
  return one_day(context, date, "redo", {}, true);
}

Result<int> schedule(Context& context) {
  stop_on_signals();
  const auto& settings = context.settings;
  dag::ScheduleHooks hooks;
  hooks.now = now;
  hooks.sleep_until = [&, said = std::vector<std::string>()](Instant until) mutable {
    // Asked again every minute, so that a machine that slept or a clock that was set is noticed, and alerts
    // that a channel did not take are sent again.
    while (!cancelled && now() < until) {
      dag::sleep_unless_cancelled(std::min<std::chrono::milliseconds>(until - now(), std::chrono::minutes(1)),
                                  &cancelled);
      if (!cancelled) send_what_is_due(context, said);
    }
    return !cancelled;
  };
  hooks.cancelled = [] { return cancelled.load(); };
  hooks.first_date = [&]() -> Result<std::optional<Days>> {
    MAEIL_ASSIGN(store::Store & store, context.store());
    return dag::first_date(store);
  };
  hooks.is_finished = [&](Days date) -> Result<bool> {
    MAEIL_ASSIGN(const table::DatasetSpec& spec, context.spec());
    if (!loop::is_due(settings, spec, date)) {
      note(loop::not_due_text(spec, date));
      MAEIL_TRY(beat_of_no_day(context, date));
      return true;
    }
    MAEIL_ASSIGN(store::Store & store, context.store());
    return dag::is_finished(store, loop::pipelines(settings), date);
  };
  hooks.run = [&](Days date) {
    const auto code = one_day(context, date, "scheduled", {}, true);
    if (code) return *code;
    note("maeil: " + code.error().message, LogLevel::kError);
    // What came to nothing, and would again, is as useless to repeat at once as bad input.
    return exit_code(code.error().code == ErrorCode::kFailed ? ErrorCode::kBadInput : code.error().code);
  };
  hooks.say = [](const std::string& sentence) { note(sentence); };
  MAEIL_TRY(dag::keep_schedule({settings.schedule_time, settings.time_zone, settings.catchup}, hooks));
  return 0;
}

Result<int> backfill(Context& context, const BackfillOptions& options) {
  stop_on_signals();
  MAEIL_ASSIGN(const Days from, date_argument("--from", options.from));
  MAEIL_ASSIGN(const Days to, date_argument("--to", options.to));
  MAEIL_ASSIGN(const auto dates, dag::dates_between(from, to));
  MAEIL_ASSIGN(store::Store & store, options.dry_run ? context.store_to_read() : context.store());
  MAEIL_ASSIGN(const table::DatasetSpec& spec, context.spec());
  const auto dags = loop::pipelines(context.settings);
  int worst = 0;
  auto plan = store::Document::array();
  for (const Days date : dates) {
    MAEIL_ASSIGN(const bool finished, dag::is_finished(store, dags, date));
    const bool due = loop::is_due(context.settings, spec, date);
    if (options.dry_run) {
      plan.push_back({{"logical_date", format_date(date)},
                      {"action", finished ? "keep"
                                 : due    ? "run"
                                          : "skip"}});
      if (!context.json)
        print_line(fmt::format("{}  {}", format_date(date),
                               finished ? "finished, stays as it is"
                               : due    ? "would be run"
                                        : loop::not_due_text(spec, date)));
      continue;
    }
    if (!finished && !due) note(loop::not_due_text(spec, date));
    if (finished || !due) continue;
    MAEIL_ASSIGN(const int code, one_day(context, date, "backfill", {}, false));
    worst = std::max(worst, code);
  }
  if (options.dry_run && context.json) print_json(plan);
  return worst;
}

}  // namespace maeil::cli
