// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/rules/condition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace syncline::rules {

// The catalogue is built once, from literals: a word outside its field's domain or a day that does not exist
// is a slip of whoever wrote the rule, and ends the program in the first test that loads the catalogue.
namespace {

[[noreturn]] void slip(std::string what) {
  throw std::logic_error(std::move(what));
}

}  // namespace

Condition::Condition() : nodes_{Node{}} {}

bool Condition::always() const noexcept {
  return nodes_.front().op == Op::always;
}

Condition Condition::leaf(const Node& node) {
  Condition condition;
  condition.nodes_.front() = node;
  return condition;
}

Condition Condition::group(Op op, const Condition& a, const Condition& b) {
  Condition result;
  result.nodes_.front().op = op;
  const auto append = [&](const Condition& part) {
    // a ∧ (b ∧ c) is one group of three: conditions stay flat.
    const auto skip = part.nodes_.front().op == op ? 1 : 0;
    result.nodes_.insert(result.nodes_.end(), part.nodes_.begin() + skip, part.nodes_.end());
  };
  append(a);
  append(b);
  result.nodes_.front().size = static_cast<std::uint32_t>(result.nodes_.size());
  return result;
}

Condition operator&&(Condition a, const Condition& b) {
  if (a.always()) return b;
  if (b.always()) return a;
  return Condition::group(Condition::Op::all, a, b);
}

Condition operator||(Condition a, const Condition& b) {
  return Condition::group(Condition::Op::any, a, b);
}

Condition operator!(const Condition& a) {
  Condition result;
  result.nodes_.front().op = Condition::Op::none_of;
  result.nodes_.insert(result.nodes_.end(), a.nodes_.begin(), a.nodes_.end());
  result.nodes_.front().size = static_cast<std::uint32_t>(result.nodes_.size());
  return result;
}

Condition named(std::string_view name, const Condition& condition) {
  Condition result = !condition;
  result.nodes_.front().op = Condition::Op::named;
  result.nodes_.front().text = name;
  return result;
}

Condition Condition::words(Field field, std::initializer_list<Word> words, bool negative) {
  Node node;
  node.op = Op::word_in;
  node.field = field;
  node.negative = negative;
  if (info(field).kind != FieldKind::word) slip(fmt::format("{} does not take codes", name_of(field)));
  for (const Word word : words) {
    const auto index = index_in_domain(field, word);
    if (!index) slip(fmt::format("{} does not take {}", name_of(field), to_string(word)));
    node.mask |= 1U << *index;
  }
  const std::uint32_t domain = (1U << info(field).domain.size()) - 1;
  if (negative) node.mask = domain & ~node.mask;
  return leaf(node);
}

Condition in(Field field, std::initializer_list<Word> words) {
  return Condition::words(field, words, false);
}
Condition not_in(Field field, std::initializer_list<Word> words) {
  return Condition::words(field, words, true);
}

Condition is_empty(Field field) {
  Condition::Node node;
  node.op = Condition::Op::empty;
  node.field = field;
  return Condition::leaf(node);
}

Condition is_set(Field field) {
  Condition::Node node;
  node.op = Condition::Op::set;
  node.field = field;
  return Condition::leaf(node);
}

Condition Condition::numbers(Field field, std::initializer_list<std::int32_t> numbers, Op op) {
  Node node;
  node.op = op;
  node.field = field;
  if (numbers.size() == 0 || numbers.size() > node.numbers.size())
    slip("a set of one to four numbers is expected");
  node.numbers.fill(*numbers.begin());
  std::copy(numbers.begin(), numbers.end(), node.numbers.begin());
  node.number = static_cast<std::int64_t>(numbers.size());
  return leaf(node);
}

Condition in_numbers(Field field, std::initializer_list<std::int32_t> numbers) {
  return Condition::numbers(field, numbers, Condition::Op::number_in);
}
Condition not_in_numbers(Field field, std::initializer_list<std::int32_t> numbers) {
  return Condition::numbers(field, numbers, Condition::Op::number_not_in);
}

Condition is_before(Field a, Field b) {
  Condition::Node node;
  node.op = Condition::Op::before;
  node.field = a;
  node.other = b;
  return Condition::leaf(node);
}

Condition is_further_back(Field a, Field b, Field days) {
  Condition::Node node;
  node.op = Condition::Op::further_back;
  node.field = a;
  node.other = b;
  node.days = days;
  return Condition::leaf(node);
}

Condition text_is(Field field, Condition::TextTest test, std::string_view text) {
  Condition::Node node;
  node.op = Condition::Op::text_test;
  node.field = field;
  node.test = test;
  node.text = text;
  return Condition::leaf(node);
}

Condition compare(Field field, Condition::Compare how, std::int64_t number) {
  Condition::Node node;
  switch (how) {
    case Condition::Compare::less:
      node.op = Condition::Op::less;
      break;
    case Condition::Compare::at_most:
      node.op = Condition::Op::at_most;
      break;
    case Condition::Compare::greater:
      node.op = Condition::Op::greater;
      break;
    case Condition::Compare::at_least:
      node.op = Condition::Op::at_least;
      break;
  }
  node.field = field;
  node.number = number;
  return Condition::leaf(node);
}

Condition on_or_after(Field field, std::string_view day) {
  const auto parsed = parse_day(day);
  if (!parsed) slip(fmt::format("{} is not a day", day));
  return compare(field, Condition::Compare::at_least, *parsed);
}

Condition before(Field field, std::string_view day) {
  const auto parsed = parse_day(day);
  if (!parsed) slip(fmt::format("{} is not a day", day));
  return compare(field, Condition::Compare::less, *parsed);
}

bool Condition::evaluate(const Node* node, const FieldValues& values, FieldSet& read) {
  const auto there = [&](Field field) {
    read.insert(field);
    return !values.is_empty(field);
  };
  const auto is_listed = [&] {
    const auto number = values.number(node->field);
    return std::find(node->numbers.begin(), node->numbers.end(), number) != node->numbers.end();
  };
  switch (node->op) {
    case Op::always:
      return true;
    case Op::all:
      for (const Node* child = node + 1; child < node + node->size; child += child->size) {
        if (!evaluate(child, values, read)) return false;
      }
      return true;
    case Op::any:
      for (const Node* child = node + 1; child < node + node->size; child += child->size) {
        if (evaluate(child, values, read)) return true;
      }
      return false;
    case Op::none_of:
      return !evaluate(node + 1, values, read);
    case Op::named:
      return evaluate(node + 1, values, read);
    case Op::word_in:
      read.insert(node->field);
      return ((node->mask >> values.index(node->field)) & 1U) != 0;
    case Op::empty:
      return !there(node->field);
    case Op::set:
      return there(node->field);
    case Op::number_in:
      return there(node->field) && is_listed();
    case Op::number_not_in:
      return there(node->field) && !is_listed();
    case Op::less:
      return there(node->field) && values.number(node->field) < node->number;
    case Op::at_most:
      return there(node->field) && values.number(node->field) <= node->number;
    case Op::greater:
      return there(node->field) && values.number(node->field) > node->number;
    case Op::at_least:
      return there(node->field) && values.number(node->field) >= node->number;
    case Op::before:
      return there(node->field) && there(node->other) &&
             values.number(node->field) < values.number(node->other);
    case Op::further_back:
      // Days lie within years 1 to 9999, so the difference cannot overflow, which `other - days` could.
      return there(node->field) && there(node->other) && there(node->days) &&
             values.number(node->other) - values.number(node->field) > values.number(node->days);
    case Op::text_test:
      return there(node->field) && node->test(values.text(node->field));
  }
  return false;
}

std::vector<Field> Condition::fields() const {
  std::vector<Field> fields;
  const auto add = [&](Field field) {
    if (std::find(fields.begin(), fields.end(), field) == fields.end()) fields.push_back(field);
  };
  for (const Node& node : nodes_) {
    switch (node.op) {
      case Op::always:
      case Op::all:
      case Op::any:
      case Op::none_of:
      case Op::named:
        break;
      case Op::further_back:
        add(node.field);
        add(node.other);
        add(node.days);
        break;
      case Op::before:
        add(node.field);
        add(node.other);
        break;
      default:
        add(node.field);
    }
  }
  return fields;
}

std::string Condition::print(const Node* node, bool inside_all) {
  const auto number = [&] {
    return info(node->field).kind == FieldKind::date ? format_day(node->number)
                                                     : fmt::format("{}", node->number);
  };
  const auto join = [&](std::string_view between, bool all) {
    std::string text;
    for (const Node* child = node + 1; child < node + node->size; child += child->size) {
      if (!text.empty()) text += between;
      text += print(child, all);
    }
    return text;
  };
  const std::string_view name = name_of(node->field);
  switch (node->op) {
    case Op::always:
      return "always";
    case Op::all:
      return join(" ∧ ", true);
    case Op::any:
      return inside_all ? fmt::format("({})", join(" ∨ ", false)) : join(" ∨ ", false);
    case Op::none_of: {
      const bool bare = node[1].op == Op::named || node[1].op == Op::word_in;
      return fmt::format("{}{}{}", bare ? "¬" : "¬(", print(node + 1, bare), bare ? "" : ")");
    }
    case Op::named:
      return std::string{node->text};
    case Op::word_in: {
      const auto domain = info(node->field).domain;
      std::string listed;
      unsigned count = 0;
      for (unsigned i = 0; i < domain.size(); ++i) {
        const bool in_mask = ((node->mask >> i) & 1U) != 0;
        if (in_mask == node->negative) continue;
        if (!listed.empty()) listed += ", ";
        listed += to_string(domain[i]);
        ++count;
      }
      if (count == 1) return fmt::format("{} {} {}", name, node->negative ? "≠" : "=", listed);
      return fmt::format("{} {} {{{}}}", name, node->negative ? "∉" : "∈", listed);
    }
    case Op::empty:
      return fmt::format("{} empty", name);
    case Op::set:
      return fmt::format("{} set", name);
    case Op::number_in:
    case Op::number_not_in: {
      const bool inside = node->op == Op::number_in;
      std::string listed;
      for (std::int64_t i = 0; i < node->number; ++i) {
        if (i > 0) listed += ", ";
        listed += fmt::format("{}", node->numbers[static_cast<std::size_t>(i)]);
      }
      if (node->number == 1) return fmt::format("{} {} {}", name, inside ? "=" : "≠", listed);
      return fmt::format("{} {} {{{}}}", name, inside ? "∈" : "∉", listed);
    }
    case Op::less:
      return fmt::format("{} < {}", name, number());
    case Op::at_most:
      return fmt::format("{} ≤ {}", name, number());
    case Op::greater:
      return fmt::format("{} > {}", name, number());
    case Op::at_least:
      return fmt::format("{} ≥ {}", name, number());
    case Op::before:
      return fmt::format("{} < {}", name, name_of(node->other));
    case Op::further_back:
      return fmt::format("{} < {} − {} days", name, name_of(node->other), name_of(node->days));
    case Op::text_test:
      return fmt::format("{} {}", name, node->text);
  }
  return {};
}

std::string Condition::printed() const {
  return print(nodes_.data(), false);
}

std::vector<std::pair<std::string, std::string>> Condition::shorthand() const {
  std::vector<std::pair<std::string, std::string>> found;
  for (const Node& node : nodes_) {
    if (node.op != Op::named) continue;
    std::pair<std::string, std::string> entry{std::string{node.text}, print(&node + 1, false)};
    if (std::find(found.begin(), found.end(), entry) == found.end()) found.push_back(std::move(entry));
  }
  return found;
}

}  // namespace syncline::rules
