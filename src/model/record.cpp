// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/record.hpp"

namespace syncline::model {

std::string_view text_of(const Fields& fields, std::string_view name) noexcept {
  const FieldValue* value = fields.if_contains(name);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

std::string_view to_string(RecordKind kind) noexcept {
  switch (kind) {
    case RecordKind::email:
      return "email";
    case RecordKind::appointment:
      return "appointment";
    case RecordKind::contact:
      return "contact";
    case RecordKind::task:
      return "task";
  }
  return "email";
}

std::optional<RecordKind> parse_record_kind(std::string_view text) noexcept {
  for (const RecordKind kind : record_kinds)
    if (to_string(kind) == text) return kind;
  return std::nullopt;
}

}  // namespace syncline::model
