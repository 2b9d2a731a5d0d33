// SPDX-License-Identifier: GPL-3.0-or-later
#include "routing/rules/intake/field_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/text.hpp"

namespace syncline::rules {
namespace {

// Edits (insert, delete, replace) between two short names; anything longer is not a slip of the pen.
std::size_t edits(std::string_view a, std::string_view b) {
  constexpr std::size_t kFar = 99;
  if (a.size() > 64 || b.size() > 64) return kFar;
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

class Nearest {
 public:
  explicit Nearest(std::string_view name) : name_(text::to_lower_ascii(name)) {}
  void offer(std::string_view candidate) {
    const std::size_t distance = edits(name_, candidate);
    if (distance >= best_) return;
    best_ = distance;
    found_ = candidate;
  }
  /// " (did you mean …?)" or nothing.
  std::string hint() const {
    const bool near = best_ <= 1 + name_.size() / 5;
    return near ? fmt::format(" (did you mean {}?)", found_) : std::string{};
  }

 private:
  std::string name_;
  std::string_view found_;
  std::size_t best_ = 98;
};

bool takes(Field field, Word word) noexcept {
  return index_in_domain(field, word).has_value();
}

std::string outside_domain(Field field, std::string_view shown) {
  const FieldInfo& about = info(field);
  switch (about.kind) {
    case FieldKind::integer:
      return fmt::format("{} is not a whole number", shown);
    case FieldKind::date:
      return fmt::format("{} is not a date YYYY-MM-DD", shown);
    case FieldKind::text:
      return fmt::format("{} is not a text", shown);
    case FieldKind::word:
      break;
  }
  std::string listed;
  for (const Word word : about.domain) {
    if (!listed.empty()) listed += ", ";
    listed += to_string(word);
  }
  return fmt::format("{} is not one of {}", shown, listed);
}

}  // namespace

std::string quoted(std::string_view text) {
  constexpr std::size_t kShown = 60;
  if (text.size() <= kShown) return fmt::format("\"{}\"", text::escape_for_display(text));
  std::size_t cut = kShown;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0U) == 0x80U) --cut;
  return fmt::format("\"{}…\" ({} octets)", text::escape_for_display(text.substr(0, cut)), text.size());
}

std::string InputProblem::describe(std::string_view file) const {
  std::string text{file};
  if (line > 0) text += fmt::format(":{}", line);
  text += ":";
  if (row > 0) text += fmt::format(" row {}", row);
  if (!column.empty()) text += fmt::format("{} column {}", row > 0 ? "," : "", column);
  if (row > 0 || !column.empty()) text += ":";
  return text + " " + reason;
}

ColumnMeaning meaning_of(std::string_view name) noexcept {
  if (const auto field = field_from(name)) return {ColumnMeaning::Kind::field, *field};
  if (name == "case_id" || name == "id") return {ColumnMeaning::Kind::id, {}};
  if (name == "group" || name == "note" || name.starts_with("expect_"))
    return {ColumnMeaning::Kind::ignored, {}};
  return {};
}

std::string unknown_field(std::string_view name) {
  Nearest nearest{name};
  for (const Field field : all_fields()) nearest.offer(name_of(field));
  return fmt::format("unknown field {}{}", quoted(name), nearest.hint());
}

std::optional<std::string> set_from_text(FieldValues& values, Field field, std::string_view text) {
  if (text.empty()) return std::nullopt;
  switch (info(field).kind) {
    case FieldKind::word: {
      if (const auto index = index_in_domain(field, text)) {
        values.set_index(field, *index);
        return std::nullopt;
      }
      if (takes(field, Word::yes)) {
        // Spreadsheets write TRUE and FALSE.
        if (text::equals_ignore_case(text, "true")) return set_from_bool(values, field, true);
        if (text::equals_ignore_case(text, "false")) return set_from_bool(values, field, false);
      }
      Nearest nearest{text};
      for (const Word word : info(field).domain) nearest.offer(to_string(word));
      return outside_domain(field, quoted(text)) + nearest.hint();
    }
    case FieldKind::integer:
      if (const auto number = text::parse_int(text)) {
        values.set_number(field, *number);
        return std::nullopt;
      }
      break;
    case FieldKind::date:
      if (const auto day = parse_day(text)) {
        values.set_number(field, *day);
        return std::nullopt;
      }
      break;
    case FieldKind::text:
      values.set_text(field, text);
      return std::nullopt;
  }
  return outside_domain(field, quoted(text));
}

std::optional<std::string> set_from_bool(FieldValues& values, Field field, bool value) {
  const Word word = value ? Word::yes : Word::no;
  if (info(field).kind != FieldKind::word || !takes(field, word))
    return outside_domain(field, value ? "true" : "false");
  values.set(field, word);
  return std::nullopt;
}

std::optional<std::string> set_from_int(FieldValues& values, Field field, std::int64_t value) {
  const std::string printed = fmt::format("{}", value);
  if (info(field).kind == FieldKind::integer) {
    values.set_number(field, value);
    return std::nullopt;
  }
  // 2019 for a version, 0 for a switch: codes that look like numbers.
  if (info(field).kind == FieldKind::word && index_in_domain(field, printed)) {
    return set_from_text(values, field, printed);
  }
  return outside_domain(field, printed);
}

std::optional<std::string> set_from_double(FieldValues& values, Field field, double value) {
  constexpr double kExact = 9007199254740992.0;  // 2^53: every integer up to it is a double of its own
  if (info(field).kind == FieldKind::integer && std::fabs(value) <= kExact && std::trunc(value) == value) {
    return set_from_int(values, field, static_cast<std::int64_t>(value));
  }
  const std::string printed = fmt::format("{:.1f}", value);
  if (info(field).kind == FieldKind::word && index_in_domain(field, printed)) {
    return set_from_text(values, field, printed);  // TLS 1.2
  }
  return outside_domain(field, fmt::format("{}", value));
}

}  // namespace syncline::rules
