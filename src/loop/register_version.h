// Writing a version that was made, and registering one that a person made by a command, outside of the days.
#pragma once

#include "base/settings.h"
#include "model/model_file.h"
#include "registry/versions.h"
#include "store/store.h"

namespace maeil::loop {

// Takes a name for `version` (`taken_by`: version_names.h) and puts its bytes into the store and on this
// machine, `<MODEL_SAVE_PATH>/<file_prefix>_<version>` with the family's extension; fills what it says of
// both.
Status write_version(store::Store& store, const Settings& settings, const model::ModelFile& model,
                     const std::string& taken_by, const char* file_prefix, Instant when,
                     registry::NewVersion& version);

struct ByHand {
  const char* act;                                   // in audit_log: "import", "calibrate"
  std::string from;                                  // what it was made of, there
  store::Document more = store::Document::object();  // further fields of the version's document
};

// Takes a name for `version` (whose id, names and facts of the file are filled here), puts the bytes into the
// store and below MODEL_SAVE_PATH, and commits its document, which is returned, with an entry of the audit
// log.
Result<store::Document> register_version(store::Store& store, const Settings& settings,
                                         const model::ModelFile& model, registry::NewVersion version,
                                         const ByHand& how);

}  // namespace maeil::loop
