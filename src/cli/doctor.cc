// `maeil doctor`: is everything here as it should be? What is looked at: loop/health.h.
#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.h"
#include "cli/output.h"
#include "loop/health.h"

namespace maeil::cli {

Result<int> doctor(Context& context) {
  const auto opened = context.store_to_read();
  const auto findings = loop::check_health(context.settings, opened ? &opened->get() : nullptr,
                                           opened ? "" : opened.error().message);
  int worst = 0;
  auto list = store::Document::array();
  for (const auto& finding : findings) {
    const char* mark = finding.health == loop::Health::kOk        ? "ok"
                       : finding.health == loop::Health::kWarning ? "warning"
                                                                  : "problem";
    if (finding.health == loop::Health::kProblem) worst = std::max(worst, exit_code(finding.code));
    if (context.json)
      list.push_back({{"health", mark}, {"subject", finding.subject}, {"text", finding.text}});
    else
      print_line(fmt::format("{:<8} {:<19} {}", mark, finding.subject, finding.text));
  }
  store::Document settings = store::Document::object();
  for (const auto& [name, value] : describe_settings(context.settings)) settings[name] = value;
  if (context.json) {
    print_json({{"findings", list}, {"settings", settings}});
  } else {
    print_line("");
    for (const auto& [name, value] : settings.items()) {
      std::string origin = "default";
      for (const auto& [changed, where] : context.settings.origins) {
        if (changed == name) origin = where;
      }
      print_line(fmt::format("{:<26} {:<32} {}", name,
                             value.get<std::string>().empty() ? "(none)" : value.get<std::string>(), origin));
    }
  }
  return worst;
}

}  // namespace maeil::cli
