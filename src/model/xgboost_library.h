// XGBoost's C API, loaded when trees are first learnt (as libpq, database/libpq.h): each name is a pointer in
// this namespace and hides the library's function of the same name. Scoring does without (tree_ensemble.h).
#pragma once

#include <xgboost/c_api.h>

#include "base/error.h"
#include "base/shared_library.h"

namespace maeil::model {

// clang-format off
#define MAEIL_XGBOOST_FUNCTIONS(X) \
  X(XGBGetLastError) \
  X(XGBSetGlobalConfig) \
  X(XGBoosterBoostOneIter) \
  X(XGBoosterCreate) \
  X(XGBoosterFree) \
  X(XGBoosterPredict) \
  X(XGBoosterSaveModelToBuffer) \
  X(XGBoosterSetParam) \
  X(XGBoosterSetStrFeatureInfo) \
  X(XGBoosterSlice) \
  X(XGDMatrixFree) \
  X(XGDMatrixSetFloatInfo) \
  X(XGDMatrixSetStrFeatureInfo) \
  X(XGProxyDMatrixCreate) \
  X(XGProxyDMatrixSetDataDense) \
  X(XGQuantileDMatrixCreateFromCallback)
// clang-format on

MAEIL_XGBOOST_FUNCTIONS(MAEIL_LIBRARY_DECLARATION)

// kNotFound: it is not installed, with the package that has it and, behind that, `otherwise`. Thread safe.
Status load_xgboost(const char* otherwise = "");

}  // namespace maeil::model
