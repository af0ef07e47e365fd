#include "format/pickle.h"

#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <span>

#include "base/file.h"
#include "format/csv.h"
#include "format/pickle_decode.h"
#include "format/pickle_rules.h"
#include "format/pickle_tree.h"

// The stack machine. It never recurses, each opcode makes at most two nodes, and what an opcode copies
// (arguments of set(), OrderedDict(), bytes()) is counted against the file's size, so that references to one
// big value cannot multiply it.

namespace maeil::format {
namespace {

constexpr size_t kMaxPickle = size_t{1} << 30;
constexpr size_t kMaxNodes = 20'000'000;  // 2.4 GB; the real synthesizer file has 0.2 million
constexpr size_t kMaxIntegerBytes = 256;  // decimal conversion is quadratic; a UUID has 16

class Machine {
 public:
  Machine(PickleTree& tree, const std::string& name)
      : tree_(tree), bytes_(tree.bytes), name_(name), copies_left_(bytes_.size()) {}

  Status run() {
    if (bytes_.size() > kMaxPickle) return bad_input(name_ + ": the pickle is larger than 1 GiB");
    while (!stopped_) {
      opcode_at_ = at_;
      if (at_ == bytes_.size())
        return bad_input(
            fmt::format("{}: the pickle ends at byte {} before its STOP; the file is truncated", name_, at_));
      if (!step(static_cast<unsigned char>(bytes_[at_++])))
        return bad_input(fmt::format("{}: byte {}: {}", name_, opcode_at_, error_));
    }
    if (at_ != bytes_.size())
      return bad_input(
          fmt::format("{}: {} bytes follow the pickle's end at byte {}", name_, bytes_.size() - at_, at_));
    return {};
  }

 private:
  bool refuse(std::string why) {
    error_ = std::move(why);
    return false;
  }

  // ---- bytes
  bool take(size_t n, std::string_view& out) {
    if (n > bytes_.size() - at_)
      return refuse(fmt::format("needs {} bytes, the file has {} left; it is truncated or damaged", n,
                                bytes_.size() - at_));
    out = bytes_.substr(at_, n);
    at_ += n;
    return true;
  }
  // A little-endian unsigned number of `width` bytes.
  bool number(size_t width, uint64_t& out) {
    std::string_view raw;
    if (!take(width, raw)) return false;
    out = 0;
    for (size_t i = 0; i < width; ++i)
      out |= static_cast<uint64_t>(static_cast<unsigned char>(raw[i])) << (8 * i);
    return true;
  }
  bool counted(size_t width, std::string_view& out) {
    uint64_t n;
    return number(width, n) && take(n, out);
  }
  bool line(std::string_view& out) {
    size_t end = bytes_.find('\n', at_);
    if (end == bytes_.npos)
      return refuse("a text argument has no line end; the file is truncated or damaged");
    out = bytes_.substr(at_, end - at_);
    at_ = end + 1;
    return true;
  }
  std::string_view keep(std::string text) { return tree_.decoded.emplace_back(std::move(text)); }

  // ---- nodes and stack
  PickleNode& node(uint32_t i) { return tree_.nodes[i]; }
  PickleParts& parts(uint32_t i) {
    PickleParts*& made = node(i).made;
    if (!made) made = std::pmr::polymorphic_allocator<>(&tree_.memory).new_object<PickleParts>(&tree_.memory);
    return *made;
  }
  bool make(PickleKind kind, uint32_t& out) {
    if (tree_.nodes.size() == kMaxNodes) return refuse(fmt::format("more than {} values", kMaxNodes));
    out = static_cast<uint32_t>(tree_.nodes.size());
    tree_.nodes.emplace_back().kind = kind;
    return true;
  }
  bool push(PickleKind kind) {
    uint32_t i;
    if (!make(kind, i)) return false;
    stack_.push_back(i);
    return true;
  }
  bool push_integer(PickleKind kind, int64_t value) {
    if (!push(kind)) return false;
    node(stack_.back()).integer = value;
    return true;
  }
  bool push_view(PickleKind kind, std::string_view view) {
    if (!push(kind)) return false;
    node(stack_.back()).text = view;
    return true;
  }
  bool push_text(std::string_view view) {
    return is_utf8(view) ? push_view(PickleKind::kText, view) : refuse("a text is not UTF-8");
  }
  // Python 2's str: text where it is ASCII.
  bool push_old_string(std::string_view view) {
    for (char c : view) {
      if (c & 0x80) return push_view(PickleKind::kBytes, view);
    }
    return push_view(PickleKind::kText, view);
  }
  size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  // The topmost value above the last mark.
  bool pop(uint32_t& out) {
    if (stack_.size() <= floor()) return refuse("takes a value from an empty stack");
    out = stack_.back();
    stack_.pop_back();
    return true;
  }
  bool top(uint32_t& out) {
    if (stack_.size() <= floor()) return refuse("needs a value on the stack");
    out = stack_.back();
    return true;
  }
  // All values above the last mark, which goes.
  bool pop_mark(std::vector<uint32_t>& out) {
    if (marks_.empty()) return refuse("needs a mark on the stack");
    out.assign(stack_.begin() + static_cast<ptrdiff_t>(marks_.back()), stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return true;
  }
  bool tuple_of(size_t n) {
    if (stack_.size() - floor() < n) return refuse("takes a value from an empty stack");
    std::vector<uint32_t> items(stack_.end() - static_cast<ptrdiff_t>(n), stack_.end());
    stack_.resize(stack_.size() - n);
    return push_items(PickleKind::kTuple, items);
  }
  bool push_items(PickleKind kind, std::span<const uint32_t> items) {
    if (!push(kind)) return false;
    parts(stack_.back()).items.assign(items.begin(), items.end());
    return true;
  }
  bool copying(size_t n) {
    if (n > copies_left_) return refuse("copies one value again and again (a memo bomb)");
    copies_left_ -= n;
    return true;
  }

  // ---- memo
  bool put(uint64_t key) {
    uint32_t value;
    if (!top(value)) return false;
    if (key > bytes_.size()) return refuse("a memo number larger than the file (a memo bomb)");
    if (key >= memo_.size()) memo_.resize(key + 1, kNoNode);
    if (memo_[key] == kNoNode) ++memo_count_;
    memo_[key] = value;
    return true;
  }
  bool get(uint64_t key) {
    if (key >= memo_.size() || memo_[key] == kNoNode)
      return refuse(fmt::format("asks for memo {} that was never stored", key));
    stack_.push_back(memo_[key]);
    return true;
  }
  bool line_number(uint64_t& out) {
    std::string_view text;
    if (!line(text)) return false;
    auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), out);
    return (code == std::errc() && end == text.data() + text.size()) || refuse("a memo number is no number");
  }

  // ---- numbers as text
  bool integer_line(bool is_long) {
    std::string_view text;
    if (!line(text)) return false;
    if (!is_long && (text == "00" || text == "01")) return push_integer(PickleKind::kBool, text == "01");
    if (is_long && text.ends_with('L')) text.remove_suffix(1);
    int64_t value = 0;
    const char* end = text.data() + text.size();
    auto [stop, code] = std::from_chars(text.data(), end, value);
    if (stop != end || text.empty()) return refuse("an integer is no number");
    return code == std::errc() ? push_integer(PickleKind::kInteger, value)
                               : push_view(PickleKind::kBigInteger, text);
  }
  bool float_line() {
    std::string_view text;
    if (!line(text) || !push(PickleKind::kReal)) return false;
    double value = 0;
    const char* end = text.data() + text.size();
    auto [stop, code] = std::from_chars(text.data(), end, value);
    if (stop != end || code != std::errc()) return refuse("a float is no number");
    node(stack_.back()).real = value;
    return true;
  }
  bool binary_integer(size_t width) {
    std::string_view raw;
    if (!counted(width, raw)) return false;
    if (raw.size() <= 8) return push_integer(PickleKind::kInteger, small_integer(raw));
    if (raw.size() > kMaxIntegerBytes) return refuse(fmt::format("an integer of {} bytes", raw.size()));
    return push_view(PickleKind::kBigInteger, keep(big_integer(raw)));
  }
  bool binary_float() {
    std::string_view raw;
    if (!take(8, raw) || !push(PickleKind::kReal)) return false;
    uint64_t bits = 0;
    for (char c : raw) bits = (bits << 8) | static_cast<unsigned char>(c);
    std::memcpy(&node(stack_.back()).real, &bits, 8);
    return true;
  }

  // ---- classes and calls
  bool push_global(std::string_view module, std::string_view name) {
    const PickleRule rule = find_pickle_rule(module, name);
    if (!push_integer(rule == PickleRule::kOpaque ? PickleKind::kOpaque : PickleKind::kGlobal,
                      static_cast<int64_t>(rule)))
      return false;
    node(stack_.back()).text = module;
    parts(stack_.back()).name = name;
    return true;
  }
  bool stack_global() {
    uint32_t name, module;
    if (!pop(name) || !pop(module)) return false;
    if (node(name).kind != PickleKind::kText || node(module).kind != PickleKind::kText)
      return refuse("a class name is no text");
    return push_global(node(module).text, node(name).text);
  }
  bool global_lines() {
    std::string_view module, name;
    return line(module) && line(name) && push_global(module, name);
  }

  // What a call of something unknown stands for: a value of which only the callable's name is kept.
  bool push_opaque(uint32_t callable) {
    if (!push(PickleKind::kOpaque)) return false;
    parts(stack_.back()).cls =
        node(callable).kind == PickleKind::kObject ? node(callable).parts().cls : callable;
    return true;
  }
  // Whether list(x), set(x), dict(x) can be read: a container here whose items are known.
  bool is_container(uint32_t i) {
    const PickleKind kind = node(i).kind;
    return kind == PickleKind::kList || kind == PickleKind::kTuple || kind == PickleKind::kSet ||
           kind == PickleKind::kDict;
  }

  // Pushes what calling `callable` with the tuple `arguments` stands for.
  bool call(uint32_t callable, uint32_t arguments) {
    if (node(arguments).kind != PickleKind::kTuple)
      return refuse(fmt::format("calls with a {} instead of a tuple", to_string(node(arguments).kind)));
    if (node(callable).kind == PickleKind::kOpaque || node(callable).kind == PickleKind::kObject)
      return push_opaque(callable);
    if (node(callable).kind != PickleKind::kGlobal)
      return refuse(fmt::format("calls a {}", to_string(node(callable).kind)));
    const std::span<const uint32_t> given = node(arguments).parts().items;
    switch (static_cast<PickleRule>(node(callable).integer)) {
      case PickleRule::kDict:
        return given.empty() ? push(PickleKind::kDict) : push_dict(callable, given[0]);
      case PickleRule::kDefaultDict:
        return given.size() < 2 ? push(PickleKind::kDict) : push_dict(callable, given[1]);
      case PickleRule::kList:
        return push_copy(callable, PickleKind::kList, given);
      case PickleRule::kSet:
        return push_copy(callable, PickleKind::kSet, given);
      case PickleRule::kBytes:
        return push_bytes(callable, given);
      case PickleRule::kEncode:
        return push_bytes(callable, given);
      case PickleRule::kReconstruct: {
        if (given.size() != 3) return refuse("copyreg._reconstructor takes three arguments");
        uint32_t inner;
        if (!make(PickleKind::kTuple, inner)) return false;
        if (node(given[2]).kind != PickleKind::kNone) parts(inner).items.push_back(given[2]);
        return call_class(given[0], inner);
      }
      case PickleRule::kNewObject: {
        if (given.empty()) return refuse("copyreg.__newobj__ takes a class");
        uint32_t inner;
        if (!copying(given.size()) || !make(PickleKind::kTuple, inner)) return false;
        parts(inner).items.assign(given.begin() + 1, given.end());
        return call_class(given[0], inner);
      }
      default:
        break;
    }
    if (!push(PickleKind::kObject)) return false;
    parts(stack_.back()).cls = callable;
    parts(stack_.back()).arguments = arguments;
    return true;
  }
  // As call, for a class that came as an argument: it may not be copyreg's own function again (no recursion).
  bool call_class(uint32_t cls, uint32_t arguments) {
    if (node(cls).kind == PickleKind::kGlobal) {
      auto rule = static_cast<PickleRule>(node(cls).integer);
      if (rule == PickleRule::kReconstruct || rule == PickleRule::kNewObject)
        return refuse("copyreg called on itself");
    }
    return call(cls, arguments);
  }
  bool push_dict(uint32_t callable, uint32_t source) {
    if (node(source).kind == PickleKind::kNone) return push(PickleKind::kDict);
    if (!is_container(source)) return push_opaque(callable);
    std::vector<uint32_t> pairs;
    if (node(source).kind == PickleKind::kDict) {
      if (!copying(node(source).parts().pairs.size())) return false;
      const auto& given = node(source).parts().pairs;
      pairs.assign(given.begin(), given.end());
    } else {
      if (!copying(2 * node(source).parts().items.size())) return false;
      for (uint32_t item : node(source).parts().items) {
        if (node(item).parts().items.size() != 2)
          return refuse("a dict made from a list of what are no pairs");
        pairs.insert(pairs.end(), node(item).parts().items.begin(), node(item).parts().items.end());
      }
    }
    if (!push(PickleKind::kDict)) return false;
    parts(stack_.back()).pairs.assign(pairs.begin(), pairs.end());
    return true;
  }
  bool push_copy(uint32_t callable, PickleKind kind, std::span<const uint32_t> given) {
    if (given.empty()) return push(kind);
    if (!is_container(given[0]) || node(given[0]).kind == PickleKind::kDict) return push_opaque(callable);
    if (!copying(node(given[0]).parts().items.size())) return false;
    return push_items(kind, node(given[0]).parts().items);
  }
  bool push_bytes(uint32_t callable, std::span<const uint32_t> given) {
    if (given.empty()) return push(PickleKind::kBytes);
    const PickleNode& source = node(given[0]);
    if (source.kind == PickleKind::kOpaque) return push_opaque(callable);
    if (source.kind == PickleKind::kBytes) return push_view(PickleKind::kBytes, source.text);
    if (source.kind != PickleKind::kText)
      return refuse(fmt::format("bytes made from a {}", to_string(source.kind)));
    if (!copying(source.text.size())) return false;
    auto latin1 = to_latin1(source.text);
    if (!latin1) return refuse("bytes made from a text beyond Latin-1");
    return push_view(PickleKind::kBytes, keep(std::move(*latin1)));
  }
  bool call_with_stack(bool needs_class) {
    uint32_t arguments, callable;
    if (!pop(arguments) || !pop(callable)) return false;
    return needs_class ? call_class(callable, arguments) : call(callable, arguments);
  }
  bool new_object_with_keywords() {
    uint32_t keywords, arguments, cls;
    if (!pop(keywords) || !pop(arguments) || !pop(cls) || !call_class(cls, arguments)) return false;
    if (node(keywords).kind != PickleKind::kDict) return refuse("keyword arguments that are no dict");
    if (node(stack_.back()).kind != PickleKind::kOpaque && !node(keywords).parts().pairs.empty())
      parts(stack_.back()).state = keywords;
    return true;
  }
  // OBJ has its class below the arguments, INST in its own two lines.
  bool old_instance(bool named) {
    std::vector<uint32_t> arguments;
    uint32_t cls, tuple;
    if (named && (!global_lines() || !pop(cls))) return false;
    if (!pop_mark(arguments)) return false;
    if (!named) {
      if (arguments.empty()) return refuse("an instance without a class");
      cls = arguments[0];
      arguments.erase(arguments.begin());
    }
    if (!make(PickleKind::kTuple, tuple)) return false;
    parts(tuple).items.assign(arguments.begin(), arguments.end());
    return call_class(cls, tuple);
  }
  bool build() {
    uint32_t state, target;
    if (!pop(state) || !top(target)) return false;
    switch (node(target).kind) {
      case PickleKind::kOpaque:
        return true;
      case PickleKind::kObject:
      case PickleKind::kDict:
      case PickleKind::kList:
      case PickleKind::kSet:
        parts(target).state = state;
        return true;
      default:
        return refuse(fmt::format("sets the state of a {}", to_string(node(target).kind)));
    }
  }

  // ---- containers
  bool append(const std::vector<uint32_t>& values, bool to_set) {
    uint32_t target;
    if (!top(target)) return false;
    PickleKind kind = node(target).kind;
    if (kind == PickleKind::kOpaque) return true;
    if (kind != (to_set ? PickleKind::kSet : PickleKind::kList) && kind != PickleKind::kObject) {
      return refuse(fmt::format("adds items to a {}", to_string(kind)));
    }
    auto& items = parts(target).items;
    items.insert(items.end(), values.begin(), values.end());
    return true;
  }
  bool set_pairs(const std::vector<uint32_t>& values) {
    uint32_t target;
    if (!top(target)) return false;
    PickleKind kind = node(target).kind;
    if (kind == PickleKind::kOpaque) return true;
    if (kind != PickleKind::kDict && kind != PickleKind::kObject)
      return refuse(fmt::format("sets a key of a {}", to_string(kind)));
    if (values.size() % 2 != 0) return refuse("sets a key without a value");
    auto& pairs = parts(target).pairs;
    pairs.insert(pairs.end(), values.begin(), values.end());
    return true;
  }
  bool marked(bool to_set) {
    std::vector<uint32_t> values;
    return pop_mark(values) && append(values, to_set);
  }
  bool marked_pairs() {
    std::vector<uint32_t> values;
    return pop_mark(values) && set_pairs(values);
  }
  bool marked_new(PickleKind kind) {
    std::vector<uint32_t> values;
    if (!pop_mark(values)) return false;
    if (kind != PickleKind::kDict) return push_items(kind, std::move(values));
    return push(kind) && set_pairs(values);
  }
  bool one_pair() {
    uint32_t value, key;
    return pop(value) && pop(key) && set_pairs({key, value});
  }
  bool one_item() {
    uint32_t value;
    return pop(value) && append({value}, false);
  }
  bool discard() {
    if (stack_.size() > floor()) {
      stack_.pop_back();
      return true;
    }
    if (marks_.empty()) return refuse("takes a value from an empty stack");
    marks_.pop_back();
    return true;
  }
  bool duplicate() {
    uint32_t value;
    if (!top(value)) return false;
    stack_.push_back(value);
    return true;
  }
  bool persistent(uint32_t id) {
    if (!push(PickleKind::kPersistent)) return false;
    parts(stack_.back()).arguments = id;
    return true;
  }
  bool persistent_line() {
    std::string_view id;
    uint32_t text;
    return line(id) && push_text(id) && pop(text) && persistent(text);
  }
  bool persistent_value() {
    uint32_t id;
    return pop(id) && persistent(id);
  }
  bool stop() {
    if (!marks_.empty() || stack_.size() != 1)
      return refuse(fmt::format("STOP with {} values on the stack; the file is damaged", stack_.size()));
    tree_.root = stack_[0];
    return stopped_ = true;
  }
  bool protocol() {
    uint64_t version;
    if (!number(1, version)) return false;
    return version <= 5 || refuse(fmt::format("pickle protocol {} is newer than 5", version));
  }
  bool frame() {
    uint64_t size;
    if (!number(8, size)) return false;
    return size <= bytes_.size() - at_ ||
           refuse(fmt::format("a frame of {} bytes, the file has {} left; it is truncated or damaged", size,
                              bytes_.size() - at_));
  }
  template <class Push>
  bool counted_as(size_t width, Push then) {
    std::string_view raw;
    return counted(width, raw) && then(raw);
  }
  bool text_line(bool quoted) {
    std::string_view raw;
    if (!line(raw)) return false;
    auto decoded = quoted ? decode_quoted(raw) : decode_raw_unicode(raw);
    if (!decoded) return refuse("a text has a malformed escape");
    std::string_view kept = keep(std::move(*decoded));
    return quoted ? push_old_string(kept) : push_text(kept);
  }
  bool numbered(size_t width, bool store) {
    uint64_t key;
    return number(width, key) && (store ? put(key) : get(key));
  }
  bool numbered_line(bool store) {
    uint64_t key;
    return line_number(key) && (store ? put(key) : get(key));
  }
  bool fixed_integer(size_t width) {
    uint64_t value;
    if (!number(width, value)) return false;
    return push_integer(PickleKind::kInteger,
                        width == 4 ? static_cast<int32_t>(value) : static_cast<int64_t>(value));
  }

  bool step(unsigned char opcode) {
    auto text = [this](std::string_view raw) { return push_text(raw); };
    auto bytes = [this](std::string_view raw) { return push_view(PickleKind::kBytes, raw); };
    auto old_string = [this](std::string_view raw) { return push_old_string(raw); };
    switch (opcode) {
      case '(':
        marks_.push_back(stack_.size());
        return true;
      case '.':
        return stop();
      case '0':
        return discard();
      case '1': {
        std::vector<uint32_t> gone;
        return pop_mark(gone);
      }
      case '2':
        return duplicate();
      case 'F':
        return float_line();
      case 'I':
        return integer_line(false);
      case 'L':
        return integer_line(true);
      case 'J':
        return fixed_integer(4);
      case 'K':
        return fixed_integer(1);
      case 'M':
        return fixed_integer(2);
      case 'N':
        return push(PickleKind::kNone);
      case 'P':
        return persistent_line();
      case 'Q':
        return persistent_value();
      case 'R':
        return call_with_stack(false);
      case 'S':
        return text_line(true);
      case 'T':
        return counted_as(4, old_string);
      case 'U':
        return counted_as(1, old_string);
      case 'V':
        return text_line(false);
      case 'X':
        return counted_as(4, text);
      case 'a':
        return one_item();
      case 'b':
        return build();
      case 'c':
        return global_lines();
      case 'd':
        return marked_new(PickleKind::kDict);
      case '}':
        return push(PickleKind::kDict);
      case 'e':
        return marked(false);
      case 'g':
        return numbered_line(false);
      case 'h':
        return numbered(1, false);
      case 'i':
        return old_instance(true);
      case 'j':
        return numbered(4, false);
      case 'l':
        return marked_new(PickleKind::kList);
      case ']':
        return push(PickleKind::kList);
      case 'o':
        return old_instance(false);
      case 'p':
        return numbered_line(true);
      case 'q':
        return numbered(1, true);
      case 'r':
        return numbered(4, true);
      case 's':
        return one_pair();
      case 't':
        return marked_new(PickleKind::kTuple);
      case ')':
        return push(PickleKind::kTuple);
      case 'u':
        return marked_pairs();
      case 'G':
        return binary_float();
      case 'B':
        return counted_as(4, bytes);
      case 'C':
        return counted_as(1, bytes);
      case 0x80:
        return protocol();
      case 0x81:
        return call_with_stack(true);
      case 0x82:
      case 0x83:
      case 0x84:
        return refuse(
            "uses copyreg's extension registry, whose codes mean nothing here; save it again without "
            "registered extensions");
      case 0x85:
        return tuple_of(1);
      case 0x86:
        return tuple_of(2);
      case 0x87:
        return tuple_of(3);
      case 0x88:
        return push_integer(PickleKind::kBool, 1);
      case 0x89:
        return push_integer(PickleKind::kBool, 0);
      case 0x8a:
        return binary_integer(1);
      case 0x8b:
        return binary_integer(4);
      case 0x8c:
        return counted_as(1, text);
      case 0x8d:
        return counted_as(8, text);
      case 0x8e:
        return counted_as(8, bytes);
      case 0x8f:
        return push(PickleKind::kSet);
      case 0x90:
        return marked(true);
      case 0x91:
        return marked_new(PickleKind::kSet);
      case 0x92:
        return new_object_with_keywords();
      case 0x93:
        return stack_global();
      case 0x94:
        return put(memo_count_);
      case 0x95:
        return frame();
      case 0x96:
        return counted_as(8, bytes);
      case 0x97:
      case 0x98:
        return refuse(
            "keeps data outside the file (out-of-band buffers); save it again without buffer_callback");
      default:
        return refuse(
            fmt::format("0x{:02x} is no pickle opcode; this is no pickle or it is damaged", opcode));
    }
  }

  PickleTree& tree_;
  std::string_view bytes_;
  const std::string& name_;
  size_t at_ = 0, opcode_at_ = 0;
  std::vector<uint32_t> stack_, memo_;
  std::vector<size_t> marks_;
  size_t memo_count_ = 0;
  size_t copies_left_;
  bool stopped_ = false;
  std::string error_;
};

}  // namespace

Result<PickleDocument> read_pickle(std::string bytes, const std::string& name) {
  auto tree = std::make_shared<PickleTree>();
  tree->bytes = std::move(bytes);
  try {
    MAEIL_TRY(Machine(*tree, name).run());
  } catch (const std::bad_alloc&) {
    return bad_input(name + ": the pickle does not fit into memory");
  }
  return PickleDocument(std::move(tree));
}

Result<PickleDocument> read_pickle_file(const std::filesystem::path& path) {
  MAEIL_ASSIGN(std::string bytes, read_file(path, kMaxPickle));
  return read_pickle(std::move(bytes), path.string());
}

}  // namespace maeil::format
