// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/rules/intake/json_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <vector>

#include "base/text.hpp"
#include "routing/rules/intake/row_builder.hpp"

namespace syncline::rules {
namespace {

namespace json = boost::json;

// Deeper than any row: groups are the second level. What is ignored (`note`, `expect_*`) may hold more.
constexpr std::size_t kMaxDepth = 32;

// Events of the parser into a row. Names outside the two known levels are wrong unless their value is
// ignored.
class RowHandler {
 public:
  static constexpr std::size_t max_object_size = kMaxColumns;
  static constexpr std::size_t max_array_size = kMaxColumns;
  static constexpr std::size_t max_key_size = 1000;
  static constexpr std::size_t max_string_size = kMaxCellOctets;

  explicit RowHandler(InputRow& row) : builder_(row) {}

  std::optional<std::string> reason;
  std::string column;

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }

  bool on_object_begin(json::error_code& ec) {
    ++depth_;
    if (depth_ == 1 || in_ignored()) return true;
    if (depth_ == 2 && !group_.empty()) return true;
    return wrong("an object where a value is expected", ec);
  }
  bool on_object_end(std::size_t, json::error_code&) {
    leave();
    return true;
  }
  bool on_array_begin(json::error_code& ec) {
    ++depth_;
    if (depth_ > 1 && in_ignored()) return true;
    return wrong(depth_ == 1 ? "a list where an object is expected" : "a list where a value is expected", ec);
  }
  bool on_array_end(std::size_t, json::error_code&) {
    leave();
    return true;
  }

  bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_key(json::string_view rest, std::size_t, json::error_code& ec) {
    text_.append(rest.data(), rest.size());
    const std::string key = std::move(text_);
    text_.clear();
    if (in_ignored()) return true;
    if (depth_ == 1) {
      if (const auto prefix = prefix_of_group(key)) {
        column = key;
        ignoring_from_ = 0;
        group_ = *prefix;
        if (std::find(groups_.begin(), groups_.end(), *prefix) != groups_.end()) {
          return wrong("the group is given twice", ec);
        }
        groups_.push_back(*prefix);
        return true;
      }
    }
    auto problem = builder_.name(depth_ == 2 ? group_ : std::string_view{}, key);
    column = builder_.current();
    if (problem) return wrong(std::move(*problem), ec);
    ignoring_from_ = builder_.ignores_value() ? depth_ : 0;
    return true;
  }

  bool on_string_part(json::string_view part, std::size_t, json::error_code&) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_string(json::string_view rest, std::size_t, json::error_code& ec) {
    text_.append(rest.data(), rest.size());
    const std::string value = std::move(text_);
    text_.clear();
    return value_of([&] { return builder_.text(value); }, ec);
  }
  bool on_number_part(json::string_view, json::error_code&) { return true; }
  bool on_int64(std::int64_t value, json::string_view, json::error_code& ec) {
    return value_of([&] { return builder_.integer(value); }, ec);
  }
  bool on_uint64(std::uint64_t, json::string_view, json::error_code& ec) {
    return value_of([&] { return std::optional<std::string>{"the number is too large"}; }, ec);
  }
  bool on_double(double value, json::string_view, json::error_code& ec) {
    return value_of([&] { return builder_.real(value); }, ec);
  }
  bool on_bool(bool value, json::error_code& ec) {
    return value_of([&] { return builder_.boolean(value); }, ec);
  }
  bool on_null(json::error_code& ec) {
    return value_of([] { return std::optional<std::string>{}; }, ec);
  }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  bool in_ignored() const noexcept {
    return ignoring_from_ != 0 && depth_ >= ignoring_from_ && value_pending();
  }
  // A key whose value is ignored was read and that value is not over: deeper, or at the same depth before it
  // came.
  bool value_pending() const noexcept { return depth_ > ignoring_from_; }

  void leave() {
    --depth_;
    if (depth_ == 1) group_ = {};
  }

  template <class Set>
  bool value_of(Set set, json::error_code& ec) {
    if (depth_ == 0) return wrong("a value where an object is expected", ec);
    if (in_ignored()) return true;
    if (depth_ == 1 && !group_.empty()) return wrong("a value where an object is expected", ec);
    if (auto problem = set()) return wrong(std::move(*problem), ec);
    return true;
  }
  bool wrong(std::string what, json::error_code& ec) {
    reason = std::move(what);
    ec = json::error::syntax;
    return false;
  }

  RowBuilder builder_;
  std::string text_;
  std::string_view group_;
  std::vector<std::string_view> groups_;
  std::size_t depth_ = 0;
  std::size_t ignoring_from_ = 0;
};

std::uint64_t lines_in(std::string_view text) {
  return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

expected<bool, InputProblem> parse_object(std::string_view text, InputRow& row) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::basic_parser<RowHandler> parser{options, row};
  json::error_code ec;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
  if (!ec && parser.done() && text.find_first_not_of(" \t\r\n", used) == std::string_view::npos) return true;
  InputProblem problem{row.line + lines_in(text.substr(0, std::min(used, text.size()))), row.number, "", "",
                       false};
  if (parser.handler().reason) {
    problem.column = parser.handler().column;
    problem.reason = *parser.handler().reason;
  } else if (ec) {
    problem.column = parser.handler().column;
    problem.reason = fmt::format("not valid JSON: {}", ec.message());
  } else {
    problem.reason = "not valid JSON: text after the object";
  }
  return unexpected<InputProblem>{std::move(problem)};
}

void skip_mark(std::istream& input) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  for (std::size_t i = 0; i < kMark.size(); ++i) {
    if (input.peek() != static_cast<unsigned char>(kMark[i])) return;
    input.get();
  }
}

class JsonLines : public RowReader {
 public:
  explicit JsonLines(std::istream& input) : input_(input) { skip_mark(input_); }

  expected<bool, InputProblem> next(InputRow& row) override {
    for (;;) {
      bool too_long = false;
      if (!read_line(too_long)) {
        if (row_ == 0) return unexpected<InputProblem>{{0, 0, "", "the file is empty", true}};
        return false;
      }
      ++line_number_;
      if (!too_long && line_.find_first_not_of(" \t\r") == std::string::npos) continue;
      row.number = ++row_;
      row.line = line_number_;
      if (too_long) {
        return unexpected<InputProblem>{
            {row.line, row.number, "", fmt::format("a row of more than {} octets", kMaxRowOctets), false}};
      }
      return parse_object(line_, row);
    }
  }

 private:
  bool read_line(bool& too_long) {
    line_.clear();
    std::streambuf& source = *input_.rdbuf();
    bool any = false;
    for (int c = source.sbumpc(); c != std::char_traits<char>::eof(); c = source.sbumpc()) {
      any = true;
      if (c == '\n') return true;
      if (line_.size() < kMaxRowOctets) {
        line_.push_back(static_cast<char>(c));
      } else {
        too_long = true;
      }
    }
    return any;
  }

  std::istream& input_;
  std::string line_;
  std::uint64_t line_number_ = 0;
  std::uint64_t row_ = 0;
};

// Finds where each object of an array, or of a sequence, ends; what is in it is the parser's to judge.
class JsonRows : public RowReader {
 public:
  explicit JsonRows(std::istream& input) : input_(input) { skip_mark(input_); }

  expected<bool, InputProblem> next(InputRow& row) override {
    int c = skip_space();
    if (!begun_) {
      begun_ = true;
      if (c == kEnd) return broken("the file is empty");
      in_array_ = c == '[';
      if (in_array_) {
        take();
        c = skip_space();
        if (c == ']') return close_array();
      }
    } else if (in_array_) {
      if (c == ']') return close_array();
      if (c != ',') return broken(c == kEnd ? "the list is never closed" : "a comma or ] is expected");
      take();
      c = skip_space();
    } else if (c == kEnd) {
      return false;
    }
    if (c != '{') return broken(c == kEnd ? "the list is never closed" : "an object is expected");
    row.number = ++row_;
    row.line = line_;
    bool too_long = false;
    if (!take_object(too_long)) return broken("the object that begins here is never closed", row.line);
    if (too_long) {
      return unexpected<InputProblem>{
          {row.line, row.number, "", fmt::format("a row of more than {} octets", kMaxRowOctets), false}};
    }
    return parse_object(text_, row);
  }

 private:
  static constexpr int kEnd = std::char_traits<char>::eof();

  int peek() { return input_.rdbuf()->sgetc(); }
  int take() {
    const int c = input_.rdbuf()->sbumpc();
    if (c == '\n') ++line_;
    return c;
  }
  int skip_space() {
    int c = peek();
    while (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      take();
      c = peek();
    }
    return c;
  }
  unexpected<InputProblem> broken(std::string reason, std::uint64_t line = 0) const {
    return unexpected<InputProblem>{
        {line == 0 ? line_ : line, row_, "", fmt::format("not valid JSON: {}", reason), true}};
  }
  expected<bool, InputProblem> close_array() {
    take();
    if (skip_space() != kEnd) return broken("text after the list");
    in_array_ = false;
    return false;
  }
  bool take_object(bool& too_long) {
    text_.clear();
    std::size_t depth = 0;
    bool in_string = false;
    bool escaped = false;
    for (int c = take(); c != kEnd; c = take()) {
      if (text_.size() < kMaxRowOctets) {
        text_.push_back(static_cast<char>(c));
      } else {
        too_long = true;
      }
      if (in_string) {
        if (escaped) {
          escaped = false;
        } else if (c == '\\') {
          escaped = true;
        } else if (c == '"') {
          in_string = false;
        }
      } else if (c == '"') {
        in_string = true;
      } else if (c == '{' || c == '[') {
        ++depth;
      } else if ((c == '}' || c == ']') && --depth == 0) {
        return true;
      }
    }
    return false;
  }

  std::istream& input_;
  std::string text_;
  std::uint64_t line_ = 1;
  std::uint64_t row_ = 0;
  bool begun_ = false;
  bool in_array_ = false;
};

}  // namespace

std::unique_ptr<RowReader> read_json_rows(std::istream& input) {
  return std::make_unique<JsonRows>(input);
}
std::unique_ptr<RowReader> read_json_lines(std::istream& input) {
  return std::make_unique<JsonLines>(input);
}

}  // namespace syncline::rules
