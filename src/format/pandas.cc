#include "format/pandas.h"

#include <fmt/format.h>

#include <cmath>

#include "format/pickle_decode.h"

namespace maeil::format {
namespace {

// labels made from nothing; those in the file are bounded by the file
constexpr size_t kMaxRange = 1'000'000;

bool class_ends(PickleValue value, std::string_view name) {
  if (!value.is(PickleKind::kObject)) return false;
  std::string full = value.class_name();
  return full.ends_with(name) && full.size() > name.size() && full[full.size() - name.size() - 1] == '.';
}

struct Index {
  size_t size = 0;
  std::vector<std::string> labels;  // empty for a range
  int64_t start = 0, step = 1;      // of a range
  bool range = false;
};

Result<std::string> label_text(PickleValue value) {
  if (auto text = text_of(value)) return *text;
  if (auto whole = value.integer()) return std::to_string(*whole);
  if (value.is_none()) return std::string();
  if (auto number = number_of(value)) return fmt::format("{}", *number);
  return bad_input(fmt::format("a pandas label is a {}", to_string(value.kind())));
}

// The array inside an index or an extension array: itself, or the first one in a pandas wrapper's state or
// arguments.
std::optional<PickleValue> inner_array(PickleValue value) {
  for (int depth = 0; depth < 4; ++depth) {
    if (is_ndarray(value)) return value;
    if (!value.is(PickleKind::kObject)) return {};
    std::optional<PickleValue> next;
    for (const char* name : {"_ndarray", "_data", "data", "_codes"}) {
      if (!next) next = value.attribute(name);
    }
    auto state = value.state();
    if (!next && state && state->is(PickleKind::kTuple)) {
      for (size_t i = 0; i < state->size() && !next; ++i) {
        if (is_ndarray(state->item(i))) next = state->item(i);
      }
    }
    if (!next && value.argument_count() > 0) next = value.argument(0);
    if (!next) return {};
    value = *next;
  }
  return {};
}

Result<Index> parse_index(PickleValue value) {
  Index out;
  if (!class_ends(value, "_new_Index") || value.argument_count() != 2) {
    return bad_input(
        fmt::format("a {} {} instead of a pandas index", to_string(value.kind()), value.class_name()));
  }
  std::string type = value.argument(0).class_name();
  PickleValue given = value.argument(1);
  if (type.ends_with(".RangeIndex")) {
    auto start = given.find("start"), stop = given.find("stop"), step = given.find("step");
    if (!start || !stop || !step || !start->integer() || !stop->integer() || !step->integer())
      return bad_input("a pandas RangeIndex without bounds");
    out.range = true;
    out.start = *start->integer();
    out.step = *step->integer();
    constexpr int64_t kLimit = int64_t{1} << 40;
    int64_t end = *stop->integer();
    if (out.step < 1 || out.start < -kLimit || out.start > kLimit || end > kLimit || out.step > kLimit) {
      return bad_input("a pandas RangeIndex that is not a plain rising range");
    }
    out.size = end <= out.start ? 0 : static_cast<size_t>((end - out.start + out.step - 1) / out.step);
    return out;
  }
  auto data = given.find("data");
  if (!data) return bad_input(fmt::format("a pandas {} is not supported", type));
  if (data->is(PickleKind::kList)) {
    for (size_t i = 0; i < data->size(); ++i) {
      MAEIL_ASSIGN(std::string label, label_text(data->item(i)));
      out.labels.push_back(std::move(label));
    }
  } else {
    auto inner = inner_array(*data);
    if (!inner) return bad_input(fmt::format("a pandas {} without an array", type));
    MAEIL_ASSIGN(Ndarray array, read_ndarray(*inner));
    if (array.shape.size() != 1) return bad_input("a pandas index with more than one dimension");
    out.labels = std::move(array.texts);
    for (int64_t whole : array.integers) out.labels.push_back(std::to_string(whole));
    for (double number : array.numbers) out.labels.push_back(fmt::format("{}", number));
    for (PickleValue object : array.objects) {
      MAEIL_ASSIGN(std::string label, label_text(object));
      out.labels.push_back(std::move(label));
    }
  }
  out.size = out.labels.size();
  return out;
}

// One row of a block of (items, rows) or the whole of a one-dimensional one.
PandasColumn slice(const Ndarray& array, size_t row, size_t rows) {
  PandasColumn out;
  out.dtype = array.dtype;
  bool dates = array.dtype.starts_with("datetime") || array.dtype.starts_with("timedelta");
  for (size_t i = row * rows; i < (row + 1) * rows; ++i) {
    if (!array.numbers.empty()) {
      out.numbers.push_back(array.numbers[i]);
    } else if (!array.integers.empty()) {
      bool missing = dates && array.integers[i] == INT64_MIN;
      out.numbers.push_back(missing ? std::nan("") : static_cast<double>(array.integers[i]));
    } else {
      out.objects.emplace_back(array.objects[i]);
    }
  }
  return out;
}

Result<PandasColumn> categorical(PickleValue value) {
  auto state = value.state();
  std::optional<PickleValue> dtype = value.attribute("_dtype");
  if (!dtype && state && state->is(PickleKind::kTuple) && state->size() > 0) dtype = state->item(0);
  if (!dtype || !dtype->attribute("categories")) return bad_input("a pandas categorical without categories");
  PickleValue index = *dtype->attribute("categories");
  auto data = class_ends(index, "_new_Index") && index.argument_count() == 2 ? index.argument(1).find("data")
                                                                             : std::nullopt;
  auto inner = data ? inner_array(*data) : std::nullopt;
  auto codes_value = inner_array(value);
  if (!inner || !codes_value) return bad_input("a pandas categorical without codes or categories");
  MAEIL_ASSIGN(Ndarray categories, read_ndarray(*inner));
  MAEIL_ASSIGN(Ndarray codes, read_ndarray(*codes_value));
  PandasColumn out;
  out.dtype = "category";
  size_t known = categories.count();
  bool objects = !categories.objects.empty() || known == 0;
  if (!categories.texts.empty())
    return bad_input("a pandas categorical of fixed-width text is not supported");
  MAEIL_ASSIGN(std::vector<double> numbers,
               objects ? Result<std::vector<double>>(std::vector<double>()) : to_reals(categories));
  for (int64_t code : codes.integers) {
    if (code < -1 || (code >= 0 && static_cast<size_t>(code) >= known))
      return bad_input("a pandas categorical with a code beyond its categories");
    if (objects) {
      out.objects.push_back(code < 0 ? std::nullopt
                                     : std::optional(categories.objects[static_cast<size_t>(code)]));
    } else {
      out.numbers.push_back(code < 0 ? std::nan("") : numbers[static_cast<size_t>(code)]);
    }
  }
  return out;
}

// Which columns a block's rows are: slice(start, stop, step), an array of positions, or a wrapper around one
// of them.
Result<std::vector<size_t>> placement(PickleValue value, size_t columns) {
  std::vector<size_t> out;
  auto push = [&](int64_t at) -> Status {
    if (at < 0 || static_cast<size_t>(at) >= columns || out.size() == columns)
      return bad_input("a pandas block is placed beyond the frame's columns");
    out.push_back(static_cast<size_t>(at));
    return {};
  };
  if (class_ends(value, "slice") && value.argument_count() == 3) {
    auto start = value.argument(0).integer(), stop = value.argument(1).integer();
    int64_t step = value.argument(2).integer().value_or(1);
    if (!start || !stop || step < 1 || step > INT32_MAX || *stop > INT32_MAX)
      return bad_input("a pandas block without a placement");
    for (int64_t at = *start; at < *stop; at += step) MAEIL_TRY(push(at));
    return out;
  }
  auto inner = inner_array(value);
  if (!inner) return bad_input("a pandas block without a placement");
  MAEIL_ASSIGN(Ndarray positions, read_ndarray(*inner));
  for (int64_t at : positions.integers) MAEIL_TRY(push(at));
  return out;
}

struct Block {
  PickleValue values;
  std::optional<PickleValue> locations;
};

struct Manager {
  std::vector<PickleValue> axes;
  std::vector<Block> blocks;
};

Result<Manager> parse_manager(PickleValue value) {
  Manager out;
  if (!value.is(PickleKind::kObject) || !value.class_name().ends_with("BlockManager")) {
    return bad_input(fmt::format("a {} {} instead of a pandas block manager", to_string(value.kind()),
                                 value.class_name()));
  }
  auto add_axes = [&](PickleValue axes) {
    for (size_t i = 0; i < axes.size(); ++i) out.axes.push_back(axes.item(i));
  };
  if (value.argument_count() == 2) {
    PickleValue blocks = value.argument(0);
    add_axes(value.argument(1));
    for (size_t i = 0; i < blocks.size(); ++i) {
      PickleValue block = blocks.item(i);
      if (!block.is(PickleKind::kObject) || block.argument_count() < 2) {
        return bad_input(
            fmt::format("a pandas block is a {} {}", to_string(block.kind()), printable(block.class_name())));
      }
      out.blocks.push_back({block.argument(0), block.argument(1)});
    }
    return out;
  }
  auto state = value.state();
  auto extra = state && state->is(PickleKind::kTuple) && state->size() == 4 ? state->item(3).find("0.14.1")
                                                                            : std::nullopt;
  auto axes = extra ? extra->find("axes") : std::nullopt;
  auto blocks = extra ? extra->find("blocks") : std::nullopt;
  if (!axes || !blocks) return bad_input("a pandas block manager without blocks");
  add_axes(*axes);
  for (size_t i = 0; i < blocks->size(); ++i) {
    auto values = blocks->item(i).find("values");
    if (!values) return bad_input("a pandas block without values");
    out.blocks.push_back({*values, blocks->item(i).find("mgr_locs")});
  }
  return out;
}

// The columns of a block of `rows` rows.
Result<std::vector<PandasColumn>> block_columns(PickleValue values, size_t rows) {
  std::vector<PandasColumn> out;
  if (!is_ndarray(values)) {
    bool has_type = values.argument_count() > 0 && values.argument(0).class_name().ends_with(".Categorical");
    if (has_type || class_ends(values, "Categorical")) {
      MAEIL_ASSIGN(PandasColumn column, categorical(values));
      out.push_back(std::move(column));
      if (out[0].numbers.size() + out[0].objects.size() != rows)
        return bad_input("a pandas categorical and its index differ in length");
      return out;
    }
  }
  auto inner = inner_array(values);
  if (!inner) return bad_input(fmt::format("a pandas block of {} is not supported", values.class_name()));
  MAEIL_ASSIGN(Ndarray array, read_ndarray(*inner));
  size_t items = array.shape.size() == 2 ? static_cast<size_t>(array.shape[0]) : 1;
  if (array.shape.empty() || array.shape.size() > 2 || static_cast<size_t>(array.shape.back()) != rows) {
    return bad_input("a pandas block and its index differ in length");
  }
  if (!array.texts.empty()) return bad_input("a pandas block of fixed-width text is not supported");
  if (items * rows != array.count()) return bad_input("a pandas block has rows without values");
  for (size_t i = 0; i < items; ++i) out.push_back(slice(array, i, rows));
  return out;
}

}  // namespace

const PandasColumn* PandasFrame::find(std::string_view name) const {
  for (const auto& column : columns) {
    if (column.name == name) return &column;
  }
  return nullptr;
}

Result<std::string> read_pandas_dtype(PickleValue value) {
  const std::string full = value.is(PickleKind::kObject) ? value.class_name() : std::string();
  if (!full.starts_with("pandas.") || !full.ends_with("Dtype")) return read_dtype(value);
  const size_t begin = full.rfind('.') + 1;
  const std::string name = full.substr(begin, full.size() - begin - 5);
  if (name == "Boolean") return std::string("boolean");
  if (name == "String") return std::string("string");
  if (name == "Categorical") return std::string("category");
  if (name != "DatetimeTZ") return name;
  const auto unit = value.attribute("unit"), zone = value.attribute("tz");
  return fmt::format("datetime64[{}, {}]", unit ? text_of(*unit).value_or("ns") : "ns",
                     zone && is_utc(*zone) ? "UTC" : "tz");
}

bool is_utc(PickleValue zone) {
  const auto is_zero = [](std::optional<PickleValue> offset) {
    if (!offset || !offset->is_class("datetime.timedelta")) return false;
    for (size_t i = 0; i < offset->argument_count(); ++i) {
      if (offset->argument(i).integer() != 0) return false;
    }
    return true;
  };
  const auto name = zone.class_name();
  if (name == "datetime.timezone") return zone.argument_count() > 0 && is_zero(zone.argument(0));
  if (name == "dateutil.tz.tz.tzoffset") return is_zero(zone.attribute("_offset"));
  if (name == "dateutil.tz.tz.tzlocal")
    return is_zero(zone.attribute("_std_offset")) && is_zero(zone.attribute("_dst_offset"));
  return name == "pytz._UTC" || name == "dateutil.tz.tz.tzutc";
}

Result<PandasFrame> read_frame(PickleValue value) {
  auto inner = class_ends(value, "DataFrame") ? value.attribute("_mgr") : std::nullopt;
  if (!inner && class_ends(value, "DataFrame")) inner = value.attribute("_data");
  if (!inner)
    return bad_input(
        fmt::format("a {} {} instead of a pandas frame", to_string(value.kind()), value.class_name()));
  MAEIL_ASSIGN(Manager manager, parse_manager(*inner));
  if (manager.axes.size() != 2) return bad_input("a pandas frame without its two axes");
  MAEIL_ASSIGN(std::vector<std::string> names, read_index(manager.axes[0]));
  MAEIL_ASSIGN(Index index, parse_index(manager.axes[1]));
  PandasFrame out;
  out.rows = index.size;
  out.index = std::move(index.labels);
  out.columns.resize(names.size());
  std::vector<bool> filled(names.size(), false);
  for (const Block& block : manager.blocks) {
    if (!block.locations) return bad_input("a pandas block without a placement");
    MAEIL_ASSIGN(std::vector<size_t> places, placement(*block.locations, names.size()));
    MAEIL_ASSIGN(std::vector<PandasColumn> columns, block_columns(block.values, out.rows));
    if (places.size() != columns.size())
      return bad_input("a pandas block and its placement differ in length");
    for (size_t i = 0; i < places.size(); ++i) {
      if (filled[places[i]]) return bad_input("two pandas blocks are placed on one column");
      filled[places[i]] = true;
      out.columns[places[i]] = std::move(columns[i]);
    }
  }
  for (size_t i = 0; i < names.size(); ++i) {
    if (!filled[i]) return bad_input(fmt::format("column {} of a pandas frame has no block", names[i]));
    out.columns[i].name = names[i];
  }
  return out;
}

Result<PandasFrame> read_series(PickleValue value) {
  auto inner = class_ends(value, "Series") ? value.attribute("_mgr") : std::nullopt;
  if (!inner && class_ends(value, "Series")) inner = value.attribute("_data");
  if (!inner)
    return bad_input(
        fmt::format("a {} {} instead of a pandas series", to_string(value.kind()), value.class_name()));
  MAEIL_ASSIGN(Manager manager, parse_manager(*inner));
  if (manager.axes.size() != 1 || manager.blocks.size() != 1)
    return bad_input("a pandas series without its axis or its block");
  MAEIL_ASSIGN(Index index, parse_index(manager.axes[0]));
  MAEIL_ASSIGN(std::vector<PandasColumn> columns, block_columns(manager.blocks[0].values, index.size));
  if (columns.size() != 1) return bad_input("a pandas series of more than one column");
  PandasFrame out;
  out.rows = index.size;
  out.index = std::move(index.labels);
  out.columns = std::move(columns);
  auto name = value.attribute("_name");
  if (!name) name = value.attribute("name");
  if (name && text_of(*name)) out.columns[0].name = *text_of(*name);
  return out;
}

Result<std::vector<std::string>> read_index(PickleValue value) {
  MAEIL_ASSIGN(Index index, parse_index(value));
  if (index.range) {
    if (index.size > kMaxRange) return bad_input("a pandas RangeIndex of over a million labels");
    for (size_t i = 0; i < index.size; ++i)
      index.labels.push_back(std::to_string(index.start + static_cast<int64_t>(i) * index.step));
  }
  return std::move(index.labels);
}

}  // namespace maeil::format
