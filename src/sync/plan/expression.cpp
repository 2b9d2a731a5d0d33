// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/plan/expression.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/text.hpp"
#include "model/field_catalogue.hpp"

namespace syncline::sync::plan {

namespace json = boost::json;

struct Expression::Node {
  enum class Kind : std::uint8_t { all, any, negation, comparison, said };
  enum class Operator : std::uint8_t { equal, unequal, less, at_most, more, at_least, contains };
  Kind kind = Kind::said;
  std::vector<std::shared_ptr<const Node>> parts = {};  ///< of all, any and negation
  std::string field = {};
  std::string key = {};  ///< of a dictionary
  Operator operation = Operator::equal;
  std::string value = {};
};

namespace {

constexpr std::size_t length_limit = 4096;
constexpr int depth_limit = 64;

/// The texts by which a value can be compared: one of a plain value, one for each element of a set.
void texts_of(const json::value& value, std::vector<std::string>& out) {
  switch (value.kind()) {
    case json::kind::string:
      out.emplace_back(value.get_string());
      break;
    case json::kind::bool_:
      out.emplace_back(value.get_bool() ? "true" : "false");
      break;
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_:
      out.push_back(json::serialize(value));
      break;
    case json::kind::array:
      for (const json::value& element : value.get_array()) {
        if (const json::object* object = element.if_object()) {
          const json::value* mailbox = object->if_contains("mailbox");
          const json::object* person = mailbox == nullptr ? object : mailbox->if_object();
          for (const char* part : {"emailAddress", "name"})
            if (const json::value* said = person == nullptr ? nullptr : person->if_contains(part);
                said != nullptr && said->is_string())
              out.emplace_back(said->get_string());
        } else if (element.is_string()) {
          out.emplace_back(element.get_string());
        }
      }
      break;
    case json::kind::object:
      for (const char* part : {"value", "id", "emailAddress", "name"})
        if (const json::value* said = value.get_object().if_contains(part);
            said != nullptr && said->is_string())
          out.emplace_back(said->get_string());
      break;
    case json::kind::null:
      break;
  }
}

std::optional<double> number_of(std::string_view text) {
  if (text.empty() || text.size() > 30) return std::nullopt;
  if (text.find_first_not_of("0123456789.-+eE") != std::string_view::npos) return std::nullopt;
  char* end = nullptr;
  const std::string copy(text);
  const double number = std::strtod(copy.c_str(), &end);
  if (end != copy.c_str() + copy.size()) return std::nullopt;
  return number;
}

/// Numbers as numbers, dates and other texts as texts.
int compare(std::string_view a, std::string_view b) {
  const auto left = number_of(a);
  const auto right = number_of(b);
  if (left && right) return *left < *right ? -1 : *left > *right ? 1 : 0;
  const std::string folded_a = text::to_lower_ascii(a);
  const std::string folded_b = text::to_lower_ascii(b);
  return folded_a.compare(folded_b) < 0 ? -1 : folded_a == folded_b ? 0 : 1;
}

}  // namespace

class ExpressionParser {
 public:
  using Node = Expression::Node;
  using NodePtr = std::shared_ptr<const Node>;

  ExpressionParser(std::string_view text, model::RecordKind kind) : text_(text), kind_(kind) {}

  Result<Expression> run() {
    auto root = any(0);
    if (!root) return fail(std::move(root.error()));
    skip_blanks();
    if (at_ != text_.size()) return expected("`and`, `or` or the end");
    return Expression(std::move(*root));
  }

 private:
  unexpected<Error> expected(std::string_view what) const {
    return fail(ErrorDomain::input, "bad-expression",
                "column " + std::to_string(at_ + 1) + ": expected " + std::string(what));
  }
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n')) ++at_;
  }
  static bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  }
  std::string_view peek_word() {
    skip_blanks();
    std::size_t end = at_;
    while (end < text_.size() && is_name_character(text_[end])) ++end;
    return text_.substr(at_, end - at_);
  }
  bool take_word(std::string_view word) {
    if (!text::equals_ignore_case(peek_word(), word)) return false;
    at_ += word.size();
    return true;
  }

  Result<NodePtr> any(int depth) { return chain(depth, "or", Node::Kind::any); }
  Result<NodePtr> all(int depth) { return chain(depth, "and", Node::Kind::all); }
  Result<NodePtr> chain(int depth, std::string_view word, Node::Kind kind) {
    if (depth > depth_limit) return expected("less nesting");
    std::vector<NodePtr> parts;
    do {
      auto part = kind == Node::Kind::any ? all(depth + 1) : term(depth + 1);
      if (!part) return part;
      parts.push_back(std::move(*part));
    } while (take_word(word));
    if (parts.size() == 1) return parts.front();
    Node node;
    node.kind = kind;
    node.parts = std::move(parts);
    return std::make_shared<const Node>(std::move(node));
  }

  Result<NodePtr> term(int depth) {
    if (depth > depth_limit) return expected("less nesting");
    if (take_word("not")) {
      auto part = term(depth + 1);
      if (!part) return part;
      Node node;
      node.kind = Node::Kind::negation;
      node.parts.push_back(std::move(*part));
      return std::make_shared<const Node>(std::move(node));
    }
    skip_blanks();
    if (at_ < text_.size() && text_[at_] == '(') {
      ++at_;
      auto inner = any(depth + 1);
      if (!inner) return inner;
      skip_blanks();
      if (at_ == text_.size() || text_[at_] != ')') return expected("`)`");
      ++at_;
      return inner;
    }
    return comparison();
  }

  Result<NodePtr> comparison() {
    const std::string_view word = peek_word();
    if (word.empty()) return expected("a field");
    Node node;
    const std::size_t dot = word.find('.');
    node.field = word.substr(0, dot);
    if (dot != std::string_view::npos) node.key = word.substr(dot + 1);
    if (model::find_field(kind_, node.field) == nullptr)
      return fail(ErrorDomain::input, "unknown-field",
                  "column " + std::to_string(at_ + 1) + ": " + std::string(to_string(kind_)) +
                      " has no field " + node.field);
    at_ += word.size();
    skip_blanks();
    using Operator = Node::Operator;
    constexpr std::pair<std::string_view, Operator> operators[] = {
        {"!=", Operator::unequal}, {"<=", Operator::at_most}, {">=", Operator::at_least},
        {"=", Operator::equal},    {"<", Operator::less},     {">", Operator::more},
    };
    bool found = false;
    for (const auto& [sign, operation] : operators)
      if (text_.substr(at_).starts_with(sign)) {
        at_ += sign.size();
        node.operation = operation;
        found = true;
        break;
      }
    if (!found && take_word("contains")) {
      node.operation = Operator::contains;
      found = true;
    }
    if (!found) return std::make_shared<const Node>(std::move(node));
    auto value = literal();
    if (!value) return fail(std::move(value.error()));
    node.kind = Node::Kind::comparison;
    node.value = std::move(*value);
    return std::make_shared<const Node>(std::move(node));
  }

  Result<std::string> literal() {
    skip_blanks();
    if (at_ < text_.size() && text_[at_] == '"') {
      std::string value;
      for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
        if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
        value += text_[at_];
      }
      if (at_ == text_.size()) return expected("a closing quotation mark");
      ++at_;
      return value;
    }
    std::size_t end = at_;
    while (end < text_.size() && (is_name_character(text_[end]) || text_[end] == '-' || text_[end] == ':'))
      ++end;
    if (end == at_) return expected("a value");
    std::string value(text_.substr(at_, end - at_));
    at_ = end;
    return value;
  }

  std::string_view text_;
  model::RecordKind kind_;
  std::size_t at_ = 0;
};

Result<Expression> Expression::parse(std::string_view text, model::RecordKind kind) {
  if (text.size() > length_limit)
    return fail(ErrorDomain::input, "bad-expression", "an expression has at most 4096 octets");
  return ExpressionParser(text, kind).run();
}

bool Expression::evaluate(const Node& node, const model::Fields& fields) {
  switch (node.kind) {
    case Node::Kind::all:
      return std::all_of(node.parts.begin(), node.parts.end(),
                         [&](const auto& part) { return evaluate(*part, fields); });
    case Node::Kind::any:
      return std::any_of(node.parts.begin(), node.parts.end(),
                         [&](const auto& part) { return evaluate(*part, fields); });
    case Node::Kind::negation:
      return !evaluate(*node.parts.front(), fields);
    case Node::Kind::comparison:
    case Node::Kind::said:
      break;
  }
  std::vector<std::string> texts;
  if (const json::value* value = fields.if_contains(node.field)) {
    if (node.key.empty()) {
      texts_of(*value, texts);
    } else if (const json::object* dictionary = value->if_object()) {
      if (const json::value* entry = dictionary->if_contains(node.key)) texts_of(*entry, texts);
    }
  }
  if (node.kind == Node::Kind::said)
    return std::any_of(texts.begin(), texts.end(),
                       [](const std::string& said) { return !said.empty() && said != "false"; });
  using Operator = Node::Operator;
  const auto holds = [&](const std::string& said) {
    switch (node.operation) {
      case Operator::equal:
      case Operator::unequal:
        return compare(said, node.value) == 0;
      case Operator::less:
        return compare(said, node.value) < 0;
      case Operator::at_most:
        return compare(said, node.value) <= 0;
      case Operator::more:
        return compare(said, node.value) > 0;
      case Operator::at_least:
        return compare(said, node.value) >= 0;
      case Operator::contains:
        return text::to_lower_ascii(said).find(text::to_lower_ascii(node.value)) != std::string::npos;
    }
    return false;
  };
  const bool any_holds = std::any_of(texts.begin(), texts.end(), holds);
  return node.operation == Operator::unequal ? !any_holds : any_holds;
}

bool Expression::matches(const model::Fields& fields) const {
  return evaluate(*root_, fields);
}

}  // namespace syncline::sync::plan
