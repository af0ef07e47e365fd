// Which tasks ran, who acted, and with which program and settings.
#include <fmt/format.h>

#include <map>

#include "pages/day_sections.h"
#include "store/field_rules.h"

namespace maeil::pages {
namespace {

using store::Document;
using store::field_at;
using store::text_field;

constexpr const char* kNotSet = "not set";

std::string said(const Document& task) {
  if (const std::string error = fact(field_at(task, "error.message"), ""); !error.empty()) return error;
  if (const std::string by = text_field(task, "skipped_by"); !by.empty()) return "skipped because of " + by;
  const std::string message = text_field(task, "message");
  return message.empty() ? "nothing" : message;
}

std::string who(const Document& actor) {
  if (!actor.is_object()) return fact(actor);
  return fact(field_at(actor, "os_user")) + " on " + fact(field_at(actor, "host"));
}

// Texts that are in the order of time; "" of one that did not begin.
std::string began(const Document& task) { return fact(field_at(task, "start_date"), ""); }

std::string value_of(const Document& setting) {
  const std::string text = fact(setting);
  return text.empty() ? kNotSet : text;
}

}  // namespace

Section tasks_section(const DayRecord& record) {
  Section out{"Tasks", {}, {}};
  std::vector<Table> tables;  // a DAG each
  for (const auto& task : record.tasks) {
    add_source(out, "task_instances", task);
    const std::string dag = fact(field_at(task, "dag_id"));
    if (tables.empty() || tables.back().caption != dag)
      tables.push_back(
          {dag, {"task", "state", "what it said", "began", "tries", "times finished", "seconds"}, {}, 4});
    tables.back().rows.push_back({fact(field_at(task, "task_id")), fact(field_at(task, "state")), said(task),
                                  fact(field_at(task, "start_date"), "did not begin"),
                                  fact(field_at(task, "try_number")), fact(field_at(task, "completions")),
                                  fact(field_at(task, "duration"), "none")});
  }
  for (auto& table : tables) out.blocks.emplace_back(std::move(table));
  return out;
}

Section acts_section(const DayRecord& record) {
  Section out{"Who acted", {}, {}};
  if (record.acts.empty()) {
    out.blocks.emplace_back("audit_log has nothing of this date's runs, and nobody acted on that day.");
    return out;
  }
  Table table{"By the date's runs, about the date, and on that day (UTC)",
              {"when", "who", "did", "what", "from", "to", "comment", "run"},
              {},
              8};
  for (const auto& act : record.acts) {
    add_source(out, "audit_log", act);
    const Document &from = field_at(act, "from"), &to = field_at(act, "to");
    const bool first = from.is_null() && to.is_object();
    table.rows.push_back({fact(field_at(act, "timestamp")), who(field_at(act, "actor")),
                          fact(field_at(act, "act")), fact(field_at(act, "what")), fact(from, "nothing"),
                          first ? "the first settings" : fact(to, "nothing"),
                          fact(field_at(act, "comment"), "none"), fact(field_at(act, "run_id"))});
  }
  out.blocks.emplace_back(std::move(table));
  return out;
}

Section program_section(const DayRecord& record) {
  Section out{"With which program and settings", {}, {}};
  const Document* newest = nullptr;
  for (const auto& task : record.tasks) {
    const bool later = newest == nullptr || began(task) >= began(*newest);
    if (field_at(task, "program").is_object() && later) newest = &task;
  }
  if (newest == nullptr) {
    out.blocks.emplace_back("Not recorded: no task of the date says which program ran it (an older maeil).");
    return out;
  }
  add_source(out, "task_instances", *newest);
  const Document& program = field_at(*newest, "program");
  Table facts{fmt::format("Of {}, the task that began last", fact(field_at(*newest, "task_id"))),
              {},
              facts_of(program, {{"maeil", "maeil"},
                                 {"instruction_set", "instruction set"},
                                 {"dataset.name", "dataset"},
                                 {"dataset.sha256", "SHA-256 of its description"}})};
  out.blocks.emplace_back(std::move(facts));
  const Document& settings = field_at(program, "settings");
  if (!settings.is_object()) return out;
  Table table{"Settings that can change a result; those that are not set are left out", {}, {}};
  Table others{"Other tasks had other settings", {"setting", "value", "of the tasks"}, {}, 3};
  for (const auto& [name, value] : settings.items()) {
    if (value_of(value) != kNotSet) table.rows.push_back({name, value_of(value)});
    std::map<std::string, std::string> tasks;  // by value
    for (const auto& task : record.tasks) {
      const Document& own = field_at(task, "program.settings");
      const auto found = own.is_object() ? own.find(name) : own.end();
      if (!own.is_object() || found == own.end() || *found == value) continue;
      add_source(out, "task_instances", task);
      std::string& named = tasks[value_of(*found)];
      named += (named.empty() ? "" : ", ") + fact(field_at(task, "task_id"));
    }
    for (const auto& [other, named] : tasks) others.rows.push_back({name, other, named});
  }
  out.blocks.emplace_back(std::move(table));
  if (!others.rows.empty()) out.blocks.emplace_back(std::move(others));
  return out;
}

}  // namespace maeil::pages
