// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/rules/field_values.hpp"

#include <fmt/format.h>

#include <chrono>

#include "base/text.hpp"

namespace syncline::rules {

std::optional<Day> parse_day(std::string_view text) noexcept {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto digits = [&](std::size_t from, std::size_t count) -> int {
    int value = 0;
    for (std::size_t i = from; i < from + count; ++i) {
      if (text[i] < '0' || text[i] > '9') return -1;
      value = value * 10 + (text[i] - '0');
    }
    return value;
  };
  const int year = digits(0, 4);
  const int month = digits(5, 2);
  const int day = digits(8, 2);
  if (year < 1 || month < 1 || day < 1) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date}.time_since_epoch().count();
}

std::string format_day(Day day) {
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

FieldValues::FieldValues() noexcept {
  numbers_.fill(kEmptyWord);
}

std::size_t FieldValues::text_slot(Field field) noexcept {
  switch (field) {
    case Field::mbx_address:
      return 0;
    case Field::prof_in_host:
      return 1;
    case Field::prof_out_host:
      return 2;
    default:
      return 3;  // prof_name, the only other text
  }
}

bool FieldValues::set(Field field, Word word) noexcept {
  const auto index = index_in_domain(field, word);
  if (!index) return false;
  set_index(field, *index);
  return true;
}

void FieldValues::set_index(Field field, unsigned index) noexcept {
  numbers_[at(field)] = index;
  set_.insert(field);
}

void FieldValues::set_number(Field field, std::int64_t number) noexcept {
  numbers_[at(field)] = number;
  set_.insert(field);
}

void FieldValues::set_text(Field field, std::string_view text) {
  texts_[text_slot(field)].assign(text);
  if (text.empty()) {
    set_.erase(field);
  } else {
    set_.insert(field);
  }
}

void FieldValues::copy(Field field, const FieldValues& from) {
  if (from.is_empty(field)) {
    clear(field);
  } else if (info(field).kind == FieldKind::text) {
    set_text(field, from.text(field));
  } else {
    set_number(field, from.number(field));
  }
}

void FieldValues::clear(Field field) noexcept {
  numbers_[at(field)] = kEmptyWord;
  if (info(field).kind == FieldKind::text) texts_[text_slot(field)].clear();
  set_.erase(field);
}

void FieldValues::clear_all() noexcept {
  numbers_.fill(kEmptyWord);
  for (std::string& text : texts_) text.clear();
  set_ = {};
}

std::string FieldValues::printed(Field field) const {
  if (is_empty(field)) return {};
  switch (info(field).kind) {
    case FieldKind::word:
      return std::string{to_string(word(field))};
    case FieldKind::integer:
      return fmt::format("{}", number(field));
    case FieldKind::date:
      return format_day(number(field));
    case FieldKind::text:
      return std::string{text(field)};
  }
  return {};
}

}  // namespace syncline::rules
