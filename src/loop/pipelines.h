// The DAGs of a day, as data. Task and DAG names are the contract (people's Airflow installations and
// dashboards depend on them).
#pragma once

#include <vector>

#include "base/settings.h"
#include "dag/dag.h"

namespace maeil::loop {

inline constexpr const char* kDataDag = "data_pipeline_dag";
inline constexpr const char* kEvaluationDag = "model_evaluation_pipeline";
inline constexpr const char* kDeploymentDag = "model_deployment_pipeline";
inline constexpr const char* kScoringDag = "scoring_pipeline";

// In the order in which a day needs them. `max_attempts` retraining groups retrain_1 ... retrain_n;
// `challengers`: the evaluation trains and judges them behind its verdict.
std::vector<dag::DagSpec> pipelines(int max_attempts, bool challengers = false);
// With MAX_RETRAIN_ATTEMPTS and CHALLENGERS, and the dataset's names: "<dataset>__data_pipeline_dag" of all
// but the built-in.
std::vector<dag::DagSpec> pipelines(const Settings& settings);

// "retrain_2.finetune_model"
std::string retrain_task(int attempt, std::string_view task);

}  // namespace maeil::loop
