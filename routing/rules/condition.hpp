// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Conditions over the fields of an assignment, written as the catalogue writes them:
//
//   prof_in_protocol == ews && prof_out_protocol == smtp
//   in(mbx_exchange_version, {v2003, v2007})
//   prof_max_conn > 27
//
// A condition is data: it is evaluated, it names its fields, and it prints itself. A comparison with an empty
// field does not hold, whatever the operator (catalogue section 1, point 9): the empty value is in no mask,
// and numbers are compared only when they are there.
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "routing/rules/assignment.hpp"

namespace syncline::rules {

class Condition {
 public:
  /// Holds for every row.
  Condition();

  /// Whether it holds. The fields that had to be looked at, left to right until the outcome was certain, are
  /// added to `read`.
  bool holds(const FieldValues& values, FieldSet& read) const {
    return evaluate(nodes_.data(), values, read);
  }
  bool holds(const FieldValues& values) const {
    FieldSet ignored;
    return holds(values, ignored);
  }
  bool always() const noexcept;

  /// Every field that it names, shorthand opened, in the order of first mention.
  std::vector<Field> fields() const;

  /// In the notation of the catalogue: "prof_type ∈ {gmail} ∧ mbx_mfa = yes". Shorthand stays folded.
  std::string printed() const;
  /// The shorthand used in it and what each stands for, innermost last.
  std::vector<std::pair<std::string, std::string>> shorthand() const;

  friend Condition operator&&(Condition a, const Condition& b);
  friend Condition operator||(Condition a, const Condition& b);
  friend Condition operator!(const Condition& a);
  /// Gives `condition` a name that `printed` shows in its place.
  friend Condition named(std::string_view name, const Condition& condition);

  friend Condition in(Field field, std::initializer_list<Word> words);
  friend Condition not_in(Field field, std::initializer_list<Word> words);
  friend Condition is_empty(Field field);
  friend Condition is_set(Field field);
  friend Condition in_numbers(Field field, std::initializer_list<std::int32_t> numbers);
  friend Condition not_in_numbers(Field field, std::initializer_list<std::int32_t> numbers);

  /// a < b, both dates or both integers.
  friend Condition is_before(Field a, Field b);
  /// a < b − N days, N from `days`.
  friend Condition is_further_back(Field a, Field b, Field days);

  using TextTest = bool (*)(std::string_view);
  /// `text` says what the test means, in the catalogue's words.
  friend Condition text_is(Field field, TextTest test, std::string_view text);

  enum class Compare : std::uint8_t { less, at_most, greater, at_least };
  friend Condition compare(Field field, Compare how, std::int64_t number);

 private:
  enum class Op : std::uint8_t {
    always,
    all,
    any,
    none_of,  // one child
    named,    // one child
    word_in,
    empty,
    set,
    number_in,
    number_not_in,
    less,
    at_most,
    greater,
    at_least,
    before,
    further_back,
    text_test
  };
  /// Pre-order: a node is followed by its children; `size` counts it and all below it.
  struct Node {
    Op op = Op::always;
    Field field{};
    Field other{};
    Field days{};
    bool negative = false;  // of word_in, for printing: ≠, ∉
    std::uint32_t mask = 0;
    std::uint32_t size = 1;
    std::int64_t number = 0;
    std::array<std::int32_t, 4> numbers{};
    TextTest test = nullptr;
    std::string_view text;
  };

  static Condition leaf(const Node& node);
  static Condition group(Op op, const Condition& a, const Condition& b);
  static Condition words(Field field, std::initializer_list<Word> words, bool negative);
  static Condition numbers(Field field, std::initializer_list<std::int32_t> numbers, Op op);
  static bool evaluate(const Node* node, const FieldValues& values, FieldSet& read);
  static std::string print(const Node* node, bool inside_all);
  std::vector<Node> nodes_;
};

Condition operator&&(Condition a, const Condition& b);
Condition operator||(Condition a, const Condition& b);
Condition operator!(const Condition& a);
/// `name` must outlive the condition (a literal).
Condition named(std::string_view name, const Condition& condition);
Condition in(Field field, std::initializer_list<Word> words);
Condition not_in(Field field, std::initializer_list<Word> words);
Condition is_empty(Field field);
Condition is_set(Field field);
Condition in_numbers(Field field, std::initializer_list<std::int32_t> numbers);
Condition not_in_numbers(Field field, std::initializer_list<std::int32_t> numbers);
Condition is_before(Field a, Field b);
Condition is_further_back(Field a, Field b, Field days);
Condition text_is(Field field, Condition::TextTest test, std::string_view text);
Condition compare(Field field, Condition::Compare how, std::int64_t number);

inline Condition operator==(Field field, Word word) {
  return in(field, {word});
}
inline Condition operator!=(Field field, Word word) {
  return not_in(field, {word});
}
inline Condition operator<(Field field, int number) {
  return compare(field, Condition::Compare::less, number);
}
inline Condition operator<=(Field field, int number) {
  return compare(field, Condition::Compare::at_most, number);
}
inline Condition operator>(Field field, int number) {
  return compare(field, Condition::Compare::greater, number);
}
inline Condition operator>=(Field field, int number) {
  return compare(field, Condition::Compare::at_least, number);
}

/// Dates are written as in the catalogue: `on_or_after(env_as_of, "2026-10-01")`.
Condition on_or_after(Field field, std::string_view day);
Condition before(Field field, std::string_view day);

}  // namespace syncline::rules
