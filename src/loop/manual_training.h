// Training when somebody asks for it (`maeil train`), outside of the days: the versions are registered and
// nothing is deployed.
#pragma once

#include <functional>
#include <string>

#include "base/error.h"
#include "dag/dag.h"
#include "loop/day.h"

namespace maeil::loop {

struct ManualTraining {
  bool pretrain = false, train = false;  // the encoder; the classifier
  int64_t epochs = 0;                    // 0: EPOCHS and PRETRAIN_EPOCHS
  int64_t rows = 0;                      // 0: twice DATA_QUANTITY; of a history, ROW_CAP
  std::string history;                   // a file of the team's own rows (history_rows.h); "": rows are drawn
};

// Each training is a task of a name of its own, so that its versions stay beside earlier ones; `done` gets
// its outcome once it is committed. The classifier starts from the encoder of the same call, else from the
// newest that has the settings' shape, else from nothing. Errors as pretrain_encoder and train_classifier.
Status train_manually(store::Store& store, const Settings& settings, const table::DatasetSpec& spec,
                      const ManualTraining& wanted, const std::function<void(std::string_view)>& log,
                      const std::function<void(std::string_view, uint64_t, uint64_t)>& progress,
                      const std::function<void(const dag::TaskOutcome&)>& done);

}  // namespace maeil::loop
