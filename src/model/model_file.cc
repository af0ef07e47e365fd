#include "model/model_file.h"

#include "model/maeil_file.h"
#include "model/tab_transformer_file.h"

namespace maeil::model {

Result<ModelFile> parse_model_file(std::string_view bytes, const std::string& file_name,
                                   const table::DatasetSpec& spec, int heads) {
  auto model = is_maeil_file(bytes) ? parse_maeil_file(bytes, file_name, spec)
                                    : parse_tab_transformer_file(bytes, file_name, spec, heads);
  // The readers below speak of tensors and keys; the file's name is added here, once.
  if (!model && model.error().message.find(file_name) == std::string::npos)
    return with_context(file_name, model.error());
  return model;
}

Result<std::vector<double>> probabilities(const ModelFile& model, const nn::Rows& rows) {
  MAEIL_ASSIGN(auto out, model.predictor->probabilities(rows));
  if (model.decision) calibrate(model.decision->calibration, out);
  return out;
}

Result<std::vector<double>> probabilities(const ModelFile& model, const prep::Prepared& prepared) {
  const std::vector<float> numbers(prepared.numbers.begin(), prepared.numbers.end());
  return probabilities(model, nn::Rows{prepared.codes, numbers, prepared.rows});
}

double threshold_of(const ModelFile& model) {
  return model.decision ? model.decision->threshold.value : Threshold().value;
}

Result<std::string> model_file_bytes(const ModelFile& model, const std::optional<std::string>& finetuned_from,
                                     Instant when) {
  const Json decision = model.decision ? to_json(*model.decision) : Json();
  return model.predictor->file_bytes({model.preparation, decision, model.notes, finetuned_from, when});
}

}  // namespace maeil::model
