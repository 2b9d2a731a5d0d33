// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// A record of the organisation: an e-mail, appointment, contact or task. Its fields are kept in JSON's
// shapes, under EWS's names in lower camel case (docs/records.md); what each may hold is in
// field_catalogue.hpp.
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace syncline::model {

enum class RecordKind : std::uint8_t { email, appointment, contact, task };

inline constexpr RecordKind record_kinds[] = {RecordKind::email, RecordKind::appointment, RecordKind::contact,
                                              RecordKind::task};

/// "email", "appointment", "contact", "task".
std::string_view to_string(RecordKind kind) noexcept;
std::optional<RecordKind> parse_record_kind(std::string_view text) noexcept;

/// Absent: unknown. null: known to be empty. The two are different things in a merge.
using Fields = boost::json::object;
using FieldValue = boost::json::value;

/// The text of a field, or of a member of any object; empty where there is none or it is no text.
std::string_view text_of(const Fields& fields, std::string_view name) noexcept;

/// Of one organisation; never used again. 0: none yet.
using RecordId = std::int64_t;

struct Record {
  RecordId id = 0;
  RecordKind kind = RecordKind::email;
  std::optional<std::string> external_id = std::nullopt;  ///< the application's own key, unique where given
  std::string owner = {};                                 ///< address of the user or queue it belongs to
  std::int64_t version = 0;                               ///< grows by one with every change; 1 is the first
  bool deleted = false;                                   ///< kept for the change feed and for undoing
  SystemTime changed_at{};                                ///< of this version; set by the store
  Fields fields = {};
};

}  // namespace syncline::model
