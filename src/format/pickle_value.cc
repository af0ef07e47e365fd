#include "format/pickle_tree.h"

// The accessors of pickle.h.

namespace maeil::format {

const char* to_string(PickleKind kind) {
  constexpr const char* kNames[] = {"None", "bool",  "int",    "big int",       "float",
                                    "str",  "bytes", "list",   "tuple",         "dict",
                                    "set",  "class", "object", "persistent id", "value of an unknown class"};
  return kNames[static_cast<size_t>(kind)];
}

PickleValue PickleDocument::root() const { return {tree_.get(), tree_->root}; }
size_t PickleDocument::node_count() const { return tree_->nodes.size(); }

PickleKind PickleValue::kind() const { return tree_->nodes[index_].kind; }

std::optional<bool> PickleValue::boolean() const {
  if (kind() != PickleKind::kBool) return {};
  return tree_->nodes[index_].integer != 0;
}

std::optional<int64_t> PickleValue::integer() const {
  if (kind() != PickleKind::kBool && kind() != PickleKind::kInteger) return {};
  return tree_->nodes[index_].integer;
}

std::optional<double> PickleValue::real() const {
  if (kind() == PickleKind::kReal) return tree_->nodes[index_].real;
  if (auto whole = integer()) return static_cast<double>(*whole);
  return {};
}

std::optional<std::string_view> PickleValue::text() const {
  if (kind() != PickleKind::kText && kind() != PickleKind::kBigInteger) return {};
  return tree_->nodes[index_].text;
}

std::optional<std::string_view> PickleValue::bytes() const {
  if (kind() != PickleKind::kText && kind() != PickleKind::kBytes) return {};
  return tree_->nodes[index_].text;
}

size_t PickleValue::size() const { return tree_->nodes[index_].parts().items.size(); }
PickleValue PickleValue::item(size_t i) const { return {tree_, tree_->nodes[index_].parts().items[i]}; }

size_t PickleValue::pair_count() const { return tree_->nodes[index_].parts().pairs.size() / 2; }
PickleValue PickleValue::key(size_t i) const { return {tree_, tree_->nodes[index_].parts().pairs[2 * i]}; }
PickleValue PickleValue::mapped(size_t i) const {
  return {tree_, tree_->nodes[index_].parts().pairs[2 * i + 1]};
}

std::optional<PickleValue> PickleValue::find(std::string_view text_key) const {
  for (size_t i = pair_count(); i-- > 0;) {
    PickleValue k = key(i);
    if (k.kind() == PickleKind::kText && *k.text() == text_key) return mapped(i);
  }
  return {};
}

std::string PickleValue::class_name() const {
  const PickleNode* node = &tree_->nodes[index_];
  // The class of an opaque value may itself have come from a call: cloudpickle makes classes by functions.
  for (int depth = 0; node->parts().cls != kNoNode && depth < 8; ++depth)
    node = &tree_->nodes[node->parts().cls];
  if ((node->kind != PickleKind::kGlobal && node->kind != PickleKind::kOpaque) || node->text.empty())
    return {};
  return std::string(node->text) + "." + std::string(node->parts().name);
}

bool PickleValue::is_class(std::string_view full_name) const {
  if (kind() != PickleKind::kObject) return false;
  const PickleNode& cls = tree_->nodes[tree_->nodes[index_].parts().cls];
  const size_t module = cls.text.size();
  return cls.kind == PickleKind::kGlobal && full_name.size() == module + 1 + cls.parts().name.size() &&
         full_name[module] == '.' && full_name.starts_with(cls.text) && full_name.ends_with(cls.parts().name);
}

size_t PickleValue::argument_count() const {
  const PickleNode& node = tree_->nodes[index_];
  if (node.parts().arguments == kNoNode) return 0;
  return node.kind == PickleKind::kPersistent ? 1 : tree_->nodes[node.parts().arguments].parts().items.size();
}

PickleValue PickleValue::argument(size_t i) const {
  const PickleNode& node = tree_->nodes[index_];
  if (node.kind == PickleKind::kPersistent) return {tree_, node.parts().arguments};
  return {tree_, tree_->nodes[node.parts().arguments].parts().items[i]};
}

std::optional<PickleValue> PickleValue::state() const {
  const PickleNode& node = tree_->nodes[index_];
  if (node.parts().state == kNoNode) return {};
  return PickleValue{tree_, node.parts().state};
}

std::optional<PickleValue> PickleValue::attribute(std::string_view name) const {
  auto given = state();
  if (!given) return {};
  if (given->is(PickleKind::kDict)) return given->find(name);
  if (!given->is(PickleKind::kTuple) || given->size() != 2) return {};
  for (size_t i = 2; i-- > 0;) {
    if (auto found = given->item(i).find(name)) return found;
  }
  return {};
}

}  // namespace maeil::format
