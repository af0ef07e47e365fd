// `maeil model import | calibrate | logits`: model files, and versions made of them.
#include <fmt/format.h>

#include <charconv>

#include "base/file.h"
#include "cli/commands.h"
#include "cli/file_output.h"
#include "cli/output.h"
#include "format/csv.h"
#include "loop/calibrate_version.h"
#include "loop/evaluation.h"
#include "loop/import.h"
#include "model/tab_transformer.h"

namespace maeil::cli {
namespace {

// Rows of numbers without a header; every row must have `columns` of them.
template <class Number>
Result<std::vector<Number>> read_matrix(const std::string& path, size_t columns) {
  MAEIL_ASSIGN(const MappedFile file, MappedFile::open(path));
  format::CsvReader reader(file.bytes(), path);
  format::CsvRecord record;
  std::vector<std::string_view> fields;
  std::deque<std::string> unescaped;
  std::vector<Number> out;
  for (;;) {
    MAEIL_ASSIGN(const bool more, reader.next(record));
    if (!more) return out;
    if (const auto why = format::split_record(record.bytes, fields, unescaped); !why.empty())
      return bad_input(fmt::format("{}:{}: the row has {}", path, record.line, why));
    if (fields.size() != columns)
      return bad_input(
          fmt::format("{}:{}: {} fields, the model reads {}", path, record.line, fields.size(), columns));
    for (const auto field : fields) {
      Number value{};
      const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
      if (error != std::errc() || end != field.data() + field.size())
        return bad_input(fmt::format("{}:{}: '{}' is no number", path, record.line, field.substr(0, 40)));
      out.push_back(value);
    }
  }
}

}  // namespace

Result<int> model_import(Context& context, const ModelOptions& options) {
  MAEIL_ASSIGN(const table::DatasetSpec& spec, context.spec());
  MAEIL_ASSIGN(store::Store & store, context.store());
  MAEIL_ASSIGN(const auto document, loop::import_model(store, context.settings, spec, options.file,
                                                       options.features, options.reference));
  if (context.json) {
    print_json(document);
    return 0;
  }
  const bool classifier = document["model_name"] == registry::kClassifier;
  print_line(fmt::format("{} {} registered as version {}{}", options.file,
                         classifier ? "(a classifier)" : "(an encoder)",
                         document["model_version"].get<std::string>(),
                         classifier ? "" : ": it is no classifier, so it is not evaluated"));
  if (classifier && !document.contains("decision")) {
    print_line(fmt::format(
        "no calibration: its probabilities are what the network says, and it decides from 0.5 on; "
        "`maeil model calibrate {} --in F` makes a version that has one",
        document["model_version"].get<std::string>()));
  }
  if (document.contains("reference")) {
    print_line(fmt::format("imputer and scaler values from {} rows of {}",
                           document["reference"]["rows"].get<uint64_t>(),
                           document["reference"]["source"].get<std::string>()));
  }
  for (const auto& remark : document.value("remarks", store::Document::array()))
    print_line(remark.get<std::string>());
  for (const auto& feature : document.value("unbound", store::Document::array())) {
    print_line(fmt::format("not bound: {} (its {} values are not known; every value counts as unknown)",
                           feature["feature"].get<std::string>(), feature["cardinality"].get<int>()));
  }
  return 0;
}

Result<int> model_calibrate(Context& context, const ModelOptions& options) {
  MAEIL_ASSIGN(const table::DatasetSpec& spec, context.spec());
  MAEIL_ASSIGN(store::Store & store, context.store());
  MAEIL_ASSIGN(const auto version, registry::find_version(store, options.version));
  Progress progress;
  MAEIL_ASSIGN(const auto document, loop::calibrate_version(store, context.settings, spec, version,
                                                            options.file, watcher_of(progress)));
  progress.finish();
  if (context.json) {
    print_json(document);
    return 0;
  }
  const auto& decision = document["decision"];
  print_line(fmt::format("version {}: {}", document["model_version"].get<std::string>(),
                         document["notes"].get<std::string>()));
  print_line(fmt::format(
      "calibration {}, decided from {:.4f} on ({})", decision["calibration"]["method"].get<std::string>(),
      decision["threshold"]["value"].get<double>(), decision["threshold"]["rule"].get<std::string>()));
  print_line("on these rows: " + loop::describe(document["metrics"]));
  return 0;
}

Result<int> model_logits(Context& context, const ModelOptions& options) {
  MAEIL_ASSIGN(const table::DatasetSpec& spec, context.spec());
  MAEIL_ASSIGN(auto model, loop::open_model([&] { return context.store_to_read(); }, context.settings, spec,
                                            options.file, false));
  for (const auto& remark : model.remarks)
    note(fmt::format("{}: {}", options.file, remark), LogLevel::kWarning);
  MAEIL_ASSIGN(const model::TabTransformer& network,
               model::as_tab_transformer(*model.predictor, options.file));
  MAEIL_TRY(network.check_scores(options.file));
  const nn::ModelShape& shape = network.parameters().shape;
  MAEIL_ASSIGN(const auto codes, read_matrix<int32_t>(options.categories, shape.cardinalities.size()));
  MAEIL_ASSIGN(const auto numbers, read_matrix<float>(options.numbers, static_cast<size_t>(shape.numeric)));
  const size_t rows = shape.cardinalities.empty() ? numbers.size() / shape.numeric
                                                  : codes.size() / shape.cardinalities.size();
  if (numbers.size() != rows * static_cast<size_t>(shape.numeric)) {
    return bad_input(fmt::format("{} has {} rows, {} has {}", options.categories, rows, options.numbers,
                                 numbers.size() / std::max(1, shape.numeric)));
  }
  std::vector<float> logits(rows * 2);
  MAEIL_TRY(network.scorer().score({codes, numbers, rows}, logits));
  auto array = store::Document::array();
  for (size_t i = 0; i < rows; ++i) {
    if (context.json)
      array.push_back({logits[2 * i], logits[2 * i + 1]});
    else
      print_line(fmt::format("{},{}", logits[2 * i], logits[2 * i + 1]));
  }
  if (context.json) print_json(array);
  return 0;
}

}  // namespace maeil::cli
