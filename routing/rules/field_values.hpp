// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Values of the fields of one row, typed by field, empty unless set. Days are counted from 1970-01-01.
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "routing/rules/fields.hpp"

namespace syncline::rules {

/// Calendar day in UTC, as days since 1970-01-01.
using Day = std::int64_t;

/// "2026-11-22", years 1 to 9999, real days only.
std::optional<Day> parse_day(std::string_view text) noexcept;
std::string format_day(Day day);

class FieldValues {
 public:
  /// Index that an empty word field has: no mask that a comparison makes contains it.
  static constexpr unsigned kEmptyWord = 31;

  FieldValues() noexcept;

  bool is_empty(Field field) const noexcept { return !set_.contains(field); }
  const FieldSet& set_fields() const noexcept { return set_; }

  /// Word fields. A word outside the field's domain is a fault of the caller: it is refused and nothing
  /// changes.
  bool set(Field field, Word word) noexcept;
  void set_index(Field field, unsigned index) noexcept;
  /// Integer and date fields.
  void set_number(Field field, std::int64_t number) noexcept;
  void set_text(Field field, std::string_view text);
  /// Takes over the value of `field`, empty or not.
  void copy(Field field, const FieldValues& from);
  void clear(Field field) noexcept;
  /// Back to a row of empty fields, keeping the memory of texts.
  void clear_all() noexcept;

  unsigned index(Field field) const noexcept { return static_cast<unsigned>(numbers_[at(field)]); }
  /// Precondition of word and number: the field is set.
  Word word(Field field) const noexcept { return info(field).domain[index(field)]; }
  std::int64_t number(Field field) const noexcept { return numbers_[at(field)]; }
  bool is(Field field, Word value) const noexcept { return !is_empty(field) && word(field) == value; }
  std::string_view text(Field field) const noexcept { return texts_[text_slot(field)]; }

  /// As it would stand in a file; an empty field is "".
  std::string printed(Field field) const;

 private:
  static constexpr std::size_t at(Field field) noexcept { return static_cast<std::size_t>(field); }
  static std::size_t text_slot(Field field) noexcept;

  std::array<std::int64_t, kFieldCount> numbers_;
  std::array<std::string, 4> texts_;
  FieldSet set_;
};

}  // namespace syncline::rules
