#include "format/pickle_rules.h"

#include <algorithm>

namespace maeil::format {
namespace {

// The first line that fits decides; what fits none is kOpaque. A module ending in "." stands for all modules
// below that package and the package itself; the name "*" for every plain name (no method of a class).
struct Line {
  std::string_view module, name;
  PickleRule rule;
};

constexpr Line kLines[] = {
    // Python itself, under the module names of Python 2 and 3.
    {"collections", "OrderedDict", PickleRule::kDict},
    {"collections", "Counter", PickleRule::kDict},
    {"collections", "defaultdict", PickleRule::kDefaultDict},
    {"collections", "deque", PickleRule::kList},
    {"builtins", "dict", PickleRule::kDict},
    {"__builtin__", "dict", PickleRule::kDict},
    {"builtins", "list", PickleRule::kList},
    {"__builtin__", "list", PickleRule::kList},
    {"builtins", "set", PickleRule::kSet},
    {"__builtin__", "set", PickleRule::kSet},
    {"builtins", "frozenset", PickleRule::kSet},
    {"__builtin__", "frozenset", PickleRule::kSet},
    {"builtins", "bytes", PickleRule::kBytes},
    {"__builtin__", "bytes", PickleRule::kBytes},
    {"builtins", "bytearray", PickleRule::kBytes},
    {"__builtin__", "bytearray", PickleRule::kBytes},
    {"_codecs", "encode", PickleRule::kEncode},
    {"builtins", "slice", PickleRule::kObject},
    {"__builtin__", "slice", PickleRule::kObject},
    {"builtins", "range", PickleRule::kObject},
    {"__builtin__", "xrange", PickleRule::kObject},
    {"builtins", "complex", PickleRule::kObject},
    {"__builtin__", "complex", PickleRule::kObject},
    {"builtins", "object", PickleRule::kObject},
    {"__builtin__", "object", PickleRule::kObject},
    {"builtins", "int", PickleRule::kObject},
    {"__builtin__", "int", PickleRule::kObject},
    {"builtins", "float", PickleRule::kObject},
    {"__builtin__", "float", PickleRule::kObject},
    {"builtins", "str", PickleRule::kObject},
    {"__builtin__", "unicode", PickleRule::kObject},
    {"__builtin__", "str", PickleRule::kObject},
    {"builtins", "bool", PickleRule::kObject},
    {"__builtin__", "bool", PickleRule::kObject},
    {"builtins", "tuple", PickleRule::kObject},
    {"__builtin__", "tuple", PickleRule::kObject},
    {"copyreg", "_reconstructor", PickleRule::kReconstruct},
    {"copy_reg", "_reconstructor", PickleRule::kReconstruct},
    {"copyreg", "__newobj__", PickleRule::kNewObject},
    {"copy_reg", "__newobj__", PickleRule::kNewObject},
    {"datetime", "datetime", PickleRule::kObject},
    {"datetime", "date", PickleRule::kObject},
    {"datetime", "time", PickleRule::kObject},
    {"datetime", "timedelta", PickleRule::kObject},
    {"datetime", "timezone", PickleRule::kObject},
    {"dateutil.tz.tz", "tzlocal", PickleRule::kObject},
    {"dateutil.tz.tz", "tzoffset", PickleRule::kObject},
    {"decimal", "Decimal", PickleRule::kObject},
    {"uuid", "UUID", PickleRule::kObject},
    {"pathlib", "PosixPath", PickleRule::kObject},
    {"pathlib", "PurePosixPath", PickleRule::kObject},
    {"pathlib", "WindowsPath", PickleRule::kObject},
    // numpy 1 says numpy.core, numpy 2 numpy._core.
    {"numpy", "ndarray", PickleRule::kObject},
    {"numpy", "dtype", PickleRule::kObject},
    {"numpy.core.multiarray", "_reconstruct", PickleRule::kObject},
    {"numpy._core.multiarray", "_reconstruct", PickleRule::kObject},
    {"numpy.core.multiarray", "scalar", PickleRule::kObject},
    {"numpy._core.multiarray", "scalar", PickleRule::kObject},
    {"numpy.core.numeric", "_frombuffer", PickleRule::kObject},
    {"numpy._core.numeric", "_frombuffer", PickleRule::kObject},
    {"numpy", "bool_", PickleRule::kObject},
    {"numpy", "bool", PickleRule::kObject},
    {"numpy", "float16", PickleRule::kObject},
    {"numpy", "float32", PickleRule::kObject},
    {"numpy", "float64", PickleRule::kObject},
    {"numpy", "int8", PickleRule::kObject},
    {"numpy", "int16", PickleRule::kObject},
    {"numpy", "int32", PickleRule::kObject},
    {"numpy", "int64", PickleRule::kObject},
    {"numpy", "uint8", PickleRule::kObject},
    {"numpy", "uint16", PickleRule::kObject},
    {"numpy", "uint32", PickleRule::kObject},
    {"numpy", "uint64", PickleRule::kObject},
    {"numpy", "str_", PickleRule::kObject},
    {"numpy", "bytes_", PickleRule::kObject},
    {"numpy", "object_", PickleRule::kObject},
    {"numpy", "datetime64", PickleRule::kObject},
    {"numpy", "timedelta64", PickleRule::kObject},
    // pandas 1, 2 and 3.
    {"pandas._libs.internals", "_unpickle_block", PickleRule::kObject},
    {"pandas._libs.arrays", "__pyx_unpickle_NDArrayBacked", PickleRule::kObject},
    {"pandas._libs.tslibs.timestamps", "_unpickle_timestamp", PickleRule::kObject},
    {"pandas._libs.tslibs.nattype", "__nat_unpickle", PickleRule::kObject},
    {"pandas._libs.missing", "NAType", PickleRule::kObject},
    {"pandas._libs.missing", "NA", PickleRule::kObject},
    {"pandas.core.frame", "DataFrame", PickleRule::kObject},
    {"pandas.core.series", "Series", PickleRule::kObject},
    {"pandas", "*", PickleRule::kObject},  // pandas 3 calls its classes so
    {"pandas.core.internals.managers", "BlockManager", PickleRule::kObject},
    {"pandas.core.internals.managers", "SingleBlockManager", PickleRule::kObject},
    {"pandas.core.internals.blocks", "new_block", PickleRule::kObject},
    {"pandas.core.indexes.", "*", PickleRule::kObject},
    {"pandas.core.dtypes.dtypes", "*", PickleRule::kObject},
    {"pandas.core.arrays.", "*", PickleRule::kObject},
    // The synthesizer's own classes.
    {"sdv.", "*", PickleRule::kObject},
    {"rdt.", "*", PickleRule::kObject},
    {"copulas.", "*", PickleRule::kObject},
    // PyTorch's checkpoints.
    {"torch._utils", "_rebuild_tensor", PickleRule::kObject},
    {"torch._utils", "_rebuild_tensor_v2", PickleRule::kObject},
    {"torch._utils", "_rebuild_parameter", PickleRule::kObject},
    {"torch._utils", "_rebuild_parameter_with_state", PickleRule::kObject},
    {"torch._tensor", "_rebuild_from_type_v2", PickleRule::kObject},
    {"torch", "Size", PickleRule::kObject},
    {"torch", "device", PickleRule::kObject},
    {"torch", "FloatStorage", PickleRule::kObject},
    {"torch", "DoubleStorage", PickleRule::kObject},
    {"torch", "LongStorage", PickleRule::kObject},
    {"torch", "IntStorage", PickleRule::kObject},
    {"torch", "ShortStorage", PickleRule::kObject},
    {"torch", "CharStorage", PickleRule::kObject},
    {"torch", "ByteStorage", PickleRule::kObject},
    {"torch", "BoolStorage", PickleRule::kObject},
    {"torch", "HalfStorage", PickleRule::kObject},
    {"torch", "BFloat16Storage", PickleRule::kObject},
    {"torch", "float32", PickleRule::kObject},
    {"torch", "float64", PickleRule::kObject},
    {"torch", "int64", PickleRule::kObject},
    {"torch", "UntypedStorage", PickleRule::kObject},
    {"torch.storage", "UntypedStorage", PickleRule::kObject},
    {"torch.storage", "TypedStorage", PickleRule::kObject},
    {"torch.nn.parameter", "Parameter", PickleRule::kObject},
};

bool module_fits(std::string_view pattern, std::string_view module) {
  if (pattern.back() != '.') return module == pattern;
  return module == pattern.substr(0, pattern.size() - 1) || module.starts_with(pattern);
}

// Letters, digits and "_".
bool is_plain_name(std::string_view name) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), is_letter);
}

}  // namespace

PickleRule find_pickle_rule(std::string_view module, std::string_view name) {
  for (const Line& line : kLines) {
    if (!module_fits(line.module, module)) continue;
    if (line.name == name || (line.name == "*" && is_plain_name(name))) return line.rule;
  }
  return PickleRule::kOpaque;
}

}  // namespace maeil::format
