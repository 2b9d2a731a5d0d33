// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
// Which fields each kind of record has, what they hold, and which way they go (the defaults of the field
// directions; [policy.fields] of an organisation overrides those that are settable).
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "model/record.hpp"

namespace syncline::model {

enum class FieldType : std::uint8_t {
  text,
  body,  ///< {"type":"html"|"text","value"}
  boolean,
  integer,
  number,
  instant,       ///< RFC 3339 in UTC, "2026-11-22T10:00:00Z"
  date,          ///< "2026-11-22"
  time_or_date,  ///< an instant; of an all-day event a date
  choice,        ///< one of EWS's words, as EWS spells it ("Busy", "InProgress")
  words,         ///< a set of texts: categories, children
  person,        ///< {"name","emailAddress"}
  people,        ///< a set of persons, told apart by address
  attendees,   ///< a set of {"mailbox":person,"responseType","lastResponseTime"}; only the addresses are ours
               ///< to write
  entries,     ///< a dictionary of texts, merged entry by entry: phoneNumbers
  addresses,   ///< a dictionary of postal addresses, merged entry by entry
  recurrence,  ///< {"pattern","range"}
  zone,        ///< {"id","definition"?}
  occurrences,  ///< modifiedOccurrences: [{"originalStart", fields that differ from the master's…}]
  instants,     ///< deletedOccurrences: a set of original starts
  attachments,  ///< [{"id","name","contentType","size","isInline","contentId","sha256"}]
  photo,        ///< {"sha256","size","contentType"}
  record,       ///< the id of another record
};

/// Which way changes of a field go.
enum class Direction : std::uint8_t { both, to_exchange, to_record, none };
std::string_view to_string(Direction direction) noexcept;  ///< "both", "to_exchange", "to_record", "none"
std::optional<Direction> parse_direction(std::string_view text) noexcept;

struct FieldInfo {
  std::string_view name;
  FieldType type = FieldType::text;
  Direction direction = Direction::both;
  bool settable = true;                            ///< [policy.fields] may choose another direction
  std::span<const std::string_view> choices = {};  ///< of FieldType::choice, or the keys of a dictionary
};

/// All fields of a kind, in the order in which people read them.
std::span<const FieldInfo> fields_of(RecordKind kind) noexcept;
/// nullptr: the kind has no such field.
const FieldInfo* find_field(RecordKind kind, std::string_view name) noexcept;

constexpr std::size_t field_text_limit_octets = std::size_t{4} << 20;
constexpr std::size_t field_elements_limit = 10'000;

/// Checks a value that a person or program gave for a field, and brings it to the one shape that is stored:
/// texts in UTF-8 with LF line ends, words and addresses trimmed, sets without repetitions. null is allowed
/// for every field. Errors (domain input): "bad-value" with the field's name and what it must be;
/// "too-large".
Result<FieldValue> canonical(const FieldInfo& field, const FieldValue& value);

/// What an element of a set is told apart by: a person's address in lower case (the name, if there is none),
/// the text itself, an occurrence's original start; empty: it says nothing.
std::string element_key(const FieldInfo& field, const FieldValue& element);

/// Whether two values say the same: sets in any order, addresses in any case, line ends and trailing blanks
/// of texts aside. An empty text, an empty set and null are the same.
bool same_value(const FieldInfo& field, const FieldValue& a, const FieldValue& b);

}  // namespace syncline::model
