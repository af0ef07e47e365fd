// The tasks of the DAGs, one file a stage; day.h's make_tasks puts them into one table. `day` must outlive
// the table.
#pragma once

#include "loop/day.h"

namespace maeil::loop {

void add_data_tasks(const Day& day, dag::TaskTable& table);
void add_evaluation_tasks(const Day& day, dag::TaskTable& table);
void add_retraining_tasks(const Day& day, dag::TaskTable& table);
void add_challenger_tasks(const Day& day, dag::TaskTable& table);
void add_deployment_tasks(const Day& day, dag::TaskTable& table);
void add_scoring_tasks(const Day& day, dag::TaskTable& table);
void add_training_tasks(const Day& day, dag::TaskTable& table);

}  // namespace maeil::loop
