// The archive around data.pkl, the search for dicts of tensors in it, and the plain values of a key.
#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "format/numpy.h"
#include "format/pickle_decode.h"
#include "format/torch.h"
#include "format/torch_tensor.h"
#include "format/zip.h"

namespace maeil::format {
namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kMaxPickle = uint64_t{64} << 20;  // data.pkl; the real one has 43 KB for 277 tensors
constexpr int kMaxValueDepth = 100;                  // of nested values
constexpr uint64_t kMaxSharing = 4;                  // tensors' bytes over the archive's; tied weights make 2
constexpr uint64_t kFreeTensorBytes = 1 << 20;
constexpr size_t kMaxPath = 80;  // about so many characters of a dict's path are kept
constexpr uint64_t kFreeTextBytes = 1 << 20;
constexpr size_t kMaxKeys = 100'000;  // of one dict among the plain values

// A key of a dict as text: texts, and the numbers that optimisers use. Empty: another kind.
std::optional<std::string> key_text(PickleValue key) {
  if (auto text = key.text()) return std::string(*text);
  if (auto number = key.integer()) return std::to_string(*number);
  return {};
}

// Of a long one the end: a path has no use for more.
std::string end_of_key(PickleValue key) {
  const auto text = key.text();
  if (!text) return key_text(key).value_or("?");
  return std::string(text->substr(text->size() - std::min(text->size(), kMaxPath)));
}

bool has_key_text(PickleValue key) { return key.text() || key.integer(); }

// Whether Json may hold it: what is pickled as UTF-8 is (pickle.h).
bool is_plain_text(const std::string& text) { return text.find('\0') == text.npos; }

class TorchFile : public CheckpointFile {
 public:
  TorchFile(ZipReader zip, PickleDocument document, std::string root, bool swap, uint64_t pickle_bytes,
            const std::string& name)
      : zip_(std::move(zip)),
        document_(std::move(document)),
        root_(std::move(root)),
        swap_(swap),
        name_(name),
        bytes_left_(kMaxSharing * zip_.declared() + kFreeTensorBytes),
        values_left_(4 * document_.node_count() + 1000),
        text_left_(kMaxSharing * pickle_bytes + kFreeTextBytes) {}

  // Everything that can be reached from the root through dicts, lists and tuples, each once (a file may refer
  // to one from many places, and to itself), the shallow ones first. Called once, before all else.
  Status find_dicts() {
    std::vector<bool> seen(document_.node_count(), false);
    std::vector<Visit> visits;
    const auto visit = [&](PickleValue value, size_t parent, size_t step) {
      if (!value.is(PickleKind::kDict) && !value.is(PickleKind::kList) && !value.is(PickleKind::kTuple))
        return;
      if (seen[value.id()]) return;
      seen[value.id()] = true;
      visits.push_back({value, parent, step});
    };
    visit(document_.root(), 0, 0);
    for (size_t at = 0; at < visits.size(); ++at) {
      const PickleValue value = visits[at].value;
      for (size_t i = 0; i < value.size(); ++i) visit(value.item(i), at, i);
      TensorDict dict;
      std::vector<PickleValue> tensors;
      for (size_t i = 0; i < value.pair_count(); ++i) {
        if (!is_torch_tensor(value.mapped(i))) {
          visit(value.mapped(i), at, i);
        } else if (has_key_text(value.key(i))) {
          MAEIL_ASSIGN(auto key, take_key(value.key(i)));
          dict.names.push_back(std::move(key));
          tensors.push_back(value.mapped(i));
        }
      }
      if (tensors.empty()) continue;
      dict.path = path_to(visits, at);
      dicts_.push_back(std::move(dict));
      tensors_.push_back(std::move(tensors));
    }
    return {};
  }

  Result<Tensor> read_one(size_t dict, size_t tensor) override {
    return read_tensor(dicts_[dict].names[tensor], tensors_[dict][tensor]);
  }

  Result<std::optional<Json>> value_of(std::string_view key) override {
    const PickleValue root = document_.root();
    const auto found = root.is(PickleKind::kDict) ? root.find(key) : std::nullopt;
    if (!found) return std::nullopt;
    Json out;
    MAEIL_ASSIGN(const bool is_plain, plain(*found, 0, out));
    return is_plain ? std::optional(std::move(out)) : std::nullopt;
  }

 private:
  // A dict, list or tuple, and which item or value of which one before it led there.
  struct Visit {
    PickleValue value;
    size_t parent, step;
  };

  // Keys and [positions] from the root; of a path that is too long, its end.
  std::string path_to(const std::vector<Visit>& visits, size_t at) const {
    std::string path;
    for (; at != 0 && path.size() < kMaxPath; at = visits[at].parent) {
      const PickleValue above = visits[visits[at].parent].value;
      const bool item = !above.is(PickleKind::kDict);
      const std::string step =
          item ? fmt::format("[{}]", visits[at].step) : end_of_key(above.key(visits[at].step));
      path = path.empty() || path[0] == '[' ? step + path : step + "." + path;
    }
    return printable(path);
  }

  // A text that a file has once and refers to from many places would be copied for each of them.
  Status take_text(size_t bytes) {
    if (bytes > text_left_) return bad_input(name_ + ": texts that repeat each other without end");
    text_left_ -= bytes;
    return {};
  }

  // REQUIRES: has_key_text(key).
  Result<std::string> take_key(PickleValue key) {
    MAEIL_TRY(take_text(key.text() ? key.text()->size() : 20));
    return *key_text(key);
  }

  Result<Tensor> read_tensor(const std::string& tensor_name, PickleValue value) {
    const auto context = [&](Error error) {
      return with_context(fmt::format("{}: tensor {}", name_, printable(tensor_name)), std::move(error));
    };
    auto view = torch_view(value);
    if (!view) return context(std::move(view.error()));
    const uint64_t bytes = view->count * width(view->type);
    if (bytes > bytes_left_)
      return context({ErrorCode::kBadInput, "shares its storage with too many others"});
    bytes_left_ -= bytes;
    auto storage = load(*view);
    if (!storage) return context(std::move(storage.error()));
    return gather(*view, tensor_name, *storage, swap_);
  }

  // False: the value is no plain one and is left out.
  Result<bool> plain(PickleValue value, int depth, Json& out) {
    if (depth > kMaxValueDepth)
      return bad_input(fmt::format("{}: values nested deeper than {}", name_, kMaxValueDepth));
    if (values_left_-- == 0) return bad_input(name_ + ": values that repeat each other without end");
    switch (value.kind()) {
      case PickleKind::kNone:
        out = nullptr;
        return true;
      case PickleKind::kBool:
        out = *value.boolean();
        return true;
      case PickleKind::kInteger:
        out = *value.integer();
        return true;
      case PickleKind::kReal:
        out = *value.real();
        return true;
      case PickleKind::kBigInteger:
      case PickleKind::kText:
        MAEIL_TRY(take_text(value.text()->size()));
        out = std::string(*value.text());
        return true;
      case PickleKind::kList:
      case PickleKind::kTuple:
      case PickleKind::kSet:
        out = Json::array();
        for (size_t i = 0; i < value.size(); ++i) {
          Json item;
          MAEIL_TRY(plain(value.item(i), depth + 1, item));
          out.push_back(std::move(item));
        }
        return true;
      case PickleKind::kDict:
        return plain_dict(value, depth, out);
      default:
        break;
    }
    if (is_torch_tensor(value)) return plain_tensor(value, out);
    if (auto text = text_of(value)) {
      MAEIL_TRY(take_text(text->size()));
      if (!is_plain_text(*text)) return false;
      out = *text;
      return true;
    }
    const auto number = number_of(value);
    if (number) out = *number;
    return number.has_value();
  }

  // Of a key given twice the last counts.
  Result<bool> plain_dict(PickleValue dict, int depth, Json& out) {
    // Json compares a new key with all others.
    if (dict.pair_count() > kMaxKeys)
      return bad_input(
          fmt::format("{}: a dict of {} keys, more than {}", name_, dict.pair_count(), kMaxKeys));
    comparisons_left_ -= static_cast<int64_t>(dict.pair_count() * dict.pair_count() / 2);
    if (comparisons_left_ < 0)
      return bad_input(fmt::format("{}: dicts of more than {} keys together", name_, kMaxKeys));
    out = Json::object();
    for (size_t i = 0; i < dict.pair_count(); ++i) {
      if (!has_key_text(dict.key(i))) continue;
      MAEIL_ASSIGN(const auto key, take_key(dict.key(i)));
      Json item;
      MAEIL_ASSIGN(const bool is_plain, plain(dict.mapped(i), depth + 1, item));
      if (is_plain) out[key] = std::move(item);
    }
    return true;
  }

  // Floats as write_checkpoint writes them. Other tensors are left out unread.
  Result<bool> plain_tensor(PickleValue value, Json& out) {
    const auto view = torch_view(value);
    if (!view || view->type != TorchType::kDouble || view->shape.size() > 1) return false;
    MAEIL_ASSIGN(const Tensor read, read_tensor("among the other values", value));
    if (read.shape.empty()) {
      out = read.doubles[0];
    } else {
      out = read.doubles;
    }
    return true;
  }

  // The storage's bytes; the last one is kept, since neighbours often share it.
  Result<std::string_view> load(const TorchView& view) {
    const uint64_t wanted = view.storage * width(view.type);
    if (view.key != loaded_key_ || loaded_type_ != view.type) {
      const std::string entry = root_ + "data/" + view.key;
      if (!zip_.has(entry))
        return bad_input(fmt::format("its storage {} is missing from the file", printable(view.key)));
      MAEIL_ASSIGN(const uint64_t size, zip_.size(entry));
      if (size != wanted)
        return bad_input(
            fmt::format("its storage {} has {} bytes instead of {}", printable(view.key), size, wanted));
      loaded_key_.clear();
      MAEIL_ASSIGN(loaded_, zip_.read(entry));
      loaded_key_ = view.key;
      loaded_type_ = view.type;
    }
    if (loaded_.size() < wanted) return bad_input("its storage is said to have two sizes");
    return std::string_view(loaded_);
  }

  ZipReader zip_;
  PickleDocument document_;
  std::string root_;  // of the archive, with its "/"
  bool swap_;
  std::string name_;
  std::vector<std::vector<PickleValue>> tensors_;  // as dicts_
  uint64_t bytes_left_;
  size_t values_left_;
  uint64_t text_left_;  // bytes of names and plain texts
  int64_t comparisons_left_ = static_cast<int64_t>(kMaxKeys * kMaxKeys / 2);  // of keys
  std::string loaded_key_, loaded_;
  TorchType loaded_type_ = TorchType::kFloat;
};

// The folder of the one data.pkl, with its "/".
Result<std::string> find_root(const ZipReader& zip, const std::string& name) {
  std::string root;
  int found = 0;
  for (const std::string& entry : zip.names()) {
    if (entry != "data.pkl" && !entry.ends_with("/data.pkl")) continue;
    root = entry.substr(0, entry.size() - std::string_view("data.pkl").size());
    ++found;
  }
  if (found != 1)
    return bad_input(
        fmt::format("{}: the archive has {} entries data.pkl instead of one; this is no PyTorch checkpoint",
                    name, found));
  if (zip.has(root + "constants.pkl")) {
    return bad_input(name + ": a TorchScript program; save its state_dict() with torch.save");
  }
  return root;
}

Result<bool> is_big_endian(const ZipReader& zip, const std::string& root, const std::string& name) {
  if (!zip.has(root + "byteorder")) return false;
  MAEIL_ASSIGN(const uint64_t size, zip.size(root + "byteorder"));
  if (size > 16) return bad_input(name + ": the byte order is neither little nor big");
  MAEIL_ASSIGN(const std::string order, zip.read(root + "byteorder"));
  if (order != "big" && order != "little")
    return bad_input(fmt::format("{}: the byte order {} is neither little nor big", name, printable(order)));
  return order == "big";
}

}  // namespace

Result<std::unique_ptr<CheckpointFile>> open_torch(std::string_view bytes, const std::string& name) {
  MAEIL_ASSIGN(ZipReader zip, ZipReader::open(bytes, name));
  MAEIL_ASSIGN(const std::string root, find_root(zip, name));
  MAEIL_ASSIGN(const bool big, is_big_endian(zip, root, name));
  MAEIL_ASSIGN(const uint64_t size, zip.size(root + "data.pkl"));
  if (size > kMaxPickle) return bad_input(fmt::format("{}: data.pkl has {} bytes", name, size));
  MAEIL_ASSIGN(std::string pickle, zip.read(root + "data.pkl"));
  MAEIL_ASSIGN(PickleDocument document, read_pickle(std::move(pickle), name + " (data.pkl)"));
  const PickleValue value = document.root();
  if (!value.is(PickleKind::kDict) && !value.is(PickleKind::kList) && !value.is(PickleKind::kTuple)) {
    const std::string cls = value.class_name();
    return bad_input(fmt::format(
        "{}: holds a {} instead of a dict of tensors; save the model's state_dict() with torch.save", name,
        cls.empty() ? to_string(value.kind()) : printable(cls)));
  }
  auto file = std::make_unique<TorchFile>(std::move(zip), std::move(document), root,
                                          big != (std::endian::native == std::endian::big), size, name);
  MAEIL_TRY(file->find_dicts());
  return file;
}

}  // namespace maeil::format
