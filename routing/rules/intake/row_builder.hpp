// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Collects one row from names and values that may be nested (`profile` / `type` for `prof_type`): what JSON
// and TOML have in common.
#include <optional>
#include <string>
#include <string_view>

#include "routing/rules/intake/field_text.hpp"

namespace syncline::rules {

/// "prof_" for "profile"; nullopt if it is not one of the four groups.
inline std::optional<std::string_view> prefix_of_group(std::string_view name) noexcept {
  if (name == "env") return "env_";
  if (name == "profile") return "prof_";
  if (name == "mailbox") return "mbx_";
  if (name == "request") return "req_";
  return std::nullopt;
}

class RowBuilder {
 public:
  explicit RowBuilder(InputRow& row) : row_(row) {
    row_.given.clear_all();
    row_.id.reset();
  }

  /// A name on top, or inside a group whose prefix is given. What is wrong with it, or nothing.
  std::optional<std::string> name(std::string_view prefix, std::string_view name) {
    name_.assign(prefix).append(name);
    meaning_ = meaning_of(name_);
    switch (meaning_.kind) {
      case ColumnMeaning::Kind::unknown:
        return unknown_field(name_);
      case ColumnMeaning::Kind::id:
        if (id_seen_) return "the row has two ids";
        id_seen_ = true;
        break;
      case ColumnMeaning::Kind::field:
        if (mentioned_.contains(meaning_.field)) return "the field is given twice";
        mentioned_.insert(meaning_.field);
        break;
      case ColumnMeaning::Kind::ignored:
        break;
    }
    return std::nullopt;
  }
  /// Full name of the field last named.
  const std::string& current() const noexcept { return name_; }
  bool ignores_value() const noexcept { return meaning_.kind == ColumnMeaning::Kind::ignored; }

  std::optional<std::string> text(std::string_view value) {
    if (meaning_.kind == ColumnMeaning::Kind::id) {
      row_.id = std::string{value};
    } else if (meaning_.kind == ColumnMeaning::Kind::field) {
      return set_from_text(row_.given, meaning_.field, value);
    }
    return std::nullopt;
  }
  std::optional<std::string> integer(std::int64_t value) {
    if (meaning_.kind == ColumnMeaning::Kind::id) {
      row_.id = std::to_string(value);
    } else if (meaning_.kind == ColumnMeaning::Kind::field) {
      return set_from_int(row_.given, meaning_.field, value);
    }
    return std::nullopt;
  }
  std::optional<std::string> real(double value) {
    if (meaning_.kind == ColumnMeaning::Kind::id) return "an id is a text or a whole number";
    if (meaning_.kind == ColumnMeaning::Kind::field)
      return set_from_double(row_.given, meaning_.field, value);
    return std::nullopt;
  }
  std::optional<std::string> boolean(bool value) {
    if (meaning_.kind == ColumnMeaning::Kind::id) return "an id is a text or a whole number";
    if (meaning_.kind == ColumnMeaning::Kind::field) return set_from_bool(row_.given, meaning_.field, value);
    return std::nullopt;
  }

 private:
  InputRow& row_;
  std::string name_;
  ColumnMeaning meaning_;
  FieldSet mentioned_;
  bool id_seen_ = false;
};

}  // namespace syncline::rules
