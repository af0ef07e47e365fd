// Walks from the synthesizer to what sampling needs. Class names are compared by their last part, since SDV
// moved its modules between releases; the tree is walked to fixed depths only, so a file that contains itself
// ends like any other.
#include "copula/sdv.h"

#include <fmt/format.h>

#include <cmath>
#include <unordered_map>

#include "copula/sdv_column.h"
#include "copula/sdv_value.h"
#include "format/numpy.h"
#include "format/pandas.h"
#include "format/pickle.h"
#include "format/pickle_decode.h"

namespace maeil::copula {
namespace {

using format::PickleKind;

constexpr const char* kClass = "GaussianCopulaSynthesizer";
constexpr uint64_t kTextShare = 4, kFreeTextBytes = 1 << 20;  // bytes of names and categories over the file's

// What else people save: SDV's other synthesizers, or no synthesizer at all.
Status check_class(const SdvValue& root) {
  const auto full = root.value.class_name();
  const auto name = root.class_name();
  if (root.value.is(PickleKind::kObject) && full.starts_with("sdv.") && name == kClass) return {};
  if (full.starts_with("sdv.multi_table.")) {
    return bad_input(
        fmt::format("this is a {} of SDV, which holds several tables; maeil reads a {}: fit one on a single "
                    "table and save it",
                    name, kClass));
  }
  if (full.starts_with("sdv.")) {
    return bad_input(fmt::format(
        "this is a {} of SDV; maeil reads a {}: fit one on the same table and save it", name, kClass));
  }
  return bad_input(
      fmt::format("a {} is no {} of SDV", full.empty() ? name : format::printable(full), kClass));
}

// Constraints shape rows after they are drawn, which is not done here.
Status refuse_constraints(const SdvValue& root, const SdvValue& processor) {
  const auto none = [](const SdvValue& object, const char* name) -> Status {
    MAEIL_ASSIGN(const bool empty, object.is_empty(name));
    if (empty) return {};
    return bad_input(fmt::format("{}.{} is not empty: constraints are not supported", object.path, name));
  };
  for (const char* name : {"_chained_constraints", "_reject_sampling_constraints"})
    MAEIL_TRY(none(root, name));
  for (const char* name : {"_constraints", "_constraints_list", "_constraints_to_reverse"})
    MAEIL_TRY(none(processor, name));
  return {};
}

using ByName = std::unordered_map<std::string, SdvValue>;

// A dict whose keys are columns; keys that are none (pairs of columns) are left out. Of one given twice the
// last counts.
Result<ByName> by_name(const SdvValue& dict, uint64_t& text_left) {
  if (!dict.value.is(PickleKind::kDict)) return dict.is_not("a dict");
  ByName out;
  for (size_t i = 0; i < dict.value.pair_count(); ++i) {
    const auto name = name_text(dict.value.key(i));
    if (!name) continue;
    MAEIL_TRY(take_text(name->size(), text_left));
    out.insert_or_assign(*name, SdvValue{dict.value.mapped(i), fmt::format("{}[{}]", dict.path, *name)});
  }
  return out;
}

// What GaussianMultivariate holds, in its own order.
struct Copula {
  std::unordered_map<std::string, size_t> position;
  std::optional<SdvValue> univariates;
  format::PandasFrame correlation;
};

Result<Copula> read_copula(const SdvValue& model) {
  if (model.class_name() != "GaussianMultivariate") return model.is_not("a GaussianMultivariate");
  Copula out;
  MAEIL_ASSIGN(const auto names, model.attribute("columns"));
  MAEIL_ASSIGN(out.univariates, model.attribute("univariates"));
  MAEIL_ASSIGN(const auto correlation, model.attribute("correlation"));
  auto frame = format::read_frame(correlation.value);
  if (!frame) return with_context(correlation.path, frame.error());
  out.correlation = std::move(*frame);
  const size_t C = names.value.size();
  if (C == 0 || C > kMaxColumns) return bad_input(fmt::format("its copula has {} columns", C));
  if (out.univariates->value.size() != C || out.correlation.rows != C ||
      out.correlation.columns.size() != C) {
    return bad_input("its columns, marginals and correlation differ in number");
  }
  for (size_t i = 0; i < C; ++i) {
    const auto name = name_text(names.value.item(i));
    if (!name) return names.item(i).is_not("the name of a column");
    out.position.emplace(*name, i);
    if (out.correlation.columns[i].name != *name ||
        (!out.correlation.index.empty() && out.correlation.index.at(i) != *name)) {
      return bad_input(fmt::format("its correlation is not in the order of its columns at {}", *name));
    }
    if (out.correlation.columns[i].numbers.size() != C)
      return bad_input("its correlation holds something that is no number");
  }
  return out;
}

// The dtypes of the columns that were fitted, by name; empty where the file has none.
Result<std::unordered_map<std::string, std::string>> read_dtypes(const SdvValue& processor) {
  std::unordered_map<std::string, std::string> out;
  MAEIL_ASSIGN(const auto found, processor.given("_dtypes"));
  if (!found) return out;
  const auto series = format::read_series(found->value);
  if (!series) return with_context(found->path, series.error());
  const auto& column = series->columns.front();
  for (size_t i = 0; i < series->index.size() && i < column.objects.size(); ++i) {
    if (!column.objects[i]) continue;
    if (const auto dtype = format::read_pandas_dtype(*column.objects[i]))
      out.emplace(series->index[i], *dtype);
  }
  return out;
}

Result<std::string> dtype_of(const SdvValue& transformer) {
  for (const char* name : {"_dtype", "dtype"}) {
    MAEIL_ASSIGN(const auto found, transformer.given(name));
    if (!found) continue;
    auto dtype = format::read_pandas_dtype(found->value);
    return dtype ? dtype : found->is_not("a dtype that is read");
  }
  return std::string("object");
}

Result<CopulaModel> read_synthesizer(const SdvValue& root, uint64_t text_left) {
  MAEIL_TRY(check_class(root));
  MAEIL_ASSIGN(const auto model, root.given("_model"));
  MAEIL_ASSIGN(const bool fitted, root.flag("_fitted"));
  if (!fitted)
    return bad_input(
        fmt::format("this {} was saved before it was fitted: call fit() and save() again", kClass));
  MAEIL_ASSIGN(const auto processor, root.attribute("_data_processor"));
  MAEIL_TRY(refuse_constraints(root, processor));
  MAEIL_ASSIGN(const auto hyper, processor.attribute("_hyper_transformer"));
  MAEIL_ASSIGN(const auto transformer_dict, hyper.attribute("field_transformers"));
  MAEIL_ASSIGN(const auto transformers, by_name(transformer_dict, text_left));
  MAEIL_ASSIGN(const auto formatter_dict, processor.given("formatters"));
  MAEIL_ASSIGN(const auto formatters,
               formatter_dict ? by_name(*formatter_dict, text_left) : Result<ByName>(ByName()));
  MAEIL_ASSIGN(const auto dtypes, read_dtypes(processor));
  MAEIL_ASSIGN(const auto metadata, processor.attribute("metadata"));
  MAEIL_ASSIGN(const auto order, metadata.attribute("columns"));
  if (!order.value.is(PickleKind::kDict)) return order.is_not("a dict");
  const size_t C = order.value.pair_count();
  if (C > kMaxColumns) return bad_input(fmt::format("it has {} columns, more than {}", C, kMaxColumns));
  // Without a model every column is a key or made up: nothing was there to fit.
  MAEIL_ASSIGN(const auto copula, model ? read_copula(*model) : Result<Copula>(Copula()));

  CopulaModel out;
  std::vector<std::optional<size_t>> at;  // output column -> the copula's, or none
  size_t drawn = 0;
  for (size_t c = 0; c < C; ++c) {
    const auto name = name_text(order.value.key(c));
    if (!name)
      return SdvValue{order.value.key(c), fmt::format("key {} of {}", c, order.path)}.is_not(
          "the name of a column");
    MAEIL_TRY(take_text(name->size(), text_left));
    const auto transformer = transformers.find(*name);
    if (transformer == transformers.end())
      return bad_input(fmt::format("column {} has no transformer", *name));
    const auto read = [&]() -> Result<ColumnModel> {
      SdvColumn column{*name, transformer->second, {}, {}, ""};
      if (const auto found = copula.position.find(*name); found != copula.position.end())
        column.univariate = copula.univariates->item(found->second);
      if (const auto found = formatters.find(*name); found != formatters.end())
        column.formatter = found->second;
      const auto dtype = dtypes.find(*name);
      MAEIL_ASSIGN(column.dtype, dtype != dtypes.end() ? Result<std::string>(dtype->second)
                                                       : dtype_of(transformer->second));
      at.push_back(column.univariate ? std::optional(copula.position.at(*name)) : std::nullopt);
      drawn += column.univariate.has_value();
      return read_sdv_column(column, out.notes, text_left);
    };
    auto column = read();
    if (!column) return with_context(fmt::format("column {}", *name), column.error());
    out.columns.push_back(std::move(*column));
  }
  if (drawn != copula.position.size())
    return bad_input("its copula draws columns that its metadata does not name");
  const auto correlation_of = [&](size_t i, size_t j) {
    return copula.correlation.columns[*at[j]].numbers[*at[i]];
  };
  // A constant correlates with nothing, itself included: SDV writes 0 there, and its normal score is 0 in
  // every row.
  for (size_t i = 0; i < C; ++i) {
    if (!at[i] || std::abs(correlation_of(i, i)) > 1e-6) continue;
    at[i].reset();
    out.columns[i].marginal = Uniform{quantile_at(out.columns[i].marginal, 0), 0};
  }
  out.correlation.resize(C * C);
  for (size_t i = 0; i < C; ++i) {
    for (size_t j = 0; j < C; ++j) {
      // Nothing depends on a column that no copula draws.
      out.correlation[i * C + j] = at[i] && at[j] ? correlation_of(i, j) : i == j ? 1 : 0;
    }
  }
  MAEIL_TRY(check_model(out));
  return out;
}

}  // namespace

Result<CopulaModel> parse_sdv_model(std::string bytes, const std::string& file_name) {
  const uint64_t text = kTextShare * bytes.size() + kFreeTextBytes;
  MAEIL_ASSIGN(const auto document, format::read_pickle(std::move(bytes), file_name));
  const SdvValue root{document.root(), kClass};
  auto model = read_synthesizer(root, text);
  if (!model) return with_context(file_name, model.error());
  model->source = file_name.substr(file_name.find_last_of('/') + 1);
  return model;
}

}  // namespace maeil::copula
