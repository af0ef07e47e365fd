#include "database/query_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "format/csv.h"

namespace maeil::database {
namespace {

bool is_blank(char c) { return static_cast<unsigned char>(c) <= ' '; }
bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

class Scanner {
 public:
  Scanner(Kind kind, const Query& query) : kind_(kind), query_(query), text_(query.text) {
    if (text_.starts_with(format::kUtf8Bom)) text_.remove_prefix(format::kUtf8Bom.size());
  }

  Result<Statement> scan() {
    if (text_.find('\0') != std::string_view::npos || !format::is_utf8(text_))
      return bad_input(fmt::format("{}: a query is text in UTF-8", query_.path));
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (starts("--") || starts("/*")) {
        MAEIL_TRY(skip_comment());
        continue;
      }
      if (ended_ && !is_blank(c) && c != ';')
        return wrong("a second statement begins here: a file has one query");
      if (is_quote(c)) {
        MAEIL_TRY(take_quoted(c));
      } else if (kind_ == Kind::kPostgresql && c == '$') {
        MAEIL_TRY(take_dollar());
      } else if (c == ';') {
        ended_ = true;
        ++at_;
      } else if (c == ':') {
        MAEIL_TRY(take_colon());
      } else if (kind_ != Kind::kPostgresql && c == '?') {
        return wrong("? stands for a value, and only :date has one");
      } else {
        take(1);
      }
    }
    while (!out_.sql.empty() && is_blank(out_.sql.back())) out_.sql.pop_back();
    if (std::ranges::all_of(out_.sql, is_blank))
      return bad_input(fmt::format("{}: there is no query", query_.path));
    return std::move(out_);
  }

 private:
  bool starts(std::string_view with) const { return text_.substr(at_).starts_with(with); }
  bool is_quote(char c) const { return c == '\'' || c == '"' || (c == '`' && kind_ != Kind::kPostgresql); }

  tl::unexpected<Error> wrong(const std::string& what) const {
    const auto line = 1 + std::ranges::count(text_.substr(0, at_), '\n');
    return bad_input(fmt::format("{}:{}: {}", query_.path, line, what));
  }

  void take(size_t bytes) {
    out_.sql += text_.substr(at_, bytes);
    at_ += bytes;
  }

  // A blank for the comment, and its line ends. PostgreSQL's may hold others.
  Status skip_comment() {
    size_t end = at_ + 2;
    if (starts("--")) {
      end = std::min(text_.find('\n', at_), text_.size());
    } else {
      for (int depth = 1; depth > 0; ++end) {
        if (end + 1 >= text_.size()) return wrong("the comment is not closed");
        const std::string_view two = text_.substr(end, 2);
        if (two == "*/") --depth, ++end;
        if (two == "/*" && kind_ == Kind::kPostgresql) ++depth, ++end;
      }
    }
    out_.sql += ' ';
    for (; at_ < end; ++at_) {
      if (text_[at_] == '\n') out_.sql += '\n';
    }
    return {};
  }

  // A doubled quote is two quoted texts side by side. Behind PostgreSQL's E'' a backslash takes the next
  // character with it.
  Status take_quoted(char quote) {
    const bool escapes = kind_ == Kind::kPostgresql && quote == '\'' && at_ > 0 &&
                         (text_[at_ - 1] == 'E' || text_[at_ - 1] == 'e') &&
                         (at_ < 2 || !is_word(text_[at_ - 2]));
    for (size_t end = at_ + 1; end < text_.size(); ++end) {
      if (escapes && text_[end] == '\\') {
        ++end;
      } else if (text_[end] == quote) {
        take(end + 1 - at_);
        return {};
      }
    }
    return wrong(fmt::format("the {} is not closed", quote));
  }

  // $tag$ text $tag$, $1, or a $ within a name.
  Status take_dollar() {
    if (at_ > 0 && is_word(text_[at_ - 1])) {
      take(1);
      return {};
    }
    size_t end = at_ + 1;
    while (end < text_.size() && is_word(text_[end])) ++end;
    if (end < text_.size() && text_[end] == '$' &&
        (end == at_ + 1 || text_[at_ + 1] < '0' || text_[at_ + 1] > '9')) {
      const std::string_view tag = text_.substr(at_, end + 1 - at_);
      const size_t close = text_.find(tag, end + 1);
      if (close == std::string_view::npos) return wrong(fmt::format("the text from {} is not closed", tag));
      take(close + tag.size() - at_);
      return {};
    }
    if (end > at_ + 1)
      return wrong(
          fmt::format("{} stands for a value, and only :date has one", text_.substr(at_, end - at_)));
    take(1);
    return {};
  }

  // ::type, :=, [1:2] and [a:b], :date
  Status take_colon() {
    if (starts("::") || starts(":=")) {
      take(2);
      return {};
    }
    size_t end = at_ + 1;
    while (end < text_.size() && is_word(text_[end])) ++end;
    const std::string_view name = text_.substr(at_ + 1, end - at_ - 1);
    const bool is_parameter = !name.empty() && (name[0] < '0' || name[0] > '9') &&
                              (at_ == 0 || (!is_word(text_[at_ - 1]) && text_[at_ - 1] != ']'));
    if (!is_parameter) {
      take(1);
      return {};
    }
    if (name != "date") return wrong(fmt::format(":{} stands for a value, and only :date has one", name));
    ++out_.dates;
    out_.sql += kind_ == Kind::kPostgresql ? "CAST($1 AS date)" : kind_ == Kind::kSqlite ? "?1" : "?";
    at_ = end;
    return {};
  }

  Kind kind_;
  const Query& query_;
  std::string_view text_;
  size_t at_ = 0;
  bool ended_ = false;
  Statement out_;
};

}  // namespace

Result<Query> read_query(const std::string& path) {
  MAEIL_ASSIGN(std::string text, read_file(path, 1 << 20));
  return Query{path, std::move(text)};
}

Result<Statement> make_statement(Kind kind, const Query& query) { return Scanner(kind, query).scan(); }

}  // namespace maeil::database
