// Training when somebody asks for it (`maeil train`), outside of the days: the versions are registered and
// nothing is deployed.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "dag/dag.h"
#include "loop/day.h"

namespace maeil::loop {

struct ManualTraining {
  bool pretrain = false, train = false;  // a TabTransformer's encoder; classifiers
  std::vector<std::string> families;     // of the classifiers (model/predictor.h)
  int64_t epochs = 0;                    // 0: EPOCHS and PRETRAIN_EPOCHS
  int64_t rows = 0;                      // 0: twice DATA_QUANTITY; of a history, ROW_CAP
  std::string history;                   // a file of the team's own rows (history_rows.h); "": rows are drawn
};

// Each training is a task of a name of its own, so that its versions stay beside earlier ones; `done` gets
// its outcome once it is committed. A TabTransformer starts from the encoder of the same call, else from the
// newest that has the settings' shape, else from nothing. Of several families the one with the least log loss
// on the held-out rows is registered last, and so is in force while none is approved; the others are kept as
// candidates. Errors as pretrain_encoder and train_classifier; kUsage for a family that there is not.
Status train_manually(store::Store& store, const Settings& settings, const table::DatasetSpec& spec,
                      const ManualTraining& wanted, const std::function<void(std::string_view)>& log,
                      const std::function<void(std::string_view, uint64_t, uint64_t)>& progress,
                      const std::function<void(const dag::TaskOutcome&)>& done);

}  // namespace maeil::loop
