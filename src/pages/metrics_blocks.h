// How a model did, as blocks of a report: field `metrics` of performance_metrics, `comparison` of two
// versions (loop/evaluation.h, loop/comparison.h). What is undefined is said so, and is never 0.
#pragma once

#include <string>

#include "pages/section.h"

namespace maeil::pages {

std::string metric(const store::Document& metrics, const char* name);
std::string interval(const store::Document& metrics, const char* name);  // "0.7800 to 0.8500"

// A table of the metrics, why one is undefined, and the confusion matrix.
void add_metrics(const store::Document& metrics, Section& out);
// The picture and the table, where there are any.
void add_reliability(const store::Document& metrics, Section& out);
// `who`, against the version whose place it would take, as a whole and by segment; nothing of null.
void add_comparison(const store::Document& comparison, const std::string& who, Section& out);

}  // namespace maeil::pages
