// SPDX-License-Identifier: GPL-3.0-or-later
#include "sync/plan/expression.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cmath>
#include <optional>
#include <span>
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
  std::vector<std::string> path = {};  ///< within an object: "BusinessPhone"; "Business", "city"
  model::FieldType type = model::FieldType::text;
  bool is_number = false;  ///< compared as a number
  Operator operation = Operator::equal;
  std::string value = {};
};

namespace {

constexpr std::size_t length_limit = 4096;
constexpr int depth_limit = 64;

/// The texts by which a value can be compared: one of a plain value, one for each element of a set and each
/// entry of a dictionary, address and name of a person.
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
    case json::kind::null:
    case json::kind::array:
    case json::kind::object:
      break;
  }
}
void texts_of_person(const json::value* person, std::vector<std::string>& out) {
  const json::object* object = person == nullptr ? nullptr : person->if_object();
  if (object == nullptr) return;
  for (const char* part : {"emailAddress", "name"})
    if (const json::value* said = object->if_contains(part)) texts_of(*said, out);
}
void texts_of_field(model::FieldType type, const json::value& value, std::vector<std::string>& out) {
  using enum model::FieldType;
  if (const json::array* elements = value.if_array()) {
    for (const json::value& element : *elements) {
      const json::object* object = element.if_object();
      if (type == people)
        texts_of_person(&element, out);
      else if (type == attendees)
        texts_of_person(object == nullptr ? nullptr : object->if_contains("mailbox"), out);
      else if (object == nullptr)
        texts_of(element, out);
      else
        for (const char* part : {"originalStart", "name"})
          if (const json::value* said = object->if_contains(part)) texts_of(*said, out);
    }
    return;
  }
  const json::object* object = value.if_object();
  if (object == nullptr) return texts_of(value, out);
  if (type == person) return texts_of_person(&value, out);
  if (type == entries || type == addresses) {
    for (const auto& [key, entry] : *object) {
      texts_of(entry, out);
      if (const json::object* address = entry.if_object())
        for (const auto& [name, part] : *address) texts_of(part, out);
    }
    return;
  }
  for (const char* part : {"value", "id"})
    if (const json::value* said = object->if_contains(part)) return texts_of(*said, out);
}

std::optional<double> number_of(std::string_view text) {
  double number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc() || end != text.data() + text.size() || !std::isfinite(number))
    return std::nullopt;
  return number;
}

/// Negative, zero or positive; nullopt: no number, which compares with none.
std::optional<int> compare_numbers(std::string_view a, std::string_view b) {
  const auto left = number_of(a);
  const auto right = number_of(b);
  if (!left || !right) return std::nullopt;
  return *left < *right ? -1 : *left > *right ? 1 : 0;
}
/// Dates and instants are in order as texts.
int compare_texts(std::string_view a, std::string_view b) {
  return text::to_lower_ascii(a).compare(text::to_lower_ascii(b));
}

/// "false" does not.
bool says_something(const model::FieldInfo& field, const json::value& value) {
  return !model::same_value(field, value, nullptr) && value != json::value(false);
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
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }
  static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
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
    std::vector<NodePtr> parts;
    do {
      auto part = kind == Node::Kind::any ? all(depth) : term(depth);
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
    const std::vector<std::string_view> names = text::split(word, '.');
    node.field = names.front();
    node.path.assign(names.begin() + 1, names.end());
    const model::FieldInfo* field = model::find_field(kind_, node.field);
    if (field == nullptr || !has_part(*field, node.path))
      return fail(ErrorDomain::input, "unknown-field",
                  "column " + std::to_string(at_ + 1) + ": " + std::string(to_string(kind_)) +
                      " has no field " + std::string(word));
    node.type = field->type;
    node.is_number = field->type == model::FieldType::integer || field->type == model::FieldType::number;
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
    skip_blanks();
    const std::size_t value_at = at_;
    auto value = literal();
    if (!value) return fail(std::move(value.error()));
    if (node.operation != Operator::contains)
      if (const std::string must = must_be(*field, *value); !must.empty()) {
        at_ = value_at;
        return expected(must);
      }
    node.kind = Node::Kind::comparison;
    node.value = std::move(*value);
    return std::make_shared<const Node>(std::move(node));
  }

  /// Whether a value of the field may have this part.
  static bool has_part(const model::FieldInfo& field, const std::vector<std::string>& path) {
    using enum model::FieldType;
    constexpr std::string_view address_parts[] = {"street", "city", "state", "countryOrRegion", "postalCode"};
    constexpr std::string_view person_parts[] = {"emailAddress", "name"};
    constexpr std::string_view body_parts[] = {"type", "value"};
    constexpr std::string_view zone_parts[] = {"id"};
    const auto among = [](std::span<const std::string_view> names, const std::string& name) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (path.empty()) return true;
    if (path.size() == 2)
      return field.type == addresses && among(field.choices, path[0]) && among(address_parts, path[1]);
    if (path.size() > 2) return false;
    switch (field.type) {
      case entries:
        return !path[0].empty() && (field.choices.empty() || among(field.choices, path[0]));
      case addresses:
        return among(field.choices, path[0]);
      case person:
        return among(person_parts, path[0]);
      case body:
        return among(body_parts, path[0]);
      case zone:
        return among(zone_parts, path[0]);
      default:
        return false;
    }
  }
  /// What a value has to be that can be equal to the field's at all; empty: this one can. A misspelt word
  /// would make a filter that never takes anything.
  static std::string must_be(const model::FieldInfo& field, std::string_view value) {
    using enum model::FieldType;
    if (field.type == integer || field.type == number) return number_of(value) ? "" : "a number";
    if (field.type == boolean)
      return text::equals_ignore_case(value, "true") || text::equals_ignore_case(value, "false")
                 ? ""
                 : "true or false";
    if (field.type != choice) return {};
    std::string must = "one of";
    for (const std::string_view word : field.choices) {
      if (text::equals_ignore_case(word, value)) return {};
      must.append(" ").append(word);
    }
    return must;
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
  const json::value* value = fields.if_contains(node.field);
  for (const std::string& part : node.path) {
    const json::object* object = value == nullptr ? nullptr : value->if_object();
    value = object == nullptr ? nullptr : object->if_contains(part);
  }
  if (value == nullptr) return node.operation == Node::Operator::unequal;
  // A part of a dictionary is a text, or a postal address: a dictionary of texts.
  const model::FieldType type = node.path.empty() ? node.type : model::FieldType::entries;
  if (node.kind == Node::Kind::said) return says_something({.name = node.field, .type = type}, *value);
  std::vector<std::string> texts;
  texts_of_field(type, *value, texts);
  using Operator = Node::Operator;
  const std::string wanted = text::to_lower_ascii(node.value);
  const auto holds = [&](const std::string& said) {
    if (node.operation == Operator::contains)
      return text::to_lower_ascii(said).find(wanted) != std::string::npos;
    const std::optional<int> order =
        node.is_number ? compare_numbers(said, wanted) : compare_texts(said, wanted);
    if (!order) return false;
    switch (node.operation) {
      case Operator::equal:
      case Operator::unequal:
        return *order == 0;
      case Operator::less:
        return *order < 0;
      case Operator::at_most:
        return *order <= 0;
      case Operator::more:
        return *order > 0;
      case Operator::at_least:
        return *order >= 0;
      case Operator::contains:
        break;
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
