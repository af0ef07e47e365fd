// `maeil preprocess`: a file's rows as a model reads them.
#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/file_output.h"
#include "cli/output.h"
#include "loop/file_rows.h"
#include "loop/import.h"

namespace maeil::cli {

Result<int> preprocess(Context& context, const PreprocessOptions& options) {
  MAEIL_TRY(check_output(options.out, {options.in, options.model}));
  MAEIL_ASSIGN(const table::DatasetSpec& spec, context.spec());
  std::string name = options.model;
  if (name.empty()) {
    MAEIL_ASSIGN(store::Store & store, context.store_to_read());
    MAEIL_ASSIGN(const auto in_force, registry::model_in_force(store));
    if (!in_force)
      return not_found(
          "there is no model in force whose fitted values could prepare the rows: name one with --model");
    name = in_force->version;
  }
  MAEIL_ASSIGN(auto model, loop::open_model([&context] { return context.store_to_read(); }, context.settings,
                                            spec, name, true));
  MAEIL_ASSIGN(const Days date, date_in_zone(now(), context.settings.time_zone));
  Progress progress;
  MAEIL_ASSIGN(const auto report, loop::write_prepared_rows({context.settings, options.in, spec, model, name},
                                                            static_cast<uint64_t>(context.settings.seed),
                                                            date, options.out, watcher_of(progress)));
  progress.finish();
  if (context.json)
    print_json(with_reading({{"path", options.out},
                             {"rows", report.rows - report.quarantined},
                             {"quarantined", report.quarantined},
                             {"unreadable", unreadable_document(report)},
                             {"model", name}},
                            report));
  else
    print_line(fmt::format("{} rows prepared for model {}, {} set aside -> {}",
                           report.rows - report.quarantined, name, report.quarantined, options.out));
  return 0;
}

}  // namespace maeil::cli
