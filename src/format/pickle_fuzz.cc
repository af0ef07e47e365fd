// Any bytes as a pickle, then everything a reader may ask of what was read: the plain tree, numpy's arrays,
// pandas' frames.
#include "format/pandas.h"

namespace maeil::format {
namespace {

// A value may contain itself, so depth and number are bounded.
void walk(PickleValue value, int depth, int& left) {
  if (depth == 0 || left-- <= 0) return;
  (void)value.class_name();
  (void)value.real(), (void)value.bytes(), (void)value.attribute("_mgr");
  (void)read_ndarray(value), (void)read_dtype(value), (void)nanoseconds_of(value), (void)text_of(value);
  (void)read_pandas_dtype(value), (void)is_utc(value), (void)read_index(value);
  (void)read_frame(value), (void)read_series(value);
  for (size_t i = 0; i < value.size(); ++i) walk(value.item(i), depth - 1, left);
  for (size_t i = 0; i < value.pair_count(); ++i)
    walk(value.key(i), depth - 1, left), walk(value.mapped(i), depth - 1, left);
  for (size_t i = 0; i < value.argument_count(); ++i) walk(value.argument(i), depth - 1, left);
  if (const auto state = value.state()) walk(*state, depth - 1, left);
}

}  // namespace
}  // namespace maeil::format

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto read = maeil::format::read_pickle(std::string(reinterpret_cast<const char*>(data), size), "f");
  int left = 300;
  if (read) maeil::format::walk(read->root(), 20, left);
  return 0;
}
